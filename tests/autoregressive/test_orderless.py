"""One net for the conditionals of all orders, held to its objective and its formula."""

from functools import partial
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from skdgm import EoNADE, load, save
from skdgm.autoregressive import model as models
from skdgm.autoregressive.splits import draw_shares, hide
from skdgm.distributions import standard_mixture
from skdgm.nets import nll, vjp
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves
from tests.autoregressive.models import (
    ORDERLESS,
    SIZES,
    data,
    inside,
    made,
    model,
    states,
)
from tests.numerical import assert_gradient, assert_means
from tests.reference import standard_error

NAN = np.nan
ORDERS = list(permutations(range(4)))
MODELS = pytest.mark.parametrize("name", ORDERLESS)
KINDS = pytest.mark.parametrize("kind", SIZES)


def outputs(own, kind, X):
    """Of the net, given rows some of which is missing: written out."""
    return settled(own, kind, X)[1]


def settled(own, kind, X):
    """Highest hidden units and outputs of each column after the last step."""
    (W, c), seen, hidden, (V, b) = own._training.learned
    net, parts = own.density_.model, []
    codes = [j for j in range(4) if kind == "codes" or (kind == "mixed" and j % 2)]
    for j, (x, n) in enumerate(zip(X.T, SIZES[kind])):
        known = x[~np.isnan(x)].astype(int)
        part = np.zeros((len(x), n if j in codes else 1))
        part[~np.isnan(x)] = np.eye(n)[known] if j in codes else known[:, None]
        parts.append(part)
    ends = np.cumsum([part.shape[1] for part in parts])
    missing = np.repeat(np.isnan(X), np.diff(ends, prepend=0), axis=1)
    x, means = np.concatenate(parts, axis=1), net.means
    x += missing * (0 if means is None else means)
    for _ in range(net.n_steps):
        h = np.tanh(x @ W + ~np.isnan(X) @ seen + c)
        for layer in hidden:
            h = np.tanh(h @ layer.W + layer.b)
        found = np.split(h @ V + b, ends[:-1], axis=1)
        mean = [softmax(z, 1) if j in codes else expit(z) for j, z in enumerate(found)]
        x = np.where(missing, np.concatenate(mean, axis=1), x)
    return h, found


def log_conditionals(own, kind, X, j):
    """Log probabilities of all values of a column, given what is known of rows."""
    out = outputs(own, kind, X)[j]
    out = np.hstack([0 * out, out]) if out.shape[1] < SIZES[kind][j] else out
    return log_softmax(out, axis=1)


@KINDS
@MODELS
def test_likelihoods_are_products_of_the_nets_conditionals(name, kind):
    own, X = made(name, kind, ordering=(2, 0, 3, 1)), states(kind)
    known, found = np.full_like(X, NAN), own.score_features(X)
    for j in (2, 0, 3, 1):
        log_p = log_conditionals(own, kind, known, j)
        expected = log_p[np.arange(len(X)), X[:, j].astype(int)]
        np.testing.assert_allclose(found[:, j], expected, rtol=1e-9, atol=1e-12)
        known[:, j] = X[:, j]
    np.testing.assert_allclose(found.sum(axis=1), own.score_samples(X), rtol=1e-10)


@KINDS
@MODELS
def test_each_given_all_others(name, kind):
    own, X = model(name, kind, n_orders=3), states(kind)
    X[::4, 2] = X[1::6, 0] = NAN
    found = own.score_features(X, given="others")
    for j in range(4):
        others, known = X.copy(), ~np.isnan(X[:, j])
        others[:, j] = NAN
        log_p = log_conditionals(own, kind, others, j)[known]
        expected = log_p[np.arange(len(log_p)), X[known, j].astype(int)]
        np.testing.assert_allclose(found[known, j], expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(found[~known, j], 0)


def test_what_entries_are_given_has_a_name():
    with pytest.raises(ValueError, match="given must be 'before' or 'others'"):
        model("eonade", "bits").score_features(states("bits"), given="after")


@MODELS
def test_each_number_given_all_others_has_its_columns_units(name):
    own, X = model(name, "table", scale=0.4, min_variance=0.05), data("table")[:5]
    u = np.linspace(-6, 6, 2001)
    grid = X[:, 1].mean() + 10 * np.sinh(u)
    for row in X:
        line = np.tile(row, (len(grid), 1))
        line[:, 1] = grid
        p = np.exp(own.score_features(line, given="others")[:, 1])
        assert p @ (10 * np.cosh(u)) * (u[1] - u[0]) == pytest.approx(1, abs=1e-3)


@KINDS
@MODELS
def test_imputed_values_are_what_the_net_expects(name, kind):
    own, X = model(name, kind), states(kind)
    for n_missing in (1, 3):
        for holes in combinations(range(4), n_missing):
            holed = X.copy()
            holed[:, holes] = NAN
            mean = own.impute(holed)
            for j in holes:
                log_p = log_conditionals(own, kind, holed, j)
                if kind == "bits" or (kind == "mixed" and j % 2 == 0):
                    expected = np.exp(log_p[:, 1])
                else:
                    expected = log_p.argmax(axis=1)
                np.testing.assert_allclose(mean[:, j], expected, rtol=1e-9)


@KINDS
@MODELS
@pytest.mark.parametrize("ordering", [(2, 0, 3, 1), (1, 3, 0, 2)])
def test_modes_are_had_one_after_the_other(name, kind, ordering):
    own = made(name, kind, ordering=ordering, n_orderings=3)
    holed = states(kind)[::3]
    holed[:, [0, 3]] = holed[::2, 1] = NAN
    expected = holed.copy()
    for j in ordering:
        rows = np.isnan(expected[:, j])
        log_p = log_conditionals(own, kind, expected[rows], j)
        expected[rows, j] = log_p.argmax(axis=1)
    found = own.impute(holed, method="mode")
    np.testing.assert_array_equal(found, expected)


@KINDS
@MODELS
def test_conditional_samples_are_those_of_all_orders(name, kind):
    """Where all is missing, as frequent as the ensemble's likelihood says."""
    n = 5000
    own, X = made(name, kind, ordering=(2, 0, 3, 1), n_orderings=3), states(kind)
    rows = np.array([[NAN] * 4, [1, NAN, NAN, 0], [NAN, 0, 1, NAN], [0, 1, 1, NAN]])
    rows = np.minimum(rows, np.array(SIZES[kind]) - 1)
    drawn = own.conditional_sample(rows, n_samples=n, random_state=0)
    orders = own.density_.model.orders
    for row, found in zip(rows, np.split(drawn, len(rows)), strict=True):
        p = sum(np.exp(log_given(own, kind, row, order)) for order in orders) / 3
        assert p.sum() == pytest.approx(1, abs=1e-12)
        share = (found[:, None] == X).all(axis=2).mean(axis=0)
        assert (abs(share - p) <= 4.5 * standard_error(p, n) + 1e-12).all()
        if np.isnan(row).all():
            np.testing.assert_allclose(np.log(p), own.score_samples(X))


def log_given(own, kind, row, order):
    """Log probabilities of all states, given what is known of a row, by an order."""
    X = states(kind)
    same = ((row == X) | np.isnan(row)).all(axis=1)
    log_p, known = np.where(same, 0, -np.inf), np.tile(row, (len(X), 1))
    for j in order:
        if np.isnan(row[j]):
            own_log_p = log_conditionals(own, kind, known, j)
            log_p += own_log_p[np.arange(len(X)), X[:, j].astype(int)]
            known[:, j] = X[:, j]
    return log_p


def parts(X):
    """Rows in which each subset of columns is seen as often as by chance: by all orders
    of luck, for each number of columns."""
    luck = np.array(ORDERS) / 4
    for k in range(4):
        for own in luck:
            share = np.full(len(X), (k + 0.5) / 4)
            yield hide(X, share, np.tile(own, (len(X), 1)))


@pytest.mark.exhaustive(default=["eonade-bits", "orderless-bits"])
@KINDS
@MODELS
@pytest.mark.parametrize("missing", [False, True], ids=["whole", "holed"])
def test_the_objective_is_the_mean_over_all_orders(name, kind, missing):
    own, X = made(name, kind), states(kind)
    if missing:
        X[::2, 1] = X[::3, 3] = NAN
        X[4] = NAN
    net, params = inside(own)
    losses = [net.losses(params, (*part, None)) for part in parts(X)]
    expected = of_all_steps(own, X)
    # Where less is known, several shares hide as many: each number is as frequent.
    np.testing.assert_allclose(
        _balanced(losses, X), -np.mean(expected, axis=0), rtol=1e-9
    )


def test_the_last_step_may_be_learned_alone():
    own, X = made("steps", "bits"), states("bits")
    own._fit_options.learned_steps = "last"
    net, params = inside(own)
    losses = [net.losses(params, (*part, None)) for part in parts(X)]
    expected = [in_order(own, order).score_samples(X) for order in ORDERS]
    np.testing.assert_allclose(
        _balanced(losses, X), -np.mean(expected, axis=0), rtol=1e-9
    )


def test_all_steps_and_then_the_last_one_are_learned():
    X = data("bits", 200)
    own = EoNADE((8,), n_steps=3, n_iter=2, warm_start=True, random_state=0).fit(X)
    before = own.score(X)
    own.set_params(learned_steps="last", n_iter=20).fit(X)
    assert own.n_iter_ == 22
    assert own.score(X) > before


def of_all_steps(own, X):
    """Log-likelihoods after each step and in each order: (n_steps * 24, n_rows)."""
    found, n_steps = [], own.n_steps
    for number in range(1, n_steps + 1):
        own.set_params(n_steps=number)
        found += [in_order(own, order).score_samples(X) for order in ORDERS]
    own.set_params(n_steps=n_steps)
    return found


def in_order(own, order):
    """The same net as if it had been fitted with another order."""
    own._fit_options.ordering = order
    return own


def _balanced(losses, X):
    """Means over numbers of columns that are seen, each of which counts the same."""
    losses, n_known = np.array(losses).reshape(4, 24, -1), (~np.isnan(X)).sum(axis=1)
    found = np.zeros(len(X))
    for row, n in enumerate(n_known):
        numbers = ((np.arange(4) + 0.5) / 4 * n).astype(int)
        groups = [losses[numbers == k, :, row].mean() for k in np.unique(numbers)]
        assert len(groups) == max(1, n)
        found[row] = np.mean(groups)
    return found


@pytest.mark.exhaustive(default=["eonade-bits", "orderless-bits"])
@KINDS
@MODELS
def test_losses_are_right_on_average(name, kind):
    """As rows are prepared in training, and as they are watched."""
    own, n = made(name, kind, n_orderings=1), 20_000
    (net, params), row = inside(own), states(kind)[5]
    v = np.tile(row, (n, 1))
    exact = of_all_steps(own, row[None])
    losses = net.losses(params, net.prepare(params, v, stream(0), 0))
    assert_means(losses, -np.mean(exact))
    watched = net.monitoring_loss(params, v[:5000], stream(1).rows(5000))
    assert_means(watched, -np.mean(exact))
    assert watched.std() < losses.std()


def test_how_much_is_seen_is_uniform():
    n, rng = 24_000, np.random.default_rng(0)
    v = rng.random((n, 4))
    v[: n // 2, 2] = NAN
    seen, hidden, factor = hide(v, rng.random(n), rng.random((n, 4)))
    is_seen = ~np.isnan(seen)
    np.testing.assert_array_equal(np.where(is_seen, seen, hidden), v)
    assert not (is_seen & ~np.isnan(hidden)).any()
    for rows, columns in [(slice(n // 2), [0, 1, 3]), (slice(n // 2, n), range(4))]:
        part, k = is_seen[rows], len(columns)
        number = part.sum(axis=1)
        np.testing.assert_allclose(factor[rows], k / (k - number))
        assert_means(number[:, None] == np.arange(k), 1 / k)
        for size in range(1, k):
            own = part[number == size]
            for subset in combinations(columns, size):
                others = [j for j in range(4) if j not in subset]
                found = own[:, list(subset)].all(axis=1) & ~own[:, others].any(axis=1)
                share = 1 / len(list(combinations(columns, size)))
                assert_means(found, share)


def test_rows_of_which_nothing_is_known_say_nothing():
    v = np.full((3, 4), NAN)
    seen, hidden, factor = hide(v, np.array([0.0, 0.5, 0.99]), np.full((3, 4), 0.5))
    assert np.isnan(seen).all()
    assert np.isnan(hidden).all()
    np.testing.assert_array_equal(factor, 0)
    net, params = inside(model("eonade", "bits"))
    np.testing.assert_array_equal(net.losses(params, (seen, hidden, factor, None)), 0)


@MODELS
def test_nothing_is_learned_of_what_is_missing(name):
    """Neither is it seen nor predicted: what was there changes nothing."""
    own, X = made(name, "mixed"), data("mixed")
    holes = np.random.default_rng(0).random(X.shape) < 0.4
    holed = np.where(holes, NAN, X)
    net, params = inside(own)
    seen, hidden, *_ = net.prepare(params, holed, stream(0), 0)
    assert np.isnan(seen[holes]).all()
    assert np.isnan(hidden[holes]).all()
    assert (np.isnan(seen) ^ np.isnan(hidden))[~holes].all()
    if net.n_steps > 1:
        return  # Its expectation helps to predict the others.
    # A column of which nothing is known has outputs that learn nothing.
    holed[:, 1] = NAN
    whole = own.fit(np.vstack([holed, states("mixed")[-1:]]))
    before = [layer.copy() for layer in whole._training.learned.out]
    wide = whole.set_params(batch_size=10).partial_fit(holed)
    moved = [
        (after != was).reshape(-1, after.shape[-1]).any(axis=0)
        for after, was in zip(wide._training.learned.out, before, strict=True)
    ]
    for part in moved:
        np.testing.assert_array_equal(part, [1, 0, 0, 0, 1, 1, 1, 1, 1])


@pytest.mark.parametrize("learned", ["all", "last"])
def test_the_loss_is_the_mean_over_the_steps_that_learn(learned):
    own, X = made("steps", "bits", learned_steps=learned), states("bits")
    net, params = inside(own)
    seen, hidden, factor, _ = net.prepare(params, X, stream(0), 0)
    outs = list(net.apply(params, seen, None))
    assert len(outs) == 3
    each = [nll(out, (), hidden, net.conditionals) for out in outs]
    expected = np.mean(each, axis=0) if learned == "all" else each[-1]
    found = net.losses(params, (seen, hidden, factor, None))
    np.testing.assert_allclose(found, factor * expected)


@MODELS
def test_dropping_out_is_for_learning_only(name):
    own, X = made(name, "bits", dropout=0.5), states("bits")
    plain = own.score_samples(X)
    np.testing.assert_array_equal(own.set_params(dropout=0.0).score_samples(X), plain)
    net, params = inside(own.set_params(dropout=0.5))
    seen, hidden, factor, rng = net.prepare(params, X, stream(0), 0)
    dropped = net.losses(params, (seen, hidden, factor, rng))
    whole = net.losses(params, (seen, hidden, factor, None))
    assert (dropped != whole).all()


@MODELS
def test_features_are_the_highest_hidden_units_of_what_is_seen(name):
    own, X = model(name, "bits"), states("bits")
    X[::2, 1] = NAN
    h, _ = settled(own, "bits", X)
    np.testing.assert_allclose(own.transform(X), h, rtol=1e-9)


@pytest.mark.parametrize("n_known", [1, 2, 7, 100])
def test_large_shares_are_more_frequent_but_weigh_less(n_known):
    luck = (np.arange(200_000) + 0.5) / 200_000
    share, weight = draw_shares(luck, np.full(len(luck), n_known))
    n_seen = (share * n_known).astype(int)
    assert n_seen.max() == n_known - 1
    total = np.bincount(n_seen, weight) / len(luck)
    np.testing.assert_allclose(total, 1 / n_known, rtol=2e-3)
    counts = np.bincount(n_seen)
    assert (np.diff(counts) > 0).all()


def test_rows_without_entries_weigh_nothing_else():
    share, weight = draw_shares(np.array([0.0, 0.999]), np.zeros(2, int))
    assert (share < 1).all()
    np.testing.assert_array_equal(weight, 1)


def test_more_steps_after_the_fit_go_on_with_the_same_net():
    own, X = made("steps", "bits"), states("bits")
    own.set_params(n_steps=5)
    for row in (0, 7):
        given = own.impute(np.where([True, False, True, False], X[[row]], NAN))
        z = outputs(own, "bits", np.where([True, False, True, False], X[[row]], NAN))
        np.testing.assert_allclose(given[0, 1::2], expit(np.hstack(z)[0, 1::2]))
    assert abs(np.exp(own.score_samples(X)).sum() - 1) < 1e-12


@pytest.mark.parametrize("kind", ["real", "table"])
def test_steps_learn_by_the_gradient_of_all_kinds_of_columns(kind, monkeypatch):
    plain = partial(standard_mixture, rescaled=False)
    monkeypatch.setattr(models, "standard_mixture", plain)
    own = made("steps", kind, scale=0.5)
    (net, params), v = inside(own), own._rows(data(kind)[:5]).take(slice(None))
    prepared, weight = net.prepare(params, v, stream(7), 0), np.linspace(0.5, 1.5, 5)
    _, found = vjp(lambda p: net.forward(p, prepared)[0], params, lambda loss: weight)
    assert_gradient(lambda p: weight @ net.losses(p, prepared), params, found)


def test_steps_keep_single_precision_and_files(tmp_path):
    X = data("bits", 200).astype(np.float32)
    own = EoNADE((8,), n_steps=3, n_iter=2, random_state=0).fit(X)
    assert {leaf.dtype for leaf in leaves(own._training.learned)} == {X.dtype}
    save(own, tmp_path / "net.skdgm")
    again = load(tmp_path / "net.skdgm")
    np.testing.assert_array_equal(again.score_samples(X), own.score_samples(X))
    with pytest.raises(ValueError, match="n_steps"):
        own.set_params(n_steps=2).partial_fit(X)
