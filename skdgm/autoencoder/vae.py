r"""Variational autoencoders.

.. math:: \log p(x) \ge \mathbb{E}_{q(z \mid x)} [\log p(x \mid z)] -
   \mathrm{KL}(q(z \mid x) \,\|\, p(z))

with nets for the decoder :math:`p(x \mid z)` and for the encoder :math:`q(z \mid x)`.
"""

from typing import Literal

import numpy as np
from sklearn.utils.validation import _num_samples

from skdgm.autoencoder._model import PRIORS, AutoencoderModel
from skdgm.autoencoder._options import Bound, Prior
from skdgm.base.common_groups import Architecture
from skdgm.base.frames import filled_in, framed
from skdgm.base.given import (
    asked_by_option,
    attribute_types_,
    count_attributes,
    count_classes,
    given_by_option,
)
from skdgm.base.options import KW_ONLY, Auto, Count, Share, within
from skdgm.data import names_of
from skdgm.latent import LatentEstimator
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

    where the decoder's outputs are the parameters of :math:`p(x \mid z)` and the
    encoder's the means and log variances of :math:`q(z \mid x)` [1]_ [2]_. Training
    maximises this bound, or the importance weighted one of several draws [3]_.
    With several layers of latent units, each is normal given the layer above [3]_.
    NaN is a missing value, in every method: ``fit`` maximises the bound of the observed
    entries, and :meth:`impute` corrects the encoder's draws by weights or by acceptance
    [5]_. In tables of several kinds of columns the means of numbers depend on the
    categories of a row, too, and all other columns on dates. Float64 data are computed
    in float64, all others in float32.

    Parameters
    ----------
    n_components : int or tuple of int
        Number of latent units; a tuple is for several layers, from the data
        upwards.
    hidden_layer_sizes : tuple
        Numbers of hidden units of the encoder, from the data up; the decoder mirrors
        them. With several latent layers, such a tuple for each.
    activation
        Activation function of hidden units; "maxout" is the larger of two linear units,
        and "gated" a linear unit times a logistic one.
    prior
        Distribution of the highest latent units: standard normal; a mixture of normal
        distributions; the mixture of the encoder's distributions for pseudo-inputs,
        which are learned (VampPrior) [6]_; a flow; or a normal distribution of each
        unit given previous units, by a masked net. "auto" is standard normal, but a
        mixture where columns have kinds of their own and none depends on another.
    posterior
        Distribution of latent units that an encoder infers: normal, with independent
        units or with full covariance; independent normal units changed by couplings
        that depend on the row [7]_; or normal given auxiliary units, which are
        normal given the row, with a net that infers these back from latent units [9]_.
    n_couplings
        Number of couplings of the "flow" of a posterior, and of that of a prior.
    objective
        Bound that is maximised: the evidence lower bound, perhaps with another weight
        of the divergence [4]_; or the importance weighted one [3]_.
    inference
        Order in which several layers of latent units are inferred: "bottom-up", each
        given the one below, and generated given the one above; or "top-down", each
        given the data and all layers above, on which all decoders depend, too [6]_
        [8]_.
    architecture
        Layers next to the data: dense; or "conv", convolutions that halve images and,
        in the decoder, transposed convolutions that double them. Batch normalisation
        and dropout are those of dense layers.
    class_conditional
        Whether ``fit`` needs classes y, on which the decoder then depends, besides the
        latent units. Scores are those of rows whose class is not known, unless
        :meth:`score_samples` is given it.
    attribute_conditional
        The same of attributes y, such as numbers or other columns [10]_. Where they are
        not known, they are those of training rows, by their weights: up to 32 distinct
        ones are summed over, and more are drawn, which makes bounds lower, those of
        :meth:`elbo` most of all.
    attribute_types : "auto", tuple or dict
        Kind of each attribute, "categorical" or "gaussian", by its place or name.
        "auto": text and truth values are classes, and so are whole numbers in a y of
        one column; other numbers are "gaussian".
    batch_norm
        Whether to standardise hidden units by batch normalisation.
    dropout
        Share of hidden units that drop out at random in training.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers, of encoders and then of decoders, each from the
        data up or down. An encoder's outputs are means and then log variances. Those of
        priors and of flows of posteriors are the last ones.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    classes_ : ndarray of shape (n_classes,)
        Classes of a ``class_conditional`` model.
    attribute_types_ : dict
        How each attribute is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`.
    linked_ : bool
        True of a table in which columns depend on categories or dates.
    pseudo_inputs_ : ndarray of shape (n_prior_components, n_features)
        Learned rows of the prior "vamp".

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
    attribute_types: Auto | tuple | dict = "auto"
    batch_norm: bool = False
    dropout: Share = 0.0
    objective: Bound = "elbo"
    learning_rate = 0.006

    _MODEL, _BUDGET = AutoencoderModel(), Budget(4_500, 20, 120, 1_500)
    _KNOWN = "classes_", "_label_counts", "_attributes_", "_known"
    _LEVELS_APART = True
    _REVIVE = (
        "Set objective__warm_up to some epochs, lower objective__beta, or raise "
        "learning_rate or n_iter."
    )

    attribute_types_ = attribute_types_

    def score_samples(self, X: Data, y: Target = None) -> np.ndarray:
        r"""Importance weighted lower bound on the log-likelihood, in nats.

        .. math:: \log p(x \mid y), \qquad \text{or} \quad
            \log \sum_k p(y_k) \, p(x \mid y_k)

        without y, of a conditional model, with the frequencies of classes, each counted
        once more, or the weights of the attributes of training rows. It has ``n_draws``
        draws; see :meth:`importance_likelihood`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: the likelihood is that of the observed entries.
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each, of a conditional model.
            :meth:`score` has none, so that models compare, whether they are conditional
            or not.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            The same at each call.

        Raises
        ------
        ValueError
            A class is unknown, or the model is not conditional.
        """
        conditions = asked_by_option(self, y, _num_samples(X))
        return self.density_.log_prob(X, **conditions)

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
        y: object = None,
    ) -> ArrayOrFrame:
        """Draw rows from the model: latent units, then data given these.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        conditions : dict, default=None
            Conditions by the name, or number, of a column, which all draws keep to: a
            value; a list, set or array of values; or a range, ``slice(low, high)``
            with None for an open end, or an Interval of pandas. Not for "gaussian".
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each, of a conditional model; of
            all, if there are conditions. By default classes are drawn by their
            frequencies, each counted once more, and attributes from training rows.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            See :meth:`inverse_transform` for means in place of draws. A DataFrame if
            ``fit`` was given one.

        Raises
        ------
        ValueError
            A condition names no column, or has no probability; a class is unknown, or
            the model is not conditional.
        """
        density = self.density_
        n_samples = count_rows(n_samples, self.n_features_in_)
        on_y = asked_by_option(self, y, n_samples)
        return framed(
            self,
            density.sample(
                n_samples,
                random_state,
                conditions=conditions,
                names=names_of(self),
                **on_y,
            ),
        )

    def inverse_transform(self, H: Data, y: Target = None) -> ArrayOrFrame:
        """Expected rows given latent units.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_features_out)
            As :meth:`transform` returns them.
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each, of a conditional model. By
            default the decoder is given their means.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means, or the most probable values. A DataFrame if H is one, and ``fit`` was
            given one.

        Raises
        ------
        ValueError
            H has another number of columns, a class is unknown, or the model is not
            conditional.
        """
        density = self.density_
        rows = density.inverse(H, **asked_by_option(self, y, _num_samples(H)))
        return framed(self, rows, H)

    def impute(
        self,
        X: Data,
        y: Target = None,
        *,
        method: Filling = "mean",
        sampler: Literal["importance", "metropolis", "gibbs"] = "importance",
        n_steps: int = 100,
        random_state: Seed = None,
    ) -> ArrayOrFrame:
        r"""Fill missing entries, given the others of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : object, dict or array-like, default=None
            Class, or attributes, of all rows, or of each, of a conditional model. By
            default they are drawn, too, given the known entries.
        method : {"mean", "sample"}, default="mean"
            "mean" returns means (probabilities of bits; the most probable codes), the
            same at each call; "sample" returns draws.
        sampler : {"importance", "metropolis", "gibbs"}, default="importance"
            "importance" weights draws of latent units, half of them by the encoder
            given a first guess of the missing entries, and half by the prior, so that
            weights are bounded where the encoder is overconfident, as of rare entries.
            Where few of these count, it also draws from a normal distribution (for
            bits, independent ones) that adapts to the row in up to 24 rounds.
            "gibbs" alternates draws of latent units by the encoder and of missing
            entries by the decoder, which is exact only if the encoder is; "metropolis"
            corrects this by accepting or rejecting the draws of latent units.
        n_steps : int, default=100
            Steps of a chain; a mean is that of ten chains, of a fifth of the steps each
            after as many that are left out. By "importance" the number of draws: there
            are more where few of them count, up to 128 times as many where a known
            entry is rare, and otherwise up to some twenty times.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Known entries are unchanged. A DataFrame if X and what was fitted are.

        Raises
        ------
        ValueError
            An option is unknown, a class is, or the model is not conditional.

        Warns
        -----
        FewDrawsWarning
            Few draws count for some rows, by "importance".
        """
        X_filled = self.density_.fill(
            X,
            method,
            random_state,
            sampler=sampler,
            n_steps=n_steps,
            **asked_by_option(self, y, _num_samples(X)),
        )
        return filled_in(self, X, X_filled)

    def _label(self, rows, y, fresh, _):
        return given_by_option(self, rows, y, fresh)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if self._options.attribute_conditional:
            count_attributes(self, table, fresh)
        else:
            count_classes(self, table, fresh)
