r"""Convolutional restricted Boltzmann machines.

.. math:: -E(v, h) = b^\top v + \sum_{k, p} h_{kp} \, (c_k + W_k^\top P_p v)

Every filter is the same at all positions of an image, and at most one of the hidden
units in a block of positions is on.
"""

from numbers import Integral

from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._methods import pseudo_likelihood
from skdgm.boltzmann._options import MACHINE, REAL, VISIBLE
from skdgm.boltzmann._structure.convolved import (
    CONVOLVED,
    ConvDensity,
    ConvObjective,
    geometry_of,
)
from skdgm.boltzmann._structure.resized import resized
from skdgm.boltzmann._structure.visible import pixels_of


class ConvRBM(Machine):
    r"""Convolutional restricted Boltzmann machine with probabilistic max pooling.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad -E(v, h) = b^\top v + \sum_{k, p} h_{kp}
        \, (c_k + W_k^\top P_p v), \qquad \sum_{p \in B} h_{kp} \le 1

    for images v, with the patch :math:`P_p v` under a filter at position p, K filters
    :math:`W_k` whose detection units :math:`h_{kp}` form K maps, and blocks B of
    neighbouring positions, in each of which at most one unit of a map is on [1]_ [2]_.
    With :math:`\eta_{kp} = c_k + W_k^\top P_p v`,

    .. math::

        p(h_{kp} = 1 \mid v) = \frac{e^{\eta_{kp}}}{1 + \sum_{q \in B} e^{\eta_{kq}}},
        \qquad p(\text{block B of map k is on} \mid v) = \frac{\sum_{q \in B}
        e^{\eta_{kq}}}{1 + \sum_{q \in B} e^{\eta_{kq}}},

    and the latter are the features of an image. Visible units have a bias each, maps
    one for all of their units. It is the :class:`BernoulliRBM` (or
    :class:`GaussianRBM`) whose weights are the filters at all positions, with few
    parameters: what it learns at one place holds at all.

    Most features are near 0, where the penalty of a linear model holds back what they
    say, above all with few rows. Put a :class:`~sklearn.preprocessing.StandardScaler`
    behind them.

    Rows are images, pixel after pixel, and of each pixel channel after channel. Data
    are 0 or 1, or probabilities of 1 (grey values); or real numbers, which are
    standardised. NaN is a missing value, in every method. Float64 data are processed in
    float64, all others in float32.

    Parameters
    ----------
    n_components : int, default=24
        Number of filters, and of maps.
    filter_shape : int, tuple of int or None, default=None
        Rows and columns of the filters, or one number for both (of which an image of
        one row takes one row). None is a third of the image's side, between 4 and 15
        pixels, and what more leaves an even number of positions, where these are many;
        at most the whole side.
    pool_shape : int, tuple of int or None, default=None
        Rows and columns of positions in a block, or one number for both. It must
        divide the numbers of positions. None is 2 along a side with an even number of
        at least 8 positions, else 1. With 1, all detection units are independent given
        the image.
    stride : int or tuple of int, default=1
        Steps down and to the right from a position of the filters to the next, or one
        number for both (along a side of one pixel, 1).
    pooling : {"probabilistic", "max", "mean"}, default="probabilistic"
        Pooled units. "probabilistic": at most one detection unit of a block is on, and
        the pooled unit is on with it. Else all detection units are independent given
        the image, as with ``pool_shape=1``, and the pooled means are the maximum or the
        mean of a block's.
    image_shape : tuple of int or None, default=None
        Height, width and perhaps channels of the images. None is a square of one
        channel, or else one row of pixels.
    padding : {"valid", "same"}, default="valid"
        Whether filters stay within the image, or are centred at each of its pixels,
        with zeros around it.
    column_types : {"bernoulli", "gaussian", "categorical"}, default="bernoulli"
        Visible units: bits, real numbers, or codes 0, 1, ... of categories, of which
        all pixels have as many as the highest code asks for. A filter has a weight for
        each category.
    min_categories : int or None, default=None
        Least number of categories, for codes that are not in the data of the first fit.
    precision : {"scalar", "fixed"}, default="scalar"
        Precision of real units given the hidden ones: one learned for all standardised
        columns, or fixed at the inverse variances of the columns.
    min_variance : float, default=0.05
        Lower limit of real units' learned variance given the hidden units, as a share
        of the columns' variance.
    visible_bias : {"pixel", "channel"}, default="pixel"
        Whether each pixel has a bias, and real ones a scale, or all pixels of a channel
        have the same, so that nothing depends on the place: then :meth:`resized` gives
        the machine for images of any size.
    features : {"pooled", "detection"}, default="pooled"
        Features that ``transform`` returns, and ``inverse_transform`` takes:
        probabilities of pooled or of detection units.
    learning_rate : float, default=0.01
        Initial learning rate; see ``schedule``. The gradient of a filter is a sum over
        all positions, which Adam divides by its size; with "sgd", steps are shortened
        where there are many.
    batch_size : int, default=10
        Number of rows in each update.
    n_iter : int, default=20
        Number of epochs.
    gradient : {"pcd", "cd", "fpcd", "tempering"}, default="pcd"
        Chains of the negative phase: they start where the last update left them
        (persistent contrastive divergence, "pcd" [4]_), or at the data (contrastive
        divergence, "cd" [3]_). Persistent chains may have fast weights ("fpcd" [5]_),
        or exchange states with hotter ones (parallel tempering, "tempering" [6]_).
    n_steps : int or tuple of int, default=1
        Number of Gibbs steps of these chains in each update. The values of a tuple
        share the epochs evenly, in order.
    n_chains : int or None, default=50
        Number of persistent chains; ``batch_size`` if None.
    n_temperatures : int, default=10
        Number of temperatures for "tempering", with ``n_chains`` chains at each.
    fast_learning_rate : float or None, default=None
        Learning rate of the fast weights for "fpcd", which decay by a twentieth in each
        update; the initial ``learning_rate`` if None.
    centering : {"start", "data", "moving"} or None, default=None
        If not None, use the centred gradient, as :class:`BernoulliRBM` does, with one
        offset for all units of a map.
    solver : {"sgd", "adam"}, default="adam"
        Stochastic gradient descent, or Adam, which divides the gradient by its recent
        size, parameter by parameter.
    momentum : float or tuple of float, default=0.9
        Momentum coefficient (for "adam" the first beta). The values of a tuple share
        the epochs evenly, in order.
    schedule : {"constant", "invscaling", "linear", "cooldown"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t``, ``1 - t / T`` or ``min(1, 5 * (1 - t / T))``.
    power_t : float, default=0.5
        Exponent for ``schedule="invscaling"``.
    l1, l2 : float, default=0.0
        Penalties on the weights: l1 times the sum of their absolute values and l2 / 2
        times the sum of their squares are subtracted from the log-likelihood per row.
    max_norm : float or None, default=None
        Maximum norm of the weights of each filter, for real columns in their standard
        deviations given the hidden units.
    sparsity_target : float or None, default=None
        Target for the mean of each detection unit. If not None, the cross entropy of
        this and the running mean, times ``sparsity_cost``, is subtracted from the
        objective, for each position of a filter.
    sparsity_cost : float, default=0.1
        Weight of the sparsity term; see ``sparsity_target``.
    resample : bool, default=True
        If True, draw the bits of grey values anew at each presentation. If False, use
        grey values as they are.
    init_biases : {"marginals", "zeros"}, default="marginals"
        Initial biases of binary visible units: those with which independent units have
        the means of the data, or zeros. Initial weights are normal with standard
        deviation 0.1, or less of many maps, and a tenth of the blocks is on at first.
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
    components_ : ndarray of shape (n_components, n_weights)
        Filters W, each pixel after pixel of ``filter_shape_``, and of each pixel
        channel after channel.
    intercept_hidden_ : ndarray of shape (n_components,)
        Biases c of the maps.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b.
    image_shape_ : tuple of int
        Height, width and channels of the images.
    filter_shape_, pool_shape_, stride_ : tuple of int
        Rows and columns of filters, of blocks, and of a step between positions.
    map_shape_ : tuple of int
        Rows and columns of positions of the filters.
    h_samples_ : ndarray of shape (n_chains, n_positions * n_components)
        Detection units of the training chains: position after position, and of each
        map after map.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains; with "cd", which keeps none, draws from
        the initial model.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        Of real columns: precisions given the hidden units, and what standardises them.
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering": recent swap rates of chains at neighbouring temperatures, from
        the model's own temperature on.
    log_Z_ : float
        Log partition function, computed at first access.
    log_Z_se_ : float
        Standard error of ``log_Z_``; 0 where that is exact.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact where images have at
        most 20 bits, or the hidden units 2**20 states.
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

    References
    ----------
    .. [1] Desjardins and Bengio (2008). Empirical evaluation of convolutional RBMs for
       vision. Technical report 1327, Université de Montréal.
    .. [2] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
       scalable unsupervised learning of hierarchical representations. ICML.
    .. [3] Hinton (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation.
    .. [4] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.
    .. [5] Tieleman and Hinton (2009). Using fast weights to improve persistent
       contrastive divergence. ICML.
    .. [6] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
       chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import ConvRBM
    >>> X = load_digits().data / 16
    >>> rbm = ConvRBM(8, filter_shape=5, pool_shape=2, n_iter=2, random_state=0).fit(X)
    >>> rbm.filter_shape_, rbm.map_shape_, rbm.pool_shape_
    ((5, 5), (4, 4), (2, 2))
    >>> rbm.transform(X).shape
    (1797, 32)
    """

    _layers, _DENSITY, _OBJECTIVE = CONVOLVED, ConvDensity, ConvObjective

    _parameter_constraints: dict = {
        **MACHINE,
        **VISIBLE,
        "column_types": [StrOptions({"bernoulli", "gaussian", "categorical"})],
        "filter_shape": [Interval(Integral, 1, None, closed="left"), tuple, None],
        "pool_shape": [Interval(Integral, 1, None, closed="left"), tuple, None],
        "stride": [Interval(Integral, 1, None, closed="left"), tuple],
        "pooling": [StrOptions({"probabilistic", "max", "mean"})],
        "image_shape": [tuple, None],
        "padding": [StrOptions({"valid", "same"})],
        "min_categories": [Interval(Integral, 1, None, closed="left"), None],
        "precision": [StrOptions({"scalar", "fixed"})],
        "min_variance": REAL["min_variance"],
        "visible_bias": [StrOptions({"pixel", "channel"})],
        "features": [StrOptions({"pooled", "detection"})],
    }
    _IMPLIED = {
        "quadratic": False,
        "mean_field_steps": 50,
        "negative": "samples",
    }

    def __init__(
        self,
        n_components=24,
        *,
        filter_shape=None,
        pool_shape=None,
        stride=1,
        pooling="probabilistic",
        image_shape=None,
        padding="valid",
        column_types="bernoulli",
        min_categories=None,
        precision="scalar",
        min_variance=0.05,
        visible_bias="pixel",
        features="pooled",
        learning_rate=0.01,
        batch_size=10,
        n_iter=20,
        gradient="pcd",
        n_steps=1,
        n_chains=50,
        n_temperatures=10,
        fast_learning_rate=None,
        centering=None,
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
        self.n_components = n_components
        self.filter_shape = filter_shape
        self.pool_shape = pool_shape
        self.stride = stride
        self.pooling = pooling
        self.image_shape = image_shape
        self.padding = padding
        self.column_types = column_types
        self.min_categories = min_categories
        self.precision = precision
        self.min_variance = min_variance
        self.visible_bias = visible_bias
        self.features = features
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.gradient = gradient
        self.n_steps = n_steps
        self.n_chains = n_chains
        self.n_temperatures = n_temperatures
        self.fast_learning_rate = fast_learning_rate
        self.centering = centering
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

    pseudo_likelihood = pseudo_likelihood

    @property
    def _domain(self):
        return pixels_of(self._options)

    def resized(self, image_shape):
        """Machine with the same filters and biases for images of another size.

        A machine that learned patches may so transform, sample, complete or score whole
        images, and continue to learn from them by ``partial_fit``.

        Parameters
        ----------
        image_shape : tuple of int
            Height, width and perhaps channels, which are those that were learned.

        Returns
        -------
        machine : ConvRBM
            A fitted copy, whose chains begin anew.

        Raises
        ------
        ValueError
            ``visible_bias`` was not "channel", the shape has other channels or is
            smaller than filters, or blocks do not divide the positions.
        """
        return resized(self, image_shape)

    def _label(self, rows, y, fresh, classes):
        # Raise before anything learned earlier is lost.
        geometry_of(self._options, rows.shape[1])
        return super()._label(rows, y, fresh, classes)
