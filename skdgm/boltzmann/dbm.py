r"""Deep Boltzmann machines.

.. math:: E(v, h^1, \dots, h^L) = -b^\top v - \sum_l c_l^\top h^l - v^\top W^1 h^1 -
   \sum_{l > 1} h^{l - 1 \top} W^l h^l

A layer of visible units and several of hidden ones, each coupled to its neighbours.
"""

from skdgm.boltzmann import _options
from skdgm.boltzmann._density.deep import DeepDensity
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._methods import importance_likelihood
from skdgm.boltzmann._structure.deep import DEEP


class DBM(Machine):
    r"""Deep Boltzmann machine with binary hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = -b^\top v - \sum_l c_l^\top h^l -
        v^\top W^1 h^1 - \sum_{l > 1} h^{l - 1 \top} W^l h^l

    so that a hidden unit has inputs from the layers below and above:
    :math:`p(h^1_j = 1 \mid v, h^2) = \sigma(c_{1j} + v^\top W^1_{:j} + W^2_{j:} h^2)`.
    All layers are trained together, by variational stochastic maximum likelihood [1]_
    [2]_: mean field in the positive phase, persistent chains in the negative phase. The
    features of a row are its mean-field means.

    Data are 0 or 1, or probabilities of 1 (grey values), or real numbers. NaN is a
    missing value, in every method. Float64 data are processed in float64, all others in
    float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(256, 256)
        Number of units of each hidden layer, from below.
    column_types : {"bernoulli", "gaussian"}, default="bernoulli"
        Kind of data: values in [0, 1], or real columns of any scale, which are
        standardised internally.
    precision, min_variance
        For real columns, as in :class:`GaussianRBM`.
    learning_rate : float, default=0.1
        Initial learning rate; see ``schedule``.
    batch_size : int, default=10
        Number of rows in each update.
    n_iter : int or "auto", default="auto"
        Number of epochs in which all layers are trained together. With "auto", as many
        as make 25,000 updates, but at least 10 and at most 200.
    gradient : {"pcd", "fpcd", "tempering", "multi-prediction"}, default="pcd"
        Sampler of the negative phase, whose chains start where the last update left
        them: Gibbs steps of the model itself, of the model with fast weights added, or
        parallel tempering. Or no likelihood: a random half of each row's entries is
        predicted from the others by ``mean_field_steps`` sweeps, through which errors
        are propagated back [4]_; for bits.
    n_steps : int or tuple of int, default=1
        Number of Gibbs steps of these chains in each update. The values of a tuple
        share the epochs evenly, in order.
    n_chains, n_temperatures, fast_learning_rate
        As in :class:`BernoulliRBM`.
    negative : {"samples", "means"}, default="samples"
        Statistics of the negative phase: states of the chains (in the odd layers, means
        given the others), or the means that one step of mean field gives from these.
    mean_field_steps : int, default=10
        Maximum number of mean-field sweeps for each row of a batch; their number, with
        "multi-prediction".
    centering : {"start", "data", "moving"} or None, default="data"
        If not None, use the centred gradient [3]_, without which layers far from the
        data hardly learn unless they are pre-trained. Offsets are as in
        :class:`BernoulliRBM`.
    pretrain : {"layerwise"} or None, default=None
        Initial weights: small random numbers, or those of pairs of layers trained one
        after the other by contrastive divergence, with twice the input for layers that
        have neighbours on both sides in the machine [1]_.
    pretrain_iter, pretrain_learning_rate, pretrain_steps : default=10, 0.05, 1
        Number of epochs, learning rate and number of Gibbs steps of each pair. A tuple
        has one value for each pair; for ``pretrain_steps`` such a value may itself be a
        tuple, whose values share the epochs.
    inference_steps, inference_tol : default=50, 1e-3
        Maximum number of mean-field sweeps for features and likelihoods, and the change
        of a row's means below which they stop.
    feature_layer : int, tuple of int or "all", default="all"
        Hidden layers whose means :meth:`transform` returns: 0 is the first, -1 the
        last. It may be changed after ``fit``, and so may the two above.
    solver, momentum, schedule, power_t, l1, l2, max_norm
        As in :class:`BernoulliRBM`.
    sparsity_target : float, tuple of float or None, default=None
        Target for the mean of each hidden unit: one for all layers, or one for each.
    resample : bool, default=True
        If True, draw the bits of grey values anew at each presentation. If False, use
        grey values as they are.
    sparsity_cost, init_biases
        As in :class:`BernoulliRBM`.
    early_stopping, validation_fraction, n_iter_no_change, tol, warm_start, verbose
        As in :class:`BernoulliRBM`.
    random_state : int, RandomState instance or None, default=None
        Source of initial weights, the order of rows and samples.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights between each layer and the layer above, from below; of shape (n_below,
        n_above).
    intercepts_ : list of ndarray
        Biases of all layers; for real columns, their means without input.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains.
    h_samples_ : list of ndarray
        Hidden units of the training chains, layer by layer.
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering", as in :class:`BernoulliRBM`.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        For real columns, as in :class:`GaussianRBM`.
    log_Z_, log_Z_se_ : float
        Log partition function, computed at first access, and its standard error.
    density_kind_ : {"lower bound", "estimate"}
        Kind of density that :meth:`score_samples` returns: a lower bound where log Z is
        exact, because the odd or the even layers have at most 20 units.
    loss_curve_ : list of float
        For each epoch the negative log-likelihood of some units of training rows, given
        the others and the mean-field means two layers above, in nats per row.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    pretrain_loss_curves_ : list of list of float
        For each pair of layers and each epoch, the negative log-likelihood of some rows
        given the layer above, in nats; empty without ``pretrain``.
    n_iter_ : int
        Number of epochs done in which all layers were trained together.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.

    See Also
    --------
    BernoulliRBM : One hidden layer, with a likelihood that is exact up to log Z.

    References
    ----------
    .. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
    .. [2] Goodfellow, Bengio and Courville (2016). Deep Learning, section 20.4. MIT
       Press.
    .. [3] Montavon and Müller (2012). Deep Boltzmann machines and the centering trick.
       Neural Networks: Tricks of the Trade.
    .. [4] Goodfellow, Mirza, Courville and Bengio (2013). Multi-prediction deep
       Boltzmann machines. NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DBM
    >>> X = load_digits().data / 16
    >>> dbm = DBM((16, 32), n_iter=20, random_state=0).fit(X)
    >>> dbm.transform(X).shape
    (1797, 48)
    >>> dbm.density_kind_
    'lower bound'
    """

    _parameter_constraints: dict = {**_options.DEEP}
    _layers, _DENSITY = DEEP, DeepDensity

    def __init__(
        self,
        hidden_layer_sizes=(256, 256),
        *,
        column_types="bernoulli",
        precision="diagonal",
        min_variance=0.05,
        learning_rate=0.1,
        batch_size=10,
        n_iter="auto",
        gradient="pcd",
        n_steps=1,
        n_chains=50,
        n_temperatures=10,
        fast_learning_rate=None,
        negative="samples",
        mean_field_steps=10,
        centering="data",
        pretrain=None,
        pretrain_iter=10,
        pretrain_learning_rate=0.05,
        pretrain_steps=1,
        inference_steps=50,
        inference_tol=1e-3,
        feature_layer="all",
        solver="sgd",
        momentum=0.0,
        schedule="linear",
        power_t=0.5,
        l1=0.0,
        l2=0.0,
        max_norm=None,
        sparsity_target=None,
        sparsity_cost=0.1,
        resample=True,
        init_biases="marginals",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.column_types = column_types
        self.precision = precision
        self.min_variance = min_variance
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.gradient = gradient
        self.n_steps = n_steps
        self.n_chains = n_chains
        self.n_temperatures = n_temperatures
        self.fast_learning_rate = fast_learning_rate
        self.negative = negative
        self.mean_field_steps = mean_field_steps
        self.centering = centering
        self.pretrain = pretrain
        self.pretrain_iter = pretrain_iter
        self.pretrain_learning_rate = pretrain_learning_rate
        self.pretrain_steps = pretrain_steps
        self.inference_steps = inference_steps
        self.inference_tol = inference_tol
        self.feature_layer = feature_layer
        self.solver = solver
        self.momentum = momentum
        self.schedule = schedule
        self.power_t = power_t
        self.l1 = l1
        self.l2 = l2
        self.max_norm = max_norm
        self.sparsity_target = sparsity_target
        self.sparsity_cost = sparsity_cost
        self.resample = resample
        self.init_biases = init_biases
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    importance_likelihood = importance_likelihood
