r"""Report on synthetic rows of a table: fidelity, utility and privacy.

.. math:: \text{quality} = \tfrac12 \left(\frac1D \sum_j s_j
   + \frac{1}{|P|} \sum_{(i, j) \in P} s_{ij}\right)

with scores of columns and of the pairs P of columns that depend on one another, as
SDMetrics has it; references are those of :func:`tabular_report`.
"""

from numbers import Real
from typing import NamedTuple

from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params
from threadpoolctl import threadpool_limits

from skdgm.metrics._tabular import closest as gower
from skdgm.metrics._tabular.columns import read
from skdgm.metrics._tabular.parts import (
    as_table,
    closeness,
    disclosed,
    drawn,
    fidelity,
    lines_of,
    two_samples,
)
from skdgm.metrics._tabular.utility import train_and_test
from skdgm.typing import Data, Seed
from skdgm.utils.counts import count

_OPTIONS = {
    "column_types": [dict, None],
    "confidence": [Interval(Real, 0, 1, closed="neither")],
}
# Rows to the nearest of which a neighbourhood reaches.
_NEIGHBOURS = 5


class TabularReport(NamedTuple):
    """Result of :func:`tabular_report`.

    Tables are DataFrames of pandas or, where that is not installed, Bunches of lists.

    Parameters
    ----------
    scores : dict of float
        Means and figures of all parts, by name, for comparisons of several models:
        "quality", "shapes", "trends", "trends_of_all" pairs, "coverage_of_columns",
        "precision", "recall", "coverage", "two_sample_auc", "closer_to_train", "copies"
        and, where asked for, "utility_real", "utility_synthetic", "disclosure".
    columns : DataFrame
        For each column its "kind", the "metric" and "score" of its shape, its
        "coverage", and the shares of missing values, "missing_real" and
        "missing_synthetic".
    pairs : DataFrame
        For each pair of columns, "column_1" and "column_2", the "metric" and "score" of
        its trend, the "association" of the real columns (absolute correlation or
        Cramér's V), whether the pair is "counted" in the mean, and the correlations
        "real" and "synthetic".
    two_sample : dict
        "accuracy", "p_value", "roc_auc" and "n_tested" of a classifier of real rows and
        synthetic ones.
    utility : dict or None
        "target", "metric", and its values for predictors fitted to "real" and to
        "synthetic" rows, their "difference", its standard error "se", and "n_fitted"
        rows of each.
    closest : dict
        "share" of synthetic rows that are closer to training rows than to held-out
        ones, with the ends "lower" and "upper" of its interval and "n_rows" of each;
        "copies", the share that equals a training row, "held_out_copies", that of
        held-out rows, and "n_copies".
    distances : DataFrame
        Quantiles, by "level", of the distances of synthetic rows from the nearest
        "train" row and the nearest row "held_out".
    disclosure : DataFrame or None
        For each sensitive column the shares of values that are guessed from synthetic
        rows, of training rows ("train", from "train_lower" to "train_upper") and of
        held-out ones ("held_out" and so on), and the "excess" of the former, from
        "excess_lower" to "excess_upper", intervals that hold for all columns together
        (by Bonferroni's correction).
    n_rows : dict of int
        Numbers of rows: "real", "synthetic" and "holdout".
    confidence : float
        Confidence level of all intervals.
    """

    scores: dict
    columns: object
    pairs: object
    two_sample: dict
    utility: dict | None
    closest: dict
    distances: object
    disclosure: object
    n_rows: dict
    confidence: float

    def __repr__(self):
        return "\n".join(lines_of(self))


@validate_params(_OPTIONS, prefer_skip_nested_validation=False)
def tabular_report(
    real: Data,
    synthetic: Data,
    holdout: Data | None = None,
    *,
    target: str | None = None,
    sensitive: str | list[str] | None = None,
    known: list[str] | None = None,
    estimator: object = None,
    column_types: dict | None = None,
    max_rows: int = 5000,
    confidence: float = 0.95,
    random_state: Seed = None,
) -> TabularReport:
    r"""Compare synthetic rows of a table with the real ones: can they be trusted?

    .. math:: \text{quality} = \tfrac12 \left(\frac1D \sum_j s_j
       + \frac{1}{|P|} \sum_{(i, j) \in P} s_{ij}\right)

    with scores of columns (shapes) and of the pairs P of columns that depend on one
    another (trends), which are those of the quality report of SDMetrics [1]_. Both,
    like coverage, lie between 0 and 1 (best). Held-out rows distinguish learning from
    copying. They also show how near to each other rows of the same distribution are.

    Parameters
    ----------
    real : DataFrame or array-like of shape (n_rows, n_columns)
        Rows that the model was fitted to. DataFrames of pandas and polars, and Arrow
        tables, are treated alike: columns of numbers, dates and durations, booleans,
        and categories, which text and objects are. Values may be missing.
    synthetic : DataFrame or array-like of shape (n_samples, n_columns)
        Rows drawn from the model.
    holdout : DataFrame or array-like of shape (n_held_out, n_columns), default=None
        Real rows that the model has not seen. Without them there is no utility, no
        share of closer rows and no disclosure, and the classifier tells synthetic rows
        from ``real``.
    target : str, default=None
        Column to predict: a classifier's area under the ROC curve (the mean over
        classes against the rest) or a regressor's :math:`R^2` on held-out rows, for one
        fitted to synthetic and one to as many real rows.
    sensitive : str or list of str, default=None
        Columns that an attacker guesses for given rows, by the nearest synthetic row;
        by default each in turn. Numbers are guessed if they are right to within a tenth
        of their standard deviation.
    known : list of str, default=None
        Columns that the attacker knows; by default all others.
    estimator : classifier or regressor, default=None
        Predictor of ``target``, of columns that are encoded one-hot and standardised.
        By default gradient-boosted trees, of categories as such, that classify where
        there are categories, booleans or two values.
    column_types : dict, default=None
        Kinds of columns by name where they are to be read in another way:
        "numerical", "categorical", "boolean" or "datetime".
    max_rows : int, default=5000
        Largest number of rows of each table for figures that compare all pairs of rows
        (neighbourhoods, closest rows, disclosure) or cross-validate; drawn at random.
    confidence : float, default=0.95
        Confidence level of intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows and of the classifiers.

    Returns
    -------
    report : TabularReport
        Printed, it is a summary.

    Raises
    ------
    ValueError
        Columns differ or are unknown, a number is infinite, a table has fewer than two
        rows, or there is a target without held-out rows.
    TypeError
        A column has values of no known kind, or of different ones.

    See Also
    --------
    skdgm.plotting.TabularReportDisplay : Draws a report.
    nearest_training_neighbours : Copies of training rows in images and numbers.

    Notes
    -----
    *Shapes* are one minus the Kolmogorov-Smirnov statistic of numbers and dates, one
    minus the total variation distance of categories. *Trends* are :math:`1 - |\rho -
    \rho'| / 2` of correlations or, beside categories, one minus the total variation
    distance of tables of frequencies, in which numbers are divided into ten bins of the
    range of their own table. Pairs count if the real correlation is above 0.5 in
    absolute value, or Cramér's V above 0.3.

    *Two-sample test* [2]_: a classifier tells a perfect sample from data with an area
    under the ROC curve of one half. *Utility* [3]_: the difference of both scores is
    what is lost by the use of synthetic rows. *Neighbourhoods* [4]_: precision is the
    share of synthetic rows that are within the distance of the fifth neighbour of some
    real row; recall the same with both exchanged; coverage the share of real rows with
    a synthetic one that near, 0.97 for as many rows of the same distribution.

    *Closest rows*: distances are Gower's [5]_, :math:`\frac1D \sum_j d_j`, with
    :math:`d_j` the difference divided by the range of the real column, or 0 and 1 for
    equal and different categories. The training rows are reduced to as many as are held
    out, so that one half of the synthetic rows is closer to them where nothing is
    copied. The interval counts synthetic rows with the same nearest row as dependent.

    *Disclosure* [6]_: values may be guessed because columns depend on one another, of
    rows that no model has seen as well. The excess of the share of training rows that
    are guessed over that of held-out rows is what the model gives away about these.
    Nothing here is a guarantee, as differential privacy is.

    Of larger tables SDMetrics draws 50,000 rows for trends of categories; here all rows
    are used.

    References
    ----------
    .. [1] DataCebo (2026). SDMetrics 0.32: the quality report.
    .. [2] Lopez-Paz and Oquab (2017). Revisiting classifier two-sample tests. ICLR.
    .. [3] Esteban, Hyland and Rätsch (2017). Real-valued (medical) time series
       generation with recurrent conditional GANs. arXiv:1706.02633.
    .. [4] Naeem, Oh, Uh, Choi and Yoo (2020). Reliable fidelity and diversity metrics
       for generative models. ICML.
    .. [5] Gower (1971). A general coefficient of similarity and some of its properties.
       Biometrics.
    .. [6] Giomi, Boenisch, Wehmeyer and Tasnádi (2023). A unified framework for
       quantifying privacy risk in synthetic data. PoPETs.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skdgm import FVBN
    >>> from skdgm.metrics import tabular_report
    >>> wine = load_wine(as_frame=True).frame.astype({"target": "category"})
    >>> train, held_out = wine[::2], wine[1::2]
    >>> model = FVBN(n_iter=10, random_state=0).fit(train)
    >>> drawn = model.sample(89, random_state=0)
    >>> report = tabular_report(train, drawn, held_out, target="target", random_state=0)
    >>> bool(report.scores["quality"] > 0.7), report.closest["n_copies"]
    (True, 0)
    >>> copied = tabular_report(train, train, held_out, random_state=0)
    >>> copied.scores["shapes"], copied.closest["share"]
    (1.0, 1.0)
    """
    max_rows = count(max_rows, "max_rows", 2)
    tables = {"real": real, "synthetic": synthetic, "holdout": holdout}
    if holdout is None:
        del tables["holdout"]
    columns = read(list(tables.values()), list(tables), column_types)
    sizes = dict(zip(tables, map(len, columns[0].parts)))
    small = [name for name, size in sizes.items() if size < 2]
    if small:
        raise ValueError(
            f"{small[0]} has {sizes[small[0]]} rows: at least 2 are needed."
        )
    if target is not None and holdout is None:
        raise ValueError("target needs rows that neither fit has seen: give holdout.")
    names = [column.name for column in columns]
    places = {"target": target, "sensitive": sensitive, "known": known}
    places = {name: _places(names, given, name) for name, given in places.items()}
    rng = check_random_state(random_state)
    scores = {}
    table, pairs = fidelity([column.of((0, 1)) for column in columns], scores)
    n = min(max_rows, sizes["real"], sizes["synthetic"])
    few = [column.of((0, 1)) for column in drawn(columns, [n] * len(sizes), rng)]
    scores |= gower.neighbourhoods(few, _NEIGHBOURS)
    # Threads of trees wait for one another longer than they work on few rows.
    with threadpool_limits(1, "openmp"):
        two_sample = two_samples(columns, max_rows, rng)
    scores["two_sample_auc"] = two_sample["roc_auc"]
    utility = disclosure = None
    if target is not None:
        with threadpool_limits(1 if estimator is None else None, "openmp"):
            utility = train_and_test(columns, places["target"][0], estimator, rng)
        scores |= {f"utility_{own}": utility[own] for own in ("real", "synthetic")}
    closest, distances = closeness(columns, max_rows, confidence, rng)
    scores |= {"closer_to_train": closest["share"], "copies": closest["copies"]}
    if holdout is not None:
        n = min(max_rows, sizes["real"], sizes["holdout"])
        few = drawn(columns, [n, min(max_rows, sizes["synthetic"]), n], rng)
        few = [column.of((0, 2, 1)) for column in few]
        disclosure = disclosed(few, places["known"], places["sensitive"], confidence)
        scores["disclosure"] = max(disclosure["excess"])
        disclosure = as_table(disclosure, "column")
    return TabularReport(
        scores,
        as_table(table, "column"),
        as_table(pairs),
        two_sample,
        utility,
        closest,
        as_table(distances, "level"),
        disclosure,
        sizes,
        confidence,
    )


def _places(names, given, argument):
    """Numbers of columns given by name; of all columns if none is."""
    if given is None:
        return list(range(len(names)))
    given = given if isinstance(given, list | tuple) else [given]
    unknown = [name for name in given if name not in names]
    if unknown or not given:
        raise ValueError(f"{argument} must be of the columns {names}; got {given}.")
    return [names.index(name) for name in given]
