"""Layers whose bits, and columns, depend on those before them, against enumeration."""

from copy import deepcopy
from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.special import expit

from skdgm import SigmoidBeliefNetwork
from skdgm.data import tabulate
from skdgm.directed._method import BeliefBatch
from skdgm.distributions.columns.within import Event
from skdgm.exceptions import DataRangeWarning
from skdgm.latent.data_layer import PACE
from skdgm.latent.links import LINKS
from skdgm.nets import Variables, vjp
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves, tree_map
from tests.directed.test_gradients import after_others
from tests.numerical import (
    arrays,
    assert_means,
    assert_trees,
    numerical_gradient,
)
from tests.options import assign, grouped

N_COLUMNS, SIZES = 3, (3, 2)
ROWS = np.array(list(product([0.0, 1.0], repeat=N_COLUMNS)))
HOLED = np.array([[1.0, np.nan, 0.0], [np.nan, 0.0, 1.0], [np.nan] * 3, [0, 1, np.nan]])
# Links of the model, and of the inference net.
PAIRS = [(True, False), (False, True), ("nade", False), (False, "nade")]
BOTH = [(True, "nade"), ("nade", True)]
ORDER = (2, 0, 1)
each_pair = pytest.mark.parametrize("of_p, of_q", BOTH)
each_kind = pytest.mark.parametrize("kind", LINKS)


@cache
def network(of_p, of_q, sizes=SIZES, **options):
    """A small network with parameters of some size."""
    links = {"autoregressive": of_p, "recognition_autoregressive": of_q}
    sbn = grouped(
        SigmoidBeliefNetwork,
        sizes,
        ordering=ORDER,
        n_iter=0,
        random_state=0,
        **links,
        **options,
    )
    sbn.fit(ROWS)
    rng = np.random.default_rng(3)
    model = sbn._training.learned.model
    for leaf in leaves(model):
        leaf[...] = rng.normal(0, 1.5, leaf.shape)
    for leaf in leaves((model.encoders, model.links[0])):
        leaf *= 0.3
    if of_p:
        strong = model.links[1][0] if of_p is True else model.links[1][0][1]
        strong /= PACE
    return sbn


def log_bits(kind, own, raw, x, order=None):
    """Log probability of bits, one after another."""
    order = np.arange(len(x)) if order is None else order
    total = 0.0
    for t, j in enumerate(order):
        before = list(order[:t])
        if kind is False:
            a = raw[j]
        elif kind is True:
            a = raw[j] + x[before] @ own[before, j]
        else:
            W, V = own[:2]
            n = len(x)
            a = raw[j] + V[j] @ expit(raw[n:] + x[before] @ W[before])
        p = expit(a)
        total += np.log(p if x[j] > 0 else 1 - p)
    return total


def states(sizes):
    bits = np.array(list(product([0.0, 1.0], repeat=sum(sizes))))
    return np.split(bits, np.cumsum(sizes)[:-1], axis=1)


@cache
def joint(of_p):
    """Probabilities of rows and states, computed by the formulas."""
    sbn = network(of_p, not of_p)
    (_, _, W, W_2), (_, _, b, b_2) = sbn.coefs_, sbn.intercepts_
    links = sbn.link_coefs_ or ((),) * 3
    found = np.empty((len(ROWS), 2 ** sum(SIZES)))
    for k, (one, two) in enumerate(zip(*states(SIZES))):
        above = log_bits(of_p, links[2], sbn.prior_intercept_, two)
        above += log_bits(of_p, links[1], two @ W_2 + b_2, one)
        for i, row in enumerate(ROWS):
            own = of_p, links[0], one @ W + b, row
            found[i, k] = above + log_bits(*own, order=np.array(ORDER))
    return np.exp(found)


def marginal(of_p):
    return joint(of_p).sum(axis=1)


@each_kind
@pytest.mark.parametrize("clip_norm", [None, 0.01])
def test_weight_decay_of_links_between_columns_is_of_what_they_add(kind, clip_norm):
    def parts(model):
        return [*arrays(model.links[1][0]), model.decoders[1][0].W]

    how = {"solver": "sgd", "learning_rate": 0.1, "momentum": 0.0, "batch_size": 8}
    how |= {"schedule": "constant", "average": False, "clip_norm": clip_norm}
    found = []
    for alpha in (0.0, 0.4):
        sbn = deepcopy(network(kind, False))
        before = [part.copy() for part in parts(sbn._training.learned.model)]
        assign(sbn, alpha=alpha, **how).partial_fit(ROWS)
        found.append(parts(sbn._training.learned.model))
    paces = [*([PACE] if kind is True else [1, PACE, 1]), 1]
    for own, plain, decayed, pace in zip(before, *found, paces, strict=True):
        # Vectors are biases, or factors.
        expected = -0.1 * 0.4 / 8 * pace**2 * own if own.ndim == 2 else 0 * own
        np.testing.assert_allclose(decayed - plain, expected, rtol=1e-6, atol=1e-9)


@each_kind
def test_probabilities_add_up_to_one(kind):
    np.testing.assert_allclose(joint(kind).sum(), 1)


def test_the_formulas_are_those_of_the_net():
    for of_p, of_q in (*PAIRS, *BOTH):
        sbn = network(of_p, of_q)
        hierarchy, (params, kept) = sbn.density_.hierarchy, sbn.density_.net
        z = states(SIZES)
        (R, c), (R_2, c_2) = (net[0] for net in params.encoders)
        links = sbn.recognition_link_coefs_ or ((),) * 2
        for i, row in enumerate(ROWS[1:4], start=1):
            v = np.tile(row, (len(z[0]), 1))
            noise = hierarchy.noise_of(z)
            found = hierarchy.through(Variables(params, kept), v, noise)
            for drawn, asked in zip(found.z, z):
                np.testing.assert_array_equal(drawn, asked)
            log_x = -sbn.density_.output.nll(found.out, v)
            expected = [
                log_bits(of_q, links[0], row @ R + c, one)
                + log_bits(of_q, links[1], one @ R_2 + c_2, two)
                for one, two in zip(*z)
            ]
            np.testing.assert_allclose(sum(found.log_q), expected)
            np.testing.assert_allclose(np.exp(sum(found.log_q)).sum(), 1)
            if of_p and not of_q:
                own = np.exp(log_x + sum(found.log_p))
                np.testing.assert_allclose(own, joint(of_p)[i])


@each_pair
def test_importance_sampling_finds_the_likelihood(of_p, of_q):
    sbn = network(of_p, of_q)
    exact = exact_marginal(sbn)
    X = np.concatenate([ROWS, HOLED])
    fits = [(np.isnan(row) | (row == ROWS)).all(axis=1) for row in X]
    expected = np.log([exact[fit].sum() for fit in fits])
    found, se = sbn.importance_likelihood(X, n_draws=5000, return_se=True)
    assert (abs(found - expected) < 4.5 * se + 1e-3).all()
    assert se.max() < 0.1
    assert (sbn.elbo(X, n_draws=500).bound < expected + 0.05).all()


def exact_marginal(sbn):
    """Probabilities of all rows, by a pass through all states."""
    hierarchy, (params, kept) = sbn.density_.hierarchy, sbn.density_.net
    z, found = states(hierarchy.n_latent), []
    for row in ROWS:
        v = np.tile(row, (len(z[0]), 1))
        own = hierarchy.through(Variables(params, kept), v, hierarchy.noise_of(z))
        log_x = -sbn.density_.output.nll(own.out, v, params.dispersion)
        found.append(np.exp(log_x + sum(own.log_p)).sum())
    return np.array(found)


@each_pair
def test_samples_have_the_probabilities_of_the_model(of_p, of_q):
    sbn = network(of_p, of_q)
    drawn = sbn.sample(20_000, random_state=0)
    which = (drawn[:, None] == ROWS).all(axis=2)
    assert_means(which.astype(float), exact_marginal(sbn))


def of_last_bit(sbn):
    """Probability of the last bit where the others are ones."""
    p = exact_marginal(sbn)[(ROWS[:, [0, 1]] == 1).all(axis=1)]
    return p[1] / p.sum()


@each_pair
def test_draws_under_conditions_have_conditional_probabilities(of_p, of_q):
    sbn = network(of_p, of_q)
    drawn = sbn.sample(1000, random_state=0, conditions={0: 1, 1: [1]})
    assert (drawn[:, :2] == 1).all()
    # Many are drawn from the same latent units.
    assert abs(drawn[:, 2].mean() - of_last_bit(sbn)) < 0.05


@pytest.mark.exhaustive
@each_pair
def test_imputed_bits_have_conditional_probabilities(of_p, of_q):
    sbn = network(of_p, of_q)
    expected = of_last_bit(sbn)
    row = np.array([[1.0, 1.0, np.nan]])
    how = {"method": "sample", "random_state": 0}
    found = sbn.impute(np.tile(row, (2000, 1)), **how)[:, 2]
    assert abs(found.mean() - expected) < 0.05
    assert abs(sbn.impute(row, n_draws=1500)[0, 2] - expected) < 0.05
    found = sbn.impute(np.tile(row, (2000, 1)), sampler="metropolis", **how)[:, 2]
    assert abs(found.mean() - expected) < 0.05


@each_kind
def test_means_are_given_the_means_before(kind):
    sbn = network(kind, kind)
    params = sbn.density_.net.params
    (R, c), (W, b) = params.encoders[0][0], params.decoders[0][0]

    def means(own, raw, order):
        found = np.empty(3)
        for t, j in enumerate(order):
            before = list(order[:t])
            if kind is True:
                a = raw[j] + found[before] @ own[before, j]
            else:
                hidden = expit(raw[3:] + found[before] @ own[0][before])
                a = raw[j] + own[1][j] @ hidden
            found[j] = expit(a)
        return found

    z = sbn.transform_layers(ROWS[[5]])
    one = means(params.links[0][0], ROWS[5] @ R + c, range(3))
    np.testing.assert_allclose(z[0][0], one, rtol=1e-6)
    back = sbn.inverse_transform(np.concatenate(z, axis=1))
    expected = means(sbn.link_coefs_[0], one @ W + b, ORDER)
    np.testing.assert_allclose(back[0], expected, rtol=1e-6)


@each_kind
@pytest.mark.parametrize("steady", [False, True])
def test_a_link_by_steps_is_the_link_at_once(kind, steady):
    rng = np.random.default_rng(0)
    of_inputs, of_outputs = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 2, 0])
    mask = np.array([0, 1, 0, 0, 1], bool) if steady else None
    order = np.array([1, 2, 0])
    link = LINKS[kind](of_inputs, of_outputs, order=order, steady=mask, scaled=steady)
    own = link.init("glorot_uniform", rng, float)
    own = tree_map(lambda a: a + rng.normal(size=a.shape), own)
    raw, x = rng.normal(size=(4, 5 + link.n_extra)), rng.normal(size=(4, 5))
    whole = link.apply(own, raw, x)
    state, found = link.begin(own, raw), np.empty_like(whole)
    for t in range(3):
        found[:, link.outputs_of[t]] = link.output(own, state, t)
        link.absorb(own, state, t, x[:, link.seen[t]])
    np.testing.assert_allclose(found, whole)
    if steady:
        np.testing.assert_allclose(whole[:, mask], raw[:, :5][:, mask])
    # Several rows of draws for each row of outputs, and one for several.
    for a, b in ((raw, np.repeat(x, 3, axis=0)), (np.repeat(raw, 3, axis=0), x)):
        several = link.apply(own, a, b)
        np.testing.assert_allclose(several, np.repeat(whole, 3, axis=0))


@each_kind
def test_slopes_of_links(kind):
    rng = np.random.default_rng(0)
    each = np.arange(4)
    link = LINKS[kind](each, each, order=np.array([2, 0, 3, 1]))
    own = link.init("glorot_uniform", rng, float)
    own = tree_map(lambda a: a + rng.normal(size=a.shape), own)
    raw, x = rng.normal(size=(3, 4 + link.n_extra)), rng.normal(size=(6, 4))
    weight = rng.normal(size=(6, 4))

    def loss(params):
        return (link.apply(*params, x) * weight).sum(axis=1)

    _, found = vjp(loss, (own, raw), np.ones_like)
    expected = numerical_gradient(lambda p: loss(p).sum(), (own, raw))
    assert_trees(found, expected, rtol=1e-6, atol=1e-8)
    if kind is True:
        # Relaxed bits pass gradients on.
        _, (found,) = vjp(
            lambda p: (link.apply(own, raw, p[0]) * weight).sum(axis=1),
            (x,),
            np.ones_like,
        )
        (expected,) = numerical_gradient(
            lambda p: (link.apply(own, raw, p[0]) * weight).sum(), (x,)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


X = np.array([[1.0, 0, 1], [0, 1, 1]])
X_HOLED = np.array([[1.0, np.nan, 1], [0, 1, np.nan]])
N_COPIES, N_UPDATES = 300, 40


def objective(of_p, of_q, **options):
    """An objective of a small network, and parameters."""
    links = {"autoregressive": of_p, "recognition_autoregressive": of_q}
    sbn = grouped(
        SigmoidBeliefNetwork,
        (2, 2),
        ordering=ORDER,
        n_iter=0,
        random_state=0,
        **links,
        **options,
    ).fit(X)
    rng = np.random.default_rng(1)
    params, kept = sbn._training.params, sbn._training.statistics
    params = tree_map(lambda a: a + 0.7 * rng.normal(size=a.shape), params)
    if of_p:
        strong = params.model.links[1][0]
        strong = strong if of_p is True else strong[1]
        strong *= 1 / PACE
    return sbn._objective(tabulate(sbn._rows(X), None), 0), params, kept


def mean_bound(own, params, kept, rows, n):
    """Expected importance weighted bound of n draws, a mean over rows, with missing
    columns drawn from the model in the order of all columns."""
    z, total = states(own.hierarchy.n_latent), 0.0
    layer = own.hierarchy.data
    for row in rows:
        log_w, log_p = [], []
        holes = np.flatnonzero(np.isnan(row))
        for bits in product([0.0, 1.0], repeat=len(holes)):
            whole = row.copy()
            whole[holes] = bits
            v = np.tile(whole, (len(z[0]), 1))
            x = own.output.inputs(np.tile(row, (len(z[0]), 1)), own.share)
            zeros, links = own.hierarchy.noise_of(z), params
            raw = own.hierarchy.through(Variables(links, kept), x, zeros)
            gap, out = raw.gap, raw.out
            if layer is not None:
                out = layer.outputs(links, raw_outputs(own, links, z), v)
            entries = own.output.log_p(out, v)
            seen = np.setdiff1d(np.arange(len(row)), holes)
            log_w.append(entries[:, seen].sum(axis=1) - gap)
            log_p.append(entries[:, holes].sum(axis=1) + sum(raw.log_q))
        log_w, p = np.concatenate(log_w), np.exp(np.concatenate(log_p))
        np.testing.assert_allclose(p.sum(), 1)
        which = np.array(list(product(range(len(p)), repeat=n)))
        total += (p[which].prod(axis=1) * np.log(np.exp(log_w[which]).mean(1))).sum()
    return total / len(rows)


@cache
def gradient_of_bound(of_p, of_q, n, holed):
    """That of the model, whose parameters are the same in all ways of learning."""
    own, params, kept = objective(of_p, of_q, objective="nvil")
    rows = X_HOLED if holed else X
    return numerical_gradient(
        lambda model: mean_bound(own, model, kept.model, rows, n), params.model
    )


def raw_outputs(own, params, z):
    (W, b) = params.decoders[0][0]
    return z[0] @ W + b


def drawn(own, params, kept, rows, seed, n_copies=N_COPIES):
    """Gradient of an update of many copies of the rows."""
    v, rng = np.repeat(rows, n_copies, axis=0), stream(seed)
    shapes = [(len(v) * own.method.n_each, n) for n in own.hierarchy.n_latent]
    generator, dreams = rng.generator(), None
    noise = [generator.random(shape) for shape in shapes]
    if own.method.sleep_weight:
        dreams = own.dreams(
            Variables(params.model, kept.model), rng.fold(3).rows(len(v))
        )
    given = BeliefBatch(params, kept, v, noise, dreams, rng)
    return vjp(
        lambda p: own.forward(p, given)[0],
        params,
        lambda out: np.full_like(out, -1 / len(v)),
    )[1].model


def assert_mean_gradient(own, params, kept, rows, expected):
    kept = after_others(kept, params)
    found = [drawn(own, params, kept, rows, seed) for seed in range(N_UPDATES)]
    found = np.array([np.concatenate([g.ravel() for g in arrays(f)]) for f in found])
    wanted = np.concatenate([g.ravel() for g in arrays(expected)])
    assert abs(wanted).max() > 0.01
    assert_means(found, wanted)


UNBIASED = [
    (True, "nade", "nvil", {}),
    ("nade", True, "nvil", {}),
    (True, True, "vimco", {}),
    ("nade", "nade", "vimco", {}),
    (True, "nade", "reinforce", {"baseline": "mean"}),
    (True, False, "reinforce", {"baseline": "optimal"}),
    ("nade", True, "nvil", {"baseline": "optimal"}),
    (False, "nade", "reinforce", {"baseline": "optimal"}),
    (True, False, "disarm", {}),
    ("nade", False, "disarm", {}),
]


@pytest.mark.exhaustive(default=["holed-nade-True-nvil-more1", "more6", "more9"])
@pytest.mark.parametrize("of_p, of_q, way, more", UNBIASED)
@pytest.mark.parametrize("holed", [False, True], ids=["whole", "holed"])
def test_gradients_are_unbiased(of_p, of_q, way, more, holed):
    if way in ("nvil", "reinforce"):
        more = more | {"normalize_signal": False}
    n = 2 if way == "vimco" else 1
    own, params, kept = objective(of_p, of_q, objective=way, n_importance=n, **more)
    rows = X_HOLED if holed else X
    if holed and way == "disarm":
        with pytest.raises(ValueError, match="autoregressive.*missing values"):
            drawn(own, params, kept, rows, 0)
        return

    expected = gradient_of_bound(of_p, of_q, n, holed)
    assert_mean_gradient(own, params, kept, rows, expected)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "of_p, of_q, holed",
    [(True, "nade", False), ("nade", True, True)],
    ids=["whole", "holed"],
)
def test_reweighted_gradients_of_many_draws_are_those_of_the_likelihood(
    of_p, of_q, holed
):
    own, params, kept = objective(
        of_p, of_q, objective="rws", n_importance=2000, recognition_phase="wake"
    )
    rows = X_HOLED if holed else X

    def log_likelihood(model):
        z, total = states((2, 2)), 0.0
        for row in rows:
            p = 0.0
            holes = np.flatnonzero(np.isnan(row))
            for bits in product([0.0, 1.0], repeat=len(holes)):
                whole = row.copy()
                whole[holes] = bits
                v = np.tile(whole, (len(z[0]), 1))
                found = own.hierarchy.through(
                    Variables(model, kept.model), v, own.hierarchy.noise_of(z)
                )
                log_x = -own.output.nll(found.out, v)
                p += np.exp(log_x + sum(found.log_p)).sum()
            total += np.log(p)
        return total / len(rows)

    expected = numerical_gradient(log_likelihood, params.model)
    copies = [drawn(own, params, kept, rows, seed, 15) for seed in range(4)]
    found = tree_map(lambda *parts: sum(parts) / len(parts), *copies)
    for part in ("decoders", "prior"):
        a, b = getattr(found, part), getattr(expected, part)
        assert_trees([a], [b], atol=0.015)
    assert_trees(found.links[1], expected.links[1], atol=0.015)


def test_concrete_gradients_are_differences():
    own, params, kept = objective(True, False, objective="concrete")
    rng = np.random.default_rng(0)
    noise = [rng.random((len(X), n)) for n in own.hierarchy.n_latent]
    given = BeliefBatch(params, kept, X, noise, None, stream(0))

    def loss(params):
        return own.forward(params, given)[0]

    _, found = vjp(loss, params, np.ones_like)
    expected = numerical_gradient(lambda p: loss(p).sum(), params)
    assert_trees(found.model, expected.model, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"objective": "disarm", "recognition_autoregressive": True},
            "recognition_autoregressive must be False",
        ),
        (
            {"objective": "concrete", "autoregressive": "nade"},
            "does not support autoregressive='nade'",
        ),
        ({"autoregressive": True, "ordering": (0, 1)}, "ordering must be"),
        ({"ordering": (0, 0, 1)}, "ordering must be"),
    ],
)
def test_what_cannot_be_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        grouped(SigmoidBeliefNetwork, (3,), **options).fit(X)


@pytest.mark.parametrize("objective", ["gibbs", "mean-field"])
@pytest.mark.parametrize("kind", [True, "nade"])
def test_ways_of_independent_bits_refuse_links(objective, kind):
    with pytest.raises(ValueError, match="does not support autoregressive="):
        SigmoidBeliefNetwork(2, objective=objective, autoregressive=kind).fit(ROWS)
    sbn = SigmoidBeliefNetwork(2, objective=objective, recognition_autoregressive=kind)
    with pytest.raises(ValueError, match="recognition_autoregressive must be False"):
        sbn.fit(ROWS)


def test_mean_field_bound_refuses_links():
    sbn = SigmoidBeliefNetwork(2, autoregressive=True, n_iter=1).fit(ROWS)
    with pytest.raises(ValueError, match="autoregressive=False"):
        sbn.mean_field_bound(ROWS)


def test_gray_rows_have_no_likelihood_given_columns_before():
    sbn = SigmoidBeliefNetwork(2, autoregressive=True, n_iter=1).fit(ROWS)
    with pytest.warns(DataRangeWarning, match="not log-likelihoods"):
        sbn.score_samples(ROWS / 2)


@pytest.mark.release
@each_kind
@pytest.mark.parametrize("column_types", ["gaussian", "categorical", "mixed"])
def test_columns_of_all_kinds(kind, column_types):
    rng = np.random.default_rng(0)
    latent = rng.integers(0, 3, 200)
    if column_types == "gaussian":
        X = np.stack([latent + 0.1 * rng.normal(size=200), 0.0 * latent], axis=1)
        X[:, 1] = 2 * X[:, 0] + 0.1 * rng.normal(size=200)
    else:
        X = np.stack([latent, (latent + (rng.random(200) < 0.1)) % 3], axis=1)
        X = X.astype(float)
    how = {"column_types": column_types, "autoregressive": kind}
    if column_types == "mixed":
        how["column_types"] = "categorical", "numeric"
    if column_types == "gaussian":
        how["variance"] = "sample"
    sbn = grouped(
        SigmoidBeliefNetwork,
        (3,),
        n_iter=20,
        learning_rate=0.1,
        batch_size=20,
        ordering=(1, 0),
        **how,
    ).set_params(random_state=0)
    sbn.fit(np.where(rng.random(X.shape) < 0.1, np.nan, X))
    drawn = np.asarray(sbn.sample(2000, random_state=0), float)
    corr, expected = np.corrcoef(drawn.T)[0, 1], np.corrcoef(X.T)[0, 1]
    assert abs(corr - expected) < 0.2
    holed = X[:50].copy()
    holed[:, 0] = np.nan
    filled = np.asarray(sbn.impute(holed), float)
    assert (abs(filled[:, 0] - X[:50, 0]) < 0.5).mean() > 0.7
    # A sum over two columns is the likelihood of one.
    if column_types == "categorical":
        total = [
            np.exp(sbn.importance_likelihood([[a, b]], n_draws=500)[0])
            for a in range(3)
            for b in range(3)
        ]
        np.testing.assert_allclose(sum(total), 1, atol=0.03)
        alone = sbn.importance_likelihood([[np.nan, 1.0]], n_draws=1000)[0]
        np.testing.assert_allclose(np.exp(alone), sum(total[1::3]), rtol=0.06)


def test_an_order_that_nothing_depends_on_may_change():
    sbn = SigmoidBeliefNetwork(2, n_iter=1, warm_start=True, random_state=0).fit(ROWS)
    assert sbn.set_params(ordering="random").fit(ROWS).n_iter_ == 2
    sbn.set_params(autoregressive=True)
    with pytest.raises(ValueError, match="^autoregressive.* changed"):
        sbn.fit(ROWS)
    linked = SigmoidBeliefNetwork(2, autoregressive=True, n_iter=1, warm_start=True)
    with pytest.raises(ValueError, match="^ordering changed"):
        linked.fit(ROWS).set_params(ordering="random").fit(ROWS)


@each_kind
def test_values_of_an_event_have_its_probability(kind):
    sbn, rng = network(kind, False), np.random.default_rng(0)
    layer, model = sbn.density_.hierarchy.data, sbn._training.learned.model
    raw = rng.normal(size=(len(ROWS), N_COLUMNS + layer.link.n_extra))
    holed = ROWS.copy()
    holed[:, ORDER[-1]] = np.nan
    for bit in (0, 1):
        events = [None] * N_COLUMNS
        events[ORDER[-1]] = Event(np.arange(2) == bit, np.empty((0, 2)))
        streams = stream(0).rows(len(ROWS))
        v, log_p = layer.fill(model, raw, holed, streams, events)
        assert (v[:, ORDER[-1]] == bit).all()
        expected = layer.output.log_p(layer.outputs(model, raw, v), v)
        np.testing.assert_allclose(log_p, expected[:, ORDER[-1]])
