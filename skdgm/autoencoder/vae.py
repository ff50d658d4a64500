r"""Variational autoencoders.

.. math:: \log p(x) \ge \mathbb{E}_{q(z \mid x)} [\log p(x \mid z)] -
   \mathrm{KL}(q(z \mid x) \,\|\, p(z))

A net is the decoder :math:`p(x \mid z)`, and another one the encoder
:math:`q(z \mid x)`.
"""

from typing import Annotated, Any, Literal

import numpy as np
from sklearn.utils.validation import _num_samples

from skdgm.autoencoder._model import PRIORS, AutoencoderModel
from skdgm.autoencoder._options import Bound, MixtureDetails, Prior
from skdgm.base.attributes import documented_as
from skdgm.base.common_groups import Architecture
from skdgm.base.common_options import AttributeTypes, ColumnTypes, TableDetails
from skdgm.base.frames import as_frame, filled_in
from skdgm.base.given import (
    attribute_types_,
    condition_argument,
    count_attributes,
    count_classes,
    rows_with_condition,
)
from skdgm.base.options import KW_ONLY, Auto, Count, Share, within
from skdgm.data import names_of, of_one_type
from skdgm.latent import LatentEstimator
from skdgm.latent.filling import checked_effort
from skdgm.latent.options import KINDS, LatentDetails
from skdgm.nets import ACTIVATIONS
from skdgm.training import Budget
from skdgm.typing import ArrayOrFrame, Data, Filling, Seed, Target
from skdgm.utils.counts import count_rows


class VAE(LatentEstimator):
    r"""Variational autoencoder: latent units with an encoder and a decoder.

    .. math::

        p(x, z) = p(x \mid z) \, p(z), \qquad p(z) = \mathcal{N}(z; 0, 1)
        \text{ or another prior},

    .. math::

        \log p(x) \ge \mathbb{E}_{q(z \mid x)} [\log p(x \mid z)] -
        \beta \, \mathrm{KL}(q(z \mid x) \,\|\, p(z))

    The decoder's outputs are the parameters of :math:`p(x \mid z)`, and the encoder's
    outputs are the means and log-variances of :math:`q(z \mid x)` [1]_ [2]_. Training
    maximizes this bound, or the importance-weighted bound of several draws [3]_. With
    several layers of latent units, each layer is normal given the layer above [3]_. NaN
    is a missing value in every method: ``fit`` maximizes the bound of the observed
    entries, and :meth:`impute` corrects the encoder's draws by importance weights or by
    acceptance [5]_. In tables with several types of columns, numeric columns also
    depend directly on categorical columns, and all other columns on dates. Computations
    are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_components : int or tuple of int
        Number of latent units; a tuple for several layers, from the data up.
    hidden_layer_sizes : tuple
        Numbers of hidden units of the encoder, from the data up; the decoder mirrors
        them. With several latent layers, a tuple of such tuples, one for each.
    activation
        Activation function of hidden units. "maxout" is the maximum of two linear
        units, and "gated" the product of a linear and a logistic unit.
    prior
        Distribution of the highest latent units. "normal": standard normal. "mixture":
        a mixture of normal distributions. "vamp": the mixture of the encoder's
        distributions at learned pseudo-inputs (VampPrior) [6]_. "flow": a normalizing
        flow. "autoregressive": a normal distribution of each unit given the previous
        units, by a masked net. "auto": "vamp" with 20 pseudo-inputs for tables, whose
        columns have several types or are read by "auto" as numbers; otherwise "normal".
    posterior
        Distribution of latent units that the encoder infers. "diagonal": independent
        normal units. "full": normal with full covariance. "flow": independent normal
        units transformed by coupling layers conditional on the row [7]_. "auxiliary":
        normal given auxiliary units, which are normal given the row; another net
        infers them back from the latent units [9]_.
    n_couplings
        Number of coupling layers of a "flow" posterior, and of a "flow" prior.
    objective
        Bound that is maximized: "elbo", the evidence lower bound, whose divergence may
        have another weight [4]_; or "iwae", the importance-weighted bound [3]_.
    inference
        Order in which several latent layers are inferred. "bottom-up": each layer given
        the layer below; the generative model goes down from layer to layer.
        "top-down": each layer given the data and all layers above; the decoders also
        depend on all layers above [6]_ [8]_.
    architecture
        Layers next to the data: "dense"; or "conv", convolutions that halve images,
        and transposed convolutions in the decoder that double them. Batch
        normalization and dropout apply to dense layers only.
    class_conditional
        Whether the decoder is also conditional on classes y, which ``fit`` then
        requires. Scores marginalize over classes unless y is passed to
        :meth:`score_samples`.
    attribute_conditional
        Whether the decoder is conditional on attributes y, such as numbers or other
        columns [10]_. Unknown attributes have the weighted distribution of the training
        rows: up to 32 distinct values are summed over, and more are sampled, which
        loosens bounds, most of all those of :meth:`elbo`.
    batch_norm
        Whether hidden units have batch normalization.
    dropout
        Probability that a hidden unit is dropped in training.
    early_stopping
        If True, hold out rows, stop when ``validation_curve_`` no longer decreases, and
        keep the parameters at its minimum. "auto": True for tables, as with ``prior``,
        if ``n_iter`` is "auto": small tables are overfitted.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers: encoders from the data up, decoders down to the
        data, then priors and flows of posteriors. The outputs of an encoder are means,
        followed by log-variances.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    classes_ : ndarray of shape (n_classes,)
        Classes of a ``class_conditional`` model.
    attribute_types_ : dict
        Type of each attribute, a :class:`~skdgm.data.ColumnType`, by its name (or
        number).
    linked_ : bool
        True if columns depend directly on categories or dates; otherwise not set.
    pseudo_inputs_ : ndarray of shape (n_prior_components, n_features)
        Learned pseudo-inputs of the prior "vamp".

    See Also
    --------
    HelmholtzMachine : Binary latent units, trained by wake-sleep.
    DRAW : Variational autoencoder that paints images step by step.
    VRNN : Variational model of sequences.
    Flow : Exact densities by invertible layers.

    References
    ----------
    .. [1] Kingma and Welling (2014). Auto-encoding variational Bayes. ICLR.
    .. [2] Rezende, Mohamed and Wierstra (2014). Stochastic backpropagation and
       approximate inference in deep generative models. ICML.
    .. [3] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders.
       ICLR.
    .. [4] Higgins et al. (2017). beta-VAE: learning basic visual concepts with a
       constrained variational framework. ICLR.
    .. [5] Mattei and Frellsen (2018). Leveraging the exact likelihood of deep latent
       variable models. NeurIPS.
    .. [6] Tomczak and Welling (2018). VAE with a VampPrior. AISTATS.
    .. [7] Rezende and Mohamed (2015). Variational inference with normalizing flows.
       ICML.
    .. [8] Sonderby, Raiko, Maaloe, Sonderby and Winther (2016). Ladder variational
       autoencoders. NeurIPS.
    .. [9] Maaloe, Sonderby, Sonderby and Winther (2016). Auxiliary deep generative
       models. ICML.
    .. [10] Sohn, Lee and Yan (2015). Learning structured output representation using
       deep conditional generative models. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import VAE
    >>> X = load_digits().data
    >>> vae = VAE(n_components=8, n_iter=5, random_state=0).fit(X)
    >>> vae.transform(X).shape
    (1797, 8)
    >>> vae.sample(3, random_state=0).shape
    (3, 64)
    >>> bool(vae.score(X[:99]) > vae.elbo(X[:99]).bound.mean())
    True
    """

    n_components: Count | tuple = 16
    hidden_layer_sizes: Count | tuple = (256,)
    _: KW_ONLY
    activation: Literal[*ACTIVATIONS, "maxout", "gated"] = "tanh"
    prior: Literal["auto", *PRIORS] | Prior = "auto"
    n_prior_components: Count | Auto = within("prior", "auto")
    posterior: Literal["diagonal", "full", "flow", "auxiliary"] = "diagonal"
    n_couplings: Count = 4
    inference: Literal["bottom-up", "top-down"] = "bottom-up"
    architecture: Architecture = "dense"
    class_conditional: bool = False
    attribute_conditional: bool = False
    attribute_types: AttributeTypes = "auto"
    batch_norm: bool = False
    dropout: Share = 0.0
    objective: Bound = "elbo"
    column_types: Annotated[
        ColumnTypes, TableDetails, LatentDetails, MixtureDetails, KINDS
    ] = "auto"
    average = True
    learning_rate = 0.006
    early_stopping: bool | Auto = "auto"
    n_iter_no_change: Count = 20

    _MODEL, _BUDGET = AutoencoderModel(), Budget(4_500, 20, 120, 1_500)
    _MODEL_READS = "classes_", "_label_counts", "_attributes_", "_known"
    _SEPARATE_LEVELS = True
    _REVIVE = (
        "Set objective__warm_up to some epochs, lower objective__beta, or raise "
        "learning_rate or n_iter."
    )

    attribute_types_ = attribute_types_

    def score_samples(self, X: Data, y: Target = None) -> np.ndarray:
        r"""Importance-weighted lower bound on the log-likelihood, in nats.

        .. math:: \log p(x \mid y), \qquad \text{or} \quad
            \log \sum_k p(y_k) \, p(x \mid y_k)

        without y under a conditional model. The class probabilities are smoothed
        frequencies (add one), and attributes have the weights of the training rows. The
        bound has ``n_draws`` draws; see :meth:`importance_likelihood`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            With NaN entries, the likelihood is that of the observed entries.
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each row, for a conditional model.
            :meth:`score` ignores y, so that conditional and unconditional models can be
            compared.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            Deterministic.

        Raises
        ------
        ValueError
            If a class is unknown, or the model is not conditional.
        """
        conditions = condition_argument(self, y, _num_samples(X))
        return self.density_.log_prob(X, **conditions)

    @documented_as(
        LatentEstimator.sample,
        """
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each row, for a conditional model;
            the same for all rows under ``conditions``. By default, classes are drawn
            with smoothed frequencies (add one), and attributes from the training rows.
            ValueError if a class is unknown, or the model is not conditional.
        """,
    )
    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
        y: object = None,
    ) -> ArrayOrFrame:
        density = self.density_
        n_samples = count_rows(n_samples, self.n_features_in_)
        drawn = density.sample(
            n_samples,
            random_state,
            conditions=conditions,
            names=names_of(self),
            **condition_argument(self, y, n_samples),
        )
        return as_frame(self, drawn)

    def inverse_transform(self, H: Data, y: Target = None) -> ArrayOrFrame:
        """Expected rows given latent units.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_features_out)
            Latent units, as returned by :meth:`transform`.
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each row, for a conditional model.
            By default, the decoder receives their mean.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means, or the most probable values. A DataFrame if H is one, and ``fit`` was
            given one.

        Raises
        ------
        ValueError
            If H has a wrong number of columns, a class is unknown, or the model is not
            conditional.
        """
        density = self.density_
        rows = density.inverse(H, **condition_argument(self, y, _num_samples(H)))
        return as_frame(self, rows, H)

    @documented_as(
        LatentEstimator.impute,
        """
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each row, for a conditional model.
            By default, y is also inferred from the observed entries. ValueError if a
            class is unknown, or the model is not conditional.
        """,
    )
    def impute(
        self,
        X: Data,
        y: Target = None,
        *,
        method: Filling = "mean",
        sampler: Literal["importance", "metropolis", "gibbs"] = "importance",
        n_draws: int | None = None,
        n_steps: int | None = None,
        random_state: Seed = None,
    ) -> ArrayOrFrame:
        X_filled = self.density_.fill(
            X,
            method,
            random_state,
            sampler=sampler,
            effort=checked_effort(sampler, n_draws, n_steps),
            **condition_argument(self, y, _num_samples(X)),
        )
        return filled_in(self, X, X_filled)

    @staticmethod
    def _may_overfit(options: Any) -> bool:
        return not of_one_type(options)

    def _label(self, rows, y, fresh, classes):
        return rows_with_condition(self, rows, y, fresh)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if self._options.attribute_conditional:
            count_attributes(self, table, fresh)
        else:
            count_classes(self, table, fresh)
