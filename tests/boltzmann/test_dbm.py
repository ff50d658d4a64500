"""DBM: what it computes is what enumeration says, and it learns."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skdgm import DBM
from skdgm.boltzmann.learning.pretraining import PairObjective
from skdgm.boltzmann.learning.state import InitialData
from skdgm.boltzmann.structure.deep import options_of_pairs
from skdgm.distributions import Bernoulli
from skdgm.energies import Params, layered
from skdgm.exceptions import DivergenceError
from skdgm.options import PCD, Penalty, Pretraining
from skdgm.partition import exact
from skdgm.training import canonical
from skdgm.utils.rows import Rows
from tests.boltzmann.pairs import pretrained
from tests.boltzmann.test_bernoulli_rbm import noisy_patterns
from tests.options import assign, grouped
from tests.reference import Enumeration, standard_error

SHAPES = [(3,), (3, 2), (2, 3, 2)]
STATES = np.array(list(product([0.0, 1.0], repeat=4)))
RNG = np.random.default_rng(0)


def random_dbm(sizes, scale=1.0, seed=0, **options):
    """An estimator with random parameters, and all states of its model."""
    rng = np.random.default_rng(seed)
    dbm = grouped(DBM, sizes, n_iter=0, random_state=0, **options)
    dbm.fit((rng.random((40, 4)) < 0.5).astype(float))
    dbm.coefs_ = [scale * rng.normal(size=W.shape) for W in dbm.coefs_]
    dbm.intercepts_ = [rng.normal(size=b.shape) for b in dbm.intercepts_]
    return dbm, enumerated(dbm)


def enumerated(dbm):
    layers = [[len(bias)] for bias in dbm.intercepts_]
    return Enumeration(layers, Params(tuple(dbm.intercepts_), tuple(dbm.coefs_)))


@pytest.fixture(params=SHAPES, ids=str)
def machine(request):
    return random_dbm(request.param)


def exact_scores(truth, rows=STATES):
    return np.array([truth.log_prob({0: v}) for v in rows])


def holed(rows):
    return np.where(RNG.random(rows.shape) < 0.4, np.nan, rows)


def test_scores_are_below_the_likelihood(machine):
    dbm, truth = machine
    assert dbm.density_kind_ == "lower bound"
    assert dbm.log_Z_ == pytest.approx(truth.log_Z)
    assert dbm.log_Z_se_ == 0
    for rows in (STATES, holed(STATES)):
        scores = dbm.score_samples(rows)
        assert (scores <= exact_scores(truth, rows) + 1e-9).all()
        np.testing.assert_allclose(scores, -dbm.free_energy(rows) - dbm.log_Z_)
    if len(dbm.coefs_) == 1:
        np.testing.assert_allclose(dbm.score_samples(STATES), exact_scores(truth))


def test_scores_are_exact_where_the_posterior_factorizes(machine):
    dbm, _ = machine
    for number in range(1, len(dbm.coefs_)):
        dbm.coefs_[number] = 0 * dbm.coefs_[number]
    dbm._forget()
    np.testing.assert_allclose(dbm.score_samples(STATES), exact_scores(enumerated(dbm)))


def test_importance_sampling_closes_the_gap(machine):
    dbm, truth = machine
    expected = exact_scores(truth)
    found, se = dbm.importance_likelihood(STATES, n_draws=1500, return_se=True)
    assert (abs(found - expected) <= 4.5 * se + 1e-9).all()
    assert se.max() < 0.05
    few = dbm.importance_likelihood(STATES, n_draws=10)
    np.testing.assert_array_equal(few, dbm.importance_likelihood(STATES, n_draws=10))
    with pytest.raises(ValueError, match="missing"):
        dbm.importance_likelihood(holed(STATES))
    with pytest.raises(ValueError, match="n_draws"):
        dbm.importance_likelihood(STATES, n_draws=0)


@pytest.mark.filterwarnings("ignore:.*means of the data")  # Weights by hand.
@pytest.mark.parametrize("sizes", [(3, 2), (2, 3, 2)])
def test_estimated_log_Z_is_within_its_error(sizes, monkeypatch):
    dbm, truth = random_dbm(sizes)
    monkeypatch.setattr(exact, "MAX_BITS", 1)
    dbm._forget()
    assert dbm.density_kind_ == "estimate"
    assert 0 < dbm.log_Z_se_ < 0.2
    assert abs(dbm.log_Z_ - truth.log_Z) < 4 * dbm.log_Z_se_


def test_features_are_a_fixed_point(machine):
    dbm, _ = machine
    dbm.set_params(feature_layer="all", inference_steps=1000, inference_tol=1e-10)
    sizes = [len(bias) for bias in dbm.intercepts_[1:]]
    means = dbm.transform(STATES)
    assert means.shape == (16, sum(sizes))
    layers = [STATES, *np.split(means, np.cumsum(sizes)[:-1], axis=1)]
    for number in range(1, len(layers)):
        field = dbm.intercepts_[number] + layers[number - 1] @ dbm.coefs_[number - 1]
        if number + 1 < len(layers):
            field = field + layers[number + 1] @ dbm.coefs_[number].T
        np.testing.assert_allclose(layers[number], expit(field), atol=1e-8)
    for layer, part in enumerate(layers[1:]):
        for name in (layer, layer - len(sizes)):
            dbm.set_params(feature_layer=name)
            np.testing.assert_array_equal(dbm.transform(STATES), part)
    assert len(dbm.get_feature_names_out()) == sizes[-1]


def test_the_way_back(machine):
    dbm, _ = machine
    dbm.set_params(feature_layer="all", inference_steps=1000, inference_tol=1e-10)
    H = (RNG.random((6, dbm.transform(STATES).shape[1])) < 0.5).astype(float)
    first = H[:, : len(dbm.intercepts_[1])]
    v = expit(dbm.intercepts_[0] + first @ dbm.coefs_[0].T)
    np.testing.assert_allclose(dbm.inverse_transform(H), v)
    with pytest.raises(ValueError, match="feature_layer='all'"):
        dbm.inverse_transform(H[:, 1:])
    # From the last layer alone: means of what is between are found on the way.
    dbm.set_params(feature_layer=-1)
    top = H[:, -len(dbm.intercepts_[-1]) :]
    back = dbm.inverse_transform(top)
    assert back.shape == (6, 4)
    assert ((back > 0) & (back < 1)).all()
    if len(dbm.coefs_) == 1:
        np.testing.assert_allclose(back, v)


@pytest.mark.exhaustive(default=["(3, 2)-noise", "(2, 3, 2)-chains", "(3,)-init2"])
@pytest.mark.parametrize("init", ["chains", "noise", STATES])
def test_samples_follow_the_model(machine, init):
    dbm, truth = machine
    sample = dbm.sample(8000, random_state=0, init=init, n_steps=60)
    mean = truth.mean(0)
    error = 4.5 * standard_error(mean, len(sample))
    assert (abs(sample.mean(axis=0) - mean) < error).all()
    pairs = (truth.p[:, None] * truth.x[0]).T @ truth.x[0]
    error = 4.5 * standard_error(pairs, len(sample))
    assert (abs(sample.T @ sample / len(sample) - pairs) <= error + 1e-12).all()


@pytest.mark.exhaustive(default=["(3, 2)"])
def test_imputed_means_are_conditional_means(machine):
    dbm, truth = machine
    rows = holed(STATES)
    expected = np.array([truth.mean(0, {0: v}) for v in rows])
    filled = dbm.impute(rows, n_steps=4000)
    np.testing.assert_allclose(filled, expected, atol=0.06)
    np.testing.assert_array_equal(filled[~np.isnan(rows)], rows[~np.isnan(rows)])


def test_pairs_are_put_into_their_places():
    sizes, rng = (4, 3, 2, 3), np.random.default_rng(0)
    energy = layered([[Bernoulli(n)] for n in sizes])
    table = canonical(Rows(STATES, np.float64, complete=True))
    asked = DBM(sizes[1:], pretrain=Pretraining(n_iter=1), random_state=0)._options
    recipes = options_of_pairs(asked, 3)
    moments = np.full(4, 0.5), None, None, None
    initial_data = InitialData(
        missing_values=np.full(4, 0.5), moments=moments, nonzero_share=1.0
    )
    params, seen, losses = pretrained(energy, recipes, table, 0, initial_data)
    assert [len(curve) for curve in losses] == [1, 1, 1]
    pairs = [(p.units, p.couplings[0]) for p in seen]
    for W, (_, weights) in zip(params.couplings, pairs, strict=True):
        np.testing.assert_array_equal(W, weights)
    # What a layer between hears is half of what it heard in each of its two pairs.
    truth = Enumeration([[n] for n in sizes], params)
    x = [(rng.random(n) < 0.5).astype(float) for n in sizes]
    for block in (1, 2):
        below, above = pairs[block - 1], pairs[block]
        in_lower = below[0][1] + 2 * x[block - 1] @ params.couplings[block - 1]
        in_upper = above[0][0] + 2 * x[block + 1] @ params.couplings[block].T
        mean = truth.mean(block, {block - 1: x[block - 1], block + 1: x[block + 1]})
        np.testing.assert_allclose(logit(mean), (in_lower + in_upper) / 2)
    np.testing.assert_array_equal(params.units[0], pairs[0][0][0])
    np.testing.assert_array_equal(params.units[-1], pairs[-1][0][1])


def test_curves_are_those_of_the_last_fit():
    dbm = DBM((3, 2), pretrain=Pretraining(n_iter=2), n_iter=1).fit(STATES)
    assert [len(curve) for curve in dbm.pretrain_loss_curves_] == [2, 2]
    assert dbm.set_params(pretrain=None).fit(STATES).pretrain_loss_curves_ == []


def test_an_interrupt_of_pretraining_ends_it_all(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    dbm = DBM((3, 2), n_iter=1, random_state=0).fit(STATES)
    before = dbm.score_samples(STATES)
    monkeypatch.setattr(PairObjective, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        dbm.set_params(pretrain="layerwise", random_state=1).fit(STATES)
    np.testing.assert_array_equal(dbm.score_samples(STATES), before)


@pytest.mark.release
def test_pretraining_is_of_use():
    X = load_digits().data / 16
    options = {"n_iter": 0, "random_state": 0}
    scores = [
        grouped(DBM, (20, 20), pretrain=pretrain, **options).fit(X).score(X)
        for pretrain in (None, "layerwise")
    ]
    assert scores[1] > scores[0] + 1


@pytest.mark.release
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"centering": "moving", "negative": "means"},
        {"centering": None, "pretrain": "layerwise"},
        {"gradient": "tempering", "n_temperatures": 4, "n_steps": 1},
        {"gradient": "fpcd", "fast_learning_rate": 0.02},
        {"solver": "adam", "learning_rate": 0.03, "momentum": 0.9},
    ],
    ids=str,
)
def test_learns_a_distribution(options):
    data, entropy = noisy_patterns(4000)
    dbm = DBM(
        (7, 4), n_iter=20, gradient=PCD(n_steps=5), batch_size=100, learning_rate=0.4
    )
    assign(dbm, random_state=0, **options).fit(data)
    rows, counts = np.unique(data, axis=0, return_counts=True)
    found = np.average(exact_scores(enumerated(dbm), rows), weights=counts)
    assert found > -entropy - 0.05
    assert found - 0.02 < dbm.score(data) <= found + 1e-6


def test_what_does_not_settle_is_named():
    dbm, _ = random_dbm((5, 5), scale=4.0)
    dbm.set_params(inference_steps=2, inference_tol=1e-9)
    for call in (dbm.transform, dbm.score_samples):
        with pytest.warns(ConvergenceWarning, match="inference_tol=1e-09"):
            call(STATES)


@pytest.mark.exhaustive
@pytest.mark.parametrize("target", [0.05, (0.1, 0.6)])
def test_sparsity_is_of_each_layer(target):
    X = load_digits().data[:400] / 16
    options = {"n_iter": 20, "feature_layer": "all", "random_state": 0}
    free = grouped(DBM, (8, 6), **options).fit(X).transform(X).mean(axis=0)
    held = grouped(
        DBM,
        (8, 6),
        penalty=Penalty(sparsity_target=target, sparsity_cost=1.0),
        **options,
    )
    held = held.fit(X).transform(X).mean(axis=0)
    low, high = target if isinstance(target, tuple) else (target, target)
    wanted = np.repeat([low, high], [8, 6])
    assert abs(held - wanted).mean() < 0.5 * abs(free - wanted).mean()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": (3, 2.5)}, "hidden_layer_sizes"),
        ({"feature_layer": 2}, "feature_layer"),
        ({"feature_layer": (0, -3)}, "feature_layer"),
        ({"feature_layer": ()}, "feature_layer"),
        ({"sparsity_target": (0.1,)}, "sparsity_target"),
        ({"sparsity_target": (0.1, 2.0)}, "sparsity_target"),
        ({"sparsity_target": (0.1, True)}, "sparsity_target"),
        ({"sparsity_target": (0.1, (0.1, 0.2))}, "sparsity_target"),
        ({"pretrain_iter": (1, 2, 3)}, "pretrain__n_iter"),
        ({"pretrain_iter": (1, -2)}, "pretrain__n_iter"),
        ({"pretrain_iter": ((1, 2), 3)}, "pretrain__n_iter"),
        ({"pretrain_learning_rate": ((0.1, 0.05), 0.05)}, "pretrain__learning_rate"),
        ({"pretrain_learning_rate": (0.1, "x")}, "pretrain__learning_rate"),
        ({"pretrain_steps": (1, (1, 0))}, "pretrain__n_steps"),
        ({"gradient": "cd"}, "gradient"),
    ],
    ids=str,
)
def test_invalid_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        assign(DBM((3, 2), pretrain="layerwise"), **options).fit(STATES)


@pytest.mark.parametrize("target", [1.0, 0, (0.0, 1)])
def test_units_may_always_be_on_or_off(target):
    dbm = DBM((3, 2), n_iter=1, penalty=Penalty(sparsity_target=target)).fit(STATES)
    assert np.isfinite(dbm.score_samples(STATES)).all()


def test_a_changed_shape_is_named():
    dbm = DBM((3, 2), n_iter=1, warm_start=True).fit(STATES)
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        dbm.set_params(hidden_layer_sizes=(3, 2, 2)).fit(STATES)
    with pytest.raises(ValueError, match="column_types"):
        dbm.set_params(hidden_layer_sizes=(3, 2), column_types="gaussian").fit(STATES)


def test_divergence_of_a_pair_is_named():
    dbm = DBM((3, 2), pretrain=Pretraining(learning_rate=1e38))
    with pytest.raises(DivergenceError, match="pretrain__learning_rate"):
        dbm.fit(STATES.astype(np.float32))


def test_one_number_is_one_layer():
    assert len(DBM(3, n_iter=1).fit(STATES).coefs_) == 1
    assert len(DBM([3, 2], n_iter=1).fit(STATES).coefs_) == 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("sizes", [(256, 16), (1024, 16), (16, 1024)], ids=str)
def test_default_rates_suit_real_columns_at_any_width(sizes):
    X = np.random.default_rng(0).normal(size=(300, 20))
    options = {"column_types": "gaussian", "n_iter": 2, "random_state": 0}
    pretrained = grouped(DBM, sizes, pretrain=Pretraining(n_iter=2), **options).fit(X)
    independent = 10 * np.log(2 * np.pi * np.e)
    assert pretrained.pretrain_loss_curves_[0][-1] < 1.05 * independent
    for dbm in pretrained, grouped(DBM, sizes, centering=None, **options).fit(X):
        assert dbm.loss_curve_[-1] < 1.05 * independent
