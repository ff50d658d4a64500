r"""Restricted Boltzmann machines of units of any kind.

.. math:: -E(v, h) = \sum_j \log w_j(v_j) + \log w(h) + b^\top v + c^\top h + v^\top W h
"""

from typing import Annotated

from skdgm.base.column_group import Columns
from skdgm.base.frames import framed
from skdgm.base.options import KW_ONLY, Count
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.options import (
    MachineOptions,
    MachineSolver,
    NormDetails,
    Penalties,
    RealDetails,
)
from skdgm.boltzmann.structure.table_layers import TABLES, improper
from skdgm.boltzmann.structure.tables import kinds_of
from skdgm.boltzmann.structure.visible import bits_as_asked
from skdgm.data.auto import AUTO
from skdgm.data.units import UNITS, Kinds, UnitColumns
from skdgm.typing import ArrayOrFrame, Data


class RBM(MachineOptions, Machine):
    r"""Restricted Boltzmann machine of visible and hidden units of any kind.

    .. math::

        p(v, h) = \frac1Z \prod_j w_j(v_j) \, w(h) \, \exp(b^\top v + c^\top h + v^\top
        W h)

    Each column has a distribution of an exponential family [7]_ [8]_: given the hidden
    units, its natural parameter is :math:`\eta_j = b_j + W_{j:} h`, so that all units
    of a layer are independent given the other. Columns of several kinds make up one
    table; DataFrames say which by their types. NaN is a missing value, in every method.
    Float64 data are processed in float64, all others in float32.

    .. list-table:: Kinds of columns
       :header-rows: 1

       * - ``column_types``
         - Values, and distribution given the hidden units
       * - "bernoulli"
         - 0, 1 or probabilities of 1; :math:`\eta` is the log odds
       * - "categorical", "categorical(n)"
         - codes 0, 1, ... (names in a DataFrame), at least n of them, with an
           :math:`\eta` for each
       * - "gaussian"
         - real numbers of any scale, which are standardised; normal with the mean
           :math:`\eta` and a learned precision
       * - "rectified"
         - amounts of at least 0; the same distribution truncated at 0, by which the
           amounts are divided by their root mean square
       * - "interval"
         - shares in [0, 1]; density proportional to :math:`e^{\eta v}` (truncated
           exponential, also called continuous Bernoulli [9]_)
       * - "poisson"
         - counts; Poisson with the log rate :math:`\eta`
       * - "binomial", "binomial(n)"
         - counts up to n (by default the highest in the first data); n bits with the
           log odds :math:`\eta`

    Fractions of counts have Gamma functions in the place of factorials.

    Parameters
    ----------
    n_components
        Number of hidden units.
    column_types : str, tuple of str or dict
        Kind of all columns; of each, a tuple; or "auto": read from the data, as the
        guide's page "How columns are read" says. "mixed" takes the kinds from a
        DataFrame's types: bits for bools, categories for text and category dtypes,
        "gaussian" for numbers, or categories where numbers have few values. A dict has
        the kinds of some columns by name, the others are as by "mixed". Variances of
        "rectified" columns are mean squares.
    hidden
        Kind of hidden units: "bernoulli", "binomial(n)", "categorical(n)" (each unit
        has n states), "gaussian" and "rectified" (of variance 1 before truncation) or
        "poisson". The last three have no limits, and then visible units must have some,
        or Z would be infinite: "bernoulli", "categorical", "binomial" or "interval".
        Features are their means: probabilities of bits and of each category, expected
        counts and amounts.
    learning_rate
        Initial learning rate, which ``schedule`` of the solver lowers. With "sgd",
        steps are shortened where many columns or hidden units would make them
        overshoot, and those by counts are as long as by other columns, however high
        counts are ("adam" learns high counts slowly).
    gradient
        Chains of the negative phase. Those of parallel tempering persist, and exchange
        states with hotter ones ("tempering" [5]_). Others start where the last update
        left them (persistent contrastive divergence, "pcd" [2]_), perhaps with fast
        weights ("fpcd" [4]_), or at the data (contrastive divergence, "cd" [1]_). They
        are several times faster, but above units that say much, as counts do, they stay
        where the rows are, and the model may have most of its probability elsewhere.
    penalty
        Penalties and limits of the weights, which count in the scales of the columns;
        None leaves them at the defaults below. ``max_norm`` is that of the weights of
        each hidden unit to the columns of a kind, in the standard deviations of the
        columns (of "gaussian" and "rectified" ones, given the hidden units).

    Attributes
    ----------
    components_ : ndarray of shape (n_hidden_entries, n_entries)
        Weights W, transposed. A categorical unit has an entry for each category, the
        entries of all columns are in the order of these; other units have one entry.
        Of standardised columns, for the standardised values.
    intercept_hidden_ : ndarray of shape (n_hidden_entries,)
        Hidden biases c.
    intercept_visible_ : ndarray of shape (n_entries,)
        Visible biases b.
    precision_ : ndarray of shape (n_columns,)
        Precisions of the "gaussian" and "rectified" columns, in their order, for
        values as they are given; where there are such columns.
    h_samples_ : ndarray of shape (n_chains, n_hidden_entries)
        Hidden units of the training chains.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains (with "cd", those at the start), with codes
        for categories.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact where one of the
        layers has at most :math:`2^{20}` states; elsewhere, of rows with missing
        entries, the estimate of a lower bound.
    loss_curve_ : list of float
        For each epoch the negative log-likelihood of columns, each given the means of
        the hidden units given the other columns of its row, estimated from some columns
        of training rows, in nats per row.

    See Also
    --------
    BernoulliRBM, GaussianRBM : Machines of bits alone, of real columns alone.
    ReplicatedSoftmax : For counts of words in documents of different lengths.

    References
    ----------
    .. [1] Hinton (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation.
    .. [2] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.
    .. [4] Tieleman and Hinton (2009). Using fast weights to improve persistent
       contrastive divergence. ICML.
    .. [5] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
       chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.
    .. [7] Welling, Rosen-Zvi and Hinton (2004). Exponential family harmoniums with an
       application to information retrieval. NeurIPS.
    .. [8] Tran, Phung and Venkatesh (2011). Mixed-variate restricted Boltzmann
       machines. ACML.
    .. [9] Loaiza-Ganem and Cunningham (2019). The continuous Bernoulli: fixing a
       pervasive error in variational autoencoders. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import RBM
    >>> X = load_digits().data[:500]
    >>> rbm = RBM(16, column_types="binomial(16)", n_iter=5, random_state=0).fit(X)
    >>> rbm.transform(X).shape
    (500, 16)
    >>> rbm.density_kind_
    'exact'
    >>> print(f"{rbm.score(X):.0f} nats")
    -189 nats
    """

    n_components: Count = 256
    _: KW_ONLY
    column_types: Annotated[
        Annotated[str, Kinds({"auto", "mixed", *UNITS})] | tuple | dict | Columns,
        RealDetails,
    ] = "auto"
    hidden: Annotated[str, Kinds(set(UNITS))] = "bernoulli"
    gradient = "tempering"
    n_chains = 20
    solver: MachineSolver = "sgd"
    penalty: Annotated[Penalties, NormDetails] = None
    centering = "data"

    _IMPLIED = {"resample": False, "sparsity_target": None}
    _MODEL, _NUMBERS = TABLES, "gaussian"
    _TRANSIENT = "swap_rates_", "precision_", "_log_precisions"

    def reconstruct(self, X: Data) -> ArrayOrFrame:
        r"""Means of the visible units given the means of the hidden ones.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        X_mean : ndarray of shape (n_samples, n_features)
            Expected values; of categories the most probable ones. A DataFrame if X and
            what the model was fitted to are such.
        """
        density = self.density_
        return framed(self, density.inverse(density.features(X)), X)

    @property
    def _domain(self):
        kinds = self._options.column_types
        if isinstance(kinds, str) and kinds == "bernoulli":
            return bits_as_asked(self._options)
        # Before a fit, which decides, all kinds are possible.
        return UnitColumns("mixed" if kinds == AUTO else kinds)

    def _remedy(self):
        kinds = self._options.hidden, *kinds_of(self._columns).tolist()
        if "poisson" not in kinds:
            return super()._remedy()
        return (
            f"{super()._remedy()} Rates of counts rise exponentially: take logarithms "
            "of large counts, as 'rectified' columns, and hidden units with limits, "
            "such as 'bernoulli' or 'binomial(4)'."
        )

    def _count(self, table, fresh):
        columns = self._columns
        names = getattr(
            getattr(columns, "codec", None), "names", range(len(columns.seen))
        )
        kinds = kinds_of(columns).tolist()
        improper(dict(zip(names, kinds)), self._options.hidden)
