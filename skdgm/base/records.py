"""Records of a fit in a file, from which another fit continues.

A record is the estimator after an epoch, with an attribute ``_record``: what early
stopping and the watch remember, and what tells whether a fit is the same: options, rows
with their weights, and the epochs before it. Before the first epoch, in pre-training,
it is the estimator as it would then begin, and what pre-training continues from; after
the last, also what continues from a stage that comes then.
"""

import hashlib
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator

from skdgm.base.attributes import shallow
from skdgm.base.fits import plain
from skdgm.training import Keeper, Progress

# Options that change nothing of what is learned.
_FREE = {"verbose"}


class Record:
    """Record of one fit.

    Parameters
    ----------
    estimator : Estimator
        About to be trained. If there is an earlier run, it gets the attributes of that.
    tables : sequence of Table
        Training rows; of several stages, those of each.
    file : object or None
        Where the record is: a callback whose ``read()`` returns an estimator or None,
        ``due()`` says after an epoch whether to write, and ``write(estimator)`` does.

    Attributes
    ----------
    source : Estimator or None
        From the file, if the earlier run reached its epochs.
    unfinished : Estimator or None
        From the file, if the earlier run ended in pre-training.
    memory : dict
        What ``unfinished`` continues from, as :meth:`keep_earlier` was given it.
    later : dict or None
        What a stage after all epochs continues from, as :meth:`keep_later` was given
        it.

    Raises
    ------
    ValueError
        The file has the record of another fit.
    """

    def __init__(self, estimator, tables, file=None):
        self.estimator, self.file = estimator, file
        self.source = self.unfinished = self.keeper = self.later = None
        if file is None:
            return
        self.facts = facts_of(estimator, estimator.n_iter_, *tables)
        source, progress = file.read(), None
        if source is not None:
            refuse_other(file, estimator, self.facts, source)
            record = vars(source).pop("_record")
            estimator._seed = source._seed
            self.memory = record.get("earlier")
            if self.memory is not None:
                self.unfinished = source
            else:
                self.source, known = source, vars(source)
                self.later = record["later"]
                progress = self._progress(record)
                vars(estimator).update({name: known[name] for name in self.learned})
        self.start = dict(vars(estimator))
        self.keeper = Keeper(self, progress)

    @classmethod
    def of(cls, estimator, *tables):
        """Record that a callback of an estimator keeps, or the model that this one is a
        part of; one that keeps nothing if no callback does."""
        return cls(estimator, tables, file_of(estimator))

    def options(self, objective, state, n_epochs, hooks):
        """Options of :func:`~skdgm.training.optimise`, with the state to continue from:
        that of the record if there is one. The objective may pre-train."""
        objective.record = None if self.file is None else self
        if self.source is not None:
            state = self._state_of(vars(self.source))
        return {
            "state": state,
            "n_epochs": n_epochs,
            "hooks": hooks,
            "early_stopping": self.estimator._options.early_stopping,
            "keeper": self.keeper,
        }

    def complete(self):
        """Write the fitted estimator, at the end of training."""
        if self.file is not None:
            self._write(shallow(self.estimator), self.keeper.progress())

    def keep_earlier(self, attributes, memory=()):
        """Write the estimator before its first epoch.

        Parameters
        ----------
        attributes : dict
            Fitted attributes, so that the file is a model.
        memory : dict, optional
            What the stage under way continues from, if the attributes do not say it.
        """
        new = shallow(self.estimator)
        vars(new).update(attributes, _ended="interrupted")
        new._record = {"facts": self.facts, "earlier": dict(memory)}
        self.file.write(new)

    def keep_later(self, attributes, memory, due=True):
        """Note where a stage after the last epoch stands, and write it.

        Parameters
        ----------
        attributes : dict
            Fitted attributes that the stage sets.
        memory : dict
            What it continues from; of an estimator that is complete, too.
        due : bool, default=True
            Whether to write now.
        """
        self.later = memory
        if due:
            new = shallow(self.estimator)
            vars(new).update(attributes, _ended="interrupted")
            self._write(new, self.keeper.progress())

    def begin(self):
        """Note what was learned before epochs begin, as pre-training does."""
        if self.source is None:
            known = vars(self.estimator).items()
            self.learned = [n for n, v in known if self.start.get(n) is not v]

    def keep(self, report, progress):
        """Write the estimator after an epoch, if it is time to.

        Parameters
        ----------
        report : Report
        progress : Progress
        """
        if self.file.due():
            estimator = self.estimator
            new = shallow(estimator)
            for name in estimator._TRANSIENT:
                vars(new).pop(name, None)
            vars(new).update(estimator._copied_attributes(report.state))
            new.n_iter_ += len(progress.losses)
            new.loss_curve_ = estimator.loss_curve_ + progress.losses
            if progress.stopping:
                new.validation_curve_ = (
                    estimator.validation_curve_ + progress.validation
                )
            new._ended = "interrupted"
            self._write(new, progress)

    def _write(self, new, progress):
        stopping = dict(progress.stopping)
        if stopping and stopping["best"] is not None:
            stopping["best"] = self.estimator._copied_attributes(stopping["best"])
        progress = progress._replace(stopping=stopping)
        new._record = {
            "facts": self.facts,
            "progress": progress._asdict(),
            "learned": self.learned,
            "later": self.later,
        }
        self.file.write(new)

    def _progress(self, record):
        """Where the earlier run ended."""
        self.learned = record["learned"]
        stopping = record["progress"]["stopping"]
        if stopping and stopping["best"] is not None:
            stopping["best"] = self._state_of(stopping["best"])
        return Progress(**record["progress"])

    def _state_of(self, attributes):
        """Training state of fitted attributes."""
        found = shallow(self.source)
        vars(found).update(attributes)
        return found._state()


class Place:
    """Place, as of a callback, of a model that is part of another in the file of that.

    Parameters
    ----------
    file : object
        As of a :class:`Record`.
    source : Estimator or None
        The part as it was kept.
    write : callable
        ``write(part)`` keeps it as it is now.
    """

    def __init__(self, file, source, write):
        self.file, self.source, self.write, self.due = file, source, write, file.due

    def __str__(self):
        return str(self.file)

    def read(self):
        """The part as it was kept, or None."""
        return self.source


class StageRecord:
    """Record of a stage beside the epochs of a fit, such as pre-training.

    Parameters
    ----------
    file : object
        As of a :class:`Record`.
    write : callable
        ``write(state, progress, due)`` notes where the stage stands, and writes it if
        it is time to.
    """

    def __init__(self, file, write):
        self.file, self.write = file, write

    def begin(self):
        """Do nothing: that a stage begins is not kept."""

    def keep(self, report, progress):
        """Note where the stage stands after an epoch."""
        self.write(report.state, progress, self.file.due())


def file_of(estimator):
    """Callback that keeps the training of an estimator, or its place in the file of a
    model that it is a part of; or None."""
    part_of = vars(estimator).pop("_part_of", None)
    callbacks = vars(estimator).get("_skl_callbacks", ())
    files = [one for one in callbacks if getattr(one, "keeps_training", False)]
    if len(files) > 1:
        raise ValueError(
            f"{estimator._name} has {len(files)} callbacks that keep its training: "
            "give it one."
        )
    return files[0] if files else part_of


def facts_of(estimator, n_epochs, *tables):
    """What tells one fit to tables, after so many epochs, from another, by name."""
    plain_ones = {
        name: value
        for name, value in estimator.get_params().items()
        if name not in _FREE and not _is_model(value) and not _is_generator(name, value)
    }
    rows, weights = hashlib.sha256(), hashlib.sha256()
    for table in tables:
        rows.update(table.hashes.tobytes())
        weights.update(table.weight.tobytes())
    return {
        "rows": rows.hexdigest(),
        "weights": weights.hexdigest(),
        "epochs before it": n_epochs,
        "options": plain_ones,
    }


def refuse_other(file, estimator, own, source):
    """Raise ValueError unless an estimator from a file is of the same fit.

    Parameters
    ----------
    file : object
        Named in the error.
    estimator : Estimator
        About to be trained.
    own : dict
        Its facts.
    source : Estimator
        From the file, with the ``_record`` that was kept.
    """
    record = vars(source).get("_record")
    if type(source) is not type(estimator) or record is None:
        raise ValueError(
            f"{file} has no unfinished fit of {estimator._name}: give another path, or "
            "remove the file."
        )
    unlike = _unlike(own, record["facts"])
    if unlike:
        raise ValueError(
            f"{file} has a fit of {estimator._name} with {unlike}: give another path, "
            "remove the file to begin anew, or fit as before to go on."
        )


def _is_model(value):
    if isinstance(value, list | tuple):
        return any(map(_is_model, value))
    return isinstance(value, BaseEstimator)


def _is_generator(name, value):
    return name.split("__")[-1] == "random_state" and not isinstance(value, Integral)


def _unlike(own, kept):
    """What differs between the facts of two fits, or None."""
    for name in ("rows", "weights", "epochs before it"):
        if own[name] != kept[name]:
            return f"other {name}"
    own, kept = own["options"], kept["options"]
    for name in {**own, **kept}:
        pair = [repr(plain(options.get(name))) for options in (own, kept)]
        values = [np.asarray(options.get(name), object) for options in (own, kept)]
        if pair[0] != pair[1] or not np.array_equal(*values):
            return f"{name}={pair[1]}, not {pair[0]}"
    return None
