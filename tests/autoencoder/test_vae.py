import warnings
from copy import copy

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

from skdgm import VAE
from skdgm.autoencoder._bound import VariationalBound
from skdgm.data.inputs import tabulate
from skdgm.exceptions import CollapseWarning, DivergenceError
from skdgm.utils.random import stream
from tests.numerical import arrays, assert_means, effort
from tests.options import assign, grouped

DIGITS, LABELS = (part[:300] for part in load_digits(return_X_y=True))
DIGITS = DIGITS / 16
SMALL = DIGITS[:60, 10:30]


def vae_of(n_components=3, **options):
    defaults = {
        "hidden_layer_sizes": 12,
        "learning_rate": 0.01,
        "batch_size": 20,
        "n_iter": 4,
        "random_state": 0,
    }
    return grouped(VAE, n_components, **{**defaults, **options})


def codes(n=400, seed=0):
    """Independent columns of 2, 3 and 4 categories."""
    rng = np.random.default_rng(seed)
    shares = [[0.3, 0.7], [0.2, 0.5, 0.3], [0.1, 0.2, 0.3, 0.4]]
    columns = [rng.choice(len(p), n, p=p) for p in shares]
    return np.stack(columns, axis=1).astype(float)


def assert_same(a, b, **tolerance):
    for one, other in zip(arrays(a.density_.net), arrays(b.density_.net), strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


@pytest.fixture
def betas(monkeypatch):
    """What beta was at each step."""
    seen, original = [], VariationalBound.beta

    def spy(self, clock):
        seen.append(original(self, clock))
        return seen[-1]

    monkeypatch.setattr(VariationalBound, "beta", spy)
    return seen


RISING = [2 * min(1, step / 9) for step in range(15)]


def test_beta_rises_while_learning_warms_up(betas):
    vae_of(beta=2, warm_up=3, n_iter=5).fit(SMALL)
    np.testing.assert_allclose(betas, RISING)


def test_beta_rises_from_one_call_to_the_next(betas):
    vae = vae_of(beta=2, warm_up=3)
    for _ in range(5):
        vae.partial_fit(SMALL)
    np.testing.assert_allclose(betas, RISING)


def test_beta_rises_on_when_fit_goes_on(betas):
    vae = vae_of(beta=2, warm_up=3, n_iter=2, warm_start=True).fit(SMALL)
    vae.set_params(n_iter=3).fit(SMALL)
    np.testing.assert_allclose(betas, RISING)


def test_without_warming_up_beta_is_what_it_is(betas):
    vae_of(beta=0.5, n_iter=1).fit(SMALL)
    assert betas == [0.5] * 3


@pytest.mark.exhaustive
def test_beta_counts_what_latent_units_cost():
    kl = [
        vae_of(beta=beta, n_iter=30).fit(DIGITS).elbo(DIGITS).kl.mean()
        for beta in (0.1, 1, 4)
    ]
    assert kl[0] > kl[1] + 1 > kl[2] + 2


@pytest.mark.parametrize("value", [-1, 0.5, 2.25])
@pytest.mark.parametrize("fitted", [False, True])
def test_what_is_no_code_is_named(value, fitted):
    X = codes()
    vae = vae_of(column_types="categorical", n_iter=0)
    use = vae.fit(X).score_samples if fitted else vae.fit
    X[7, 1] = value
    with pytest.raises(ValueError, match=f"value {value:g} of column 1"):
        use(X)


@pytest.mark.parametrize("method", ["score_samples", "transform", "partial_fit"])
def test_a_category_that_was_never_seen_is_named(method):
    X = codes()
    vae = vae_of(column_types="categorical", n_iter=1).fit(X)
    X[5, 0] = 2
    with pytest.raises(ValueError, match="value 2 of column 0"):
        getattr(vae, method)(X)


@pytest.mark.exhaustive(default=["room2"])
@pytest.mark.parametrize("room", [5, [3, 4, 5], [3, 1, 1]])
def test_min_categories_make_room(room):
    X = codes()
    vae = vae_of(column_types="categorical", n_iter=2, min_categories=room).fit(X)
    sizes = np.maximum(np.broadcast_to(room, 3), [2, 3, 4])
    assert vae.coefs_[0].shape[0] == vae.coefs_[-1].shape[1] == sizes.sum()
    scores = vae.score_samples(X)
    new = np.where(np.arange(3) == 0, 2.0, X)
    assert (vae.score_samples(new) < scores - 1).all()
    n_before = vae.n_iter_
    assert vae.partial_fit(new).n_iter_ == n_before + 1
    with pytest.raises(ValueError, match="column 0"):
        vae.score_samples(np.where(np.arange(3) == 0, float(sizes[0]), X))


def test_there_is_a_min_categories_for_each_column():
    with pytest.raises(ValueError, match="min_categories has 2 values.*3 columns"):
        vae_of(column_types="categorical", min_categories=[3, 4]).fit(codes())


@pytest.mark.parametrize("method", ["mean", "sample"])
@pytest.mark.parametrize("sampler", ["importance", "metropolis", "gibbs"])
def test_imputed_codes_are_codes(method, sampler):
    X = codes(200)
    vae = vae_of(column_types="categorical").fit(X)
    holes = np.random.default_rng(1).random(X.shape) < 0.5
    options = effort(sampler, 5) | {"method": method, "random_state": 0}
    filled = vae.impute(np.where(holes, np.nan, X), **options)
    np.testing.assert_array_equal(filled[~holes], X[~holes])
    assert (filled == np.floor(filled)).all()
    assert ((filled >= 0) & (filled < [2, 3, 4])).all()
    if method == "sample":
        for j, n in enumerate([2, 3, 4]):
            assert len(np.unique(filled[holes[:, j], j])) == n


@pytest.mark.exhaustive
def test_the_most_probable_codes_are_filled_in():
    vae = vae_of(column_types="categorical", n_iter=20).fit(codes())
    filled = vae.impute(np.full((3, 3), np.nan))
    np.testing.assert_array_equal(filled, np.tile([1, 1, 3], (3, 1)))


@pytest.mark.exhaustive
def test_codes_are_as_frequent_in_samples_as_in_data():
    X = codes(2000)
    # A latent unit that costs a hundredfold says nothing of columns.
    vae = vae_of(1, column_types="categorical", n_iter=30, beta=100, batch_size=100)
    vae.fit(X)
    rows = vae.sample(4000, random_state=0)
    for drawn, seen, n in zip(rows.T, X.T, (2, 3, 4)):
        indicators = [np.eye(n)[part.astype(int)] for part in (drawn, seen)]
        shares = [part.mean(axis=0) for part in indicators]
        error = np.sqrt(sum(p * (1 - p) / 2000 for p in shares))
        assert (abs(shares[0] - shares[1]) < 4 * error).all()


@pytest.mark.parametrize(
    "option, value",
    [
        ("n_components", 4),
        ("n_components", (3, 2)),
        ("hidden_layer_sizes", 13),
        ("activation", "relu"),
        ("column_types", "gaussian"),
        ("batch_norm", True),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_nets_do_not_change_while_they_learn(option, value, method):
    vae = vae_of(warm_start=True).fit(SMALL)
    before, known = vae.transform(SMALL), vae.get_params()
    vae.set_params(**{option: value})
    if isinstance(value, tuple):
        vae.set_params(hidden_layer_sizes=(12, 12))
    with pytest.raises(ValueError, match=f"{option}.* changed since"):
        getattr(vae, method)(SMALL)
    np.testing.assert_array_equal(
        copy(vae).set_params(**known).transform(SMALL), before
    )
    vae.set_params(warm_start=False).fit(SMALL)
    assert vae.n_iter_ == 4


def test_the_kind_of_variance_does_not_change_but_a_number_may():
    vae = vae_of(column_types="gaussian", variance=0.5).fit(SMALL)
    assert assign(vae, variance=0.2).partial_fit(SMALL).n_iter_ == 5
    with pytest.raises(ValueError, match="variance changed since"):
        assign(vae, variance="feature").partial_fit(SMALL)


@pytest.mark.parametrize(
    "option, value",
    [
        ("n_components", ()),
        ("n_components", (3, 0)),
        ("n_components", (3, 2.5)),
        ("n_components", 0),
        ("hidden_layer_sizes", (3, -1)),
        ("hidden_layer_sizes", (3.5,)),
        ("hidden_layer_sizes", ((3,), (4,))),
        ("hidden_layer_sizes", 0),
    ],
)
def test_sizes_are_counted(option, value):
    with pytest.raises(ValueError, match=option):
        vae_of(**{option: value}).fit(SMALL)


@pytest.mark.parametrize("sizes", [(8, 6, 5), ((8,), (6,), (5,)), (8,), ()])
def test_there_are_hidden_layers_for_each_latent_one(sizes):
    with pytest.raises(ValueError, match="hidden_layer_sizes must have one tuple"):
        vae_of((3, 2), hidden_layer_sizes=sizes).fit(SMALL)


@pytest.mark.parametrize(
    "latent, hidden, shapes",
    [
        (3, (), [(20, 6), (3, 20)]),
        (3, 8, [(20, 8), (8, 6), (3, 8), (8, 20)]),
        (3, (8, 5), [(20, 8), (8, 5), (5, 6), (3, 5), (5, 8), (8, 20)]),
        (
            (3, 2),
            ((8, 5), ()),
            [(20, 8), (8, 5), (5, 6), (3, 4), (3, 5), (5, 8), (8, 20), (2, 6)],
        ),
    ],
)
def test_decoders_mirror_encoders(latent, hidden, shapes):
    vae = vae_of(latent, hidden_layer_sizes=hidden, n_iter=1).fit(SMALL)
    assert [W.shape for W in vae.coefs_] == shapes
    assert [b.shape for b in vae.intercepts_] == [shape[1:] for shape in shapes]
    assert vae.latent_variances_.shape == (np.sum(latent),)
    assert vae.transform(SMALL).shape == (60, np.ravel(latent)[-1])


def test_what_diverges_stays_finite():
    vae = vae_of(solver="sgd", learning_rate=1e6)
    with pytest.raises(DivergenceError, match="Lower learning_rate"):
        vae.fit(DIGITS)
    assert all(np.isfinite(W).all() for W in vae.coefs_ + vae.intercepts_)
    assert np.isfinite(vae.score(DIGITS))


def test_what_diverges_keeps_what_was_good():
    vae = vae_of(solver="sgd", learning_rate=0.001).fit(DIGITS)
    before = vae.score_samples(DIGITS)
    vae.set_params(learning_rate=1e6)
    with pytest.raises(DivergenceError, match="after 0 of 1 epochs"):
        vae.partial_fit(DIGITS)
    np.testing.assert_array_equal(vae.score_samples(DIGITS), before)
    assert vae.n_iter_ == 4


def test_a_collapse_is_told():
    with pytest.warns(CollapseWarning, match="posterior of VAE collapsed"):
        vae = vae_of(beta=1000, n_iter=8).fit(DIGITS)
    assert not vae.active_units(DIGITS).any()
    assert (vae.latent_variances_ < 0.01).all()


@pytest.mark.parametrize("what", ["coins", "learned"])
def test_no_collapse_is_told_where_there_is_none(what):
    coins = np.random.default_rng(0).integers(0, 2, (500, 10)).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if what == "coins":
            vae = vae_of(beta=1000, n_iter=8).fit(coins)
            assert (vae.latent_variances_ < 0.01).all()
        else:
            vae_of(n_iter=8).fit(DIGITS)


def test_a_warm_start_goes_on():
    vae = vae_of(warm_start=True, n_iter=3).fit(SMALL)
    first, losses = vae.coefs_[0].copy(), list(vae.loss_curve_)
    vae.set_params(n_iter=2).fit(SMALL)
    assert vae.n_iter_ == len(vae.loss_curve_) == 5
    assert vae.loss_curve_[:3] == losses
    assert 0 < abs(vae.coefs_[0] - first).max() < 0.2
    vae.set_params(warm_start=False).fit(SMALL)
    assert vae.n_iter_ == len(vae.loss_curve_) == 2


def test_epochs_are_the_same_one_by_one_and_at_once():
    whole = vae_of(schedule="constant", n_iter=3).fit(SMALL)
    parts = vae_of()
    for _ in range(3):
        parts.partial_fit(SMALL)
    assert_same(whole, parts)
    assert whole.loss_curve_ == parts.loss_curve_


@pytest.mark.exhaustive(default=["sgd-adam", "rmsprop-sgd"])
@pytest.mark.parametrize("after", ["sgd", "rmsprop", "adam"])
@pytest.mark.parametrize("before", ["sgd", "rmsprop", "adam"])
def test_a_solver_may_follow_another(before, after):
    rates = {"sgd": 0.001, "rmsprop": 0.005, "adam": 0.01}
    vae = vae_of(solver=before, learning_rate=rates[before]).fit(DIGITS)
    vae.set_params(solver=after, learning_rate=rates[after], warm_start=True)
    vae.fit(DIGITS)
    assert vae.n_iter_ == 8
    assert vae.loss_curve_[-1] < vae.loss_curve_[3]


@pytest.mark.parametrize("clip_norm", [None, 1.0])
@pytest.mark.parametrize("solver, rate", [("sgd", 0.003), ("rmsprop", 0.003)])
def test_solvers_learn(solver, rate, clip_norm):
    vae = vae_of(solver=solver, learning_rate=rate, clip_norm=clip_norm)
    losses = vae.set_params(n_iter=8).fit(DIGITS).loss_curve_
    assert losses[-1] < losses[0] - 0.3


def test_gradients_are_cut_short():
    options = {"solver": "sgd", "momentum": 0, "learning_rate": 1.0}
    options |= {"schedule": "constant", "batch_size": 1000, "clip_norm": 0.01}
    before, after = (vae_of(**options, n_iter=n).fit(SMALL) for n in (0, 1))
    steps = [
        a - b
        for a, b in zip(
            before.coefs_ + before.intercepts_, after.coefs_ + after.intercepts_
        )
    ]
    length = np.sqrt(sum((step**2).sum() for step in steps))
    assert length == pytest.approx(0.01, rel=1e-6)


@pytest.mark.exhaustive
def test_the_search_for_parameters_goes_by_the_bound():
    search = GridSearchCV(vae_of(n_iter=5), {"n_components": [1, 4]}, cv=3)
    search.fit(DIGITS)
    expected = []
    for n_components in (1, 4):
        own = []
        for train, test in KFold(3).split(DIGITS):
            vae = vae_of(n_components, n_iter=5).fit(DIGITS[train])
            own.append(vae.score_samples(DIGITS[test]).mean())
        expected.append(np.mean(own))
    found = search.cv_results_["mean_test_score"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert search.best_score_ == pytest.approx(max(expected))


def test_latent_units_tell_digits_apart():
    vae = vae_of(8, hidden_layer_sizes=32, n_iter=20)
    pipeline = make_pipeline(vae, LogisticRegression(max_iter=500))
    pipeline.fit(DIGITS[:200], LABELS[:200])
    assert pipeline.score(DIGITS[200:], LABELS[200:]) > 0.6
    assert vae.active_units(DIGITS).all()
    variance = vae.transform(DIGITS).var(axis=0)
    found = vae.active_units(DIGITS, threshold=np.median(variance))
    np.testing.assert_array_equal(found, variance > np.median(variance))


def test_a_batch_may_be_larger_than_the_data():
    vae, other = (vae_of(batch_size=n).fit(SMALL) for n in (10**6, 60))
    assert_same(vae, other)
    assert vae.n_iter_ == 4


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"column_types": "gaussian"},
        {"column_types": "gaussian", "variance": "sample"},
        {"column_types": "categorical"},
        {"batch_norm": True},
        {"early_stopping": True},
        {"objective": "iwae"},
    ],
    ids=str,
)
def test_one_row_is_enough(options):
    row = np.floor(SMALL[:1])
    vae = vae_of(**options).fit(row)
    for found in (vae.score_samples(row), vae.transform(row), vae.sample(3)):
        assert np.isfinite(found).all()
    assert vae.n_iter_ == 4


def test_early_stopping_keeps_the_best_epoch():
    # The learning rate is so high that learning soon does harm.
    options = {"early_stopping": True, "n_iter_no_change": 3, "tol": 0.01}
    options |= {"validation_fraction": 0.3, "schedule": "constant"}
    options |= {"hidden_layer_sizes": 100, "batch_size": 10}
    vae = vae_of(8, **options, n_iter=60, learning_rate=0.02).fit(DIGITS[:90])
    curve = np.array(vae.validation_curve_)
    best = curve.argmin() + 1
    assert 1 < best < vae.n_iter_ == len(curve) < 60
    shorter = vae_of(8, **options, n_iter=int(best), learning_rate=0.02)
    shorter.fit(DIGITS[:90])
    np.testing.assert_array_equal(shorter.validation_curve_, curve[:best])
    assert_same(vae, shorter)


@pytest.mark.parametrize("decoder", ["bernoulli", "gaussian", "categorical"])
@pytest.mark.parametrize("deep", [False, True])
def test_samples_have_a_seed(decoder, deep):
    sizes = {"n_components": (3, 2), "hidden_layer_sizes": (8, 8)} if deep else {}
    vae = vae_of(**sizes, column_types=decoder).fit(np.round(SMALL))
    one, two, other = (vae.sample(20, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    assert len(np.unique(one, axis=0)) > 10
    fewer = vae.sample(7, random_state=0)
    np.testing.assert_allclose(fewer, one[:7], rtol=1e-9)


def test_draws_are_of_weights_and_steps_of_chains():
    vae = vae_of(column_types="bernoulli").fit(SMALL)
    X = np.where(np.eye(*SMALL.shape) == 1, np.nan, SMALL)
    for how in effort("importance", 100), effort("metropolis", 100):
        np.testing.assert_array_equal(
            vae.impute(X, **how), vae.impute(X, sampler=how["sampler"])
        )
    with pytest.raises(ValueError, match="pass n_draws=50"):
        vae.impute(X, n_steps=50)
    with pytest.raises(ValueError, match="pass n_steps=50"):
        vae.impute(X, sampler="gibbs", n_draws=50)


@pytest.mark.parametrize("sampler", ["importance", "metropolis", "gibbs"])
@pytest.mark.parametrize("decoder", ["bernoulli", "gaussian"])
def test_what_is_known_is_kept(decoder, sampler):
    vae = vae_of(column_types=decoder).fit(SMALL)
    holes = np.random.default_rng(0).random(SMALL.shape) < 0.3
    X = np.where(holes, np.nan, SMALL)
    given = X, effort(sampler, 5)

    def fill(**options):
        found = vae.impute(given[0], **given[1], **options)
        np.testing.assert_array_equal(found[~holes], SMALL[~holes])
        assert np.isfinite(found).all()
        return found

    np.testing.assert_array_equal(fill(random_state=0), fill(random_state=1))
    drawn = [fill(method="sample", random_state=seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()
    if decoder == "bernoulli":
        assert set(drawn[0][holes]) == {0, 1}
        assert ((fill()[holes] > 0) & (fill()[holes] < 1)).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"sampler": "nuts"}, "sampler must be 'importance'"),
        ({"method": "mode"}, "method"),
        ({"n_steps": 0}, "n_steps"),
    ],
)
def test_ways_of_filling_are_checked(options, message):
    vae = vae_of(n_iter=0).fit(SMALL)
    X = np.where(SMALL > 0.5, np.nan, SMALL)
    with pytest.raises(ValueError, match=message):
        vae.impute(X, **options)


@pytest.mark.parametrize("width", [2, 4])
def test_latent_units_are_counted(width):
    vae = vae_of(n_iter=0).fit(SMALL)
    with pytest.raises(ValueError, match=f"H has {width} columns.*3 features"):
        vae.inverse_transform(np.zeros((5, width)))
    deep = vae_of((4, 3), hidden_layer_sizes=(5, 5), n_iter=0).fit(SMALL)
    with pytest.raises(ValueError, match="3 features"):
        deep.inverse_transform(np.zeros((5, width)))


def test_gray_values_are_drawn_as_bits():
    X = np.where(np.random.default_rng(0).random(SMALL.shape) < 0.2, np.nan, SMALL)
    gray, bits = (
        vae_of(resample=resample, n_iter=20).fit(X) for resample in (False, True)
    )
    assert bits.loss_curve_[-1] < bits.loss_curve_[0]
    assert abs(gray.coefs_[0] - bits.coefs_[0]).max() > 0.01
    assert np.isfinite(bits.score_samples(X)).all()
    # Of bits there is nothing to be drawn.
    whole = np.round(X)
    assert_same(*(vae_of(resample=resample).fit(whole) for resample in (False, True)))


def test_drawn_bits_have_the_gray_values_for_means():
    vae = vae_of(n_iter=0).fit(SMALL)
    gray = np.tile([0.1, 0.5, 0.8, np.nan, 0, 1], (3000, 1))
    drawn = vae.density_.output.resampled(gray, stream(0).rows(3000))
    assert set(np.unique(drawn[:, [0, 1, 2, 4, 5]])) == {0, 1}
    assert_means(drawn[:, [0, 1, 2, 4, 5]], [0.1, 0.5, 0.8, 0, 1])
    assert np.isnan(drawn[:, 3]).all()


def test_scores_are_the_same_each_time():
    vae = vae_of(batch_norm=True, dropout=0.3).fit(DIGITS)
    scores = vae.score_samples(DIGITS)
    np.testing.assert_array_equal(vae.score_samples(DIGITS), scores)
    np.testing.assert_allclose(vae.score_samples(DIGITS[3:9]), scores[3:9], rtol=1e-9)
    assert vae.loss_curve_[-1] < vae.loss_curve_[0]


@pytest.mark.exhaustive(default=["bernoulli"])
@pytest.mark.parametrize("decoder", ["bernoulli", "gaussian", "categorical"])
def test_it_does_not_matter_how_data_are_kept(decoder, tmp_path):
    X = (np.round(3 * SMALL) / (1 if decoder == "categorical" else 3)).astype("f4")
    mapped = np.memmap(tmp_path / "X", np.float32, "w+", shape=X.shape)
    mapped[...] = X
    vae = vae_of(column_types=decoder).fit(X)
    assert vae.coefs_[0].dtype == np.float32
    for other in (mapped, sp.csr_matrix(X), sp.csr_array(X)):
        again = vae_of(column_types=decoder).fit(other)
        assert_same(vae, again, rtol=0)
        np.testing.assert_array_equal(again.score_samples(other), vae.score_samples(X))
        np.testing.assert_array_equal(again.transform(other), vae.transform(X))


def test_a_number_of_epochs_makes_for_enough_updates():
    vae = VAE(2, 3, batch_size=1000, random_state=0)
    assert vae.fit(SMALL[:, :3]).n_iter_ == 360


def test_there_are_not_more_epochs_than_needed():
    vae, X = VAE(2, 3, batch_size=1), SMALL[:, :3]
    for n_rows, n_epochs in ((20, 120), (50, 90), (61, 74), (1000, 20)):
        rows = np.tile(X, (17, 1))[:n_rows]
        table = tabulate(vae._domain.rows(vae, rows, reset=True), None)
        assert vae._n_epochs(table) == n_epochs
    assert vae.set_params(n_iter=7)._n_epochs(table) == 7


@pytest.mark.parametrize("decoder", ["bernoulli", "gaussian", "categorical"])
def test_what_is_of_one_decoder_is_nothing_to_others(decoder):
    X = np.round(SMALL)
    vae = vae_of(column_types=decoder).fit(X)
    options = {
        "bernoulli": {"resample": True},
        "gaussian": {"variance": "sample", "min_variance": 0.5},
        "categorical": {"min_categories": 7},
    }
    for other, own in options.items():
        if other != decoder:
            assert_same(vae_of(column_types=decoder, **own).fit(X), vae)


def test_only_weights_are_penalized():
    options = {"solver": "sgd", "momentum": 0, "schedule": "constant"}
    options |= {"batch_size": 1000, "column_types": "gaussian", "learning_rate": 1e-3}
    start, plain, drawn = (
        vae_of(**options, n_iter=n, alpha=alpha).fit(SMALL)
        for n, alpha in ((0, 0.0), (1, 0.0), (1, 600.0))
    )
    for W, one, other in zip(start.coefs_, plain.coefs_, drawn.coefs_):
        np.testing.assert_allclose(one - other, 1e-3 * 600 / 60 * W, atol=1e-9)
    for one, other in zip(plain.intercepts_, drawn.intercepts_):
        np.testing.assert_array_equal(one, other)
    own = [vae._training.params.dispersion for vae in (start, plain, drawn)]
    assert (own[0] != own[1]).all()
    np.testing.assert_array_equal(own[1], own[2])


@pytest.mark.parametrize(
    "options, n_each",
    [
        ({}, 1),
        ({"objective": "iwae"}, 5),
        ({"n_importance": 3}, 3),
        ({"objective": "iwae", "n_importance": 2}, 2),
    ],
)
def test_draws_for_each_row_in_learning(options, n_each):
    vae = vae_of(n_iter=0, **options).fit(SMALL)
    objective = vae._objective(tabulate(vae._rows(SMALL), None), 0)
    assert objective.n_each == n_each


def test_outputs_begin_with_what_is_frequent():
    p = (SMALL.sum(axis=0) + 1) / 62
    vae = vae_of(n_iter=0).fit(SMALL)
    np.testing.assert_allclose(vae.intercepts_[-1], np.log(p / (1 - p)))
    np.testing.assert_allclose(vae.inverse_transform(np.zeros((1, 3)))[0], p)
    X = codes()
    vae = vae_of(n_iter=0, column_types="categorical").fit(X)
    expected = [
        (np.bincount(x.astype(int)) + 1) / (400 + n) for x, n in zip(X.T, (2, 3, 4))
    ]
    found = np.exp(vae.intercepts_[-1])
    np.testing.assert_allclose(found, np.concatenate(expected))


def test_linear_outputs_begin_by_glorots_rule():
    vae = vae_of(50, hidden_layer_sizes=400, init_weights="he_normal", n_iter=0).fit(
        DIGITS
    )
    up, latent, down, out = vae.coefs_
    assert (latent[:, 50:] == 0).all()
    for W, variance in (
        (up, 2 / 64),
        (latent[:, :50], 2 / (400 + 100)),
        (down, 2 / 50),
        (out, 2 / (400 + 64)),
    ):
        error = np.sqrt(2 / W.size)
        assert abs(W.var() / variance - 1) < 4 * error
