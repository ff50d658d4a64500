"""What autoregressive estimators have in common."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skdgm.autoregressive._chains import Chains
from skdgm.autoregressive._fitting import MIXTURE, FittingMixin
from skdgm.autoregressive._likelihood import LikelihoodMixin
from skdgm.autoregressive._orders import orders
from skdgm.autoregressive._sampling import SamplingMixin
from skdgm.base import TabularModel, tell_unknown
from skdgm.nets import LEARNING

_COUNT = Interval(Integral, 1, None, closed="left")
# What columns may be, and how columns of each kind are treated.
COLUMNS = {
    "output": [StrOptions({"bernoulli", "categorical", "gaussian", "mixed"}), tuple],
    "n_mixtures": [_COUNT],
    "conditional": [StrOptions({"gaussian", "laplace"})],
    "min_variance": [Interval(Real, 0, 1, closed="neither")],
    "min_categories": [_COUNT, "array-like", None],
}
# In what orders.
ORDERS = {
    "ordering": [StrOptions({"given", "random"}), tuple],
    "n_orderings": [_COUNT],
    "n_draws": [_COUNT],
}
TRAINING = {**LEARNING, "average": ["boolean"]}


class AutoregressiveModel(FittingMixin, LikelihoodMixin, SamplingMixin, TabularModel):
    """Base class: parameters are validated, and the rest is that of the mixins."""

    def transform(self, X):
        """Hidden units of the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Missing entries are not seen, nor are categories in a DataFrame that were
            not seen in ``fit``, of which a warning tells.

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
        """
        rows, found = self._of_rows(
            X, lambda model, params, v, _: model.features(params, v)
        )
        tell_unknown(self, X, rows)
        return found

    @property
    def density_kind_(self):
        """What ``score_samples`` is: "exact", or an "estimate" of the mean over all
        orders by several; an "estimate", too, if grey rows were learned from, of which
        it is no log-likelihood."""
        check_is_fitted(self)
        return "estimate" if self._grey else self._kind_of_bits

    @property
    def _kind_of_bits(self):
        """What ``score_samples`` is of rows that are not grey."""
        return "exact" if self._model(self._learned).n_orders == 1 else "estimate"


class ChainModel(AutoregressiveModel):
    """Base class of estimators whose nets have an order of the columns each.

    A subclass has ``_net(known, conditionals, number)``, which returns the arguments of
    a chain after the first three, ``_CHAIN``, its class, ``_FIXED``, the names of
    options that cannot change while learning goes on, and ``_NUMBER``, of the one that
    says how many orders there are.
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
        """The class of nets that have such a structure."""
        return self._CHAIN

    @property
    def _structure(self):
        names = *self._FIXED, "output", *MIXTURE, "ordering", self._NUMBER
        return {name: getattr(self._options, name) for name in names}
