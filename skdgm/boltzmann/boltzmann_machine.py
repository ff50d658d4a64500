r"""General Boltzmann machines: Ising and Potts models, and hidden units.

.. math:: E(x) = -b^\top x - \tfrac12 x^\top J x, \qquad x = (v, h)

Any two units may be linked.
"""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.boltzmann._density.connected import GraphDensity
from skdgm.boltzmann._density.pairs import pair_scores
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._methods import pseudo_likelihood
from skdgm.boltzmann._options import MACHINE
from skdgm.boltzmann._structure.connected import GRAPHICAL, GraphObjective, edges_of
from skdgm.boltzmann._structure.visible import BINARY, Categorical


class BoltzmannMachine(Machine):
    r"""Boltzmann machine of which any two units may be linked.

    .. math::

        p(x) = e^{-E(x)} / Z, \qquad E(x) = -b^\top x - \tfrac12 x^\top J x, \qquad
        x = (v, h), \quad J = J^\top

    Without hidden units it is the Ising model of physics [3]_, or with categorical
    columns the Potts model [4]_: of all distributions with the same means of columns
    and of products of two, the one with most entropy. With hidden units, linked among
    themselves, it is the original Boltzmann machine [1]_. A mask of ``edges`` leaves
    out links; a mask between two layers gives a restricted machine.

    Columns are 0 or 1, or probabilities of 1 (grey values), or codes of categories. NaN
    is a missing value, in every method; in ``fit`` it is drawn given the rest of its
    row. Float64 data are processed in float64, all others in float32.

    Parameters
    ----------
    n_hidden : int, default=0
        Number of hidden units, which are bits.
    edges : array-like or sparse matrix of shape (n_units, n_units), default=None
        Which units are linked, symmetric: columns first, then hidden units. Its
        diagonal is ignored, so that scikit-learn's ``grid_to_graph`` may be given. By
        default all are linked. (:func:`skdgm.save` keeps arrays, no sparse matrices.)
    n_colours : int or "auto", default="auto"
        Most colours that the graph of units may take. Units of one colour are not
        linked, so that a Gibbs step draws them as a block; all linked units make as
        many blocks as units. Colours are found greedily; more than so many are an
        error.
    column_types : {"bernoulli", "categorical"}, default="bernoulli"
        Type of the columns: 0, 1 and probabilities of 1, or codes 0, 1, 2 and so on, as
        scikit-learn's ``OrdinalEncoder`` gives them.
    min_categories : int or array-like of shape (n_features,), default=None
        Least number of categories of each column, if "categorical".
    objective : {"likelihood", "pseudo-likelihood"}, default="likelihood"
        The likelihood, whose gradient takes Markov chains; or, of a machine without
        hidden units, the sum of the log probabilities of all columns given the others,
        whose gradient is exact [2]_. Missing entries are drawn, and have no term.
    learning_rate : float, default=0.05
        Initial learning rate; see ``schedule``.
    batch_size : int, default=10
        Number of rows in each update.
    n_iter : int, default=20
        Number of epochs.
    gradient : {"pcd", "tempering"}, default="pcd"
        Chains of the negative phase for "likelihood": they start where the last update
        left them (persistent contrastive divergence [5]_), or also exchange states with
        hotter ones (parallel tempering).
    positive : {"mean-field", "gibbs"}, default="mean-field"
        Hidden units of the positive phase: their means by mean field, or draws by
        ``n_steps`` Gibbs steps that start there. Without hidden units this phase is
        exact.
    n_steps : int or tuple of int, default=1
        Number of Gibbs steps of chains, and for missing entries, in each update. The
        values of a tuple share the epochs evenly, in order.
    n_chains : int or None, default=50
        Number of persistent chains; ``batch_size`` if None.
    n_temperatures : int, default=10
        Number of temperatures for "tempering", with ``n_chains`` chains at each.
    mean_field_steps : int, default=50
        Maximum number of mean-field sweeps over the hidden units in training.
    centering : {"start", "data", "moving"} or None, default="data"
        If not None, use the centred gradient [6]_, whose offsets are means of the
        units: those at the start of training, running means in the positive phase
        ("data"), or running averages of the means in both phases ("moving").
    solver : {"sgd", "adam"}, default="sgd"
        Stochastic gradient descent, or Adam, which divides the gradient by its recent
        size, parameter by parameter.
    momentum : float or tuple of float, default=0.0
        Momentum coefficient (for "adam" the first beta). The values of a tuple share
        the epochs evenly, in order.
    schedule : {"constant", "invscaling", "linear", "cooldown"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t``, ``1 - t / T`` or ``min(1, 5 * (1 - t / T))``.
    power_t : float, default=0.5
        Exponent for ``schedule="invscaling"``.
    l1, l2 : float, default=0.0
        Penalties on the couplings: l1 times the sum of their absolute values and l2 / 2
        times the sum of their squares are subtracted from the objective per row.
    resample : bool, default=False
        If True, draw the bits of grey values anew at each presentation. If False, use
        grey values as they are.
    init_biases : {"marginals", "zeros"}, default="marginals"
        Initial visible biases: those with which independent columns have the means of
        the data, or zeros. Couplings between visible units, and those between hidden
        units, start at 0, others normal with standard deviation 0.01.
    early_stopping : bool, default=False
        If True, hold out rows, stop when their pseudo-likelihood no longer rises, and
        keep the parameters with which it was highest.
    validation_fraction : float, default=0.1
        Share of the rows to hold out.
    n_iter_no_change : int, default=5
        Number of epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        Smallest improvement that counts, in nats per row.
    warm_start : bool, default=False
        If True, ``fit`` continues from the learned parameters.
    verbose : int, default=0
        If not 0, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Source of initial weights, the order of rows and samples.

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
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering": recent swap rates of chains at neighbouring temperatures, from
        the model's own temperature on.
    log_Z_ : float
        Log partition function, computed at first access.
    log_Z_se_ : float
        Standard error of ``log_Z_``; 0 where that is exact.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact where all units but
        those of one colour have at most 2 ** 20 states together.
    loss_curve_ : list of float
        For each epoch the negative pseudo-likelihood of training rows, estimated from
        some of their units, in nats per row.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.

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

    _layers, _DENSITY, _OBJECTIVE = GRAPHICAL, GraphDensity, GraphObjective

    _parameter_constraints: dict = {
        "n_hidden": [Interval(Integral, 0, None, closed="left")],
        "edges": ["array-like", "sparse matrix", None],
        "n_colours": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "column_types": [StrOptions({"bernoulli", "categorical"})],
        "min_categories": [
            Interval(Integral, 1, None, closed="left"),
            "array-like",
            None,
        ],
        "objective": [StrOptions({"likelihood", "pseudo-likelihood"})],
        **MACHINE,
        "gradient": [StrOptions({"pcd", "tempering"})],
        "positive": [StrOptions({"mean-field", "gibbs"})],
        "mean_field_steps": [Interval(Integral, 1, None, closed="left")],
    }
    for _name in (
        "n_components",
        "fast_learning_rate",
        "max_norm",
        "sparsity_target",
        "sparsity_cost",
    ):
        _parameter_constraints.pop(_name)
    del _name
    _TRANSIENT = *Machine._TRANSIENT, "intercept_hidden_", "h_samples_"
    _IMPLIED = {
        "quadratic": False,
        "negative": "samples",
        "max_norm": None,
        "sparsity_target": None,
    }

    def __init__(
        self,
        n_hidden=0,
        *,
        edges=None,
        n_colours="auto",
        column_types="bernoulli",
        min_categories=None,
        objective="likelihood",
        learning_rate=0.05,
        batch_size=10,
        n_iter=20,
        gradient="pcd",
        positive="mean-field",
        n_steps=1,
        n_chains=50,
        n_temperatures=10,
        mean_field_steps=50,
        centering="data",
        solver="sgd",
        momentum=0.0,
        schedule="linear",
        power_t=0.5,
        l1=0.0,
        l2=0.0,
        resample=False,
        init_biases="marginals",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.n_hidden = n_hidden
        self.edges = edges
        self.n_colours = n_colours
        self.column_types = column_types
        self.min_categories = min_categories
        self.objective = objective
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.gradient = gradient
        self.positive = positive
        self.n_steps = n_steps
        self.n_chains = n_chains
        self.n_temperatures = n_temperatures
        self.mean_field_steps = mean_field_steps
        self.centering = centering
        self.solver = solver
        self.momentum = momentum
        self.schedule = schedule
        self.power_t = power_t
        self.l1 = l1
        self.l2 = l2
        self.resample = resample
        self.init_biases = init_biases
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    pseudo_likelihood, pair_scores = pseudo_likelihood, pair_scores

    def transform(self, X):
        r"""Means of the hidden units, or of each column given all others.

        Hidden units depend on each other, so their means are those of mean field. A
        machine without them returns :math:`p(v_i = 1 \mid v_{-i})`, or probabilities of
        all categories of each column. Missing entries are inferred by mean field.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_features_out)
            Probabilities.
        """
        return super().transform(X)

    @property
    def _domain(self):
        if self._options.column_types == "bernoulli":
            return BINARY
        return Categorical(self._options.min_categories)

    def _label(self, rows, y, fresh, classes):
        # Raise before anything learned earlier is lost.
        edges_of(self._options, rows.shape[1])
        return super()._label(rows, y, fresh, classes)
