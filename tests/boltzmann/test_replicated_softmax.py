"""Documents: every one of a small length is listed."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.special import gammaln, logsumexp

from skdgm import ReplicatedSoftmax
from skdgm.boltzmann._documents import lengths as of_lengths
from skdgm.boltzmann._documents.density import conditioned, expected
from skdgm.boltzmann._documents.lengths import Topics, grown, log_partition
from skdgm.boltzmann._documents.objective import DocumentObjective
from skdgm.boltzmann._documents.phases import _ladder
from skdgm.boltzmann.learning.state import TrainState
from skdgm.distributions import Multinomial
from skdgm.energies import Params
from skdgm.exceptions import DataRangeWarning
from skdgm.optim import Clock
from skdgm.options import Tempering
from skdgm.partition import LogPartition
from skdgm.training import Batch
from skdgm.utils.random import stream
from tests.numerical import assert_means, numerical_gradient
from tests.options import assign, grouped

RNG = np.random.default_rng(0)
TOPICS = np.repeat(np.eye(2), 5, axis=1) + 0.1
TOPICS /= TOPICS.sum(axis=1, keepdims=True)
X = np.array([RNG.multinomial(5 + i % 30, TOPICS[i % 2]) for i in range(300)])


def fitted(**options):
    """A model of three words and two hidden units, of known parameters."""
    model = assign(ReplicatedSoftmax(2, n_iter=0, random_state=0), **options)
    model.fit(RNG.integers(0, 4, (20, 3)))
    model.components_ = np.array([[1.0, -0.5, 0.3], [-2.0, 0.4, 1.1]])
    model.intercept_visible_ = np.array([0.2, -1.0, 0.5])
    model.intercept_hidden_ = np.array([-0.4, 0.3])
    return model


def brute_force(model, x):
    """log(n! / prod x! sum_h exp(-E(x, h))), of each row, written out once more."""
    h = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    field = x @ model.components_.T + x.sum(1)[:, None] * model.intercept_hidden_
    own = x @ model.intercept_visible_ + gammaln(x.sum(1) + 1)
    own -= gammaln(x + 1).sum(axis=1)
    return own + logsumexp(field @ h.T, axis=1)


@pytest.mark.parametrize("n", range(6))
def test_documents_of_a_length_have_probabilities(n):
    model = fitted()
    unit = Multinomial(3, n)
    x = unit.states(np.arange(unit.n_states))
    log_p = model.score_samples(x)
    assert logsumexp(log_p) == pytest.approx(0, abs=1e-12)
    log_weight = brute_force(model, x)
    np.testing.assert_allclose(log_p, log_weight - logsumexp(log_weight), atol=1e-12)
    np.testing.assert_allclose(-model.free_energy(x), log_weight)
    log_Z, se = model.log_partition([n])
    np.testing.assert_allclose(log_Z, logsumexp(log_weight))
    assert not se.any()


def test_perplexity_is_that_of_words_in_their_order():
    model, x = fitted(), RNG.integers(0, 5, (7, 3))
    orders = gammaln(x.sum(1) + 1) - gammaln(x + 1).sum(1)
    log_p = model.score_samples(x) - orders
    assert model.perplexity(x) == pytest.approx(np.exp(-log_p.sum() / x.sum()))
    with pytest.raises(ValueError, match="no words"):
        model.perplexity(np.zeros((2, 3)))
    flat = fitted()
    flat.components_ *= 0
    flat.intercept_visible_ *= 0
    assert flat.perplexity(x) == pytest.approx(3)


def test_documents_without_words():
    model = ReplicatedSoftmax(3, n_iter=3, random_state=0).fit(np.vstack([X, 0 * X]))
    nothing = np.zeros((2, 10))
    np.testing.assert_array_equal(model.score_samples(nothing), 0)
    np.testing.assert_array_equal(model.transform(nothing), 0.5)
    assert not model.sample(3, lengths=0).any()
    np.testing.assert_array_equal(model.log_partition(0)[0], 3 * np.log(2))


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, pd.DataFrame])
def test_values_that_are_no_counts_cause_a_warning(form):
    model = ReplicatedSoftmax(2, n_iter=1, random_state=0)
    with pytest.warns(DataRangeWarning, match="X has fractions, such as 1.5, .*tf-idf"):
        model.fit(form(np.where(X == 1, 1.5, X)))
    with pytest.warns(DataRangeWarning, match="all counts in X are 0"):
        model.fit(form(0 * X))
    holes = X.astype(np.float32)
    if form is not sp.csr_matrix:
        holes[0, 0] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(form(holes))


def test_what_was_not_looked_for_is_not_in_the_vocabulary():
    model, x = fitted(), np.array([[2.0, np.nan, 1.0], [0, np.nan, 3], [1, np.nan, 2]])
    others = fitted()
    others.components_ = model.components_[:, [0, 2]]
    others.intercept_visible_ = model.intercept_visible_[[0, 2]]
    rows = Multinomial(2, 3).states(np.arange(4))
    whole = np.insert(rows, 1, np.nan, axis=1)
    assert logsumexp(model.score_samples(whole)) == pytest.approx(0, abs=1e-12)
    field = x[:, [0, 2]] @ others.components_.T + 3 * model.intercept_hidden_
    np.testing.assert_allclose(model.transform(x), 1 / (1 + np.exp(-field)))
    full = model.impute(x)
    np.testing.assert_array_equal(full[:, [0, 2]], x[:, [0, 2]])
    np.testing.assert_array_equal(full, model.impute(x))
    assert not (model.impute(x, method="sample", random_state=0) % 1).any()


def test_missing_words_are_expected_by_their_share():
    params = Params((np.log([0.5, 0.3, 0.2]), np.zeros(2)), (np.zeros((3, 2)),))
    v = np.array([[np.nan, 6.0, 4.0], [1.0, 1.0, np.nan], [np.nan] * 3])
    found = expected(params, v, np.zeros((3, 2)))
    assert found[0, 0] == pytest.approx(10.0)
    assert found[1, 2] == pytest.approx(0.5)
    # Never more often than all others.
    rare = expected(params, np.array([[np.nan, np.nan, 3.0]]), np.zeros((1, 2)))
    np.testing.assert_allclose(rare[0, :2], 3.0)
    assert not found[2].any()


def test_short_documents_that_grow_have_the_exact_log_Z():
    """With chains that are few, but unbiased, also where a word comes in parts."""
    W, b = RNG.normal(0, 2.0, (5, 4)), RNG.normal(size=5)
    topics, lengths = Topics(W, b, RNG.normal(0, 0.5, 4)), np.array([1, 2, 2.5, 12])
    exact, _ = log_partition(topics, lengths, 0)
    found, se = grown(topics, lengths, stream(1), 1000)
    assert found[0] == pytest.approx(exact[0])
    assert (abs(found - exact) < 5 * se + 1e-9).all()
    assert (se < 0.05).all()


@pytest.mark.parametrize("part", [0, 0.6])
def test_sweeps_keep_the_distribution_of_documents_that_grow(part):
    topics = Topics(
        RNG.normal(0, 1.5, (4, 3)), RNG.normal(size=4), np.array([2.0, -1, 1])
    )
    every, chains = of_lengths._bits(3), stream(0).rows(20_000)
    path = of_lengths.DocumentsPath(topics)
    log_p = path.log_p(path.begin(every), 2 + part)
    p = np.exp(log_p - logsumexp(log_p))
    state = path.begin(every[np.random.default_rng(0).choice(8, 20_000, p=p)])
    for k in range(3):
        state = path.step(chains.fold(k), state, 2 + part)
    h = state.h
    assert_means(h, p @ every)
    assert_means(h[:, :2] * h[:, 1:], p @ (every[:, :2] * every[:, 1:]))


@pytest.mark.release
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_growing_documents_have_the_exact_log_Z(scale):
    W, b = RNG.normal(0, scale, (12, 7)), RNG.normal(size=12)
    topics, lengths = Topics(W, b, RNG.normal(0, 0.3, 7)), np.array([1, 2, 2.5, 9, 400])
    exact, _ = log_partition(topics, lengths, 0)
    found, se = grown(topics, lengths, stream(1), 2000)
    assert found[0] == pytest.approx(exact[0])
    assert (abs(found - exact) < 5 * se + 1e-9).all()
    assert (se < 0.05).all()
    # A length's result does not depend on the others.
    again, _ = grown(topics, lengths[2:4], stream(1), 2000)
    np.testing.assert_array_equal(again, found[2:4])


def test_many_hidden_units_are_estimated(monkeypatch):
    model = ReplicatedSoftmax(6, n_iter=20, random_state=0).fit(X)
    exact = model.score_samples(X[:9])
    monkeypatch.setattr(of_lengths, "MAX_UNITS", 5)
    model = pickle.loads(pickle.dumps(model))
    model._log_partition.computed.clear()
    assert model.density_kind_ == "estimate"
    np.testing.assert_allclose(model.score_samples(X[:9]), exact, atol=0.3)
    log_Z, se = model.log_partition(X[:9].sum(axis=1))
    assert (se > 0).all()
    assert np.isfinite(log_Z).all()


def test_weights_far_from_zero_have_a_log_Z():
    topics = Topics(np.array([[900.0, -900], [-900, 900]]), np.zeros(2), np.zeros(2))
    (log_Z,), _ = log_partition(topics, np.array([2.0]), 0)
    # Of the states (1, 0) and (0, 1), two words of weight 900 each; others are 2^2.
    assert log_Z == pytest.approx(1800 + np.log(2))


def objective(model, x, **options):
    """Objective of a model of known parameters, and its state."""
    table = assign(model, **options)._begin(x, None, None, fresh=False)
    made = model._objective(table, 0)
    assert isinstance(made, DocumentObjective)
    return made, made.resume(model._state())


@pytest.mark.parametrize("gradient", ["pcd", "cd"])
def test_chains_count_by_the_words_of_a_batch(gradient):
    """Statistics of short and long chains alike: no bias rises with the length."""
    x = RNG.integers(0, 4, (40, 3)).astype(float)
    model = fitted(n_chains=30, gradient=gradient).fit(x)
    made, state = objective(model, x)
    batch = x[np.argsort(x.sum(axis=1))[:10]]
    before, found, phases = state.offsets[1], [], []
    made.ascend = lambda state, grad, clock: found.append(grad)
    kept = made.phase.phases
    made.phase.phases = lambda *given: phases.append(kept(*given)) or phases[0]
    after = made.step(state, Batch(batch), Clock(0, 1, 0, 1))
    (grad,), (((v, h), (w, g)), _) = found, phases[0]
    n, m = v.sum(axis=1), w.sum(axis=1)
    per_word = 1 / x.sum(axis=1).mean()
    again = per_word * n.mean() / m.mean()
    by_b = v.mean(axis=0) * per_word - w.mean(axis=0) * again
    np.testing.assert_allclose(grad.units[0], by_b, rtol=1e-5, atol=1e-7)
    assert abs(by_b.sum()) < 1e-6
    by_a = n @ h / len(h) * per_word - m @ g / len(g) * again
    np.testing.assert_allclose(grad.units[1], by_a, rtol=1e-5, atol=1e-7)
    by_W = v.T @ h / len(v) * per_word - w.T @ g / len(w) * again
    np.testing.assert_allclose(
        np.asarray(grad.couplings[0]), by_W, rtol=1e-4, atol=1e-6
    )
    # Offsets move towards the mean of the hidden units of all words.
    share = (after.offsets[1] - before) / (n @ h / n.sum() - before)
    np.testing.assert_allclose(share, share[0], rtol=1e-4)
    assert 0 < share[0] < 1


@pytest.mark.parametrize("times, divisor", [(1, 30.0), (40, None)])
def test_rates_are_divided_by_the_length(times, divisor):
    x = times * RNG.integers(0, 4, (40, 3)).astype(float)
    model = fitted(schedule="constant", learning_rate=0.3)
    made, state = objective(model.fit(x), x)
    rates = []

    class Solver:
        @staticmethod
        def step(params, memory, grad, *, rate, **rule):
            rates.append(rate)

    made.solver = Solver
    made.step(state, Batch(x), Clock(0, 1, 0, 1))
    divisor = divisor or x.sum(axis=1).mean() + 10
    assert rates == [pytest.approx(0.3 / divisor, rel=1e-6)]


def test_halves_of_documents_are_predicted_from_each_other():
    model = fitted()
    made, _ = objective(model.fit(X[:, :3]), X[:, :3])
    watch = made.watch(
        model._begin(X[:, :3], None, None, fresh=False),
        None,
        made.resume(model._state()),
    )
    W, b, a = model.components_.T, model.intercept_visible_, model.intercept_hidden_
    known, rest = np.array([[2.0, 1, 0]]), np.array([[1.0, 0, 4]])
    h = 1 / (1 + np.exp(-(known @ W + 3 * a)))
    logits = b + h @ W.T
    log_p = logits - logsumexp(logits, axis=1, keepdims=True)
    found = watch._given(known, rest, b, a, W)
    np.testing.assert_allclose(found, -(rest * log_p).sum(axis=1))


@pytest.mark.exhaustive
def test_the_gradient_is_that_of_the_log_likelihood():
    # Chains of exact samples: with many, the negative phase is the model's own.
    x, n_chains = RNG.integers(0, 4, (40, 3)).astype(float), 20_000
    model = fitted(n_chains=n_chains, gradient="pcd", n_steps=20)
    model.fit(x)
    for name, value in vars(fitted()).items():
        if name in ("components_", "intercept_visible_", "intercept_hidden_"):
            setattr(model, name, value)
    made, state = objective(model, x)
    lengths = np.resize(x.sum(axis=1), n_chains)
    chains = model.sample(n_chains, 0, lengths=lengths, init="noise")
    energy, own = conditioned(state.params, lengths)
    field = energy.received(own, (chains, None), 1) + own.units[1]
    h = (RNG.random(field.shape) < 1 / (1 + np.exp(-field))).astype(float)
    state = state._replace(chains=(chains, h), offsets=(np.zeros(3), np.zeros(2)))
    found = []
    made.ascend = lambda state, grad, clock: found.append(grad)
    made.step(state, Batch(x), Clock(0, 1, 0, 1))
    (grad,) = found

    def likelihood(params):
        (b, a), (W,) = params
        other = fitted()
        other.intercept_visible_, other.intercept_hidden_ = b, a
        other.components_, other._log_partition = W.T, LogPartition({})
        return other.score_samples(x).mean() / made.length

    exact = numerical_gradient(likelihood, state.params)
    for part, wanted in zip(
        (*grad.units, np.asarray(grad.couplings[0])),
        (*exact.units, exact.couplings[0]),
        strict=True,
    ):
        np.testing.assert_allclose(part, wanted, atol=0.02)


@pytest.mark.parametrize("gradient", ["pcd", "tempering"])
def test_chains_keep_the_distribution_of_the_model(gradient):
    model = fitted(gradient=gradient, n_chains=4000, n_temperatures=3)
    x = np.tile([[1.0, 2.0, 1.0]], (4, 1))
    made, state = objective(model, x)
    state = made.resume(state._replace(chains=()))
    for number in range(15):
        clock = Clock(0, 1, number, 30)
        given = stream(7, number), state, (x, None), (True, None), clock
        (_, (v, h)), state = made.phase.phases(*given)
    unit = Multinomial(3, 4)
    states = unit.states(np.arange(unit.n_states))
    p = np.exp(model.score_samples(states))
    assert_means(v, p @ states)
    assert_means(v**2, p @ states**2)
    assert_means(np.asarray(h), p @ model.transform(states))
    assert len(v) == 4000
    assert len(state.chains[0]) == 4000 * (3 if gradient == "tempering" else 1)


def test_lengths_of_replicas():
    found = _ladder(np.array([0.0, 1, 81, 2.5]), 5).reshape(5, 4)
    np.testing.assert_array_equal(found[:, 2], [81, 27, 9, 3, 1])
    np.testing.assert_array_equal(found[0], [0, 1, 81, 2.5])
    np.testing.assert_array_equal(_ladder(np.array([7.0]), 1), [7])


@pytest.mark.release
@pytest.mark.parametrize("gradient", ["pcd", "cd", "tempering"])
def test_topics_are_found(gradient):
    options = {"gradient": gradient, "batch_size": 10, "random_state": 0}
    model = grouped(ReplicatedSoftmax, 2, **options).fit(X)
    words = X @ np.log(TOPICS).T
    best = np.exp(-(words.max(axis=1).sum() + len(X) * np.log(0.5)) / X.sum())
    # CD does not learn how often each topic occurs.
    assert model.perplexity(X) < best * (1.15 if gradient == "cd" else 1.05)
    h = model.transform(X)
    apart = abs(h[::2].mean(axis=0) - h[1::2].mean(axis=0))
    assert (apart > 0.9).any()
    one = model.components_[apart.argmax()]
    assert (np.sign(one[:5]) == -np.sign(one[5:])).all()


def test_samples_have_the_distribution_and_the_lengths():
    model = fitted()
    x = model.sample(5000, 0, lengths=3, init="noise")
    states = Multinomial(3, 3).states(np.arange(10))
    assert_means(x, np.exp(model.score_samples(states)) @ states)
    given = np.array([0, 5, 2.5])
    np.testing.assert_allclose(model.sample(3, lengths=given).sum(axis=1), given)
    for wrong in (-1, [1, 2], np.nan, "long", [[1], [2], [3]]):
        with pytest.raises(ValueError, match="lengths"):
            model.sample(3, lengths=wrong)
    with pytest.raises(ValueError, match="init"):
        model.sample(3, init=X)


@pytest.mark.parametrize("gradient", ["pcd", "cd", "tempering"])
def test_samples_have_the_lengths_of_training_documents(gradient):
    # A tenth of the documents are long, by their weight half of the rows.
    rng = np.random.default_rng(3)
    x = np.array(
        [rng.multinomial(200 if i < 30 else 60, TOPICS[0]) for i in range(300)]
    )
    weight = np.where(np.arange(300) < 30, 9, 1)
    options = {"n_iter": 2, "gradient": gradient, "random_state": 0}
    model = grouped(ReplicatedSoftmax, 2, **options).fit(x, sample_weight=weight)
    model.partial_fit(np.ones((5, 10)))
    model = pickle.loads(pickle.dumps(model))
    lengths = model.sample(2000, 0, n_steps=1).sum(axis=1)
    assert set(lengths) == {60, 200}
    assert (lengths == 200).mean() == pytest.approx(0.5, abs=0.05)
    assert len(model.chains_) == len(model.h_samples_) == 20
    assert set(model.chains_.sum(axis=1)) == {60, 200}
    assert hasattr(model, "swap_rates_") == (gradient == "tempering")
    few = grouped(ReplicatedSoftmax, 2, **options).fit(x[:3])
    np.testing.assert_array_equal(few.lengths_, [200] * 3)


def test_other_temperatures_have_chains_anew():
    model = ReplicatedSoftmax(
        2, n_iter=1, gradient=Tempering(n_chains=6, n_temperatures=4), random_state=0
    )
    assign(model.fit(X), n_chains=8, n_temperatures=3).partial_fit(X)
    lengths = np.sort(model.chains_.sum(axis=1))
    assert lengths[0] > 5
    assert lengths.mean() == pytest.approx(X.sum(axis=1).mean(), abs=1)
    assert model.swap_rates_.shape == (2,)


def test_gibbs_keeps_lengths():
    model = ReplicatedSoftmax(3, n_iter=2, random_state=0).fit(X)
    found = model.gibbs(X)
    np.testing.assert_array_equal(found.sum(axis=1), X.sum(axis=1))
    assert (found != model.gibbs(X)).any()


def test_long_and_fractional_documents():
    model = ReplicatedSoftmax(3, n_iter=5, random_state=0).fit(X / 4)
    scores = model.score_samples(np.vstack([X * 1000, X / 7]))
    assert np.isfinite(scores).all()


@pytest.mark.release
@pytest.mark.parametrize("gradient", ["pcd", "cd", "tempering"])
def test_time_does_not_follow_the_counts(gradient):
    # Word by word it would take years.
    long = X[:20] * 1e13
    model = ReplicatedSoftmax(3, n_iter=2, gradient=gradient, random_state=0).fit(long)
    assert np.isfinite(model.loss_curve_).all()
    assert np.isfinite(model.score_samples(long)).all()
    np.testing.assert_allclose(model.gibbs(long).sum(axis=1), long.sum(axis=1))
    many = ReplicatedSoftmax(21, n_iter=1, random_state=0).fit(long)
    assert np.isfinite(many.log_partition(long[0].sum())[0]).all()


def test_counts_that_are_not_told_apart_are_refused():
    model, names = ReplicatedSoftmax(2, n_iter=1, random_state=0), list("abc")
    beyond = np.array([[1, 2, 3], [0, 2e16, np.nan]])
    frame = pd.DataFrame(beyond, columns=names)
    given = (beyond, "column 1"), (frame, "column 'b'"), (frame * 0.4, "row 1")
    given += ((sp.csr_array(np.nan_to_num(beyond)), "column 1"),)
    given[2][0]["c"] = 5e15
    for wrong, place in given:
        with pytest.raises(
            ValueError, match=f"2 \\*\\* 53, but those (in|of) {place} "
        ):
            model.fit(wrong)
    with pytest.raises(ValueError, match="2 \\*\\* 53"):
        model.fit(X).sample(lengths=1e17)


def test_sparse_counts_are_those_of_arrays():
    a = ReplicatedSoftmax(3, n_iter=5, random_state=0).fit(sp.csr_array(X))
    b = ReplicatedSoftmax(3, n_iter=5, random_state=0).fit(X.astype(np.int32))
    np.testing.assert_array_equal(a.components_, b.components_)
    assert a.perplexity(sp.csr_array(X)) == b.perplexity(X)


def test_early_stopping_keeps_the_best():
    model = ReplicatedSoftmax(5, early_stopping=True, n_iter=60, random_state=0).fit(X)
    curve = model.validation_curve_
    assert len(curve) == model.n_iter_
    assert curve[0] > min(curve)


def test_options_that_do_not_fit():
    model = fitted()
    with pytest.raises(ValueError, match="n_components changed"):
        model.set_params(n_components=4).partial_fit(np.ones((2, 3)))
    with pytest.raises(ValueError, match="CountVectorizer"):
        ReplicatedSoftmax().fit(["words of one", "and of another"])
    with pytest.raises(ValueError, match="Negative values"):
        ReplicatedSoftmax(2).fit(-X)


def test_states_are_tuples():
    made, state = objective(fitted(gradient="cd"), np.ones((4, 3)))
    assert isinstance(state, TrainState)
    state = made.step(state, Batch(np.ones((4, 3))), Clock(0, 1, 0, 1))
    assert isinstance(state, TrainState)


def test_a_few_short_documents_do_not_diverge():
    # With rates as of a length of two words one seed in two hundred did.
    X = np.random.RandomState(0).uniform(size=(30, 3))
    for seed in (396, 522, 537, 895):
        rsm = ReplicatedSoftmax(12, n_iter=5, random_state=seed)
        losses = rsm.fit(X, sample_weight=[3] * 30).loss_curve_
        assert max(losses) < losses[0] + 0.1


def test_columns_are_counts():
    model = ReplicatedSoftmax(2, n_iter=1, random_state=0).fit([[1, 2], [0, 3]])
    assert [column.kind for column in model.column_types_.values()] == ["counts"] * 2
