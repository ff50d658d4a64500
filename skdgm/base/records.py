"""Record of a fit in a file, from which another continues: a place among stages.

A record is the estimator as it is, with an attribute ``_record``: the stage under way,
what it continues from beside the fitted attributes, and what tells whether a fit is the
same: options, rows with their weights, and the epochs before it.
"""

import hashlib
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator

from skdgm.base.attributes import shallow
from skdgm.base.fits import plain
from skdgm.base.groups import OptionGroup
from skdgm.training import Keeper, Progress

# Options that change nothing of what is learned.
_FREE = {"verbose"}
# Place after the last stage.
_END = "end"


class Record:
    """Record of one fit.

    Parameters
    ----------
    estimator : Estimator
        About to be trained. If there is an earlier run, it gets what that had learned
        before the stage that was under way.
    tables : sequence of Table
        Training rows; of several stages, those of each.
    file : object or None
        Where the record is: a callback whose ``read()`` returns an estimator or None,
        ``due()`` says after an epoch whether to write, and ``write(estimator)`` does.

    Attributes
    ----------
    source : Estimator or None
        From the file.
    known : dict
        Its ``_record``.

    Raises
    ------
    ValueError
        The file has the record of another fit.
    """

    def __init__(self, estimator, tables, file=None):
        self.estimator, self.file, self.reached = estimator, file, True
        self.source, self.known = None, {"stage": None}
        if file is None:
            return
        self.start = dict(vars(estimator))
        self.facts, source = fingerprint(estimator, *tables), file.read()
        if source is not None:
            refuse_other(file, estimator, self.facts, source)
            self.source, self.reached = source, False
            self.known, own = vars(source).pop("_record"), vars(source)
            estimator._seed = source._seed
            vars(estimator).update({name: own[name] for name in self.known["learned"]})

    @classmethod
    def of(cls, estimator, *tables):
        """Record that a callback of an estimator keeps, or the model that this one is a
        part of; one that keeps nothing if no callback does."""
        return cls(estimator, tables, file_of(estimator))

    def at(self, stage):
        """Whether an earlier run ended in a stage."""
        return self.known["stage"] == stage.key

    def reaches(self, stage):
        """Whether a stage is left to run: the one of the file, or one after it."""
        self.reached = self.reached or self.at(stage)
        return self.reached

    def joined(self, stage, state):
        """State that the epochs of a stage begin with, which is that of the file if
        there is one, and the hook that keeps them, or None."""
        if self.file is None:
            return state, None
        self._begin()
        progress = None
        if self.at(stage):
            progress = dict(self.known["progress"])
            state = stage.restored(self.source, self.known["memory"])
            stopping = progress["stopping"] = dict(progress["stopping"])
            if stopping.get("best") is not None:
                (attributes, memory), source = stopping["best"], shallow(self.source)
                vars(source).update(attributes)
                stopping["best"] = stage.restored(source, memory)
            progress = Progress(**progress)

        def keep(report, progress):
            if self.file.due():
                new = shallow(self.estimator)
                for name in stage.transient:
                    vars(new).pop(name, None)
                vars(new).update(stage.attributes(report.state, progress))
                self._write_epochs(new, stage, report.state, progress)

        self.keeper = Keeper(keep, progress)
        return state, self.keeper

    def place(self, stage):
        """Place of a stage's component in the file."""
        self._begin()
        source = stage.component_of(self.source) if self.at(stage) else None

        def write(component):
            new = shallow(self.estimator)
            vars(new).update(stage.attributes(component))
            self._write(new, stage.key)

        return Place(self.file, source, write)

    def complete(self, stage):
        """Write the fitted estimator, at the end of the last stage, or of none."""
        if self.file is None:
            return
        new = shallow(self.estimator)
        if stage is None or stage.learned is None:
            self._begin()
            self._write(new, _END)
        else:
            state, progress = stage.learned.state, self.keeper.progress()
            self._write_epochs(new, stage, state, progress)

    def _begin(self):
        """Note what was learned before the stage that begins."""
        known = vars(self.estimator).items()
        self.learned = [name for name, v in known if self.start.get(name) is not v]

    def _write_epochs(self, new, stage, state, progress):
        stopping = dict(progress.stopping)
        best = stopping.get("best")
        if best is not None:
            stopping["best"] = stage.attributes(best), stage.memory(best)
        progress = progress._replace(stopping=stopping)._asdict()
        self._write(new, stage.key, progress=progress, memory=stage.memory(state))

    def _write(self, new, key, **more):
        new._record = {"facts": self.facts, "stage": key, "learned": self.learned}
        new._record |= more
        self.file.write(new)


class Place:
    """Place, as of a callback, of a model that is part of another, in the file of that;
    ``source`` is the part as it was kept, or None, and ``write(part)`` keeps it as it
    is now."""

    def __init__(self, file, source, write):
        self.file, self.source, self.write, self.due = file, source, write, file.due

    def __str__(self):
        return str(self.file)

    def read(self):
        """The part as it was kept, or None."""
        return self.source


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


def fingerprint(estimator, *tables):
    """What tells one fit of an estimator to tables from another, by name."""
    asked = {name: _plainly(own) for name, own in estimator.get_params().items()}
    plain_ones = {
        name: value
        for name, value in asked.items()
        if name not in _FREE and not _is_model(value) and not _is_generator(name, value)
    }
    rows, weights = hashlib.sha256(), hashlib.sha256()
    for table in tables:
        rows.update(table.hashes.tobytes())
        weights.update(table.weight.tobytes())
    return {
        "rows": rows.hexdigest(),
        "weights": weights.hexdigest(),
        "epochs before it": estimator.n_iter_,
        "options": plain_ones,
    }


def refuse_other(file, estimator, own, source):
    """Raise ValueError, which names a file, unless an estimator from it, ``source``, is
    of the fit of an estimator that has these facts."""
    record = vars(source).get("_record")
    if type(source) is not type(estimator) or "stage" not in (record or ()):
        raise ValueError(
            f"{file} has no unfinished fit of {estimator._name}: give another path, or "
            "remove the file."
        )
    unlike = _unlike(own, record["facts"])
    if unlike:
        raise ValueError(
            f"{file} has a fit of {estimator._name} with {unlike}: give another path, "
            "remove the file to start again, or fit as before to continue."
        )


def _plainly(value):
    """Value of an option, by a text for a group, whose details have names of their own,
    and for a tuple of groups."""
    if isinstance(value, OptionGroup):
        return value.stands_for
    if isinstance(value, tuple) and any(isinstance(v, OptionGroup) for v in value):
        return repr(value)
    return value


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
