"""Options that autoregressive estimators share."""

from typing import Literal

from skdgm.base.common_options import TableOptions
from skdgm.base.options import KW_ONLY, Count, Fraction, Options, within
from skdgm.nets.options import Activation, Initialiser

# Options that determine the densities of real columns.
MIXTURE = "n_mixtures", "conditional", "min_variance"


class ChainOptions(Options):
    """Options of autoregressive estimators.

    Parameters
    ----------
    ordering : {"given", "random"} or tuple of int
        Order in which columns are predicted; a tuple gives their numbers. Random orders
        have dates first whose phases, in the year, the week and the day, are read.
    n_draws
        Particles for each row with missing entries, in :meth:`score_samples` and
        :meth:`impute`; up to 256 times as many where fewer than a twentieth count. It
        may be changed after ``fit``.
    n_iter
        Number of epochs; "auto": 3,500 updates, but between 20 and 100 epochs.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows, random orders of columns and draws.

    Attributes
    ----------
    intercepts_ : list of ndarray
        Biases of the same layers.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or with several orders or masks an
        "estimate" of the mean over all of them (in either case a normalised density).
        Scores of rows with missing entries are estimates by particles. Also "estimate"
        after training on grey rows, with values strictly between 0 and 1 in "bernoulli"
        columns: scores of such rows are no log-likelihoods, and
        :func:`~skdgm.metrics.average_over_draws` gives the mean over draws of their
        bits. Scores of binary rows remain as above.
    loss_curve_ : list of float
        Negative log-likelihood of some training rows after each epoch, in nats per row,
        with real columns standardised.
    """

    _: KW_ONLY
    min_variance: Fraction = within("column_types", 1e-4)
    ordering: Literal["given", "random"] | tuple = "given"
    n_draws: Count = 100
    average: bool = within("solver", True)


class OrderOptions(Options):
    """Options of a mean over orders of the columns.

    Parameters
    ----------
    n_orderings
        Number of nets, each with its own order; all but the first order are random. The
        density is the mean of theirs.
    """

    _: KW_ONLY
    n_orderings: Count = 1


class MixtureOptions(Options):
    """Options of nets, and details of the densities of real columns.

    Parameters
    ----------
    activation
        Activation function of hidden units.
    """

    _: KW_ONLY
    n_mixtures: Count = within("column_types", 3)
    conditional: Literal["gaussian", "laplace"] = within("column_types", "gaussian")
    activation: Activation = "tanh"
    init_weights: Initialiser = within("solver", "glorot_uniform")


class ColumnOptions(TableOptions):
    """Options of columns of several kinds; ``column_types`` itself is positional.

    Parameters
    ----------
    column_types
        Kind of the columns. "auto": read from the data, as the guide's page "How
        columns are read" says. One kind for all: "bernoulli" (0, 1 or probabilities of
        1), "categorical" (codes, as ``OrdinalEncoder`` returns), "gaussian" (real
        numbers, standardised internally), or "mixed", by the types of a DataFrame's
        columns: bits, categories, and numbers, dates and durations as "numeric". A
        tuple has a kind for each column, a dict kinds for some columns of a DataFrame
        by name, of the first three or

        - "numeric": numbers within their range and as round as they are, with heavy
          tails, and values that many rows share (such as 0) as atoms: "ordinal" if
          there are few values;
        - "ordinal": the values that occur, as categories.
    """
