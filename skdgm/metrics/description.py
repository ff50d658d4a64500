"""Descriptions of fitted estimators for the people who use them, as model cards.

Reference: Mitchell et al. (2019), Model cards for model reporting.
"""

import platform
import re
from importlib import import_module
from importlib.metadata import version
from inspect import signature
from itertools import groupby
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.metrics.density import measure
from skdgm.metrics.model_card import ModelCard

# Methods of estimators, by the capability of a density that they need.
_METHODS = {
    "log_prob": "score_samples",
    "features": "transform",
    "sample": "sample",
    "fill": "impute",
    "conditional_sample": "conditional_sample",
}
_KINDS = {
    "exact": "exact log-likelihood",
    "lower bound": "lower bound on the log-likelihood",
    "estimate": "estimate of the log-likelihood",
    "reconstruction": "log-likelihood given the reconstruction, which is not a density",
}
_ENDED = {
    "stopped": "stopped by a callback or by early stopping",
    "interrupted": "interrupted by Ctrl-C",
    "diverged": "diverged; the parameters are those before",
}
# Maximum number of lines for columns; adjacent columns of one type share a line.
_MAX_COLUMNS = 100
_LIBRARIES = "numpy", "scipy", "scikit-learn", "numba"


def card(estimator: object, *, notes: dict | None = None) -> ModelCard:
    """Describe a fitted estimator: options, columns, training and likelihood.

    The card contains no rows of the training data, but names, ranges and categories of
    columns.

    Parameters
    ----------
    estimator : estimator of skdgm
        Fitted estimator.
    notes : dict of str or dict, default=None
        Further sections by heading, such as the intended use, evaluations on held-out
        rows or the time of the fit. A section is a text or a dict of texts.

    Returns
    -------
    card : ModelCard
        Sections "Model" (class, versions), "Options" that differ from the defaults,
        "Training" (rows, counted by their weights, epochs, last losses), "Columns" as
        ``fit`` has read them, "Methods" with the kind of their results, and the notes.
        Sections without entries are omitted.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator is not from skdgm, or the notes are not texts.

    See Also
    --------
    skdgm.save : Save the estimator itself.
    skdgm.show_versions : Versions of all dependencies.

    References
    ----------
    .. [1] Mitchell et al. (2019). Model cards for model reporting. FAT*.

    Examples
    --------
    >>> import skdgm
    >>> from sklearn.datasets import load_iris
    >>> model = skdgm.NADE(n_iter=5, random_state=0).fit(load_iris().data)
    >>> card = skdgm.card(model, notes={"Use": "Synthetic flowers for teaching."})
    >>> list(card.sections)
    ['Model', 'Options', 'Training', 'Columns', 'Methods', 'Use']
    >>> card.sections["Options"]
    {'n_iter': '5', 'random_state': '0'}
    >>> card.sections["Training"]["rows"]
    '150'
    >>> print(card.to_markdown())  # doctest: +ELLIPSIS
    # NADE: ...
    """
    if not any(cls.__module__.startswith("skdgm.") for cls in type(estimator).__mro__):
        raise TypeError(
            f"card describes estimators of skdgm; got {type(estimator).__name__}. Pass "
            "the step of a Pipeline, or best_estimator_ of a search."
        )
    check_is_fitted(estimator)
    # The model within a meta-estimator.
    model = getattr(estimator, "estimator_", estimator)
    sections = {
        "Model": _model(estimator),
        "Options": _changed(estimator),
        "Training": dict(_training(estimator, model)),
        "Columns": _columns(model),
        "Methods": dict(_methods(estimator, model)),
        **_notes(notes),
    }
    title = f"{type(estimator).__name__}: {_summary(type(estimator))}"
    return ModelCard(title, {k: entries for k, entries in sections.items() if entries})


def _summary(cls):
    """First sentence of a docstring."""
    text = re.sub(r"\\\n\s*", "", cls.__doc__ or "")
    first = " ".join(text.strip().partition("\n\n")[0].split())
    return re.sub(r"``|:\w+:|`", "", first).rstrip(".")


def _model(estimator):
    cls, package = type(estimator), import_module("skdgm")
    versions = {"skdgm": package.__version__}
    versions |= {name: version(name) for name in _LIBRARIES}
    texts = [f"{name} {number}" for name, number in versions.items()]
    home = "skdgm"
    if cls.__name__ not in package.__all__:
        home = cls.__module__.rpartition(".")[0]
    return {
        "class": f"{home}.{cls.__qualname__}",
        "versions": ", ".join([f"Python {platform.python_version()}", *texts]),
    }


def _changed(estimator):
    """Text of each option that is not the default."""
    defaults = signature(type(estimator)).parameters
    texts = {k: repr(v) for k, v in estimator.get_params(deep=False).items()}
    return {k: text for k, text in texts.items() if text != repr(defaults[k].default)}


def _training(estimator, model):
    """Pairs of a name and a text on the fit of a model, which may be within the
    estimator."""
    if estimator is not model:
        yield "model", type(model).__name__
    seen = getattr(getattr(model, "_columns", None), "seen", None)
    if seen is not None and np.size(seen):
        # Columns may have missing values, but rarely all of them in the same row.
        yield "rows", f"{np.max(seen):,.10g}"
    n_epochs = getattr(model, "n_iter_", None)
    if n_epochs is not None:
        ended = _ENDED.get(getattr(model, "_ended", ""))
        yield "epochs", f"{n_epochs:,}" + (f", {ended}" if ended else "")
    quantity = getattr(model, "_quantity", "log-likelihood")
    classes = getattr(estimator, "classes_", ())
    if len(classes):
        yield "classes", f"{len(classes)}: {', '.join(map(str, classes))}"
    curves = {"": "loss_curve_", " of held-out rows": "validation_curve_"}
    for rows, name in curves.items():
        losses = getattr(model, name, None)
        if losses:
            yield f"last {quantity}{rows}", f"{0.0 - losses[-1]:.4g} a row"


def _columns(estimator):
    """Text of each column, as ``fit`` has read it."""
    types: Any = getattr(estimator, "column_types_", None) or {}
    runs = [[*run] for _, run in groupby(types, lambda name: str(types[name]))]
    return {_span(run): str(types[run[0]]) for run in runs[:_MAX_COLUMNS]} | (
        {"...": f"{len(types)} columns"} if len(runs) > _MAX_COLUMNS else {}
    )


def _span(names):
    """Text of the names of adjacent columns."""
    return str(names[0]) if len(names) == 1 else f"{names[0]} to {names[-1]}"


def _methods(estimator, model):
    """Pairs of the name of a method and the kind of its results."""
    kind = getattr(estimator, "density_kind_", None)
    if kind is not None and hasattr(estimator, "score_samples"):
        quantity = "probabilities of rows"
        if measure(model) == "density":
            quantity = "densities in the units of the columns"
        density = "" if kind == "reconstruction" else f" ({quantity})"
        yield "likelihood", f"{_KINDS[kind]}{density}"
    density = getattr(estimator, "density_", None)
    for capability, rows in getattr(density, "capabilities", {}).items():
        name = _METHODS.get(capability)
        if name is not None and hasattr(estimator, name):
            yield name, "; ".join(f"{of}: {result}" for of, result in rows.items())
    yield "threads", "methods may be called in several threads at once"


def _notes(notes):
    sections = {}
    if not isinstance(notes, dict | None):
        raise TypeError(f"notes must be a dict; got {notes!r:.60}")
    for heading, entries in (notes or {}).items():
        entries = {"": entries} if isinstance(entries, str) else entries
        values = [heading, entries]
        if isinstance(entries, dict):
            values = [heading, *entries, *entries.values()]
        if not all(isinstance(value, str) for value in values):
            raise TypeError(
                f"notes[{heading!r}] must be a text, or a dict of texts; got "
                f"{entries!r:.60}"
            )
        sections[heading] = entries
    return sections
