r"""Convolutional deep Boltzmann machines.

.. math:: -E(v, h^1, \dots, h^L) = b^\top v + \sum_l \sum_{k, p} h^l_{kp} \, (c^l_k +
   W_k^{l \top} P_p \, q^{l-1}), \qquad q^0 = v, \quad q^l_{kB} = \sum_{p \in B}
   h^l_{kp} \le 1

Filters see the pooled units of the maps below; all layers are learned together.
"""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.boltzmann import _options
from skdgm.boltzmann._density.deep import DeepDensity
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._methods import importance_likelihood
from skdgm.boltzmann._structure.convolved_deep import (
    CONVOLVED_DEEP,
    geometries,
    pooled_maps,
)
from skdgm.training import Budget

_COUNTS = [Interval(Integral, 1, None, closed="left"), tuple, None]


class ConvDBM(Machine):
    r"""Convolutional deep Boltzmann machine with probabilistic max pooling.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad -E(v, h) = b^\top v + \sum_l \sum_{k, p}
        h^l_{kp} \, (c^l_k + W_k^{l \top} P_p \, q^{l-1}), \qquad q^0 = v, \quad
        q^l_{kB} = \sum_{p \in B} h^l_{kp} \le 1

    for images v, with hidden layers of maps of detection units :math:`h^l`, in blocks B
    of neighbours of which at most one is on, and pooled units :math:`q^l`, one for each
    block, which the filters :math:`W^{l+1}` of the next layer see at all of their
    positions p [2]_. All layers are one undirected model: a unit has input from below
    and, with all others of its block, from above,

    .. math::

        p(h^l_{kp} = 1 \mid v, h^{l+1}) = \frac{e^{\eta_{kp}}}{1 + \sum_{p' \in B}
        e^{\eta_{kp'}}}, \qquad \eta_{kp} = c^l_k + W_k^{l \top} P_p \, q^{l-1} +
        \sum_{k', p'} \big(P_{p'}^\top W^{l+1}_{k'}\big)_{kB} \, h^{l+1}_{k'p'} .

    They are trained together, as those of a :class:`DBM` are [1]_: mean field in the
    positive phase, persistent chains in the negative phase. It is the DBM whose
    weights are the filters at all positions. A layer whose filters have the size of the
    maps below is connected to all of them, as one of a DBM.

    Rows are images, pixel after pixel, and of each pixel channel after channel. Data
    are 0 or 1, or probabilities of 1 (grey values), or real numbers, which are
    standardised. NaN is a missing value, in every method. Float64 data are processed in
    float64, all others in float32.

    Parameters
    ----------
    conv_layer_sizes : int or tuple of int, default=(24, 40)
        Number of filters, and of maps, of each hidden layer, from below.
    filter_shape : int, None or tuple, default=None
        Shape of the filters, as of :class:`ConvRBM`. A tuple has one for each layer: a
        number, a pair of them (rows and columns), or None for the default.
    pool_shape : int, None or tuple, default=None
        Shape of blocks of positions, as of :class:`ConvRBM`, or a tuple as for
        ``filter_shape``.
    stride : int or tuple, default=1
        Steps from a position of the filters to the next, as of :class:`ConvRBM`, or a
        tuple as for ``filter_shape``.
    image_shape : tuple of int or None, default=None
        Height, width and perhaps channels of the images. None is a square of one
        channel, or else one row of pixels.
    padding : {"valid", "same"}, default="valid"
        Whether filters stay within the images or maps that they see, or are centred at
        each of their pixels.
    column_types : {"bernoulli", "gaussian"}, default="bernoulli"
        Visible units: bits or real numbers.
    precision, min_variance
        For real columns, as in :class:`ConvRBM`.
    features : {"pooled", "detection"}, default="pooled"
        Features that ``transform`` returns, and ``inverse_transform`` takes:
        probabilities of pooled or of detection units.
    learning_rate : float, default=0.003
        Initial learning rate; see ``schedule``. The gradient of a filter is a sum over
        all positions, which Adam divides by its size; with "sgd", steps are shortened
        where there are many.
    batch_size : int, default=10
        Number of rows in each update.
    n_iter : int or "auto", default="auto"
        Number of epochs in which all layers are trained together. With "auto", as many
        as make 6,000 updates, but at least 5 and at most 100.
    gradient : {"pcd", "fpcd", "tempering"}, default="pcd"
        Sampler of the negative phase, whose chains start where the last update left
        them: Gibbs steps of the model itself, of the model with fast weights added, or
        parallel tempering.
    n_steps : int or tuple of int, default=1
        Number of Gibbs steps of these chains in each update. The values of a tuple
        share the epochs evenly, in order.
    n_chains, n_temperatures, fast_learning_rate
        As in :class:`ConvRBM`.
    negative, mean_field_steps
        As in :class:`DBM`.
    centering : {"start", "data", "moving"} or None, default="data"
        If not None, use the centred gradient [3]_, with one offset for all units of a
        map, without which layers far from the data hardly learn unless they are
        pre-trained. Offsets are as in :class:`BernoulliRBM`.
    pretrain : {"layerwise"} or None, default=None
        Initial weights: small random numbers, or those of pairs of layers trained one
        after the other by contrastive divergence and Adam, with twice the input for
        layers that have neighbours on both sides in the machine [1]_.
    pretrain_iter, pretrain_learning_rate, pretrain_steps : default=10, 0.01, 1
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
        As in :class:`ConvRBM`.
    sparsity_target : float, tuple of float or None, default=None
        Target for the mean of each detection unit: one for all layers, or one for each.
    sparsity_cost, resample, init_biases
        As in :class:`ConvRBM`.
    early_stopping, validation_fraction, n_iter_no_change, tol, warm_start, verbose
        As in :class:`ConvRBM`.
    random_state : int, RandomState instance or None, default=None
        Source of initial weights, the order of rows and samples.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_weights, n_maps)
        Filters of each layer, from below: a column for each, pixel after pixel, and of
        each pixel channel (or map) after channel.
    intercepts_ : list of ndarray
        Visible biases, (n_features,), and those of the maps of each layer, (n_maps,);
        for real columns, their means without input.
    image_shape_ : tuple of int
        Height, width and channels of the images.
    filter_shapes_, pool_shapes_, map_shapes_ : list of tuple of int
        For each layer rows and columns of filters, of blocks, and of positions.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains.
    h_samples_ : list of ndarray
        Detection units of the training chains, layer by layer: position after position,
        and of each map after map.
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering", as in :class:`ConvRBM`.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        For real columns, as in :class:`ConvRBM`.
    log_Z_, log_Z_se_ : float
        Log partition function, computed at first access, and its standard error.
    density_kind_ : {"lower bound", "estimate"}
        Kind of density that :meth:`score_samples` returns: a lower bound where log Z is
        exact, because the odd or the even layers have at most 2**20 states.
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
    ConvDBN : The same layers, learned one by one: faster, and undirected only at the
        top.

    References
    ----------
    .. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
    .. [2] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
       scalable unsupervised learning of hierarchical representations. ICML.
    .. [3] Montavon and Müller (2012). Deep Boltzmann machines and the centering trick.
       Neural Networks: Tricks of the Trade.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import ConvDBM
    >>> X = load_digits().data[:500] / 16
    >>> dbm = ConvDBM((8, 12), filter_shape=(3, 2), pool_shape=2, n_iter=2)
    >>> dbm = dbm.set_params(random_state=0).fit(X)
    >>> [maps.shape for maps in dbm.transform_maps(X)]
    [(500, 3, 3, 8), (500, 1, 1, 12)]
    >>> dbm.transform(X).shape
    (500, 84)
    >>> dbm.sample(3, random_state=0).shape
    (3, 64)
    """

    _parameter_constraints: dict = {
        **_options.DEEP,
        "conv_layer_sizes": _options.DEEP["hidden_layer_sizes"],
        "filter_shape": _COUNTS,
        "pool_shape": _COUNTS,
        "stride": _COUNTS[:2],
        "image_shape": [tuple, None],
        "padding": [StrOptions({"valid", "same"})],
        "precision": [StrOptions({"scalar", "fixed"})],
        "features": [StrOptions({"pooled", "detection"})],
        "gradient": [StrOptions({"pcd", "fpcd", "tempering"})],
    }
    _parameter_constraints.pop("hidden_layer_sizes")
    _layers, _DENSITY = CONVOLVED_DEEP, DeepDensity
    _BUDGET = Budget(6_000, 5, 100)

    def __init__(
        self,
        conv_layer_sizes=(24, 40),
        *,
        filter_shape=None,
        pool_shape=None,
        stride=1,
        image_shape=None,
        padding="valid",
        column_types="bernoulli",
        precision="scalar",
        min_variance=0.05,
        features="pooled",
        learning_rate=0.003,
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
        pretrain_learning_rate=0.01,
        pretrain_steps=1,
        inference_steps=50,
        inference_tol=1e-3,
        feature_layer="all",
        solver="adam",
        momentum=0.9,
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
        self.conv_layer_sizes = conv_layer_sizes
        self.filter_shape = filter_shape
        self.pool_shape = pool_shape
        self.stride = stride
        self.image_shape = image_shape
        self.padding = padding
        self.column_types = column_types
        self.precision = precision
        self.min_variance = min_variance
        self.features = features
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

    def transform_maps(self, X):
        """Means of pooled units of every layer, as images.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        maps : list of ndarray of shape (n_samples, height, width, n_maps)
            From the bottom up.
        """
        return pooled_maps(self.density_, X)

    def _label(self, rows, y, fresh, classes):
        # Raise before anything learned earlier is lost.
        geometries(self._options, rows.shape[1])
        return super()._label(rows, y, fresh, classes)
