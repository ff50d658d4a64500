"""Figures of gray rows, which are means over draws of their bits."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, MinMaxScaler

from skdgm import FVBN, VAE, BernoulliRBM, EoNADE, GaussianRBM
from skdgm.anomaly import DensityOutlierDetector
from skdgm.exceptions import DataRangeWarning
from skdgm.metrics import (
    average_over_draws,
    likelihood_bracket,
    likelihood_table,
    log_density,
)
from skdgm.metrics.bits import bit_columns, gray_columns
from skdgm.preprocessing import BernoulliBinarizer
from tests.metrics.models import MODELS, rows

rng = np.random.default_rng(0)
GRAY = rng.beta(0.4, 0.4, (40, 6)) * (rng.random((40, 6)) < 0.7)
BITS, LABELS = rows()
REAL = "real", "real-classifier", "dbn-regressor"


@pytest.fixture(scope="module")
def families():
    return {
        "rbm": BernoulliRBM(3, n_iter=5, random_state=0).fit(GRAY),
        "vae": VAE(2, (4,), n_iter=2, n_draws=20, random_state=0).fit(GRAY),
        "net": FVBN(n_iter=2, random_state=0).fit(GRAY),
        "ensemble": FVBN(
            n_orderings=2, ordering="random", n_iter=2, random_state=0
        ).fit(GRAY),
    }


def test_the_table_is_of_the_same_bits_for_all(families):
    table = likelihood_table(families, GRAY)
    for name, model in families.items():
        expected, se = average_over_draws(model, GRAY)
        assert table["nats"][name] == pytest.approx(expected.mean(), abs=1e-6)
        own = expected.std(ddof=1) / np.sqrt(len(expected))
        assert table["se_rows"][name] == pytest.approx(own, rel=1e-4)
        # Having ten draws only is part of what is uncertain.
        reach = 1.959964 * np.sqrt((se**2).sum()) / len(se)
        low = table["nats"][name] - table["lower"][name]
        assert low == pytest.approx(reach, rel=1e-3)
    assert list(table["kind"]) == ["exact", "lower bound", "exact", "estimate"]
    assert set(table["bit_draws"]) == {10}
    np.testing.assert_allclose(table["bits_per_dim"], -table["nats"] / (6 * np.log(2)))
    assert families["net"].density_kind_ == "estimate"


def test_draws_and_seeds_of_the_table(families):
    models = [families["rbm"], families["net"]]
    first, again, other, more = (
        likelihood_table(models, GRAY, **options)["nats"].to_numpy()
        for options in (
            {},
            {"random_state": 0},
            {"random_state": 1},
            {"n_bit_draws": 3},
        )
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
    assert (first != more).all()
    # A generator gives all the same bits, too: one model twice, one figure.
    state = np.random.RandomState(3)
    table = likelihood_table([models[1]] * 2, GRAY, random_state=state)
    assert table["nats"].nunique() == 1
    with pytest.raises(ValueError, match="n_bit_draws"):
        likelihood_table(models, GRAY, n_bit_draws=1)


def test_bits_are_taken_as_they_are(families):
    table = likelihood_table(families, BITS)
    assert set(table["bit_draws"]) == {0}
    assert table["nats"]["net"] == pytest.approx(families["net"].score(BITS))
    assert table["kind"]["net"] == "exact"


def test_the_bracket_of_gray_rows(families):
    rbm = families["rbm"]
    found = likelihood_bracket(rbm, GRAY, n_bit_draws=50)
    mean, se = average_over_draws(rbm, GRAY, n_draws=50)
    np.testing.assert_allclose(found.rows, mean)
    assert found.kind == "exact"
    assert found.se == pytest.approx(np.sqrt((se**2).sum()) / 40)
    assert found.lower < found.log_likelihood < found.upper


def test_the_bracket_is_printed_in_short(families):
    found = likelihood_bracket(families["rbm"], BITS)
    text = repr(found)
    assert len(text) < 300
    assert f"{found.log_likelihood:.3f} nats a row of 60, exact" in text


def test_steps_that_make_bits_are_left_to_it():
    pipe = make_pipeline(BernoulliBinarizer(), FVBN(n_iter=2, random_state=0))
    table = likelihood_table([pipe.fit(GRAY)], GRAY)
    assert list(table["bit_draws"]) == [0]
    assert table["nats"].iloc[0] == pytest.approx(pipe.score(GRAY))
    # Those that only scale do not.
    pipe = make_pipeline(MinMaxScaler(), FVBN(n_iter=2, random_state=0)).fit(GRAY)
    table = likelihood_table([pipe], GRAY)
    expected, _ = average_over_draws(pipe[-1], pipe[0].transform(GRAY))
    assert table["nats"].iloc[0] == pytest.approx(expected.mean())


def test_other_probabilities_are_not_compared():
    pipes = [
        make_pipeline(scaler, BernoulliRBM(2, n_iter=1, random_state=0)).fit(1 + GRAY)
        for scaler in (MinMaxScaler(), MaxAbsScaler())
    ]
    with pytest.raises(ValueError, match="Pipeline-1 and Pipeline-2.*other ones"):
        likelihood_table(pipes, 1 + GRAY)
    mixed = [
        FVBN(column_types=kinds, n_iter=2, random_state=0).fit(GRAY)
        for kinds in (("bernoulli",) + ("gaussian",) * 5, ("gaussian",) * 6)
    ]
    with pytest.raises(ValueError, match="FVBN-1 and FVBN-2"):
        likelihood_table(mixed, GRAY)


def nullable(X):
    """A frame of a nullable type, with a missing value."""
    frame = pd.DataFrame(X, columns=list("abcdef")).astype("Float64")
    frame.iloc[0, 0] = pd.NA
    return frame


def behind(X, *steps):
    """A model behind steps, fitted."""
    rbm = BernoulliRBM(2, n_iter=1, random_state=0)
    return make_pipeline(*steps, rbm).fit(X)


def test_frames_of_nullable_types_are_compared():
    frame, bits = nullable(GRAY), nullable(BITS)
    steps = [FunctionTransformer(lambda X, scale=s: X * scale) for s in (1, 1, 0.5)]
    one, two, other = (behind(frame, step) for step in steps)
    sparse = behind(frame, FunctionTransformer(to_sparse))
    for pair in ([one, two], [one, sparse]):
        nats = likelihood_table(pair, frame)["nats"]
        assert nats.iloc[0] == pytest.approx(nats.iloc[1], abs=1e-5)
    with pytest.raises(ValueError, match="other ones"):
        likelihood_table([one, other], frame)
    # Bits are what they are behind any step that binarizes.
    binary = behind(bits, BernoulliBinarizer())
    likelihood_table([one, binary], bits)
    with pytest.raises(ValueError, match="rows as given"):
        likelihood_table([one, binary], frame)


def to_sparse(frame):
    return sp.csr_array(frame.to_numpy(np.float64, na_value=np.nan))


def test_frames_with_names_are_not_binary():
    frame = pd.DataFrame(BITS, columns=list("abcdef")).assign(name="x")
    drop = FunctionTransformer(lambda X: X.drop(columns="name"))
    pipes = [behind(frame, drop), behind(frame, drop, BernoulliBinarizer())]
    with pytest.raises(ValueError, match="made binary in different ways"):
        likelihood_table(pipes, frame)


def test_only_columns_of_bits_are_drawn():
    frame = pd.DataFrame({"p": GRAY[:, 0], "x": GRAY[:, 1]})
    model = FVBN(column_types=("bernoulli", "gaussian"), n_iter=2, random_state=0)
    model.fit(frame)
    uniform = np.random.RandomState(0)
    found = []
    for _ in range(3):
        bits = frame.copy()
        p = frame["p"]
        drawn = (uniform.random_sample((40, 2))[:, 0] < p).astype(float)
        bits["p"] = drawn.where((p > 0) & (p < 1), p)
        found.append(model.score_samples(bits))
    mean, _ = average_over_draws(model, frame, n_draws=3)
    np.testing.assert_allclose(mean, np.mean(found, axis=0))
    table = likelihood_table([model], frame, n_bit_draws=3)
    assert table["nats"].iloc[0] == pytest.approx(mean.mean())


def test_sparse_rows_are_drawn_as_dense_ones(families):
    dense = average_over_draws(families["rbm"], GRAY)
    sparse = average_over_draws(families["rbm"], sp.csr_array(GRAY))
    np.testing.assert_allclose(sparse, dense)


def test_what_a_pipeline_gives_its_model_is_drawn(families):
    net = FrozenEstimator(families["net"])
    scaled, expected = 9 * GRAY, average_over_draws(families["net"], GRAY)
    pipe = make_pipeline(FunctionTransformer(lambda X: X / 9), net).fit(scaled)
    for given in (pipe, DensityOutlierDetector(FrozenEstimator(pipe)).fit(scaled)):
        found = average_over_draws(given, scaled)
        np.testing.assert_allclose(found, expected)
    # Real columns are none of bits, whatever their values.
    real = make_pipeline(MaxAbsScaler(), GaussianRBM(2, n_iter=2, random_state=0))
    real.fit(scaled)
    found, se = average_over_draws(real, scaled.tolist())
    np.testing.assert_allclose(found, log_density(real, scaled))
    assert not se.any()


def test_rounding_errors_of_scalers_are_no_values_outside(families):
    scaled = np.where(GRAY == 0, -1e-16, GRAY)
    scaled[0, 0] = 1 + 2.3e-16
    clipped = scaled.clip(0, 1)
    found = average_over_draws(families["net"], scaled)
    np.testing.assert_allclose(found, average_over_draws(families["net"], clipped))
    with pytest.raises(ValueError, match="must be probabilities"):
        average_over_draws(families["net"], scaled + 1e-5)


def test_lists_are_drawn_as_arrays(families):
    rbm, given = families["rbm"], GRAY.tolist()
    found = average_over_draws(rbm, given)
    np.testing.assert_array_equal(found, average_over_draws(rbm, GRAY))
    expected = likelihood_bracket(rbm, GRAY)[:3]
    assert likelihood_bracket(rbm, given)[:3] == expected
    assert likelihood_table([rbm], given).equals(likelihood_table([rbm], GRAY))


@pytest.mark.exhaustive(default=["rbm", "real", "dbn-"])
@pytest.mark.parametrize("name", MODELS)
def test_every_model_tells_its_columns_of_bits(name):
    model = MODELS[name].fit(BITS, LABELS)
    expected = [] if name in REAL else list(range(6))
    assert list(bit_columns(model)) == expected
    assert not len(gray_columns(BITS, bit_columns(model)))


BOUNDS = "rbm", "classifier", "dbm", "dbn"
EVERY = np.array([[(i >> k) & 1 for k in range(6)] for i in range(64)], float)
# How probable each row of bits is, for each gray row.
P = np.prod(np.where(EVERY[:, None], GRAY, 1 - GRAY), axis=2)


def loud(model):
    """A model with large weights, which bends."""
    model.fit(BITS, LABELS)
    draws = np.random.default_rng(1)
    for part in getattr(model, "layers_", [model]):
        if hasattr(part, "components_"):
            part.components_ = draws.normal(size=part.components_.shape)
        else:
            part.coefs_ = [draws.normal(size=W.shape) for W in part.coefs_]
        part._forget()
    model._forget()
    return model


@pytest.mark.parametrize("name", BOUNDS)
def test_gray_rows_have_a_bound_on_the_mean_over_bits(name):
    """By Jensen's inequality: log-likelihoods of bits are convex in them."""
    model = loud(MODELS[name])
    gray, error = model.score_samples(GRAY), 1e-6
    if hasattr(model, "importance_likelihood"):
        draws = {"n_draws": 1000, "return_se": True}
        of_bits, se = model.importance_likelihood(EVERY, **draws)
        gray, own = (
            model.likelihood_bound(GRAY, **draws) if name == "dbn" else (gray, 0)
        )
        error = 4 * np.hypot(own, se @ P)
    else:
        of_bits = model.score_samples(EVERY)
    gap = of_bits @ P - gray
    assert (gap > -error).all()
    assert gap.mean() > 0.02


def test_gray_rows_have_a_bound_by_autoencoders():
    vae = VAE(2, (4,), n_iter=1, random_state=0).fit(BITS)
    vae.coefs_ = [4 * W for W in vae.coefs_]
    # What is exact is found on a fine grid of latent values.
    z = np.linspace(-6, 6, 121)
    grid = np.stack(np.meshgrid(z, z), axis=-1).reshape(-1, 2)
    weight = np.exp(-0.5 * (grid**2).sum(axis=1))
    mean = vae.inverse_transform(grid)

    def log_p(v):
        log_odds = np.log(mean) @ v.T + np.log1p(-mean) @ (1 - v).T
        return np.log(weight @ np.exp(log_odds) / weight.sum())

    found, se = vae.importance_likelihood(GRAY, n_draws=2000, return_se=True)
    assert (np.abs(found - log_p(GRAY)) < 5 * se + 1e-3).all()
    gap = log_p(EVERY) @ P - log_p(GRAY)
    assert gap.min() > -1e-9
    assert gap.mean() > 0.002


def test_gray_rows_of_autoregressive_models_are_warned_of(families):
    net = families["net"]
    for method in (net.score_samples, net.score, net.score_features):
        with pytest.warns(DataRangeWarning, match="average_over_draws") as told:
            method(GRAY)
        assert len(told) == 1
        assert told[0].filename == __file__


def test_gray_rows_given_all_others_are_warned_of():
    net = EoNADE((3,), n_iter=1, random_state=0).fit(BITS)
    with pytest.warns(DataRangeWarning, match="average_over_draws"):
        net.score_features(GRAY, given="others")


@pytest.mark.filterwarnings("error")
def test_bits_are_not_warned_of():
    net = FVBN(n_iter=2, random_state=0).fit(BITS)
    net.score(BITS)
    assert net.density_kind_ == "exact"
    net.partial_fit(GRAY)
    assert net.density_kind_ == "estimate"
    net.partial_fit(BITS)
    assert net.density_kind_ == "estimate"
    assert net.fit(BITS).density_kind_ == "exact"
    mixed = FVBN(column_types=("bernoulli", "gaussian"), n_iter=2, random_state=0)
    assert mixed.fit(GRAY[:, :2]).density_kind_ == "estimate"
    half = np.column_stack([BITS[:40, 0], GRAY[:, 0]])
    assert mixed.fit(half).density_kind_ == "exact"
    mixed.score(half)


def test_a_single_estimator_is_named():
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(BITS)
    for single in (rbm, make_pipeline(MinMaxScaler(), rbm), 3):
        with pytest.raises(TypeError, match="a list or a dict .*in a list"):
            likelihood_table(single, BITS)


def test_lists_of_different_lengths_are_named():
    model = BernoulliRBM(2, n_iter=0).fit(GRAY)
    with pytest.raises(ValueError, match="rows of 1 and of 2 values"):
        average_over_draws(model, [[1, 0], [1]])
