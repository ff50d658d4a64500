"""Records of unfinished fits in files, from which later fits continue.

A record is the estimator itself with an attribute ``_record``: the current stage, the
training state that is not in fitted attributes, and facts that identify the fit
(options, rows with their weights, number of earlier epochs).
"""

import hashlib
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator

from skdgm.base.attributes import shallow
from skdgm.base.fits import plain
from skdgm.base.groups import OptionGroup
from skdgm.exceptions import OlderFileError
from skdgm.training import Keeper, Progress

# Options that do not influence training.
_FREE = {"verbose"}
# Place after the last stage.
_END = "end"


class Record:
    """Record of one fit in the ``file`` of a callback; None stores nothing.

    If the file has the record of an earlier run, ``source`` is its estimator and
    ``known`` its ``_record``. The present ``estimator`` then takes over the attributes
    that the run had learned before its current stage. ``tables`` are the training rows,
    one table for each stage if they differ. ``file.read()`` returns an estimator or
    None, ``due()`` is called after each epoch and returns whether to write, and
    ``write(estimator)`` writes. ValueError if the file has the record of another fit.
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
            self.known, old = vars(source).pop("_record"), vars(source)
            estimator._seed = source._seed
            vars(estimator).update({name: old[name] for name in self.known["learned"]})

    @classmethod
    def of(cls, estimator, *tables):
        """Record in the file of a callback of the estimator, or of the model that
        contains it; without such a callback, a record that stores nothing."""
        return cls(estimator, tables, file_of(estimator))

    def at(self, stage):
        """Return whether an earlier run ended in this stage."""
        return self.known["stage"] == stage.key

    def reaches(self, stage):
        """Return whether a stage has to run: the stage in the file, or a later
        stage."""
        self.reached = self.reached or self.at(stage)
        return self.reached

    def joined(self, stage, state):
        """Initial state of the epochs of a stage, from the file if possible, and the
        hook that stores their progress, or None."""
        if self.file is None:
            return state, None
        self._begin()
        progress = None
        if self.at(stage):
            try:
                state, progress = self._restored(stage)
            except (KeyError, TypeError) as error:
                raise OlderFileError(
                    f"{self.file} was written in the middle of a fit by a version that "
                    f"stores its state differently ({error!r}): remove the file to "
                    "start again, or finish the fit with that version."
                ) from error

        def keep(report, progress):
            if self.file.due():
                new = shallow(self.estimator)
                for name in stage.transient:
                    vars(new).pop(name, None)
                vars(new).update(stage.attributes(report.state, progress))
                self._write_epochs(new, stage, report.state, progress)

        self.keeper = Keeper(keep, progress)
        return state, self.keeper

    def _restored(self, stage):
        """Training state in the file, and the Progress of its run."""
        progress = dict(self.known["progress"])
        state = stage.restored(self.source, self.known["memory"])
        stopping = progress["stopping"] = dict(progress["stopping"])
        if stopping.get("best") is not None:
            (attributes, memory), source = stopping["best"], shallow(self.source)
            vars(source).update(attributes)
            stopping["best"] = stage.restored(source, memory)
        return state, Progress(**progress)

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
        """Write the fitted estimator after the last stage; ``stage`` is None if no
        stage was left to run."""
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
        """Store which attributes were learned before the current stage."""
        items = vars(self.estimator).items()
        self.learned = [name for name, v in items if self.start.get(name) is not v]

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
    """Part of a file for a component, with the interface of a callback. ``source`` is
    the stored component, or None, and ``write(component)`` stores its present
    attributes."""

    def __init__(self, file, source, write):
        self.file, self.source, self.write, self.due = file, source, write, file.due

    def __str__(self):
        return str(self.file)

    def read(self):
        """Return the stored component, or None."""
        return self.source


def file_of(estimator):
    """Callback that stores the training of an estimator, or the :class:`Place` of a
    component in the file of its model; or None."""
    place = vars(estimator).pop("_part_of", None)
    callbacks = vars(estimator).get("_skl_callbacks", ())
    files = [c for c in callbacks if getattr(c, "keeps_training", False)]
    if len(files) > 1:
        raise ValueError(
            f"{estimator._name} has {len(files)} callbacks that keep its training: "
            "give it one."
        )
    return files[0] if files else place


def fingerprint(estimator, *tables):
    """Dict of facts that identify a fit of an estimator to tables."""
    options = {name: _plainly(v) for name, v in estimator.get_params().items()}
    compared = {
        name: value
        for name, value in options.items()
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
        "options": compared,
    }


def refuse_other(file, estimator, facts, source):
    """Raise ValueError, which names the file, unless the estimator ``source`` from the
    file belongs to the fit with the facts ``facts``."""
    record = vars(source).get("_record")
    if type(source) is not type(estimator) or "stage" not in (record or ()):
        raise ValueError(
            f"{file} has no unfinished fit of {estimator._name}: give another path, or "
            "remove the file."
        )
    unlike = _unlike(facts, record["facts"])
    if unlike:
        raise ValueError(
            f"{file} has a fit of {estimator._name} with {unlike}: give another path, "
            "remove the file to start again, or fit as before to continue."
        )


def _plainly(value):
    """Value of an option; a group is replaced by the string that it stands for, since
    its details are separate parameters, and a tuple of groups by its text."""
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


def _unlike(facts, kept):
    """First difference between the facts of two fits, as text, or None."""
    for name in ("rows", "weights", "epochs before it"):
        if facts[name] != kept[name]:
            return f"other {name}"
    facts, kept = facts["options"], kept["options"]
    for name in {**facts, **kept}:
        old, new = kept.get(name), facts.get(name)
        words, old_words = repr(plain(new)), repr(plain(old))
        are_equal = np.array_equal(np.asarray(new, object), np.asarray(old, object))
        if words != old_words or not are_equal:
            return f"{name}={old_words}, not {words}"
    return None
