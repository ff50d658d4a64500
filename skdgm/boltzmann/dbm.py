r"""Deep Boltzmann machines.

.. math:: E(v, h^1, \dots, h^L) = -b^\top v - \sum_l c_l^\top h^l - v^\top W^1 h^1 -
   \sum_{l > 1} h^{l - 1 \top} W^l h^l

One layer of visible and several of hidden units, each joined to its neighbours.
"""

from skdgm.boltzmann._deep import DeepMachine


class DBM(DeepMachine):
    r"""Deep Boltzmann machine with binary hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = -b^\top v - \sum_l c_l^\top h^l -
        v^\top W^1 h^1 - \sum_{l > 1} h^{l - 1 \top} W^l h^l

    so that a hidden unit hears from below and from above: :math:`p(h^1_j = 1 \mid v,
    h^2) = \sigma(c_{1j} + v^\top W^1_{:j} + W^2_{j:} h^2)`. All layers learn together,
    by variational stochastic maximum likelihood [1]_ [2]_: mean field in the data's
    phase, persistent chains in the model's. The features of a row are its mean-field
    means.

    Data are 0 or 1, or probabilities of 1 (grey values), or real numbers. NaN is a
    missing value, in every method. Float64 data are computed in float64, all others in
    float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(256, 256)
        Number of units of each hidden layer, from below.
    visible : {"bernoulli", "gaussian"}, default="bernoulli"
        What the data are: values in [0, 1], or real columns of any scale, which the
        model sees standardised.
    precision, min_variance
        Of real columns, as of :class:`GaussianRBM`.
    learning_rate : float, default=0.1
        At the start; see ``schedule``.
    batch_size : int, default=10
        Rows for each update.
    n_iter : int or "auto", default="auto"
        Epochs in which all layers learn: by default as many as make 25,000 updates, but
        at least 10 and at most 200.
    gradient : {"pcd", "fpcd", "tempering"}, default="pcd"
        What moves the chains of the negative phase, which go on where the last update
        left them: the model itself, fast weights, or parallel tempering.
    n_steps : int or tuple of int, default=1
        Gibbs steps of these chains for each update. A tuple's values share the epochs
        evenly, in order.
    n_chains, n_temperatures, fast_learning_rate
        As of :class:`BernoulliRBM`.
    negative : {"samples", "means"}, default="samples"
        What of the chains the gradient is made of: their states (of the odd layers, the
        means given the others), or what one step of mean field makes of these.
    mean_field_steps : int, default=10
        Sweeps of mean field at most, for each row of a batch.
    centering : {"start", "data", "moving"} or None, default="data"
        If not None, learn by the centred gradient [3]_, without which layers far from
        the data hardly learn unless they are pre-trained. Offsets as of
        :class:`BernoulliRBM`.
    pretrain : {"layerwise"} or None, default=None
        How the weights begin: at small random numbers, or as those of pairs of layers
        that learned one after the other by contrastive divergence, what a layer in the
        midst hears counting twice [1]_.
    pretrain_iter, pretrain_learning_rate, pretrain_steps : default=10, 0.05, 1
        Epochs of each pair, learning rates, and Gibbs steps. A tuple has one value for
        each pair; of ``pretrain_steps`` such a value may be a tuple, too, whose values
        share the epochs.
    inference_steps, inference_tol : default=50, 1e-3
        Sweeps of mean field at most, where features and likelihoods are asked for, and
        how little a mean moves when these end.
    n_restarts : int, default=0
        How often inference begins again, at random means; the highest bound counts.
    feature_layer : int, tuple of int or "all", default="all"
        Whose means :meth:`transform` gives: 0 is the first hidden layer, -1 the last.
        It may be changed after ``fit``, and so may the three above.
    solver, momentum, schedule, power_t, l1, l2, max_norm
        As of :class:`BernoulliRBM`.
    sparsity_target : float, tuple of float or None, default=None
        How often hidden units are to be on: in all layers, or in each.
    resample : bool, default=True
        If True, grey values are drawn as bits anew at each presentation. If False, they
        are taken as they are.
    sparsity_cost, init
        As of :class:`BernoulliRBM`.
    early_stopping, validation_fraction, n_iter_no_change, tol, warm_start, verbose
        As of :class:`BernoulliRBM`.
    random_state : int, RandomState instance or None, default=None
        Source of initial weights, the order of rows and samples.

    Attributes
    ----------
    coefs_ : list of ndarray
        The weights between each layer and the next, from below; of shape (n_below,
        n_above).
    intercepts_ : list of ndarray
        The biases of all layers; of real columns, their means.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains.
    h_samples_ : list of ndarray
        Their hidden units, layer by layer.
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering", as of :class:`BernoulliRBM`.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        For real columns, as of :class:`GaussianRBM`.
    log_Z_, log_Z_se_ : float
        Log partition function, computed at first use, and its standard error.
    density_kind_ : {"lower bound", "estimate"}
        What :meth:`score_samples` is: a lower bound where log Z is exact, because the
        odd or the even layers have at most 20 units.
    loss_curve_ : list of float
        For each epoch minus the log-likelihood of some units of training rows, given
        the others and what mean field finds two layers above, in nats per row.
    validation_curve_ : list of float
        The same for held-out rows, with ``early_stopping``.
    pretrain_loss_curves_ : list of list of float
        For each pair of layers minus the log-likelihood of some rows given the layer
        above, for each epoch; empty without ``pretrain``.
    n_iter_ : int
        Epochs done in which all layers learned.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.

    See Also
    --------
    BernoulliRBM : One hidden layer, whose likelihood is exact but for log Z.

    References
    ----------
    .. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
    .. [2] Goodfellow, Bengio and Courville (2016). Deep Learning, section 20.4. MIT
       Press.
    .. [3] Montavon and Müller (2012). Deep Boltzmann machines and the centering trick.
       Neural Networks: Tricks of the Trade.

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

    def __init__(
        self,
        hidden_layer_sizes=(256, 256),
        *,
        visible="bernoulli",
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
        n_restarts=0,
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
        init="marginals",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
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
        self.n_restarts = n_restarts
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
        self.init = init
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state
