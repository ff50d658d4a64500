"""Base class of meta-estimators, whose component is a model: metadata and tags."""

from collections.abc import Callable
from typing import ClassVar

from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from skdgm.base.attributes import replacing
from skdgm.base.options import Options
from skdgm.data.inputs import refuse_repeated_names
from skdgm.typing import Any
from skdgm.utils.domains import checked_weights

_TAGS = "sparse", "categorical", "string", "positive_only", "allow_nan"


class MetaEstimator(Options, MetaEstimatorMixin, BaseEstimator):
    """Base class of meta-estimators, whose component is a model.

    A subclass has the option ``estimator``, a method ``_default()`` that returns the
    model if this option is None, and ``_learn(X, y, fit_params)``, which fits the
    model.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has names that are all strings.
    """

    estimator: Any
    # Other annotations would be parameters of the constructor for type checkers.
    _default: ClassVar[Callable]

    def _model(self):
        return self._default() if self.estimator is None else self.estimator

    def _fit(self, X, y, fit_params):
        """Fit the model, with metadata routing of the arguments that it requests."""
        refuse_repeated_names(X)
        if get_config()["enable_metadata_routing"]:
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        with replacing(self) as new:
            for name in ("n_features_in_", "feature_names_in_"):
                vars(new).pop(name, None)
            new._learn(X, y, fit_params)
        return self

    def get_metadata_routing(self) -> Any:
        """Routing of metadata to the model's ``fit``.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        arguments = {"estimator": self._model(), "method_mapping": mapping}
        return MetadataRouter(owner=self).add(**arguments)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._model()).input_tags
        for name in _TAGS:
            setattr(tags.input_tags, name, getattr(inner, name))
        return tags


def weight_of(fit_params, X):
    """Weights of rows among the arguments of a model's ``fit``, or of a step of a
    Pipeline (``step__sample_weight``); ones if there are none."""
    weights = [v for k, v in fit_params.items() if k.split("__")[-1] == "sample_weight"]
    weight = weights[-1] if weights else None
    return checked_weights(weight, X, ensure_non_negative=True)
