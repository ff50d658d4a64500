"""Checks before drawing: matplotlib, axes, options and estimators; means of samples."""

from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def pyplot(display):
    """Import ``matplotlib.pyplot``; ImportError, which names the display, if matplotlib
    is not installed."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{display.__name__} requires matplotlib: pip install 'matplotlib>=3.8'."
        ) from error
    return plt


def axes_for(display, ax, n_axes, **options):
    """Figure and array of ``n_axes`` Axes to draw on: ``ax``, or those of a new figure,
    for which options are those of ``pyplot.subplots``.

    TypeError or ValueError if ``ax`` is not ``n_axes`` Axes.
    """
    plt = pyplot(display)
    if ax is None:
        figure, axes = plt.subplots(squeeze=False, layout="constrained", **options)
        for superfluous in axes.flat[n_axes:]:
            superfluous.remove()
        return figure, axes.ravel()[:n_axes]
    axes = np.ravel(np.asarray(ax, dtype=object))
    if not all(hasattr(item, "get_figure") for item in axes):
        raise TypeError(
            f"ax of {display.__name__} must be matplotlib Axes, or an array of such; "
            f"got {ax!r}."
        )
    if len(axes) != n_axes:
        raise ValueError(
            f"{display.__name__} draws on {n_axes} axes, but ax has {len(axes)}."
        )
    return axes[0].figure, axes


def check_has(display, estimator, names, subject):
    """Check that an estimator is fitted and has at least one of the attributes.

    TypeError if it has none; the message says that ``subject`` have them. ImportError
    without matplotlib, so that errors precede long computations.
    """
    pyplot(display)
    check_is_fitted(estimator)
    if not any(hasattr(estimator, name) for name in names):
        raise TypeError(
            f"{display.__name__} needs {' or '.join(names)}, which {subject} have; "
            f"{type(estimator).__name__} has not."
        )


def first_with(estimator, names):
    """First step of a Pipeline that has one of the attributes; the estimator itself if
    there is no such step or if it is not a Pipeline."""
    steps = estimator if isinstance(estimator, Pipeline) else ()
    has = (step for step in steps if any(hasattr(step, name) for name in names))
    return next(has, estimator)


def check_looks(display, **options):
    """Raise TypeError if an option for matplotlib is neither a mapping nor None."""
    for name, value in options.items():
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(
                f"{name} of {display.__name__} must be a dict of matplotlib's "
                f"arguments, or None; got {value!r}."
            )


@contextmanager
def taking(display, **options):
    """Context that re-raises errors of matplotlib about ``options`` as a ValueError
    that names the options."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if not any(options.values()):
            raise
        raise ValueError(
            f"matplotlib cannot draw {display.__name__} with {' and '.join(options)}: "
            f"{error}"
        ) from error


def check_result(display, name, value, *types):
    """Raise TypeError unless an argument of a display has one of the types."""
    if not isinstance(value, types):
        names = " or ".join(kind.__name__ for kind in types)
        raise TypeError(
            f"{name} of {display.__name__} must be a {names}; got {value!r}."
        )


def means_of(estimator, samples):
    """Means of the visible units given the features of samples."""
    # A tuned network samples from its ``dbn_``, whose features differ from its own.
    estimator = getattr(estimator, "dbn_", estimator)
    return estimator.inverse_transform(estimator.transform(samples))
