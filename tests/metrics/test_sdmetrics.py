"""Figures that are SDMetrics' own, where it is installed."""

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
reports = pytest.importorskip("sdmetrics.reports.single_table")

from skdgm.metrics import tabular_report  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


def table(n, seed, shift=0.0):
    """Columns of all kinds, with missing values, ties and outliers."""
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1 + shift, n)
    days = pd.to_timedelta(rng.integers(0, 400, n) + 9 * x.round(), unit="D")
    frame = pd.DataFrame(
        {
            "real": x,
            "heavy": np.exp(3 * x) + rng.normal(size=n),
            "whole": rng.poisson(3 + shift, n),
            "zeros": np.where(rng.random(n) < 0.9 - shift, 0, rng.integers(1, 9, n)),
            "tiny": 1e-3 * rng.normal(size=n).round(1) - 1e-3 * x,
            "holes": np.where(rng.random(n) < 0.2 + shift, np.nan, x + rng.random(n)),
            "day": pd.Timestamp("2020-02-29") + days,
            "town": rng.choice(list("abcdef")[int(shift > 0) :], n),
            "level": pd.Categorical(rng.choice(["low", "high"], n, p=[0.2, 0.8])),
            "flag": rng.random(n) < 0.3 + shift,
            "same": 7.0,
            "void": np.nan,
        }
    )
    frame["later"] = frame["day"].where(rng.random(n) < 0.7)
    frame["place"] = frame["town"].where(rng.random(n) < 0.7, None)
    frame["side"] = np.where(x > 0.3, "right", "left")
    frame["rank"] = pd.Categorical(np.where(x > 1, "high", frame["side"]))
    frame["coast"] = frame["town"].map(lambda town: "ab" if town in "ab" else town)
    frame["maybe"] = frame["flag"].astype("boolean").where(rng.random(n) < 0.8)
    frame["code"] = frame["whole"].astype("Int64").where(rng.random(n) < 0.8)
    return frame


KINDS = {"day": "datetime", "later": "datetime", "flag": "boolean", "maybe": "boolean"}
KINDS |= dict.fromkeys(
    ("town", "level", "place", "side", "rank", "coast"), "categorical"
)


def theirs(real, drawn, **thresholds):
    """A report of SDMetrics."""
    kinds = {name: {"sdtype": KINDS.get(name, "numerical")} for name in real}
    report = reports.QualityReport()
    vars(report).update(thresholds)
    report.generate(real.copy(), drawn.copy(), {"columns": kinds}, verbose=False)
    return report


@pytest.mark.parametrize("sizes", [(400, 400), (300, 170), (15, 9)])
@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_figures_are_those_of_sdmetrics(sizes, shift):
    real, drawn = table(sizes[0], 0), table(sizes[1], 1, shift)
    found, expected = tabular_report(real, drawn, random_state=0), theirs(real, drawn)
    shapes = expected.get_details("Column Shapes").set_index("Column")
    assert found.columns["metric"].tolist() == shapes["Metric"].tolist()
    close = {"rtol": 0, "atol": 1e-6}
    np.testing.assert_allclose(found.columns["score"], shapes["Score"], **close)
    trends = expected.get_details("Column Pair Trends")
    pairs = found.pairs
    assert pairs["column_1"].tolist() == trends["Column 1"].tolist()
    assert pairs["column_2"].tolist() == trends["Column 2"].tolist()
    assert pairs["metric"].tolist() == trends["Metric"].tolist()
    counted = trends["Meets Threshold?"].fillna(False).astype(bool)
    assert pairs["counted"].tolist() == counted.tolist()
    ours = pairs["score"].where(pairs["counted"])
    np.testing.assert_allclose(ours, trends["Score"], **close)
    for name in "real", "synthetic":
        other = trends[f"{name.title()} Correlation"]
        np.testing.assert_allclose(pairs[name][counted], other[counted], **close)
    mixed = (pairs["metric"] == "ContingencySimilarity") & trends["Score"].notna()
    found_v, other = pairs["association"][mixed], trends["Real Association"][mixed]
    np.testing.assert_allclose(found_v, other, **close)
    assert counted.sum() > 10
    means = expected.get_properties().set_index("Property")["Score"]
    assert found.scores["shapes"] == pytest.approx(means["Column Shapes"], abs=1e-6)
    assert found.scores["trends"] == pytest.approx(
        means["Column Pair Trends"], abs=1e-6
    )
    assert found.scores["quality"] == pytest.approx(expected.get_score(), abs=1e-6)


def test_pairs_that_do_not_count_have_the_scores_of_those_that_do():
    real, drawn = table(300, 0), table(200, 1)
    found = tabular_report(real, drawn, random_state=0)
    options = {"real_correlation_threshold": 0, "real_association_threshold": 0}
    expected = theirs(real, drawn, **options)
    scores = expected.get_details("Column Pair Trends")["Score"]
    np.testing.assert_allclose(found.pairs["score"], scores, rtol=0, atol=1e-6)
    assert found.scores["trends_of_all"] == pytest.approx(scores.mean(), abs=1e-6)


def test_coverage_is_that_of_sdmetrics():
    single = pytest.importorskip("sdmetrics.single_column")
    real, drawn = table(200, 0), table(40, 1)
    found = tabular_report(real, drawn, random_state=0).columns
    for name in set(real) - {"void"}:
        discrete = found["kind"][name] in ("categorical", "boolean")
        metric = single.CategoryCoverage if discrete else single.RangeCoverage
        expected = metric.compute(real[name].dropna(), drawn[name].dropna())
        assert found["coverage"][name] == pytest.approx(expected, nan_ok=True)
