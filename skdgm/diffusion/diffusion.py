r"""Diffusion models: rows drawn by taking away noise, and masks, step by step.

.. math:: y = \cos \psi \odot z + \sin \psi \odot \epsilon, \qquad
   v(y, t) \approx \mathbb{E}[\cos \psi \odot \epsilon - \sin \psi \odot z \mid y]
"""

from numbers import Real
from typing import Annotated, Literal

import numpy as np
from sklearn.utils.validation import _num_samples

from skdgm.base.common_groups import Architecture
from skdgm.base.common_options import ColumnTypes, TableDetails
from skdgm.base.frames import framed
from skdgm.base.given import (
    asked_by_option,
    attribute_types_,
    conditional_sample,
    forget,
    given_by_option,
    impute,
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
    r"""Diffusion model: rows drawn by taking away noise, and masks.

    .. math::

        y = \cos \psi \odot z + \sin \psi \odot \epsilon, \qquad
        \frac{\mathrm{d} y_i}{\mathrm{d} \psi_i} = v_i(y, t) \approx \mathbb{E}[
        \cos \psi_i \, \epsilon_i - \sin \psi_i \, z_i \mid y]

    Real columns, standardised, are mixed with normal noise, from none at time 0 to
    nothing else at time 1 [1]_ [2]_. A net learns the mean velocity of rows with noise
    at all times, by squared errors; draws follow it back from noise. Components z are
    the principal components of the columns, divided by their standard deviations. The
    velocity is zero if rows are normal: training begins at a normal distribution of
    full covariance with cross-validated shrinkage (at independent columns, with more
    than 1,024), and early stopping keeps parameters near it where rows are few. Noise
    is equal in all columns: in units of the data, where more than 16 columns share a
    range, as pixels do, else in units of standard deviations.

    Bits, codes, and numbers with few different values, or with values that many rows
    share, are masked instead: more of them as time increases, in random order. They are
    drawn again one after the other, or several in each of ``n_steps`` steps, by the
    net's distributions conditional on the other columns at that time [7]_. A row's
    likelihood then has a lower bound only. Its code is that of the real columns by the
    flow, conditional on the masked ones, and then the net's inputs for these:
    indicators of categories, and standardised numbers.

    The velocity is a flow, whose density [3]_ is an integral of its divergence: exact
    but for the steps of the integral with up to 24 columns, and estimated in a random
    direction with more. NaN is a missing value, in every method. ``fit`` draws missing
    entries, conditional on the others, from a mixture of normal distributions fitted to
    the rows with gaps (a single one, with more than 64 columns or where the
    cross-validated likelihood of mixtures is no higher); masked columns stay masked.
    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    hidden_layer_sizes : tuple
        Numbers of hidden units of the net.
    column_types
        Kind of the columns. "auto": read from the data, as the guide's page "How
        columns are read" says. One kind for all: "gaussian" (real numbers, standardised
        internally), "bernoulli" (0 and 1), "categorical" (codes, as ``OrdinalEncoder``
        returns), or "mixed", by the types of a DataFrame's columns. A tuple has a kind
        for each column, a dict kinds for some columns by name, as of
        :class:`~skdgm.EoNADE`. Columns that are not real, columns of numbers with few
        different values, and dates over several years, weeks or days, are masked.
    bits
        Noise of bits, with column_types="bernoulli": "masks", as of other columns; or
        "flips", with rising probability, which ``n_steps`` steps reverse [1]_.
    class_conditional
        Whether the net is conditional on classes y, which ``fit`` then needs. A tenth
        of the training rows have no class, so that the net also draws rows of any class
        [4]_. Codes, filled entries and densities without y are those of rows of any
        class.
    attribute_conditional
        Whether the net is conditional on attributes y: numbers, or other columns.
    attribute_types : "auto", tuple or dict
        Kind of each attribute, "categorical" or "gaussian", by its place or name.
        "auto": text and truth values are classes, and so are whole numbers in a y of
        one column; other numbers are "gaussian".
    activation
        Activation function of hidden units.
    architecture
        Layers next to the data: dense; or "conv", of images whose pixels are all real
        numbers, bits or codes: convolutions that halve images, transposed ones that
        double them, to which images of the same size are added on the way back [8]_,
        and the dense layers between them, which see the smallest images.
    n_frequencies
        Number of sines and cosines of each real column that a dense net sees; "auto": 3
        with up to 16 real columns, else none.
    weighting
        Weights of squared errors: "uniform" in the angles :math:`\psi`, and in
        proportion to the components' deviations, for better draws; or the weights of a
        bound on the "likelihood".
    sampler
        Removal of noise: along the "flow", by Heun's method [5]_; or "ancestral", the
        diffusion in reverse, with new noise after each step. It may be changed after
        ``fit``.
    n_steps
        Number of steps between rows and noise, of all methods: with a few, draws are
        quick and coarse. It may be changed after ``fit``.
    guidance
        Weight beyond one of the effect that classes or attributes have on the velocity:
        draws are more typical of them, and more alike [4]_. It may be changed after
        ``fit``.
    n_resamplings
        Number of weighted particles from which each draw conditional on known real
        entries is chosen: draws are exact as it grows [6]_. Where bits flip, the number
        of times that each step is repeated, with noise in between. It may be changed
        after ``fit``.
    likelihood
        Result of :meth:`score_samples`: the density of the "flow", or a lower "bound"
        of the density of the "ancestral" sampler [2]_, estimated at ``n_draws`` times;
        faster with many columns, and always used if some are masked. It may be changed
        after ``fit``.
    n_draws
        Draws for each row with missing entries, in :meth:`score_samples`,
        :meth:`transform` and :meth:`impute`; and times of bounds, or particles of those
        of rows with missing real entries. It may be changed after ``fit``.
    early_stopping
        If True, hold out rows, stop when their ``validation_curve_`` no longer falls,
        and keep the parameters with which it was lowest; "auto": where ``n_iter`` is
        "auto".
    n_iter
        Number of epochs; "auto": 3,000 updates, but between 20 and 500 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net's layers.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    classes_ : ndarray of shape (n_classes,)
        Classes of a ``class_conditional`` model.
    attribute_types_ : dict
        How each attribute is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate", or "lower bound" (in expectation).
    loss_curve_ : list of float
        Negative lower bound on the log-likelihood of some training rows after each
        epoch, in nats per row, with columns standardised.

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
    attribute_types: Auto | tuple | dict = "auto"
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
    _KNOWN = "classes_", "_attributes_"
    _GREY = "gaussian"
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
        """Draw rows from the model, by removing noise in ``n_steps`` steps.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each, of a conditional model. By
            default rows are of any.
        conditions : dict, default=None
            Conditions by the name, or number, of a column: a value; a list of values;
            or a range, as ``slice(low, high)`` with None for an open end, or an
            Interval of pandas. Draws under values are by weighted particles, as those
            of :meth:`impute`; masked columns are drawn within their conditions, with
            weights; ranges of real columns are met by rejection, so a range of
            probability p takes 1 / p draws for each. Rows of each class, or of equal
            attributes, are drawn separately.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            A class is unknown, or the model is not conditional; a condition names no
            column, or has no probability.

        Warns
        -----
        FewDrawsWarning
            The conditions are so improbable that few draws are within them.
        """
        density, n_samples = self.density_, count_rows(n_samples, self.n_features_in_)
        drawn = density.sample(
            n_samples,
            random_state,
            conditions=conditions,
            names=names_of(self),
            **asked_by_option(self, y, n_samples),
        )
        return framed(self, drawn)

    def score_samples(self, X: Data, y: Target = None) -> np.ndarray:
        r"""Log-likelihood of each row, or a lower bound of it, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: the likelihood is that of the observed entries.
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each, of a conditional model, for
            :math:`\log p(x \mid y)`. :meth:`score` ignores it, so that conditional and
            other models compare.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            The same at each call; ``density_kind_`` is their kind.

        Raises
        ------
        ValueError
            A class is unknown, or the model is not conditional.
        """
        return self.density_.log_prob(X, **asked_by_option(self, y, _num_samples(X)))

    def log_density_gradient(self, X: Data, *, noise: float = 0.1) -> np.ndarray:
        r"""Gradient of the log-density of rows with noise, by their entries: the score.

        .. math:: \nabla_x \log \int p(x') \, \mathcal{N}(x; x', \tau^2
            \operatorname{diag}(s^2)) \, \mathrm{d} x'

        where s are the standard deviations of the columns, or of noise where many
        columns share a range. A denoised row is :math:`x + \tau^2 s^2 \odot` its score.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, with noise.
        noise : float, default=0.1
            Standard deviation :math:`\tau` of noise, in those of the columns.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            An entry is missing, ``noise`` is no finite number above 0, or a column is
            not of column_types="gaussian".
        """
        if not isinstance(noise, Real) or not 0 < noise < np.inf:
            raise ValueError(f"noise must be a number above 0; got {noise!r}.")
        return self.density_.gradient(X, noise)

    def _label(self, rows, y, fresh, _):
        return given_by_option(self, rows, y, fresh)

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
