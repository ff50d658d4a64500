"""Tables as users have them: DataFrames, of which not all is seen in ``fit``."""

import warnings
from itertools import pairwise, product

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

from skdgm import MADE, NADE, EoNADE
from skdgm.exceptions import MissingDataWarning
from tests.autoregressive.models import FAMILIES, noisy
from tests.numerical import assert_means
from tests.options import grouped

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
TOWNS, SIZES = ["Bonn", "Oslo", "Rome"], ["L", "S"]
N = 20
FRAME = pd.DataFrame(
    {
        "town": RNG.choice(TOWNS, N),
        "paid": RNG.random(N) < 0.4,
        "size": pd.Categorical(RNG.choice(SIZES, N), SIZES),
    }
)
KINDS = "categorical", "bernoulli", "categorical"
# How probable other categories are, all together: as if one had been seen.
OTHER = 1 / (N + 3 + 1), 1 / (N + 2 + 1)


def made(name, X, column_types="mixed", **options):
    """A model whose parameters are what they begin with, and noise."""
    cls, own = FAMILIES[name]
    given = {
        "n_iter": 0,
        "random_state": 0,
        "average": False,
        "column_types": column_types,
    }
    return noisy(
        grouped(cls, **given | own | {"ordering": "given"} | options).fit(X), 0.5
    )


def rows_of(*values):
    return pd.DataFrame(list(product(*values)), columns=FRAME.columns)


def codes(frame):
    """The same as numbers."""
    return np.column_stack(
        [
            [TOWNS.index(town) for town in frame["town"]],
            frame["paid"],
            [SIZES.index(size) for size in frame["size"]],
        ]
    ).astype(float)


@pytest.mark.parametrize("name", ["fvbn", "nade", "deep", "orderless"])
def test_probabilities_add_up_to_one_with_those_of_other_categories(name):
    # Of chains, what comes after a missing value is an estimate by that many draws.
    draws = {} if name == "orderless" else {"n_draws": 1000}
    own = made(name, FRAME, **draws)
    rows = rows_of([*TOWNS, "?"], [False, True], [*SIZES, "?"])
    log_p = own.score_samples(rows)
    new = np.exp(log_p[(rows["town"] == "?").to_numpy()])
    tol = 1e-6 if name == "orderless" else 0.02
    assert new.sum() == pytest.approx(OTHER[0], rel=tol)
    assert np.exp(log_p).sum() == pytest.approx(1, abs=1e-6 + tol * OTHER[0])
    new = np.exp(log_p[(rows["size"] == "?").to_numpy()])
    assert new.sum() == pytest.approx(OTHER[1], rel=tol)


@pytest.mark.parametrize("name", ["nade", "orderless"])
def test_room_for_other_categories_costs_those_that_are_known(name):
    own, plain = made(name, FRAME), made(name, codes(FRAME), KINDS)
    cost = np.array([np.log1p(-OTHER[0]), 0, np.log1p(-OTHER[1])])
    expected = plain.score_features(codes(FRAME)) + cost
    np.testing.assert_allclose(own.score_features(FRAME), expected, rtol=1e-5)
    expected = plain.score_samples(codes(FRAME)) + cost.sum()
    np.testing.assert_allclose(own.score_samples(FRAME), expected, rtol=1e-5)
    holed = FRAME.astype({"size": object})
    holed.loc[:, "size"] = None
    expected = own.score_samples(FRAME.assign(size="?")) - np.log(OTHER[1])
    np.testing.assert_allclose(own.score_samples(holed), expected, rtol=1e-5)


def test_what_is_not_known_is_surprising_where_it_stands():
    own = made("orderless", FRAME)
    rows = FRAME.assign(town="Rome").replace({"town": {"Rome": "Paris"}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = own.score_features(rows), own.score_features(rows, given="others")
        scores = own.score_samples(rows)
    for part in found:
        np.testing.assert_allclose(part["town"], np.log(OTHER[0]), rtol=1e-6)
    np.testing.assert_allclose(found[0].sum(axis=1), scores, rtol=1e-6)


@pytest.mark.parametrize("model", [NADE(3), EoNADE((4,))])
def test_folds_with_rare_categories_have_scores(model):
    rare = FRAME.astype({"size": object})
    rare.loc[[3, 12], ["town", "size"]] = [["Kyiv", "XL"], ["Graz", "XS"]]
    model.set_params(column_types="mixed", n_iter=1, random_state=0)
    assert np.isfinite(cross_val_score(model, rare)).all()


@pytest.mark.parametrize("name", ["nade", "orderless"])
def test_other_categories_are_kept_and_not_seen(name):
    own, rows = made(name, FRAME), FRAME.iloc[:3].astype({"size": object})
    holed = rows.astype(object)
    rows.loc[0, "town"], rows.loc[1, "size"] = "Paris", None
    holed.loc[0, "town"], holed.loc[1, "size"] = None, None
    message = "as missing: 'Paris' in column 'town'. Declare"
    with pytest.warns(MissingDataWarning, match=message):
        found = own.transform(rows)
    np.testing.assert_array_equal(found, own.transform(holed))
    with pytest.warns(MissingDataWarning, match=message):
        found = own.impute(rows)
    expected = own.impute(holed).astype(object)
    expected.loc[0, "town"] = "Paris"
    pd.testing.assert_frame_equal(found.astype(object), expected)
    with pytest.warns(MissingDataWarning, match=message):
        drawn = own.conditional_sample(rows, n_samples=2, random_state=0)
    assert (drawn.loc[0, "town"] == "Paris").all()
    assert drawn["size"].notna().all()


def test_other_categories_in_a_dtype_of_their_own_are_kept():
    own, rows = made("orderless", FRAME), FRAME.iloc[:3].copy()
    rows["size"] = pd.Categorical(["XL", None, "S"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", MissingDataWarning)
        found = own.impute(rows)["size"].tolist()
    assert [found[0], found[2]] == ["XL", "S"]
    assert found[1] in SIZES


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_a_row_is_no_table():
    with pytest.raises(ValueError, match=r"NADE takes a table, but .* X.iloc\[\[0\]\]"):
        made("nade", FRAME).score(FRAME.iloc[0])


def test_nothing_is_learned_of_other_categories():
    own, rows = made("nade", FRAME), FRAME.assign(town="Paris")
    for learn in (own.partial_fit, own.set_params(warm_start=True).fit):
        with pytest.raises(ValueError, match="'town' has categories .* know: 'Paris'"):
            learn(rows)


def _wide():
    """A table with columns of many kinds of numbers."""
    rng, n = np.random.default_rng(0), 400
    days = rng.integers(0, 900, n)
    return pd.DataFrame(
        {
            "gain": np.where(rng.random(n) < 0.7, 0, rng.integers(100, 9000, n)),
            "rooms": rng.integers(1, 4, n),
            "income": np.round(np.exp(rng.normal(3, 1, n)), 2),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, "D"),
            "town": rng.choice(["Bonn", "Rome"], n),
        }
    )


WIDE = _wide()


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries_come_back(library):
    nw = pytest.importorskip("narwhals")
    pytest.importorskip(library)
    values = FRAME.astype({"town": object, "size": object}).to_dict("list")
    values = {
        name: [None if pd.isna(x) else x for x in own] for name, own in values.items()
    }
    given = nw.from_dict(values, backend=library).to_native()
    own = NADE(3, "mixed", n_iter=1, random_state=0).fit(given)
    for found in (own.sample(4), own.impute(given), own.conditional_sample(given)):
        assert type(found) is type(given)
        assert str(found.schema) == str(given.schema)
    alike = NADE(3, "mixed", n_iter=1, random_state=0).fit(pd.DataFrame(values))
    np.testing.assert_allclose(own.score_samples(given), alike.score_samples(FRAME))
    holed = nw.from_native(given, eager_only=True)
    whole = nw.from_native(own.impute(given), eager_only=True)
    for name in holed.columns:
        known = ~holed[name].is_null().to_numpy()
        assert not whole[name].is_null().any()
        left, right = (table[name].to_numpy()[known] for table in (holed, whole))
        np.testing.assert_array_equal(left, right)
    with pytest.raises(ValueError, match="column 'town' has other values"):
        EoNADE((3,), "gaussian").fit(given)


def test_how_columns_are_read():
    own = NADE(3, {"income": "gaussian"}, n_iter=1, random_state=0).fit(WIDE)
    found = own.column_types_
    assert list(found) == list(WIDE)
    kinds = [own.kind for own in found.values()]
    assert kinds == ["numeric", "ordinal", "gaussian", "numeric", "categorical"]
    assert found["gain"].values == [0]
    assert (found["gain"].low, found["gain"].high) == (0, WIDE["gain"].max())
    assert found["rooms"].values == [1, 2, 3]
    assert found["day"].low == WIDE["day"].min()
    assert found["town"].values == ["Bonn", "Rome"]
    plain = NADE(3, n_iter=1, random_state=0).fit(np.eye(3))
    assert {own.kind for own in plain.column_types_.values()} == {"bernoulli"}


def test_what_is_drawn_is_as_what_was_seen():
    own = NADE(3, "mixed", n_iter=20, random_state=0).fit(WIDE)
    found = own.sample(2000, random_state=0)
    assert (found.dtypes == WIDE.dtypes).all()
    for name in ("gain", "income", "day"):
        assert found[name].between(WIDE[name].min(), WIDE[name].max()).all()
    share, real = ((frame["gain"] == 0).mean() for frame in (found, WIDE))
    assert share == pytest.approx(real, abs=0.04)
    assert set(found["rooms"]) <= {1, 2, 3}
    np.testing.assert_array_equal(found["income"], found["income"].round(2))
    assert (found["day"] == found["day"].dt.normalize()).all()


@pytest.mark.parametrize("kind", [NADE, EoNADE])
def test_densities_of_numbers_integrate_to_one(kind):
    # One column: an atom at 0, and a density of the rest.
    frame = WIDE[["gain"]]
    own = kind(column_types="mixed", n_iter=3, random_state=0).fit(frame)
    scores = own._columns.scales[0]
    size = scores.x[-1] - scores.x[0]
    knots = np.concatenate([[scores.x[0] - size], scores.x, [scores.x[-1] + size]])
    parts = [np.linspace(*pair, 200, endpoint=False) for pair in pairwise(knots)]
    x = np.concatenate(parts)
    width = np.diff(np.append(x, knots[-1]))
    p = np.exp(own.score_samples(pd.DataFrame({"gain": x + width / 2})))
    atom = np.exp(own.score_samples(pd.DataFrame({"gain": [0.0]})))[0]
    assert p @ width + atom == pytest.approx(1, abs=0.005)
    assert atom == pytest.approx((frame["gain"] == 0).mean(), abs=0.1)


@pytest.mark.exhaustive(default=["-NADE"])
@pytest.mark.parametrize("kind", [NADE, EoNADE, MADE])
@pytest.mark.parametrize("name", ["gain", "rooms"])
def test_means_of_numbers_are_those_of_draws(kind, name):
    # After all others in every order, so that the means are exact, and one draw as
    # good as many; as real numbers, since means of whole ones are rounded.
    j = list(WIDE).index(name)
    order = [*(k for k in range(5) if k != j), j]
    last = {} if kind is EoNADE else {"ordering": tuple(order), "n_draws": 1}
    frame = WIDE.astype({name: float})
    own = grouped(kind, column_types="mixed", n_iter=5, random_state=0, **last).fit(
        frame
    )
    holed = frame[:3].copy()
    holed[name] = np.nan
    found = own.impute(holed)[name].to_numpy()
    draws = own.conditional_sample(holed, n_samples=4000, random_state=0)[name]
    assert_means(draws.to_numpy().reshape(3, -1).T, found)


@pytest.mark.exhaustive(default=["EoNADE"])
@pytest.mark.parametrize("kind", [NADE, EoNADE])
def test_seasons_and_weekends_are_learned_from_dates(kind):
    rng, day = np.random.default_rng(0), np.arange(900)
    frame = pd.DataFrame(
        {"day": pd.Timestamp("2021-01-01") + pd.to_timedelta(day, "D")}
    )

    def expected(day):
        return np.cos(2 * np.pi * day / 365.25) + (day % 7 >= 5)

    frame["sold"] = expected(day) + rng.normal(0, 0.2, 900)
    own = kind(column_types="mixed", n_iter=30, random_state=0).fit(frame)
    for found in (own.sample(900, random_state=0), own.impute(frame.assign(sold=None))):
        known = expected((found["day"] - frame["day"][0]).dt.days)
        assert np.corrcoef(known, found["sold"].astype(float))[0, 1] > 0.9
    # Given other columns, days are drawn, and drawn days are of all years.
    warm = own.sample(300, random_state=0, conditions={"sold": slice(1.5, None)})
    assert (expected((warm["day"] - frame["day"][0]).dt.days) > 0.9).mean() > 0.9
    assert warm["day"].dt.year.nunique() == 3


def test_kinds_by_name_are_checked():
    with pytest.raises(ValueError, match="names 'other', but X has the columns"):
        NADE(3, {"other": "gaussian"}).fit(WIDE)
    with pytest.raises(ValueError, match="column_types must be .* 'numeric' and"):
        NADE(3, {"rooms": "real"}).fit(WIDE)
    with pytest.raises(ValueError, match="but X is no DataFrame"):
        NADE(3, {"rooms": "gaussian"}).fit(np.eye(3))


def test_frames_may_lack_columns():
    own = EoNADE(column_types="mixed", n_iter=2, random_state=0).fit(WIDE)
    part = WIDE[["town", "day"]].iloc[3:6]
    found = own.conditional_sample(part, n_samples=2, random_state=0)
    assert (found.dtypes == WIDE.dtypes).all()
    pd.testing.assert_index_equal(found.index, part.index.repeat(2))
    for name in part:
        assert (found[name] == part[name].loc[found.index]).all()
    assert list(own.impute(part).columns) == list(WIDE)
    polars = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    other = polars.DataFrame(WIDE.to_dict("list"))
    own.fit(other)
    found = own.conditional_sample(other.select("town").head(3), random_state=0)
    assert found.schema == other.schema
    with pytest.raises(ValueError, match="feature names should match"):
        own.impute(part.assign(street=1))
