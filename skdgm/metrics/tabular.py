r"""Report on synthetic rows of a table: fidelity, utility and privacy.

.. math:: \text{quality} = \tfrac12 \left(\frac1D \sum_j s_j
   + \frac{1}{|P|} \sum_{(i, j) \in P} s_{ij}\right)

with scores of columns and of pairs P of associated columns, as in SDMetrics. References
are those of :func:`tabular_report`.
"""

from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params
from threadpoolctl import threadpool_limits

from skdgm.metrics.table_report import closest as gower
from skdgm.metrics.table_report.columns import read
from skdgm.metrics.table_report.functions import functions
from skdgm.metrics.table_report.parts import (
    as_table,
    closeness,
    disclosed,
    drawn,
    fidelity,
    two_samples,
)
from skdgm.metrics.table_report.summary import as_dict, as_html, as_scores, as_text
from skdgm.metrics.table_report.utility import train_and_test
from skdgm.typing import Any, Data, Seed
from skdgm.utils.counts import count

_OPTIONS = {
    "column_types": [dict, None],
    "confidence": [Interval(Real, 0, 1, closed="neither")],
}
# Number of neighbors within a neighborhood.
_NEIGHBORS = 5


class TabularReport(NamedTuple):
    """Result of :func:`tabular_report`.

    In notebooks, the summary is shown as a table, with columns, pairs and disclosure on
    request. Tables are pandas DataFrames, or Bunches of lists if pandas is not
    installed.

    Parameters
    ----------
    scores : dict of float
        Summary scores by name, for comparisons of models: "quality", "shapes",
        "trends", "trends_of_all" pairs, "coverage_of_columns", "precision", "recall",
        "coverage", "broken_functions", "two_sample_auc", "closer_to_train", "copies"
        and, if requested, "utility_real", "utility_synthetic", "disclosure".
    columns : DataFrame
        For each column its "kind", the "metric" and "score" of its shape, its
        "coverage", and the shares of missing values ("missing_real",
        "missing_synthetic").
    pairs : DataFrame
        For each pair of columns, "column_1" and "column_2", the "metric" and "score" of
        its trend, and the "association" of the real columns (absolute correlation or
        Cramér's V). "counted" is True if the mean includes the pair; "real" and
        "synthetic" are the correlations.
    two_sample : dict
        "accuracy", "p_value", "roc_auc" and "n_tested" of a classifier that
        distinguishes real from synthetic rows.
    utility : dict or None
        "target" and "metric"; the metric for predictors fitted to "real" and to
        "synthetic" rows, the "difference" and its standard error "se"; and "n_fitted",
        the number of rows of each fit.
    closest : dict
        "share" of synthetic rows that are closer to training rows than to held-out
        rows, the ends "lower" and "upper" of its confidence interval, and "n_rows" in
        each table. "copies" and "n_copies" are the share and number of synthetic rows
        that equal a training row, and "held_out_copies" is the share of such held-out
        rows.
    distances : DataFrame
        Quantiles, by "level", of the distances of synthetic rows from the nearest
        training row ("train") and the nearest held-out row ("held_out").
    disclosure : DataFrame or None
        For each sensitive column the share of values guessed correctly from synthetic
        rows, for training rows ("train", from "train_lower" to "train_upper") and for
        held-out rows ("held_out", from "held_out_lower" to "held_out_upper"). "excess"
        is the difference, from "excess_lower" to "excess_upper", with intervals that
        hold for all columns jointly (Bonferroni's correction).
    n_rows : dict of int
        Numbers of rows: "real", "synthetic" and "holdout".
    confidence : float
        Confidence level of all intervals.
    functions : DataFrame
        For each function between columns of the real table, such as city → country or
        total = net + tax, the shares of synthetic rows ("broken") and of held-out rows
        ("held_out") that break it.

    See Also
    --------
    tabular_report : Function that returns the result.
    skdgm.plotting.TabularReportDisplay : Plot of the result.
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
    functions: object

    def __repr__(self):
        return as_text(self)

    def _repr_html_(self):
        return as_html(self)

    def to_frame(self) -> Any:
        """Return the summary scores as a table, for comparisons of models.

        Returns
        -------
        scores : DataFrame
            For each "score", the "property" that it measures ("fidelity", "utility" or
            "privacy"), its "value", and the "best" value.
        """
        return as_scores(self)

    def to_dict(self) -> dict:
        """Return all fields as values that JSON can represent, for logs and files.

        Returns
        -------
        fields : dict
            Fields by name. Tables are dicts of lists by column, for example
            ``pandas.DataFrame(fields["pairs"])``. NaN becomes None.
        """
        return as_dict(self)


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
    r"""Compare synthetic rows of a table with real rows: fidelity, utility and privacy.

    .. math:: \text{quality} = \tfrac12 \left(\frac1D \sum_j s_j
       + \frac{1}{|P|} \sum_{(i, j) \in P} s_{ij}\right)

    is the quality score of SDMetrics [1]_, with scores :math:`s_j` of columns (shapes)
    and :math:`s_{ij}` of pairs P of associated columns (trends). All scores are between
    0 and 1 (best). Held-out rows distinguish learning from copying, and show how close
    to each other rows of the same distribution are.

    Parameters
    ----------
    real : DataFrame or array-like of shape (n_rows, n_columns)
        Training rows of the model: a pandas or polars DataFrame, an Arrow table or an
        array. Columns are numbers, dates or durations, booleans, or categories, which
        include text and objects. Values may be missing.
    synthetic : DataFrame or array-like of shape (n_samples, n_columns)
        Rows drawn from the model.
    holdout : DataFrame or array-like of shape (n_held_out, n_columns), default=None
        Held-out real rows. Without them the report has no utility, share of closer rows
        or disclosure, and the classifier compares synthetic rows with ``real``.
    target : str, default=None
        Column to predict. One predictor is fitted to synthetic rows and one to the same
        number of real rows. They are compared on held-out rows by the area under the
        ROC curve (one-vs-rest, averaged over classes) or by :math:`R^2`.
    sensitive : str or list of str, default=None
        Columns that an attacker guesses from the nearest synthetic row; by default each
        column in turn. A number is guessed correctly if the error is at most a tenth of
        the standard deviation.
    known : list of str, default=None
        Columns that the attacker knows; by default all other columns.
    estimator : classifier or regressor, default=None
        Predictor of ``target`` from columns that are encoded one-hot and standardized.
        The default is gradient-boosted trees with native categories, which classify if
        the target has categories, booleans or two values.
    column_types : dict, default=None
        Types of columns by name, where they differ from the inferred types:
        "numerical", "categorical", "boolean" or "datetime".
    max_rows : int, default=5000
        Maximum number of rows of each table, drawn at random, for scores that compare
        all pairs of rows (neighborhoods, closest rows, disclosure) or train a
        classifier of rows.
    confidence : float, default=0.95
        Confidence level of all intervals.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows and of the classifiers.

    Returns
    -------
    report : TabularReport
        Its ``repr`` is a summary, in notebooks a table; ``to_frame`` returns its scores
        and ``to_dict`` all fields.

    Raises
    ------
    ValueError
        Columns differ or are unknown, a number is infinite, a table has fewer than two
        rows, or ``target`` is given without ``holdout``.
    TypeError
        A column has values of unknown or different types.

    See Also
    --------
    skdgm.plotting.TabularReportDisplay : Plot of a report.
    nearest_training_neighbors : Test of samples for copies of training rows.

    Notes
    -----
    *Shapes* are one minus the Kolmogorov-Smirnov statistic for numbers and dates, and
    one minus the total variation distance for categories. *Trends* are :math:`1 - |\rho
    - \rho'| / 2` for correlations. If one column is categorical, they are one minus the
    total variation distance of contingency tables, in which numbers are divided into
    ten bins of equal width over the range of their own table. A pair counts if the
    absolute real correlation is above 0.5, or Cramér's V is above 0.3.

    *Two-sample test* [2]_: for a perfect sample the area under the ROC curve of the
    classifier is one half. *Utility* [3]_: the difference of the two scores is the loss
    from training on synthetic rows. *Neighborhoods* [4]_: a row's neighborhood is the
    ball that reaches to its fifth neighbor. Precision is the share of synthetic rows
    in the neighborhood of some real row, and recall the share of real rows in the
    neighborhood of some synthetic row. Coverage is the share of real rows whose
    neighborhood contains a synthetic row. It is 0.97 on average for the same number of
    rows from the same distribution.

    *Functions*: columns of the real table that other columns determine in every row,
    with enough evidence; see :func:`~skdgm.constraints.find_constraints`. Values of
    columns that determine others must occur together in the real table.
    :class:`~skdgm.ConstrainedTable` keeps functions in all samples.

    *Closest rows*: distances are Gower distances [5]_, :math:`\frac1D \sum_j d_j`,
    where :math:`d_j` is the difference divided by the range of the real column, or 0
    for equal and 1 for different categories. Training rows are subsampled to the number
    of held-out rows, so that the share is one half if nothing is copied. The interval
    treats synthetic rows with the same nearest row as dependent.

    *Disclosure* [6]_: dependencies between columns allow an attacker to guess values
    even of held-out rows. The excess of the share for training rows over the share for
    held-out rows measures what the model discloses about training rows. It is no
    guarantee, in contrast to differential privacy.

    SDMetrics subsamples 50,000 rows for trends of categories; this function uses all
    rows.

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
    broken = functions(columns, scores)
    n_rows = min(max_rows, sizes["real"], sizes["synthetic"])
    few = [column.of((0, 1)) for column in drawn(columns, [n_rows] * len(sizes), rng)]
    scores |= gower.neighborhoods(few, _NEIGHBORS)
    # One thread is faster, because trees of few rows cannot use more.
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
        n_rows = min(max_rows, sizes["real"], sizes["holdout"])
        few = drawn(columns, [n_rows, min(max_rows, sizes["synthetic"]), n_rows], rng)
        few = [column.of((0, 2, 1)) for column in few]
        disclosure = disclosed(few, places["known"], places["sensitive"], confidence)
        scores["disclosure"] = float(np.fmax.reduce(disclosure["excess"]))
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
        as_table(broken, "function"),
    )


def _places(names, given, argument):
    """Indices of named columns, or of all columns if ``given`` is None."""
    if given is None:
        return list(range(len(names)))
    given = given if isinstance(given, list | tuple) else [given]
    unknown = [name for name in given if name not in names]
    if unknown or not given:
        raise ValueError(f"{argument} must be of the columns {names}; got {given}.")
    return [names.index(name) for name in given]
