"""The report of synthetic rows: figures by definition and by enumeration."""

import json
import pickle
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import contingency, ks_2samp
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.utils import Bunch

from skdgm.metrics import tabular_report
from skdgm.metrics.table_report import closest, utility
from skdgm.metrics.table_report.columns import Column, read
from skdgm.metrics.table_report.encodings import coded, filled
from skdgm.metrics.table_report.fidelity import correlation, cramers_v
from skdgm.metrics.table_report.parts import as_table, listed
from skdgm.metrics.table_report.summary import _PROPERTIES, _lowest, _privacy


def table(n, seed=0, missing=0.1):
    """Columns of all kinds, of which some depend on one another."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "age": (40 + 10 * x).round(),
            "pay": np.exp(x + rng.normal(size=n)),
            "town": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
            "day": pd.Timestamp("2021-03-01")
            + pd.to_timedelta(rng.integers(0, 500, n), unit="D"),
            "rich": x + rng.normal(size=n) > 0.5,
        }
    )
    holes = rng.random((n, 3)) < missing
    frame["pay"] = frame["pay"].mask(holes[:, 0])
    frame["town"] = frame["town"].mask(holes[:, 1], None)
    frame["day"] = frame["day"].mask(holes[:, 2])
    return frame


def of(*frames, **options):
    """Columns of DataFrames."""
    return read(frames, [f"table {j}" for j in range(len(frames))], **options)


@pytest.fixture(scope="module")
def parts():
    return table(300), table(250, 1), table(200, 2)


@pytest.fixture(scope="module")
def report(parts):
    return tabular_report(*parts, target="rich", random_state=0)


def test_a_copy_of_the_training_rows(parts):
    train, _, held_out = parts
    found = tabular_report(train, train, held_out, target="rich", random_state=0)
    for name in "quality", "shapes", "trends", "trends_of_all", "coverage_of_columns":
        assert found.scores[name] == pytest.approx(1)
    for name in "precision", "recall", "coverage":
        assert found.scores[name] == 1
    assert found.columns["score"].tolist() == [1] * 5
    # Of as many training rows as are held out: copies of the others have no favorite.
    assert found.closest["lower"] > 0.6
    assert (found.closest["copies"], found.closest["n_copies"]) == (1, 300)
    assert found.closest["held_out_copies"] == 0
    assert found.utility["difference"] == pytest.approx(0, abs=0.05)
    assert (found.disclosure["excess_lower"][["pay", "town", "day", "rich"]] > 0).all()
    alike = tabular_report(train[:200], train[:200], held_out, random_state=0)
    assert (alike.closest["share"], alike.closest["upper"]) == (1, 1)
    assert alike.distances["train"].tolist() == [0] * 7
    assert (alike.disclosure["train"] > 0.98).all()


def test_rows_of_the_same_distribution(report):
    assert report.scores["shapes"] > 0.9
    closest = report.closest
    assert closest["lower"] < 0.5 < closest["upper"]
    assert closest["n_copies"] == 0
    assert (report.disclosure["excess_lower"] < 0).all()
    assert (report.disclosure["excess_upper"] > 0).all()
    assert report.two_sample["p_value"] > 0.01
    assert report.two_sample["n_tested"] == 200
    assert report.n_rows == {"real": 300, "synthetic": 250, "holdout": 200}


def test_intervals_of_closer_rows_have_their_level():
    inside, n = 0, 100
    for seed in range(n):
        rng = np.random.default_rng(seed)
        # Few distinct rows: many synthetic rows have the same nearest one.
        train, drawn, held_out = (rng.normal(size=(m, 2)) for m in (15, 300, 15))
        (share, lower, upper), _ = closest.closest_records(
            of(
                *(
                    pd.DataFrame(part, columns=["a", "b"])
                    for part in (train, drawn, held_out)
                )
            ),
            0.9,
        )
        assert lower <= share <= upper
        inside += lower <= 0.5 <= upper
    assert abs(inside / n - 0.9) < 4 * np.sqrt(0.9 * 0.1 / n)


def test_known_values():
    n = 64
    bits = np.arange(n)
    real = pd.DataFrame({"a": bits % 2 == 0, "b": bits // 2 % 2 == 0, "c": bits % 2})
    drawn = pd.DataFrame({"a": [True] * n, "b": real["a"], "c": 1 - real["c"]})
    found = tabular_report(
        real, drawn, column_types={"c": "categorical"}, random_state=0
    )
    assert found.columns["score"].tolist() == [0.5, 1, 1]
    # All four pairs of a and b are as frequent; drawn are two of them.
    pairs = found.pairs.set_index(["column_1", "column_2"])
    assert pairs["score"].tolist() == [0.5, 0.5, 0.5]
    np.testing.assert_allclose(pairs["association"], [0, 1, 0], atol=1e-12)
    assert pairs["counted"].tolist() == [False, True, False]
    assert found.scores["trends"] == 0.5
    assert found.columns["coverage"].tolist() == [0.5, 1, 1]
    assert np.isnan(found.closest["share"])
    assert found.utility is found.disclosure is None


def test_ranges():
    real = pd.DataFrame(
        {"a": [0.0, 10.0, np.nan], "b": [1.0, 1.0, 1.0], "c": [0, 4, 8]}
    )
    drawn = pd.DataFrame({"a": [2.0, 9.0], "b": [1.0, 2.0], "c": [10, -3]})
    found = tabular_report(real, drawn).columns
    np.testing.assert_allclose(found["coverage"], [0.7, np.nan, 1])
    assert found["missing_real"]["a"] == pytest.approx(1 / 3)
    for name in "abc":
        values = real[name].dropna()
        expected = 1 - ks_2samp(values, drawn[name]).statistic
        assert found["score"][name] == pytest.approx(expected)


def gower(x, y, columns):
    """The definition, one column after the other."""
    total = 0.0
    for column, a, b in zip(columns, x, y):
        if np.isnan(a) or np.isnan(b):
            total += np.isnan(a) != np.isnan(b)
        elif column.is_discrete:
            total += a != b
        else:
            total += min(
                1.0, abs(a - b) / np.ptp(column.parts[0][~np.isnan(column.parts[0])])
            )
    return total / len(columns)


def distances(columns, i, j):
    rows = [np.stack([column.parts[k] for column in columns], axis=1) for k in (i, j)]
    return np.array([[gower(x, y, columns) for y in rows[1]] for x in rows[0]])


@pytest.mark.parametrize("entries", [1, 100, 2**21])
def test_distances_by_enumeration(entries, monkeypatch):
    monkeypatch.setattr(closest, "_ENTRIES", entries)
    columns = of(table(30, 0, 0.3), table(20, 1, 0.3), table(30, 2, 0.3))
    interval, (near, far) = closest.closest_records(columns, 0.95)
    first, second = distances(columns, 1, 0), distances(columns, 1, 2)
    np.testing.assert_allclose(near, first.min(axis=1), atol=1e-8)
    np.testing.assert_allclose(far, second.min(axis=1), atol=1e-8)
    gap = (second.min(axis=1) - first.min(axis=1)).round(7)
    assert interval[0] == pytest.approx(((gap > 0) + 0.5 * (gap == 0)).mean())
    two = [column.of((0, 1)) for column in columns]
    found = closest.neighborhoods(two, 3)
    radii = [np.sort(distances(columns, k, k), axis=1)[:, 3] for k in (0, 1)]
    near = first <= radii[0] + 1e-8
    recalled = first <= radii[1][:, None] + 1e-8
    assert found["precision"] == pytest.approx(near.any(axis=1).mean())
    assert found["coverage"] == pytest.approx(near.any(axis=0).mean())
    assert found["recall"] == pytest.approx(recalled.any(axis=0).mean())


def test_guesses_by_enumeration():
    columns = of(table(12, 0), table(12, 1), table(40, 2))
    # Distances to columns of other tables are in units of the first one's ranges.
    for known in [0, 2, 3, 4], [1, 3]:
        found = closest.guesses(columns, known, [1, 2])
        for target in (1, 2):
            own = [columns[j] for j in known if j != target]
            for place in (0, 1):
                D = distances(own, place, 2)
                best = D.min(axis=1)
                guess = found[target][place]
                assert np.isnan(guess).mean() < 0.5
                for row, value in enumerate(guess):
                    near = columns[target].parts[2][best[row] + 1e-8 >= D[row]]
                    assert np.isin(value, near) or np.isnan([value, *near]).sum() > 1


def test_disclosed_secrets():
    rng = np.random.default_rng(0)

    def rows(n):
        return pd.DataFrame({"id": rng.normal(size=n), "secret": rng.random(n) < 0.5})

    train, held_out = rows(400), rows(400)
    drawn = train.assign(id=train["id"] + 1e-6)
    options = {"sensitive": "secret", "known": ["id"], "random_state": 0}
    found = tabular_report(train, drawn, held_out, **options).disclosure
    assert found.index.tolist() == ["secret"]
    assert found["train"]["secret"] > 0.99
    assert abs(found["held_out"]["secret"] - 0.5) < 4 * 0.5 / 20
    assert 0.35 < found["excess_lower"]["secret"] < found["excess"]["secret"]
    # What depends on the known column is guessed of all alike.
    train["secret"], held_out["secret"] = train["id"] > 0, held_out["id"] > 0
    found = tabular_report(
        train, rows(400).assign(secret=lambda t: t["id"] > 0), held_out, **options
    ).disclosure
    assert found["train"]["secret"] > 0.98
    assert abs(found["excess"]["secret"]) < 0.02


def test_intervals_of_shares():
    # Newcombe (1998), of 56 of 70 and 48 of 80: 0.0524 to 0.3339.
    found = closest.excess((56 / 70, 48 / 80), (70, 80), 0.95)
    np.testing.assert_allclose(found, (0.0524, 0.3339), atol=1e-4)
    np.testing.assert_allclose(closest.wilson(0.0, 10, 0.95), (0, 0.2775), atol=1e-4)


@pytest.mark.parametrize("target", ["rich", "town", "age"])
def test_utility_by_hand(target):
    classes = target != "age"
    estimator = LogisticRegression(tol=1e-9) if classes else LinearRegression()
    parts = [table(200, seed, missing=0.0) for seed in range(3)]
    absent = np.arange(200) < 40
    parts[2][target] = parts[2][target].convert_dtypes().mask(absent)
    options = {"target": target, "estimator": estimator, "random_state": 0}
    found = tabular_report(*parts, **options).utility
    columns = of(*parts)
    place = [column.name for column in columns].index(target)
    kept = [~np.isnan(part) for part in columns[place].parts]
    columns = [column.take(kept) for column in columns]
    y, others = columns[place].parts, columns[:place] + columns[place + 1 :]
    tables = filled(others)
    scores = []
    for k in (0, 1):
        fitted = estimator.fit(tables[k], y[k])
        if not classes:
            scores.append(r2_score(y[2], fitted.predict(tables[2])))
        else:
            p = fitted.predict_proba(tables[2])
            p = p[:, 1] if target == "rich" else p
            scores.append(roc_auc_score(y[2], p, multi_class="ovr"))
    assert found["metric"] == ("roc_auc" if classes else "r2")
    assert found["n_fitted"] == 200
    assert found["synthetic"] == pytest.approx(scores[1], abs=1e-4)
    assert found["real"] == pytest.approx(scores[0], abs=1e-4)
    assert found["difference"] == pytest.approx(found["real"] - found["synthetic"])
    assert 0 < found["se"] < 0.1


@pytest.mark.parametrize("figure", [utility._auc, utility._r2])
def test_standard_errors_are_those_of_resampled_rows(figure):
    rng = np.random.default_rng(0)
    n = 400
    y = (rng.random(n) < 0.3).astype(float)
    guesses = [y + rng.normal(size=n), y + rng.normal(size=n)]

    def gap(rows):
        given = (guess[rows] for guess in guesses)
        given = ({0.0: -g, 1.0: g} if figure is utility._auc else g for g in given)
        (first, one), (second, two) = (figure(g, y[rows]) for g in given)
        return first - second, (one - two).std() / np.sqrt(n)

    drawn = [gap(rng.integers(0, n, n))[0] for _ in range(300)]
    assert gap(np.arange(n))[1] == pytest.approx(np.std(drawn), rel=0.2)


def test_targets_of_a_single_class(parts):
    train, drawn, held_out = parts
    found = tabular_report(train, drawn.assign(rich=True), held_out, target="rich")
    assert found.utility["synthetic"] == 0.5
    found = tabular_report(train, drawn, held_out.assign(rich=True), target="rich")
    assert np.isnan(found.utility["real"])
    assert tabular_report(*parts, target="age").utility["metric"] == "r2"
    bits = [part.assign(rich=part["rich"].astype(int)) for part in parts]
    assert tabular_report(*bits, target="rich").utility["metric"] == "roc_auc"


def test_numbers_that_synthetic_rows_lack(parts):
    train, drawn, held_out = parts
    empty = drawn.assign(pay=np.nan, town=None)
    found = tabular_report(train, empty, held_out, target="rich", random_state=0)
    assert np.isnan(found.columns["score"][["pay", "town"]]).all()
    assert found.columns["missing_synthetic"]["pay"] == 1
    assert found.two_sample["roc_auc"] > 0.9
    assert found.scores["quality"] > 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_all_libraries_alike(parts, report, library):
    module = pytest.importorskip(library)
    pytest.importorskip("pyarrow")
    convert = module.from_pandas if library == "polars" else module.Table.from_pandas
    others = [convert(part.reset_index(drop=True)) for part in parts]
    for given in others, (parts[0], others[1], parts[2]):
        found = tabular_report(*given, target="rich", random_state=0)
        assert found.scores == report.scores
        pd.testing.assert_frame_equal(found.columns, report.columns)


def test_arrays():
    rng = np.random.default_rng(0)
    real, drawn = rng.normal(size=(2, 50, 3))
    found = tabular_report(real, drawn, random_state=0)
    assert found.columns.index.tolist() == ["x0", "x1", "x2"]
    frames = (pd.DataFrame(part, columns=found.columns.index) for part in (real, drawn))
    assert (
        tabular_report(*frames, random_state=0).scores["shapes"]
        == (found.scores["shapes"])
    )


def test_summary(report, parts):
    told = repr(report)
    assert told.startswith("TabularReport of 300 real, 250 synthetic, 200 holdout rows")
    assert f"{report.scores['quality']:.3f}" in told
    for word in "shapes", "two-sample", "roc_auc of rich", "copies", "disclosure":
        assert word in told
    found, hidden = report.closest, report.disclosure
    share = f"{found['share']:.3f} [{found['lower']:.3f}, {found['upper']:.3f}]"
    copies = f"{found['copies']:.2%} ({found['n_copies']:,}); of held-out rows "
    assert f"closer to train  {share}; 0.5 if" in told
    assert f"copies           {copies}{found['held_out_copies']:.2%}" in told
    n_above = (np.asarray(hidden["excess_lower"]) > 0).sum()
    column = hidden["excess"].idxmax()
    highest = f"{column} {hidden['excess'].max():.3f}"
    text = f"of {n_above} of {len(hidden)} columns; highest excess {highest}"
    assert f"disclosure       {text}" in told
    again = pickle.loads(pickle.dumps(report))
    assert repr(again) == told
    assert "unknown without held-out rows" in repr(tabular_report(*parts[:2]))
    assert repr(tabular_report(parts[0][["age"]], parts[1][["age"]]))


def test_html(parts, report):
    class Reader(HTMLParser):
        """Text of cells; open elements must be closed in order."""

        def __init__(self):
            super().__init__()
            self.open, self.cells = [], []

        def handle_starttag(self, tag, attrs):
            self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

        def handle_data(self, data):
            self.cells.append(data)

    def read_cells(report):
        reader = Reader()
        reader.feed(report._repr_html_())
        reader.close()
        assert not reader.open
        return reader.cells

    cells = read_cells(report)
    lines = repr(report).splitlines()
    assert cells[0] == lines[0]
    for line in lines[1:]:
        texts = (line[2:19].strip(), line[19:]) if line.startswith("  ") else (line,)
        assert set(texts) <= set(cells)
    for name in ("columns", "pairs", "distances", "disclosure", "functions"):
        assert name in cells
        assert set(getattr(report, name).columns) <= set(cells)
    assert f"{report.pairs['score'].iloc[-1]:.3f}" in cells
    # Names and categories are text, not HTML.
    names = {"age": "<b>age</b>", "pay": "a & b"}
    renamed = tabular_report(*(part.rename(columns=names) for part in parts))
    assert "<b>" not in renamed._repr_html_()
    assert {"<b>age</b>", "a & b"} <= set(read_cells(renamed))
    # Tables of many pairs have the pairs with the lowest scores.
    wide = np.random.default_rng(0).normal(size=(2, 30, 16))
    wide = tabular_report(*wide, random_state=0)
    cells = read_cells(wide)
    assert "pairs, 100 of 120 with the worst score" in cells
    scores = wide.pairs["score"].sort_values()
    assert f"{scores.iloc[0]:.3f}" in cells
    assert read_cells(wide).count("x0") <= 16


def test_scores_as_a_table(report, parts):
    scores = report.to_frame()
    assert scores["value"].to_dict() == report.scores
    # Two reports have the same rows, side by side or one below the other.
    copied = tabular_report(parts[0], parts[0], random_state=0).to_frame()
    assert set(copied.index) == set(scores.index) - {
        "utility_real",
        "utility_synthetic",
        "disclosure",
    }
    assert set(scores["property"]) == {"fidelity", "utility", "privacy"}
    fidelity = copied[copied["property"] == "fidelity"].drop("two_sample_auc")
    np.testing.assert_allclose(fidelity["value"], fidelity["best"])
    assert set(_PROPERTIES) == set(scores.index)


def test_values_for_json(report, parts):
    fields = report.to_dict()
    again = json.loads(json.dumps(fields, allow_nan=False))
    assert again == fields
    assert list(fields) == list(report._fields)
    for name in ("columns", "pairs", "distances", "disclosure", "functions"):
        table = getattr(report, name)
        found = pd.DataFrame(again[name]).astype(table.dtypes.to_dict())
        pd.testing.assert_frame_equal(found, table.reset_index(drop=name == "pairs"))
    assert fields["scores"] == report.scores
    # Values that are not known are None.
    unknown = tabular_report(*parts[:2], random_state=0).to_dict()
    assert unknown["closest"]["share"] is unknown["disclosure"] is None
    # Names of columns that are no strings.
    names = {"age": 3, "pay": ("a", 1), "day": np.int64(7)}
    renamed = tabular_report(*(part.rename(columns=names) for part in parts[:2]))
    assert "('a', 1)" in repr(renamed)
    assert "&#x27;a&#x27;, 1)" in renamed._repr_html_()
    columns = json.loads(json.dumps(renamed.to_dict(), allow_nan=False))["columns"]
    assert columns["column"] == [3, "('a', 1)", "town", 7, "rich"]


def test_functions_that_rows_break():
    rng = np.random.default_rng(0)
    city = rng.integers(0, 6, 300)
    X = pd.DataFrame({"city": np.array(list("abcdef"))[city]})
    X["land"] = np.array(list("xxyyzz"))[city]
    X["age"] = rng.integers(0, 90, 300)
    X["group"] = np.where(X["age"] > 40, "old", "young")
    X["net"], X["tax"] = rng.gamma(2, 30, (2, 300)).round(2)
    X["back"] = (24 - 2 * X["net"]).round(2)
    X["area"] = (X["tax"] * X["age"]).round(2)
    report = tabular_report(X[:200], X[200:], X[:50], random_state=0)
    names = "back = -2 net + 24", "area = age × tax", "city → land", "age → group"
    assert set(report.functions.index) == set(names)
    assert (report.functions == 0).all(axis=None)
    assert report.scores["broken_functions"] == 0
    broken = X[200:].reset_index(drop=True)
    broken.loc[:9, "land"] = broken.loc[:9, "land"].map({"x": "y", "y": "z", "z": "x"})
    broken.loc[5:24, "area"] += 1
    report = tabular_report(X[:200], broken, random_state=0)
    shares = report.functions["broken"]
    assert shares[list(names)].tolist() == [0.0, 0.2, 0.1, 0.0]
    assert report.functions["held_out"].isna().all()
    assert report.scores["broken_functions"] == 0.25
    assert "broken functions area = age × tax 20.0%, city → land 10.0%" in repr(report)
    none = tabular_report(X[["city"]], X[["city"]], random_state=0)
    assert len(none.functions) == 0
    assert "functions" not in repr(none)


def test_without_pandas(report, monkeypatch):
    lists = {
        name: listed(getattr(report, name))
        for name in ("columns", "pairs", "distances", "disclosure", "functions")
    }
    told, html, fields = repr(report), report._repr_html_(), report.to_dict()
    monkeypatch.setitem(sys.modules, "pandas", None)
    found = report._replace(**{n: as_table(table) for n, table in lists.items()})
    assert found.columns.score == lists["columns"]["score"]
    assert repr(found) == told
    assert found._repr_html_() == html
    assert found.to_dict() == fields
    assert dict(zip(found.to_frame().score, found.to_frame().value)) == found.scores


def test_the_same_seed_gives_the_same_report(parts, report):
    again = tabular_report(*parts, target="rich", random_state=0)
    assert again.scores == report.scores
    few = tabular_report(*parts, target="rich", max_rows=50, random_state=0)
    assert few.closest["n_rows"] == 50
    assert few.scores["shapes"] == report.scores["shapes"]
    assert few.closest["upper"] - few.closest["lower"] > (
        report.closest["upper"] - report.closest["lower"]
    )


def test_bad_input(parts):
    train, drawn, held_out = parts
    for message, given, options in (
        ("synthetic has the columns", (train, drawn[["age"]]), {}),
        ("several columns of the names", (train, pd.concat([drawn] * 2, axis=1)), {}),
        ("target needs rows", (train, drawn), {"target": "rich"}),
        ("target must be of the columns", parts, {"target": "poor"}),
        ("sensitive must be of", parts, {"sensitive": ["poor"]}),
        ("known must be of", parts, {"known": []}),
        ("synthetic has 1 rows", (train, drawn[:1]), {}),
        (
            "column_types must have some of",
            (train, drawn),
            {"column_types": {"x": "y"}},
        ),
        ("infinite values in column 'age'", (train.assign(age=np.inf), drawn), {}),
        ("max_rows", (train, drawn), {"max_rows": 1}),
        (
            "no values in one",
            (train, drawn.assign(pay=np.nan), held_out),
            {"target": "pay"},
        ),
    ):
        with pytest.raises(ValueError, match=message):
            tabular_report(*given, **options)
    for message, given, options in (
        (
            "'age' is numerical, but synthetic has other",
            (train, drawn.assign(age="a")),
            {},
        ),
        ("'day' is datetime, but synthetic", (train, drawn.assign(day=1.0)), {}),
        ("'age' has values that cannot be", (train.assign(age=[[1]] * 300), drawn), {}),
        ("'age' has the dtype complex", (train.assign(age=1j), drawn), {}),
        ("'rich' is boolean, but synthetic", (train, drawn.assign(rich=2)), {}),
        ("estimator must be a classifier", parts, {"target": "rich", "estimator": 3}),
    ):
        with pytest.raises(TypeError, match=message):
            tabular_report(*given, **options)


def test_kinds_and_values():
    import datetime as dt

    n = 3
    frame = pd.DataFrame(
        {
            "number": pd.array([1, None, 3], dtype="Int64"),
            "sparse": pd.arrays.SparseArray([0.0, 1.0, 0.0]),
            "text": ["a", None, "a"],
            "group": pd.Categorical([5, 6, None]),
            "bit": pd.array([True, None, False], dtype="boolean"),
            "object": pd.Series([True, None, False], dtype=object),
            "date": pd.Series(
                [dt.date(2020, 1, 2), None, dt.date(2020, 1, 1)], dtype=object
            ),
            "zone": pd.date_range("2020-01-01", periods=n, tz="Europe/Paris"),
            "span": pd.to_timedelta([1, 2, None], unit="h"),
            "clock": pd.Series([dt.time(1), dt.time(2), None], dtype=object),
            "none": pd.Series([None] * n, dtype=object),
        }
    )
    found = {column.name: column for column in of(frame, frame[::-1])}
    kinds = ["numerical"] * 2 + ["categorical"] * 2 + ["boolean"] * 2 + ["datetime"] * 4
    assert [column.kind for column in found.values()] == [*kinds, "numerical"]
    np.testing.assert_array_equal(found["number"].parts[0], [1, np.nan, 3])
    np.testing.assert_array_equal(found["bit"].parts[0], [1, np.nan, 0])
    np.testing.assert_array_equal(found["object"].parts[1], [0, np.nan, 1])
    np.testing.assert_array_equal(found["group"].parts[1], [np.nan, 1, 0])
    assert found["group"].categories == (5, 6)
    gap = found["date"].parts[0][0] - found["date"].parts[0][2]
    assert gap == 24 * 3600 * 1e6
    spans = found["clock"].parts[0]
    assert spans[1] == 2 * spans[0]
    assert np.isnan(spans[2])
    assert np.isnan(found["none"].parts[0]).all()
    # Dates of other units, and a column of None beside one of text.
    other = frame.assign(zone=frame["zone"].dt.as_unit("ms"), text=None)
    other["text"] = other["text"].astype(object)
    for pair in (frame, other), (other, frame):
        both = {column.name: column for column in of(*pair)}
        np.testing.assert_array_equal(*both["zone"].parts)
        assert both["text"].kind == "categorical"
    asked = of(frame, column_types={"number": "categorical", "group": "numerical"})
    asked = {column.name: column for column in asked}
    np.testing.assert_array_equal(asked["number"].parts[0], [0, np.nan, 1])
    np.testing.assert_array_equal(asked["group"].parts[0], [5, 6, np.nan])


def test_codes_of_many_categories():
    rng = np.random.default_rng(0)
    values = rng.zipf(1.3, 5000) % 1000
    names = tuple(range(1000))
    column = Column(
        "a", "categorical", (values.astype(float), np.array([np.nan])), names
    )
    (first, second), discrete = coded([column])
    assert discrete.tolist() == [True]
    assert first.max() == 253
    assert second[0, 0] == 254
    # The most frequent ones keep a code each.
    top = np.argsort(-np.bincount(values, minlength=1000), kind="stable")[:5]
    for rank, value in enumerate(top):
        np.testing.assert_array_equal(first[:, 0] == rank, values == value)


def test_correlations_are_numpys():
    x, y = np.random.default_rng(0).normal(size=(2, 30)) * [[3.0], [0.1]]
    y += 0.02 * x
    expected = np.corrcoef(x, y)[0, 1]
    assert correlation(x, y) == pytest.approx(expected)
    assert correlation(-x, y) == pytest.approx(-expected)
    assert correlation(x, 2 - 3 * x) == pytest.approx(-1)
    holes = np.r_[x, np.nan, 5.0], np.r_[y, 7.0, np.nan]
    assert correlation(*holes) == pytest.approx(expected)
    assert abs(correlation(x[:2], y[:2])) == pytest.approx(1)
    for one in np.full(30, 2.0), np.where(np.arange(30) == 3, x, np.nan):
        assert np.isnan(correlation(x, one))
        assert np.isnan(correlation(one, x))


def test_the_association_of_codes_is_scipys():
    rng = np.random.default_rng(0)
    x = rng.choice([1, 4, 6], 90)
    y = np.where(rng.random(90) < 0.5, x, rng.integers(0, 2, 90))
    counts = contingency.crosstab(x, y).count
    assert cramers_v(x, y) == pytest.approx(contingency.association(counts))
    assert cramers_v(x, x) == pytest.approx(1)
    assert np.isnan(cramers_v(x, np.ones(90, int)))


def test_no_unit_of_a_column_changes_distances():
    rng, found = np.random.default_rng(0), []
    parts = [rng.normal(size=(30, 3)) for _ in range(3)]
    for unit in 1.0, 2.0**-20, 2.0**20:
        columns = read([part * [unit, 1, 1] for part in parts], list("abc"))
        _, distances = closest.closest_records(columns, 0.95)
        found.append(distances)
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)
    np.testing.assert_allclose(found[2], found[0], atol=1e-6)


def test_missing_values_of_numbers_are_means_with_a_mark():
    x, y = np.array([1.0, np.nan, 3.0, 8.0]), np.array([2.0, 4.0, 6.0, 0.0])
    column, other = Column("x", "numerical", (x[:3], x[3:])), np.split(y, [3])
    tables = filled([column, Column("y", "numerical", tuple(other))])
    found = np.concatenate(tables)
    spread = np.std([1, 3, 8])
    np.testing.assert_allclose(found[:, 0], np.array([-3, 0, -1, 4]) / spread)
    np.testing.assert_array_equal(found[:, 1], [0, 1, 0, 0])
    np.testing.assert_allclose(found[:, 2], (y - 3) / np.std(y))


def test_predictors_are_fitted_to_as_many_rows_of_either_table():
    sizes = []

    class Noted(LinearRegression):
        def fit(self, X, y):
            sizes.append((len(X), set(y)))
            return super().fit(X, y)

    parts = [table(n, seed, missing=0.0) for seed, n in enumerate((300, 60, 100))]
    tabular_report(*parts, target="pay", estimator=Noted(), random_state=0)
    assert [size for size, _ in sizes] == [60, 60]
    # Of all rows, not the first ones.
    first = set(parts[0]["pay"].iloc[:60])
    assert 0 < len(sizes[0][1] & first) < 40


def test_summary_has_scores_of_associated_and_of_all_pairs():
    """A p-value stands after its accuracy."""
    report = tabular_report(table(60), table(60, 1), random_state=0)
    n_counted, scores = int(report.pairs["counted"].sum()), report.scores
    assert 0 < n_counted < 10
    pairs = f"({n_counted} associated pairs; all 10 pairs {scores['trends_of_all']:.3f}"
    assert f"trends {scores['trends']:.3f} {pairs}" in str(report)
    test = report.two_sample
    accuracy = f"accuracy {test['accuracy']:.3f} (p = {test['p_value']:.2g}) against"
    assert accuracy in str(report)


def test_the_lowest_scores_are_those_that_are_known():
    scores = np.array([0.5, np.nan, 0.1, 0.9, 0.3])
    assert _lowest(scores) == [2, 4, 0]
    assert _lowest(scores, 2) == [2, 4]
    assert _lowest(scores[:2]) == [0]


def test_no_column_is_disclosed_by_nothing():
    closest = {"share": np.nan, "copies": 0.0, "n_copies": 0, "held_out_copies": 0.0}
    columns = {"column": ["a", "b", "c"], "excess": [0.0, -0.1, 0.2]}
    columns |= {"excess_lower": [0.0, -0.2, 0.1], "excess_upper": [0.0, 0.1, 0.3]}
    *_, (_, last) = _privacy(
        SimpleNamespace(closest=closest, disclosure=Bunch(**columns))
    )
    assert "of 1 of 3 columns; highest excess c 0.200" in last


@pytest.mark.parametrize("first", [True, False])
def test_a_sensitive_column_without_values(first):
    rng = np.random.default_rng(0)
    tables = [pd.DataFrame(rng.integers(0, 3, (60, 2)), columns=list("ab"))] * 3
    tables = [table.assign(m=np.nan) for table in tables]
    if first:
        tables = [table[["m", "a", "b"]] for table in tables]
    report = tabular_report(*tables, random_state=0)
    assert np.isfinite(report.scores["disclosure"])
    report = tabular_report(*tables, sensitive="m", random_state=0)
    assert np.isnan(report.scores["disclosure"])
    assert "unknown, because the sensitive columns" in repr(report)
