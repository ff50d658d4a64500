r"""General Boltzmann machines, which include Ising and Potts models.

.. math:: E(x) = -b^\top x - \tfrac12 x^\top J x, \qquad x = (v, h)
"""

from typing import Annotated, Literal

from skdgm.base.column_group import Columns
from skdgm.base.options import (
    KW_ONLY,
    ArrayLike,
    Auto,
    Count,
    CountOrZero,
    within,
)
from skdgm.boltzmann._density.pairs import pair_scores
from skdgm.boltzmann.groups import PCD, Tempering
from skdgm.boltzmann.machine import TRANSIENT, Machine
from skdgm.boltzmann.methods import pseudo_likelihood
from skdgm.boltzmann.options import MachineOptions, Penalties, WeightDetails
from skdgm.boltzmann.structure.connected import GRAPHICAL, edges_of
from skdgm.boltzmann.structure.visible import CategoricalUnits, binary_kind


class BoltzmannMachine(MachineOptions, Machine):
    r"""Boltzmann machine with links between any two units.

    .. math::

        p(x) = e^{-E(x)} / Z, \qquad E(x) = -b^\top x - \tfrac12 x^\top J x, \qquad
        x = (v, h), \quad J = J^\top

    Without hidden units it is an Ising model [3]_, or a Potts model [4]_ if columns are
    categorical: the maximum-entropy distribution with given means of single columns and
    of products of two columns. With hidden units that are linked to each other it is
    the original Boltzmann machine [1]_. The mask ``edges`` removes links; a mask with
    links between two layers only gives a restricted machine.

    Columns are 0, 1 or probabilities of 1 (gray values), or codes of categories. All
    methods accept NaN as a missing value; ``fit`` samples it given the rest of its row.
    Computations are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_hidden
        Number of binary hidden units. Features are their means by mean field, because
        hidden units depend on each other. Without hidden units, features are the
        probabilities of each column, or of its categories, given all other columns.
    edges : array-like or sparse matrix of shape (n_units, n_units)
        Symmetric adjacency matrix of the units: columns first, then hidden units. The
        diagonal is ignored, so that scikit-learn's ``grid_to_graph`` may be given. By
        default all units are linked. (:func:`skdgm.save` stores arrays, but no sparse
        matrices.)
    n_colors
        Maximum number of colors of the graph. Units of one color are not linked, so
        that a Gibbs step draws them as a block; a fully connected graph has as many
        colors as units. A graph whose greedy coloring needs more colors is an error.
    column_types
        Type of the columns. "auto": read from the data, as described in the guide, page
        "How columns are read"; "bernoulli": 0, 1 and probabilities of 1; "categorical":
        codes 0, 1, 2 and so on, as scikit-learn's ``OrdinalEncoder`` returns them.
    objective
        Likelihood, whose gradient is estimated by Markov chains; or, without hidden
        units, pseudo-likelihood: the sum of the log probabilities of each column given
        all others, whose gradient is exact [2]_. The pseudo-likelihood has no terms for
        missing entries, which are sampled.
    gradient
        Sampler of the negative phase for the objective "likelihood": persistent
        contrastive divergence ("pcd" [5]_), or parallel tempering ("tempering"), in
        which chains also exchange states with chains at higher temperatures. Missing
        entries are sampled by ``n_steps`` Gibbs steps in each update.
    positive
        Hidden units of the positive phase: means by mean field, or draws by
        ``n_steps`` Gibbs steps that start at these means. Without hidden units this
        phase is exact.
    mean_field_steps
        Maximum number of mean-field sweeps over the hidden units in training.
    solver
        Stochastic gradient descent, or Adam, which divides the gradient of each
        parameter by its recent magnitude. Couplings within the visible and within the
        hidden units start at 0, couplings between both from a normal distribution with
        standard deviation 0.01.
    penalty
        Penalties on the couplings; None keeps the defaults below.

    Attributes
    ----------
    coupling_ : ndarray of shape (n_entries, n_entries)
        Symmetric couplings J. Entries are those of the columns (one for a bit, one for
        each category), followed by the hidden units.
    intercept_visible_ : ndarray of shape (n_visible_entries,)
        Biases of the columns' entries.
    intercept_hidden_ : ndarray of shape (n_hidden,)
        Biases of the hidden units, if there are any.
    edges_ : ndarray of bool of shape (n_units, n_units) or None
        Adjacency matrix; None if all units are linked.
    colors_ : ndarray of int of shape (n_units,)
        Color of each unit.
    n_colors_ : int
        Number of colors, and hence of blocks that a Gibbs step draws in turn.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains. For "pseudo-likelihood" the chains take
        some steps in each epoch, so that :meth:`sample` can start from them.
    h_samples_ : ndarray of shape (n_chains, n_hidden)
        Hidden units of the training chains, if there are any.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact if the units outside
        one color have at most 2 ** 20 joint states.

    See Also
    --------
    BernoulliRBM : Machine without links within a layer, whose layers are drawn at once.

    References
    ----------
    .. [1] Ackley, Hinton and Sejnowski (1985). A learning algorithm for Boltzmann
       machines. Cognitive Science.
    .. [2] Besag (1975). Statistical analysis of non-lattice data. The Statistician.
    .. [3] Schneidman, Berry, Segev and Bialek (2006). Weak pairwise correlations imply
       strongly correlated network states in a neural population. Nature.
    .. [4] Ekeberg, Lövkvist, Lan, Weigt and Aurell (2013). Improved contact prediction
       in proteins: using pseudolikelihoods to infer Potts models. Physical Review E.
    .. [5] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BoltzmannMachine
    >>> X = load_digits().data[:500, 16:32] > 7
    >>> machine = BoltzmannMachine(n_iter=20, random_state=0).fit(X)
    >>> machine.coupling_.shape
    (16, 16)
    >>> machine.density_kind_
    'exact'
    >>> print(f"{machine.score(X):.1f} nats")
    -5.7 nats
    """

    n_hidden: CountOrZero = 0
    _: KW_ONLY
    edges: ArrayLike | Annotated[object, "sparse matrix"] | None = None
    n_colors: Count | Auto = "auto"
    column_types: Literal["auto", "bernoulli", "categorical"] | Columns = "auto"
    min_categories: Count | ArrayLike | None = within("column_types", None)
    penalty: Annotated[Penalties, WeightDetails] = None
    objective: Literal["likelihood", "pseudo-likelihood"] = "likelihood"
    gradient: Literal["pcd", "tempering"] | PCD | Tempering = "pcd"
    positive: Literal["mean-field", "gibbs"] = "mean-field"
    mean_field_steps: Count = 50
    learning_rate = 0.05
    centering = "data"

    _MODEL = GRAPHICAL

    _TRANSIENT = *TRANSIENT, "intercept_hidden_", "h_samples_"

    pseudo_likelihood, pair_scores = pseudo_likelihood, pair_scores

    @property
    def _domain(self):
        if self._options.column_types != "categorical":
            return binary_kind(self._options)
        return CategoricalUnits(self._options.min_categories)

    def _label(self, rows, y, fresh, classes):
        # Raise errors before parameters of an earlier fit are lost.
        edges_of(self._options, rows.shape[1])
        return super()._label(rows, y, fresh, classes)
