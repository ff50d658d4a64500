r"""General Boltzmann machines: Ising and Potts models, and hidden units.

.. math:: E(x) = -b^\top x - \tfrac12 x^\top J x, \qquad x = (v, h)

Any two units may be linked.
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
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.methods import pseudo_likelihood
from skdgm.boltzmann.options import MachineOptions, Penalties, WeightDetails
from skdgm.boltzmann.structure.connected import GRAPHICAL, edges_of
from skdgm.boltzmann.structure.visible import CategoricalUnits, bits_as_asked


class BoltzmannMachine(MachineOptions, Machine):
    r"""Boltzmann machine with links between any two units.

    .. math::

        p(x) = e^{-E(x)} / Z, \qquad E(x) = -b^\top x - \tfrac12 x^\top J x, \qquad
        x = (v, h), \quad J = J^\top

    Without hidden units it is the Ising model of physics [3]_, or with categorical
    columns the Potts model [4]_: of all distributions with the same means of columns
    and of products of two, it has most entropy. With hidden units, linked among
    themselves, it is the original Boltzmann machine [1]_. A mask of ``edges`` leaves
    out links; a mask between two layers gives a restricted machine.

    Columns are 0 or 1, or probabilities of 1 (grey values), or codes of categories. NaN
    is a missing value, in every method; in ``fit`` it is drawn given the rest of its
    row. Float64 data are processed in float64, all others in float32.

    Parameters
    ----------
    n_hidden
        Number of hidden units, which are bits. They depend on each other, so that
        features, their means, are those of mean field. Without any, features are the
        probabilities of each column, or of its categories, given all others.
    edges : array-like or sparse matrix of shape (n_units, n_units)
        Which units are linked, symmetric: columns first, then hidden units. Its
        diagonal is ignored, so that scikit-learn's ``grid_to_graph`` may be given. By
        default all are linked. (:func:`skdgm.save` keeps arrays, no sparse matrices.)
    n_colours
        Most colours that the graph of units may take. Units of one colour are not
        linked, so that a Gibbs step draws them as a block; all linked units make as
        many blocks as units. Colours are found greedily; more than so many are an
        error.
    column_types
        Kind of the columns. "auto": read from the data, as the guide's page "How
        columns are read" says; "bernoulli": 0, 1 and probabilities of 1; "categorical":
        codes 0, 1, 2 and so on, as scikit-learn's ``OrdinalEncoder`` returns.
    objective
        The likelihood, whose gradient takes Markov chains; or, of a machine without
        hidden units, the sum of the log probabilities of all columns given the others,
        whose gradient is exact [2]_. Missing entries are drawn, and have no term.
    gradient
        Chains of the negative phase for "likelihood": they start where the last update
        left them (persistent contrastive divergence [5]_), or also exchange states with
        hotter ones (parallel tempering). Missing entries are drawn by as many Gibbs
        steps in each update.
    positive
        Hidden units of the positive phase: their means by mean field, or draws by the
        same number of Gibbs steps that start there. Without hidden units this phase is
        exact.
    mean_field_steps
        Maximum number of mean-field sweeps over the hidden units in training.
    solver
        Stochastic gradient descent, or Adam, which divides the gradient by its recent
        size, parameter by parameter. Couplings between visible units, and those between
        hidden units, start at 0, others normal with standard deviation 0.01.
    penalty
        Penalties on the couplings; None leaves them at the defaults below.

    Attributes
    ----------
    coupling_ : ndarray of shape (n_entries, n_entries)
        Couplings J, symmetric. Entries are those of the columns (one for a bit, one for
        each category), then the hidden units.
    intercept_visible_ : ndarray of shape (n_visible_entries,)
        Biases of the columns' entries.
    intercept_hidden_ : ndarray of shape (n_hidden,)
        Biases of the hidden units, if there are any.
    edges_ : ndarray of bool of shape (n_units, n_units) or None
        Links; None if all units are linked.
    colours_ : ndarray of int of shape (n_units,)
        Colour of each unit.
    n_colours_ : int
        Number of colours: of blocks that a Gibbs step draws one after another.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains. For "pseudo-likelihood" these take some
        steps in each epoch, so that samples may start from them.
    h_samples_ : ndarray of shape (n_chains, n_hidden)
        Hidden units of the training chains, if there are any.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact where all units but
        those of one colour have at most 2 ** 20 states together.

    See Also
    --------
    BernoulliRBM : Without links inside a layer, so that whole layers are drawn at once.

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
    n_colours: Count | Auto = "auto"
    column_types: Literal["auto", "bernoulli", "categorical"] | Columns = "auto"
    min_categories: Count | ArrayLike | None = within("column_types", None)
    penalty: Annotated[Penalties, WeightDetails] = None
    objective: Literal["likelihood", "pseudo-likelihood"] = "likelihood"
    gradient: Literal["pcd", "tempering"] | PCD | Tempering = "pcd"
    positive: Literal["mean-field", "gibbs"] = "mean-field"
    mean_field_steps: Count = 50
    learning_rate = 0.05
    centering = "data"

    _IMPLIED = {"max_norm": None, "sparsity_target": None}

    _MODEL = GRAPHICAL

    _TRANSIENT = *Machine._TRANSIENT, "intercept_hidden_", "h_samples_"

    pseudo_likelihood, pair_scores = pseudo_likelihood, pair_scores

    @property
    def _domain(self):
        if self._options.column_types != "categorical":
            return bits_as_asked(self._options)
        return CategoricalUnits(self._options.min_categories)

    def _label(self, rows, y, fresh, classes):
        # Raise before anything learned earlier is lost.
        edges_of(self._options, rows.shape[1])
        return super()._label(rows, y, fresh, classes)
