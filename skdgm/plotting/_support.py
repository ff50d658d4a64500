"""What displays ask before they draw: for matplotlib, for axes, for a fitted estimator
that has what is to be shown."""

from collections.abc import Mapping

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def pyplot(display):
    """``matplotlib.pyplot``.

    Parameters
    ----------
    display : type
        Who asks.

    Raises
    ------
    ImportError
        There is no matplotlib.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{display.__name__} requires matplotlib: pip install skdgm[plot]."
        ) from error
    return plt


def axes_for(display, ax, n_axes, **options):
    """A figure and as many axes as are needed, new ones or those that are given.

    Parameters
    ----------
    display : type
        Who asks.
    ax : matplotlib Axes, array-like of Axes or None
    n_axes : int
    **options
        Of new axes, as of ``pyplot.subplots``; superfluous ones are taken away.

    Returns
    -------
    figure : matplotlib Figure
    axes : ndarray of shape (n_axes,)

    Raises
    ------
    ImportError
        There is no matplotlib.
    ValueError
        The number of the given axes is another one.
    TypeError
        They are no axes.
    """
    plt = pyplot(display)
    if ax is None:
        figure, axes = plt.subplots(squeeze=False, layout="constrained", **options)
        for superfluous in axes.flat[n_axes:]:
            superfluous.remove()
        return figure, axes.ravel()[:n_axes]
    axes = np.ravel(np.asarray(ax, dtype=object))
    if not all(hasattr(one, "get_figure") for one in axes):
        raise TypeError(
            f"ax of {display.__name__} must be matplotlib Axes, or an array of such; "
            f"got {ax!r}."
        )
    if len(axes) != n_axes:
        raise ValueError(
            f"{display.__name__} draws on {n_axes} axes, but ax has {len(axes)}."
        )
    return axes[0].figure, axes


def check_has(display, estimator, names, who):
    """Whether an estimator is fitted, and has one of the attributes that are shown.

    Parameters
    ----------
    display : type
        Who asks.
    estimator : object
    names : tuple of str
        Attributes or methods, of which one is enough.
    who : str
        Which estimators have them.

    Raises
    ------
    ImportError
        There is no matplotlib, which is better said before long computations.
    NotFittedError
        It is not fitted.
    TypeError
        It is no estimator, or has none of them.
    """
    pyplot(display)
    check_is_fitted(estimator)
    if not any(hasattr(estimator, name) for name in names):
        raise TypeError(
            f"{display.__name__} needs {' or '.join(names)}, which {who} have; "
            f"{type(estimator).__name__} has not."
        )


def first_with(estimator, names):
    """The first step of a Pipeline that has one of some attributes, if one has; else
    what was given."""
    steps = estimator if isinstance(estimator, Pipeline) else ()
    has = (step for step in steps if any(hasattr(step, name) for name in names))
    return next(has, estimator)


def check_looks(display, **options):
    """Raise TypeError where arguments of matplotlib's functions are no dict."""
    for name, value in options.items():
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(
                f"{name} of {display.__name__} must be a dict of matplotlib's "
                f"arguments, or None; got {value!r}."
            )
