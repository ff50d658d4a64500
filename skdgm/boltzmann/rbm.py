r"""Restricted Boltzmann machines with units of any exponential family.

.. math:: -E(v, h) = \sum_j \log w_j(v_j) + \log w(h) + b^\top v + c^\top h + v^\top W h
"""

from typing import Annotated

from skdgm.base.column_group import Columns
from skdgm.base.frames import as_frame
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
from skdgm.boltzmann.structure.visible import binary_kind
from skdgm.data.auto import AUTO
from skdgm.data.units import UNITS, Kinds, UnitColumns
from skdgm.typing import ArrayOrFrame, Data


class RBM(MachineOptions, Machine):
    r"""Restricted Boltzmann machine with visible and hidden units of any type.

    .. math::

        p(v, h) = \frac1Z \prod_j w_j(v_j) \, w(h) \, \exp(b^\top v + c^\top h + v^\top
        W h)

    Given the hidden units, each column has a distribution in an exponential family
    [7]_ [8]_, with the natural parameter :math:`\eta_j = b_j + W_{j:} h`. The units of
    a layer are independent given the other layer. A table may have columns of several
    types, which are read from the dtypes of a DataFrame. All methods accept NaN as a
    missing value. Computations are in float64 for float64 data, otherwise in float32.

    .. list-table:: Types of columns
       :header-rows: 1

       * - ``column_types``
         - Values, and distribution given the hidden units
       * - "bernoulli"
         - 0, 1 or probabilities of 1; :math:`\eta` is the log odds
       * - "categorical", "categorical(n)"
         - codes 0, 1, ... (names in a DataFrame) of at least n categories; each
           category has an :math:`\eta`
       * - "gaussian"
         - real numbers of any scale, which are standardized; normal with mean
           :math:`\eta` and a learned precision
       * - "rectified"
         - nonnegative numbers, which are divided by their root mean square; normal with
           mean :math:`\eta` and a learned precision, truncated at 0
       * - "interval"
         - numbers in [0, 1]; density proportional to :math:`e^{\eta v}` (truncated
           exponential, also called continuous Bernoulli [9]_)
       * - "poisson"
         - counts; Poisson with the log rate :math:`\eta`
       * - "binomial", "binomial(n)"
         - counts up to n (by default the highest in the first data); n bits with the
           log odds :math:`\eta`

    For counts that are not whole numbers, Gamma functions replace the factorials.

    Parameters
    ----------
    n_components
        Number of hidden units.
    column_types : str, tuple of str or dict
        Type of all columns, or a tuple with the type of each column. "auto": read from
        the data, as described in the guide, page "How columns are read". "mixed": from
        the dtypes of a DataFrame, with bits for bools, categories for text and category
        dtypes, "gaussian" for numbers, and categories for numbers with few distinct
        values. A dict has the types of some columns by name; "mixed" applies to the
        other columns. The variance of a "rectified" column is its mean square.
    hidden
        Type of the hidden units: "bernoulli", "binomial(n)", "categorical(n)" (each
        unit has n states), "gaussian", "rectified" (both with variance 1 before
        truncation) or "poisson". The last three types are unbounded, and require
        bounded visible units ("bernoulli", "categorical", "binomial" or "interval"):
        otherwise Z would be infinite. Features are the means of the hidden units:
        probabilities of bits and of each category, expected counts and values.
    learning_rate
        Initial learning rate, which the ``schedule`` of the solver lowers. With "sgd",
        steps are shortened if the number of columns or hidden units would make them
        overshoot, and steps for counts do not depend on the size of the counts. With
        "adam", columns with high counts are learned slowly.
    gradient
        Sampler of the negative phase: contrastive divergence ("cd" [1]_), whose chains
        start at the data; or persistent contrastive divergence ("pcd" [2]_), whose
        chains continue from the previous update. Persistent chains may also have fast
        weights ("fpcd" [4]_), or exchange states with chains at higher temperatures
        ("tempering" [5]_). Tempering is several times slower. With informative columns
        such as counts, however, the other chains stay close to the data, and most of
        the model's probability may lie elsewhere.
    penalty
        Penalties and limits of the weights, in the scales of the columns; None keeps
        the defaults below. ``max_norm`` limits the norm of the weights between a hidden
        unit and the columns of one type, in standard deviations of the columns (given
        the hidden units, for "gaussian" and "rectified" columns).

    Attributes
    ----------
    components_ : ndarray of shape (n_hidden_entries, n_entries)
        Weights W, transposed. A categorical unit has an entry for each category, other
        units have one entry; the entries follow the order of the columns. The weights
        of standardized columns refer to the standardized values.
    intercept_hidden_ : ndarray of shape (n_hidden_entries,)
        Hidden biases c.
    intercept_visible_ : ndarray of shape (n_entries,)
        Visible biases b.
    precision_ : ndarray of shape (n_columns,)
        Precisions of the "gaussian" and "rectified" columns in their original units;
        only set if there are such columns.
    h_samples_ : ndarray of shape (n_chains, n_hidden_entries)
        Hidden units of the training chains.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains (with "cd", the initial chains), with codes
        for categories.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact if one of the layers
        has at most :math:`2^{20}` states. Otherwise log Z is an estimate, and rows with
        missing entries have an estimate of a lower bound.
    loss_curve_ : list of float
        Loss of the training rows for each epoch, in nats per row. The loss is the
        negative log-likelihood of each column given the means of the hidden units,
        which are themselves computed from the other columns of the row. It is estimated
        from some columns of some rows.

    See Also
    --------
    BernoulliRBM, GaussianRBM : Machines for binary and for real columns.
    ReplicatedSoftmax : Model of word counts in documents of different lengths.

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

    _MODEL, _NUMBERS = TABLES, "gaussian"
    _TRANSIENT = "swap_rates_", "precision_", "_log_precisions"

    def reconstruct(self, X: Data) -> ArrayOrFrame:
        r"""Reconstruct each row from the means of its hidden units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        X_mean : ndarray of shape (n_samples, n_features)
            Means of the visible units, or the most probable categories. A DataFrame if
            X is a DataFrame and the model was fitted to one.
        """
        density = self.density_
        return as_frame(self, density.inverse(density.features(X)), X)

    @property
    def _domain(self):
        kinds = self._options.column_types
        if isinstance(kinds, str) and kinds == "bernoulli":
            return binary_kind(self._options)
        # Before a fit has read the types from the data, all types are possible.
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
