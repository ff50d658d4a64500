r"""Diffusion models: rows drawn by taking away noise, and masks, step by step.

.. math:: y = \cos \psi \odot z + \sin \psi \odot \epsilon, \qquad
   v(y, t) \approx \mathbb{E}[\cos \psi \odot \epsilon - \sin \psi \odot z \mid y]
"""

from numbers import Real
from typing import Annotated, Literal

import numpy as np
from sklearn.utils.validation import _num_samples

from skdgm.base.common_groups import Architecture
from skdgm.base.common_options import AttributeTypes, ColumnTypes, TableDetails
from skdgm.base.frames import as_frame
from skdgm.base.given import (
    attribute_types_,
    condition_argument,
    conditional_sample,
    forget,
    impute,
    rows_with_condition,
    scale_attributes,
)
from skdgm.base.options import KW_ONLY, Auto, Count, CountOrZero, NotNegative
from skdgm.data import names_of
from skdgm.diffusion._model import DiffusionModel
from skdgm.nets import NetEstimator
from skdgm.nets.estimator import TrainingSize, check_cost
from skdgm.nets.options import Activation
from skdgm.training import Budget
from skdgm.typing import ArrayOrFrame, Data, Seed, Target
from skdgm.utils.counts import count_rows


class Diffusion(NetEstimator):
    r"""Diffusion model: real columns are denoised, and discrete columns unmasked.

    .. math::

        y = \cos \psi \odot z + \sin \psi \odot \epsilon, \qquad
        \frac{\mathrm{d} y_i}{\mathrm{d} \psi_i} = v_i(y, t) \approx \mathbb{E}[
        \cos \psi_i \, \epsilon_i - \sin \psi_i \, z_i \mid y]

    The components z are the principal components of the standardized columns, divided
    by their standard deviations. They are mixed with standard normal noise
    :math:`\epsilon`, from no noise at time 0 to pure noise at time 1 [1]_ [2]_. A net
    learns the mean velocity v at all times by least squares, and the sampler follows it
    from noise to data. The velocity is zero if rows are normal. Training therefore
    starts from a normal distribution of full covariance with cross-validated shrinkage
    (independent columns if there are more than 1,024), and early stopping stays close
    to it if rows are few. The noise has equal variance in all columns: in units of the
    data if more than 16 columns share a range, as pixels do, and otherwise in units of
    standard deviations.

    Bits, categories, and numbers with few distinct values, or with values that many
    rows share, are masked instead. The share of masked columns rises with time, and
    their order is random. The sampler draws them one by one, or several in each of
    ``n_steps`` steps, from the net's distributions conditional on the other columns at
    that time [7]_. The log-likelihood then has a lower bound only. The code of a row
    consists of the real columns, moved by the flow conditional on the masked columns,
    and of the net's inputs for the masked columns: indicators of categories, and
    standardized numbers.

    The log-density of the flow is an integral of its divergence [3]_. Up to 24 columns,
    it is exact except for the discretization of the integral; with more columns the
    divergence is estimated in a random direction. NaN is a missing value in every
    method. ``fit`` draws missing real entries, conditional on the observed ones, from a
    mixture of normal distributions fitted to the incomplete rows. It uses a single
    normal distribution if there are more than 64 columns, or if mixtures have no higher
    cross-validated likelihood. Missing entries of masked columns stay masked.
    Computations are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple
        Numbers of hidden units of the net.
    column_types
        Type of the columns. "auto": inferred from the data, as described on the page
        "How columns are read" of the guide. One type for all columns: "gaussian" (real
        numbers, standardized internally), "bernoulli" (0 and 1), "categorical" (codes,
        as ``OrdinalEncoder`` returns them), or "mixed", by the types of a DataFrame's
        columns. A tuple has a type for each column, and a dict has types for some
        columns by name, as in :class:`~skdgm.EoNADE`. Masked columns are all columns
        that are not real, columns of numbers or gray values with few distinct values,
        and dates over several years, weeks or days.
    bits
        Noise of bits, with column_types="bernoulli": "masks", as for other discrete
        columns; or "flips" with rising probability, which ``n_steps`` steps reverse
        [1]_.
    class_conditional
        Whether the net is conditional on classes y, which ``fit`` then requires. A
        tenth of the training rows have their class dropped, so that the net can also
        draw rows of any class [4]_. Codes, imputed entries and densities without y
        refer to rows of any class.
    attribute_conditional
        Whether the net is conditional on attributes y: numbers, or other columns.
    activation
        Activation function of hidden units.
    architecture
        Architecture of the net: "dense"; or "conv", a U-net [8]_ for images whose
        pixels are all real numbers, bits or codes. Its convolutions halve the images,
        transposed convolutions double them, with skip connections between images of
        equal size, and the dense layers in between receive the smallest images.
    n_frequencies
        Number of sines and cosines of each real column that a dense net receives;
        "auto": 3 with up to 16 real columns, otherwise 0.
    weighting
        Weights of squared errors: "uniform" in the angles :math:`\psi` and proportional
        to the standard deviations of the components, for better samples; or
        "likelihood", the weights of a bound on the log-likelihood.
    sampler
        Method of denoising: along the "flow", by Heun's method [5]_; or "ancestral",
        the reverse diffusion, with new noise after each step. It may be changed after
        ``fit``.
    n_steps
        Number of steps between data and noise in all methods: few steps are fast and
        coarse. It may be changed after ``fit``.
    guidance
        Strength of classifier-free guidance: the extra weight of the effect that
        classes or attributes have on the velocity. Guided samples are more typical of
        the class and less diverse [4]_. Scores do not depend on it. It may be changed
        after ``fit``.
    n_resamplings
        Number of weighted particles from which each draw conditional on observed real
        entries is chosen: draws become exact as it grows [6]_. With bits="flips", the
        number of times that each step is repeated, with noise in between. It may be
        changed after ``fit``.
    likelihood
        Result of :meth:`score_samples`: the density of the "flow", or a lower "bound"
        on the density of the "ancestral" sampler [2]_, estimated at ``n_draws`` times.
        The bound is faster with many columns, and always used if columns are masked. It
        may be changed after ``fit``.
    n_draws
        Number of draws for each row with missing entries in :meth:`score_samples`,
        :meth:`transform` and :meth:`impute`; also the number of times of a bound, and
        of particles for bounds of rows with missing real entries. It may be changed
        after ``fit``.
    early_stopping
        If True, hold out rows, stop when ``validation_curve_`` no longer decreases, and
        restore the parameters at its minimum; "auto": True if ``n_iter`` is "auto".
    n_iter
        Number of epochs; "auto": 3,000 updates, but between 20 and 500 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net's layers.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the net's layers.
    classes_ : ndarray of shape (n_classes,)
        Classes of a ``class_conditional`` model.
    attribute_types_ : dict
        Type of each attribute, a :class:`~skdgm.data.ColumnType`, by its name (or
        number).
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate", or "lower bound" (in expectation).
    loss_curve_ : list of float
        Negative lower bound on the log-likelihood of some training rows after each
        epoch, in nats per row of standardized columns.

    See Also
    --------
    Flow : Exact densities of real columns.
    NADE : Exact likelihoods of mixed tables.
    GAN : Samples by a single pass of a generator.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 5 s of one core, 17 times as long
    as ``MLPClassifier``. The net is trained for up to several hundred epochs, because
    each row needs many levels of noise, or subsets of masked columns. A :class:`Flow`
    has an exact likelihood.

    References
    ----------
    .. [1] Sohl-Dickstein, Weiss, Maheswaranathan and Ganguli (2015). Deep unsupervised
       learning using nonequilibrium thermodynamics. ICML.
    .. [2] Kingma, Salimans, Poole and Ho (2021). Variational diffusion models. NeurIPS.
    .. [3] Song, Sohl-Dickstein, Kingma, Kumar, Ermon and Poole (2021). Score-based
       generative modeling through stochastic differential equations. ICLR.
    .. [4] Ho and Salimans (2022). Classifier-free diffusion guidance. arXiv:2207.12598.
    .. [5] Karras, Aittala, Aila and Laine (2022). Elucidating the design space of
       diffusion-based generative models. NeurIPS.
    .. [6] Wu, Trippe, Naesseth, Blei and Cunningham (2023). Practical and
       asymptotically exact conditional sampling in diffusion models. NeurIPS.
    .. [7] Hoogeboom, Gritsenko, Bastings, Poole, van den Berg and Salimans (2022).
       Autoregressive diffusion models. ICLR.
    .. [8] Ronneberger, Fischer and Brox (2015). U-Net: convolutional networks for
       biomedical image segmentation. MICCAI.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from skdgm import Diffusion
    >>> X, y = make_moons(500, noise=0.1, random_state=0)
    >>> model = Diffusion(n_iter=20, random_state=0).fit(X)
    >>> model.sample(3, random_state=0).shape
    (3, 2)
    >>> Z = model.transform(X)
    >>> bool(abs(model.inverse_transform(Z) - X).max() < 0.05)
    True
    """

    hidden_layer_sizes: Count | tuple = (128, 128, 128)
    _: KW_ONLY
    column_types: Annotated[ColumnTypes, TableDetails] = "auto"
    bits: Literal["masks", "flips"] = "masks"
    class_conditional: bool = False
    attribute_conditional: bool = False
    attribute_types: AttributeTypes = "auto"
    activation: Activation = "relu"
    architecture: Architecture = "dense"
    n_frequencies: CountOrZero | Auto = "auto"
    weighting: Literal["uniform", "likelihood"] = "uniform"
    sampler: Literal["flow", "ancestral"] = "flow"
    n_steps: Count = 20
    guidance: NotNegative = 0.0
    n_resamplings: Count = 4
    likelihood: Literal["flow", "bound"] = "flow"
    n_draws: Count = 20
    average = True
    early_stopping: bool | Auto = "auto"
    n_iter_no_change = 30
    alpha = 0.1

    _MODEL, _BUDGET = DiffusionModel(), Budget(3_000, 20, 500)
    _MODEL_READS = "classes_", "_attributes_"
    _GRAY, _SEPARATE_LEVELS = "gaussian", True
    _LIGHTER = "lower hidden_layer_sizes or batch_size."

    impute, conditional_sample = impute, conditional_sample
    attribute_types_ = attribute_types_

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        y: object = None,
        conditions: dict | None = None,
    ) -> ArrayOrFrame:
        """Draw rows from the model, in ``n_steps`` denoising steps.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            None: NumPy's global generator, with different rows at each call.
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each row, for a conditional model.
            By default, rows of any class are drawn.
        conditions : dict, default=None
            Conditions by the name, or number, of a column: a value; a list of values;
            or a range, ``slice(low, high)`` with None for an open end, or an Interval
            of pandas. Values condition the draws by weighted particles, as in
            :meth:`impute`. Masked columns are drawn within their conditions, with
            importance weights. Ranges of real columns are met by rejection: a range of
            probability p takes 1 / p draws per row. Rows of each class, or of equal
            attributes, are drawn separately.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            If a class is unknown, the model is not conditional, or a condition names no
            column or has probability zero.

        Warns
        -----
        FewDrawsWarning
            If the conditions are so improbable that few draws satisfy them.
        """
        density, n_samples = self.density_, count_rows(n_samples, self.n_features_in_)
        rows = density.sample(
            n_samples,
            random_state,
            conditions=conditions,
            names=names_of(self),
            **condition_argument(self, y, n_samples),
        )
        return as_frame(self, rows)

    def score_samples(self, X: Data, y: Target = None) -> np.ndarray:
        r"""Log-likelihood of each row, or a lower bound on it, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            With NaN entries, the likelihood is that of the observed entries.
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each row, for :math:`\log p(x \mid
            y)` under a conditional model. :meth:`score` ignores y, so that conditional
            and unconditional models can be compared.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            Deterministic. The attribute ``density_kind_`` names their kind.

        Raises
        ------
        ValueError
            If a class is unknown, or the model is not conditional.
        """
        return self.density_.log_prob(X, **condition_argument(self, y, _num_samples(X)))

    def log_density_gradient(self, X: Data, *, noise: float = 0.1) -> np.ndarray:
        r"""Score function: gradient of the log-density of noisy rows.

        .. math:: \nabla_x \log \int p(x') \, \mathcal{N}(x; x', \tau^2
            \operatorname{diag}(s^2)) \, \mathrm{d} x'

        where s are the standard deviations of the columns, or of the noise if many
        columns share a range. The denoised row is :math:`x + \tau^2 s^2 \odot` the
        gradient.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Noisy rows.
        noise : float, default=0.1
            Standard deviation :math:`\tau` of the noise, in units of s.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            If an entry is missing, ``noise`` is not a finite positive number, or a
            column is not of column_types="gaussian".
        """
        if not isinstance(noise, Real) or not 0 < noise < np.inf:
            raise ValueError(f"noise must be a number above 0; got {noise!r}.")
        return self.density_.gradient(X, noise)

    def _label(self, rows, y, fresh, classes):
        return rows_with_condition(self, rows, y, fresh)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if self._options.attribute_conditional:
            scale_attributes(self, table, fresh)
        elif fresh:
            forget(self, "_attributes_")
            if table.rows.given is None:
                forget(self, "classes_")

    def _check_cost(self, table, n_epochs):
        facts, n, options = self._facts(), len(table.index), self._options
        n_columns, dtype = table.rows.shape[1], np.dtype(table.rows.dtype)
        check_cost(
            self._name,
            self._columns.sizes,
            getattr(self, "feature_names_in_", range(n_columns)),
            TrainingSize(
                n_weights=self._MODEL.n_weights(facts),
                n_nets=1,
                shared=True,
                batch=min(n, options.batch_size),
                n_rows=n * n_epochs,
                item=dtype.itemsize,
            ),
            self._LIGHTER,
        )
