"""Options of a fit, tasks of callbacks, and errors of training.

Parameters that a user sets are attributes of the estimator and remain as given. Each
fit copies them to ``_fit_options``, validated and converted to Python's own types, and
all code reads them there. Setting a parameter therefore does not change the results of
a fitted model. Options of inference are the exception: they are documented as such, and
read at each call.
"""

from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from numbers import Integral, Real
from textwrap import shorten
from types import SimpleNamespace

import numpy as np
from sklearn import get_config
from sklearn.utils._param_validation import (
    InvalidParameterError,
    validate_parameter_constraints,
)

from skdgm.base.groups import (
    OptionGroup,
    asked_value,
    check_groups,
    expanded,
    name_of,
)
from skdgm.base.model import values_without_options
from skdgm.data.auto import AUTO
from skdgm.exceptions import DivergenceError, InterruptedFitWarning
from skdgm.training import Callbacks
from skdgm.utils.domains import checked_weights
from skdgm.utils.math import shares
from skdgm.utils.threading.callers import fits_for_another, warn

# Constraints that allow booleans, or that are checked elsewhere.
_FREE = {"boolean", "verbose", "random_state", "no_validation"}
# Share of the rows in a batch, with batch_size="auto".
_BATCH_SHARE = 0.04


class CallbackTask:
    """Task of scikit-learn's callbacks: a fit, or a part of it.

    ``data`` is a dict of ``X``, ``y`` and ``metadata`` for the callbacks. ``stopped``
    is True after the end of the task if a callback asked to stop.
    """

    def __init__(self, estimator, context, data):
        self.estimator, self.context, self.data = estimator, context, data
        self.stopped = False
        context.call_on_fit_task_begin(estimator=estimator, **data)

    @classmethod
    def whole(cls, estimator, data, n_parts):
        """Task of a whole fit, which has ``n_parts`` parts or epochs."""
        context = estimator._init_callback_context(max_subtasks=n_parts)
        return cls(estimator, context, data)

    @contextmanager
    def part(self, name, n_epochs=0, component=None):
        """Context of a part of this task, which ends unless an error is raised.
        Callbacks propagate to a ``component`` that is fitted in this part."""
        context = self.context.subcontext(name, max_subtasks=n_epochs)
        passed_on = nullcontext()
        if component is not None:
            passed_on = context.propagate_callback_context(component)
        with passed_on:
            part = CallbackTask(self.estimator, context, self.data)
            yield part
            part.end()

    def callbacks(self, attributes, progress):
        """Hook that calls the callbacks after each epoch. ``attributes(state,
        progress)`` returns the fitted attributes of a training state; ``progress`` is
        that of an earlier run, or None."""
        return Callbacks(self.estimator, self.context, self.data, attributes, progress)

    def end(self, attributes: Callable[[], dict] = dict) -> None:
        """End the task; ``attributes()`` returns fitted attributes that the estimator
        does not have yet."""
        self.stopped = self.context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=attributes, **self.data
        )


def report(outcome, n_epochs, name, remedy, far=""):
    """Raise an error or warn if training diverged or was interrupted.

    After Ctrl-C, a ``fit`` that the user called ends with a warning. A ``fit`` that
    other code called, such as a search, raises KeyboardInterrupt, so that the caller
    ends, too. The message of DivergenceError contains the number of completed epochs of
    ``n_epochs``, ``far`` (text about outliers, which may be the cause) and ``remedy``
    (advice).
    """
    done = f"after {len(outcome.losses)} of {n_epochs} epochs"
    if outcome.ended == "diverged":
        summary = f"Training of {name} diverged {done}"
        error = DivergenceError(
            f"{summary}; the parameters from then are kept. {far}{remedy}"
        )
        # A model that this is a component of discards the parameters.
        error.what, error.far = summary, far
        raise error
    if outcome.ended == "interrupted":
        message = f"Training was interrupted {done}; what was learned is kept."
        if fits_for_another():
            raise KeyboardInterrupt(message)
        warn(message, InterruptedFitWarning)


def choose_batch_size(estimator, table):
    """Replace batch_size="auto" in the options of a fit to a table by a share of its
    rows, within the limits of the estimator."""
    options = estimator._fit_options
    if options.batch_size == AUTO:
        least, most = estimator._BATCH_SIZES
        options.batch_size = int(np.clip(_BATCH_SHARE * table.n_draws, least, most))


def n_epochs(estimator, table, budget=None):
    """Number of epochs of a fit to a table; ``budget`` is for n_iter="auto", by default
    ``_BUDGET`` of the estimator."""
    options, budget = estimator._options, budget or estimator._BUDGET
    return budget.epochs(options.n_iter, table, options.batch_size)


def current_options(estimator):
    """Namespace of an estimator's current options, as Python's own types."""
    attributes = vars(estimator)
    # A user's subclass may set options itself instead of taking them as parameters.
    constrained = estimator._parameter_constraints
    fixed = {name: attributes[name] for name in constrained if name in attributes}
    options = fixed | estimator.get_params(deep=False)
    details = {name: detail.default for name, detail in estimator._DETAILS.items()}
    lacking = values_without_options(type(estimator._MODEL))
    options = lacking | details | expanded(type(estimator), options)
    options = {name: plain(value) for name, value in options.items()}
    if isinstance(shape := options.get("image_shape"), list):
        options["image_shape"] = tuple(shape)
    if reading := attributes.get("_inferred_types"):
        kinds, top = reading
        explicit = options.get("layers") is not None
        if explicit or options.get("column_types") in (AUTO, kinds):
            options |= {"column_types": kinds, "top": top}
    return SimpleNamespace(**options)


def add_missing_options(options, model=None):
    """Add options that files of earlier versions lack."""
    if isinstance(options, SimpleNamespace):
        known = vars(options)
        known.update(values_without_options(type(model)) | known)
        # The net of a machine has its own options.
        add_missing_options(known.get("net"))


def current(estimator, name):
    """Validated current value of an option that may change after ``fit``, as Python's
    own type."""
    detail = estimator._DETAILS.get(name)
    option = name if detail is None else detail.group
    if not get_config()["skip_parameter_validation"]:
        constraints = {option: estimator._parameter_constraints[option]}
        name_of_class, value = type(estimator).__name__, getattr(estimator, option)
        validate_parameter_constraints(constraints, {option: value}, name_of_class)
        reject_invalid_integers(estimator, option)
        check_groups(estimator, option)
    return plain(asked_value(estimator, name))


def check_unchanged(cls, structure, learned):
    """Raise ValueError if the structure that options ask for is not the learned
    structure."""
    desired, learned = vars(structure), vars(learned)
    # Older files have fewer options.
    names = [n for n in desired if n in learned and not _same(desired[n], learned[n])]
    if names:
        shown = {name_of(cls, name): learned[name] for name in names}
        before = shorten(", ".join(f"{n}={v!r}" for n, v in shown.items()), 200)
        raise ValueError(
            f"{', '.join(shown)} changed since the model was learned, with "
            f"{before}: restore it, or fit with warm_start=False."
        )


def _same(value, learned):
    """Return whether two options are equal; options may be, or contain, arrays."""
    return np.array_equal(np.asarray(value, object), np.asarray(learned, object))


def reject_invalid_integers(estimator, *names, subject=None):
    """Raise InvalidParameterError for booleans in place of numbers, and for integers
    beyond 64 bits, among the options ``names`` (by default all)."""
    subject = subject or type(estimator).__name__
    for name in names or estimator.get_params(deep=False):
        value = getattr(estimator, name)
        if isinstance(value, OptionGroup):
            reject_invalid_integers(
                value, subject=f"{type(value).__name__} of {subject}"
            )
        if any(map(_too_large, value if isinstance(value, tuple | list) else [value])):
            raise InvalidParameterError(
                f"The {name!r} parameter of {subject} must be between -2**63 and "
                "2**63 - 1: it got a larger whole number."
            )
        if not isinstance(value, bool | np.bool_):
            continue
        # A user's subclass may have parameters without constraints.
        rules = estimator._parameter_constraints.get(name, "no_validation")
        rules = {rules} if isinstance(rules, str) else set(map(str, rules))
        if not rules & _FREE:
            raise InvalidParameterError(
                f"The {name!r} parameter of {subject} must be a number, not a bool: "
                f"got {value}."
            )


def _too_large(value):
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def plain(value):
    """Convert numbers and strings, also in a tuple or list, to Python's own types.

    Python's integers do not overflow. Values of other types are returned unchanged.
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    return value


def mean_score(scores, sample_weight):
    """Mean of the scores of rows, weighted if there are weights."""
    if sample_weight is not None:
        weight = checked_weights(
            sample_weight, scores[:, None], ensure_non_negative=True
        )
        sample_weight, _ = shares(weight)
    return float(np.average(scores, weights=sample_weight))
