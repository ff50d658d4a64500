"""Base classes of the autoregressive estimators."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skdgm.autoregressive._chains import Chains
from skdgm.autoregressive._fitting import MIXTURE, FittingMixin
from skdgm.autoregressive._likelihood import LikelihoodMixin
from skdgm.autoregressive._orders import orders
from skdgm.autoregressive._sampling import SamplingMixin
from skdgm.base import TabularModel
from skdgm.data import tell_unknown
from skdgm.nets import LEARNING

_COUNT = Interval(Integral, 1, None, closed="left")
# Constraints on the kinds of columns and on the options of each kind.
COLUMNS = {
    "output": [StrOptions({"bernoulli", "categorical", "gaussian", "mixed"}), tuple],
    "n_mixtures": [_COUNT],
    "conditional": [StrOptions({"gaussian", "laplace"})],
    "min_variance": [Interval(Real, 0, 1, closed="neither")],
    "min_categories": [_COUNT, "array-like", None],
}
# Constraints on the orders of the columns.
ORDERS = {
    "ordering": [StrOptions({"given", "random"}), tuple],
    "n_orderings": [_COUNT],
    "n_draws": [_COUNT],
}
TRAINING = {**LEARNING, "average": ["boolean"]}


class AutoregressiveModel(FittingMixin, LikelihoodMixin, SamplingMixin, TabularModel):
    """Base class of autoregressive estimators; most methods come from mixins."""

    def transform(self, X):
        """Compute the hidden units of each row, given the whole row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value. Missing entries have no influence on the hidden
            units; nor have categories in a DataFrame that were not seen in ``fit``,
            which are taken as missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
            Units of the last hidden layer; with several nets, those of all of them side
            by side. A model without hidden units returns the expected value of each
            column given those before it.

        Warns
        -----
        MissingDataWarning
            Categories in a DataFrame were not seen in ``fit``.
        """
        rows, found = self._of_rows(
            X, lambda model, params, v, _: model.features(params, v)
        )
        tell_unknown(self._name, X, rows)
        return found

    @property
    def density_kind_(self):
        """Density kind of ``score_samples``: "exact", or "estimate".

        It is an estimate where the mean over all orders of the columns is estimated
        from several, and after training on grey rows, whose scores are no
        log-likelihoods.
        """
        check_is_fitted(self)
        return "estimate" if self._grey else self._kind_of_bits

    @property
    def _kind_of_bits(self):
        """Density kind of ``score_samples`` for rows that are not grey."""
        return "exact" if self._model(self._learned).n_orders == 1 else "estimate"


class ChainModel(AutoregressiveModel):
    """Base class of estimators with one chain for each order of the columns.

    A subclass defines ``_net(known, conditionals, number)``, which returns the
    arguments of a chain after the first three; ``_CHAIN``, the class of the chains;
    ``_FIXED``, the names of options that cannot change while training continues; and
    ``_NUMBER``, the name of the option that sets the number of orders.
    """

    _shared, _NUMBER = False, "n_orderings"

    def _model(self, known):
        conditionals, start = self._conditionals(known)
        n_columns = len(conditionals.kinds)
        found = orders(known["ordering"], known[self._NUMBER], n_columns, self._seed)
        chain = self._chain(known)
        members = [
            chain(conditionals, start, order, *self._net(known, conditionals, number))
            for number, order in enumerate(found)
        ]
        return Chains(conditionals, members, self._now("n_draws"), self._shared)

    def _nets(self, known, conditionals):
        n_weights = self._chain(known).n_weights(
            int(conditionals.n_inputs.sum()),
            int(conditionals.n_outputs.sum()),
            *self._net(known, conditionals, 0),
        )
        return n_weights, known[self._NUMBER], self._shared

    def _chain(self, known):
        """Class of the chains for this structure."""
        return self._CHAIN

    @property
    def _structure(self):
        names = *self._FIXED, "output", *MIXTURE, "ordering", self._NUMBER
        return {name: getattr(self._options, name) for name in names}
