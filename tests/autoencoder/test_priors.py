"""Priors and posteriors of one or two latent units are known by quadrature."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from skdgm import VAE, load, save
from skdgm.autoencoder._bound import BoundBatch
from skdgm.data import tabulate
from skdgm.latent.auxiliary import AuxiliaryUnits
from skdgm.latent.data_layer import Pass
from skdgm.latent.priors import MixturePrior, VampPrior
from skdgm.latent.units import FlowUnits, FullUnits, NormalUnits
from skdgm.nets import layers, vjp
from skdgm.options import ELBO, IWAE, Adam, Prior
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves, tree_map
from tests.numerical import assert_means
from tests.options import grouped

PRIORS = "mixture", "vamp", "flow", "autoregressive"
POSTERIORS = "diagonal", "full", "flow"
KINDS = "bernoulli", "gaussian", "mixed"
X = np.random.default_rng(0).normal(size=(40, 3)) @ np.tril(np.ones((3, 3)))
STEP = 0.05
LINE = np.arange(-9, 9, STEP)


def rows(kind):
    if kind == "bernoulli":
        return (X > 0).astype(float)
    return (
        X.copy() if kind == "gaussian" else np.c_[X[:, 0], X[:, 1] > 0, X[:, 2] > 0.5]
    )


def columns_of(kind):
    return ("numeric", "bernoulli", "categorical") if kind == "mixed" else kind


@cache
def fitted(n_components, prior, posterior="diagonal", kind="bernoulli"):
    """A model whose parameters are far from where they began, in float64."""
    several = prior in ("mixture", "vamp")
    vae = VAE(
        *(n_components, (5,)),
        column_types=columns_of(kind),
        prior=Prior(prior, n_components=4) if several else prior,
        posterior=posterior,
        n_couplings=2,
        n_iter=0,
        # The parameters, and not their average, are changed.
        solver=Adam(average=False),
        random_state=0,
    ).fit(rows(kind))
    rng, params = np.random.default_rng(1), vae._training.params
    for leaf in leaves(params):
        leaf += 0.3 * rng.normal(size=leaf.shape)
    # Flows of large weights are too rough for a grid.
    for leaf in leaves((params.links, params.prior if prior == "flow" else ())):
        leaf *= 0.5
    # Proposals are wide, so that weights are about even.
    top, n = params.encoders[0][-1], n_components
    top.W[:] *= 0.3
    top.b[n : 2 * n] = 0.8
    if prior == "flow":
        params.prior[0].gain[:] = 0.9
    if prior == "vamp" and kind == "bernoulli":
        vae._training.params.prior.clip(0, 1, out=vae._training.params.prior)
    return vae


def grid(n_units):
    return np.stack(np.meshgrid(*[LINE] * n_units), axis=-1).reshape(-1, n_units)


def log_prior(vae, z):
    hierarchy = vae.density_.hierarchy
    return hierarchy.generative.log_prior(z, hierarchy._prior(vae.density_.net))


@pytest.mark.exhaustive(default=["1", "vamp", "mixture"])
@pytest.mark.parametrize("n_units", [1, 2])
@pytest.mark.parametrize("prior", PRIORS)
def test_priors_are_densities_of_their_draws(prior, n_units):
    vae, z = fitted(n_units, prior), grid(n_units)
    p = np.exp(log_prior(vae, z)) * STEP**n_units
    assert p.sum() == pytest.approx(1, abs=1e-3)
    drawn = vae.density_.latent(stream(3).rows(20_000))
    assert_means(drawn, p @ z)
    assert_means(drawn**2, p @ z**2)
    assert_means(drawn.prod(axis=1), p @ z.prod(axis=1))
    assert_means((drawn > 0.5).all(axis=1), p @ (z > 0.5 - STEP / 2).all(axis=1))


def test_a_mixture_is_one():
    vae, z = fitted(2, "mixture"), grid(2)[::97]
    stats, logits = vae._training.params.prior
    log_share = logits - logsumexp(logits)
    mean, s = stats[:, :2], 12 * np.tanh(stats[:, 2:] / 12)
    parts = norm.logpdf(z[:, None], mean, np.exp(s / 2)).sum(axis=2)
    np.testing.assert_allclose(log_prior(vae, z), logsumexp(parts + log_share, axis=1))


@pytest.mark.parametrize(
    "prior", [MixturePrior(1), VampPrior(1, np.zeros(3), np.ones(3, bool))]
)
def test_narrow_components_have_narrow_draws(prior):
    stats = np.array([[2.0, -1.0, -8.0, -5.0]])
    own = stats if prior.inferred else (stats, np.zeros(1))
    drawn = prior.draw(own, stream(0).rows(5000), 2, float)
    s = stats[:, 2:] if prior.inferred else 12 * np.tanh(stats[:, 2:] / 12)
    assert_means(drawn, stats[0, :2])
    assert_means((drawn - stats[:, :2]) ** 2, np.exp(s[0]))
    expected = norm.logpdf(drawn, stats[:, :2], np.exp(s / 2)).sum(axis=1)
    np.testing.assert_allclose(prior.log_prob(drawn, own), expected)


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_components_of_pseudo_inputs_are_those_of_rows(posterior):
    vae, z = fitted(2, "vamp", posterior), grid(2)[::97]
    assert ((vae._training.params.prior >= 0) & (vae._training.params.prior <= 1)).all()
    raw = np.asarray(vae._training.params.prior)
    for layer, bend in zip(vae._training.params.encoders[0][::2], (np.tanh, np.array)):
        raw = bend(raw @ layer.W + layer.b)
    mean, s = raw[:, :2], 12 * np.tanh(raw[:, 2:4] / 12)
    parts = norm.logpdf(z[:, None], mean, np.exp(s / 2)).sum(axis=2)
    np.testing.assert_allclose(log_prior(vae, z), logsumexp(parts, axis=1) - np.log(4))


def test_each_unit_depends_on_those_before_it():
    vae = fitted(2, "autoregressive")
    (top,) = {len(vae.density_.hierarchy.n_latent)}
    assert top == 1
    z = np.random.default_rng(0).normal(size=(5, 2))
    own = vae.density_.hierarchy.generative.top._stats(vae._training.params.prior, z)
    moved = vae.density_.hierarchy.generative.top._stats(
        vae._training.params.prior, z + [0, 1]
    )
    np.testing.assert_array_equal(own, moved)
    assert np.ptp(own[:, 0]) == np.ptp(own[:, 2]) == 0 < np.ptp(own[:, 1])
    expected = norm.logpdf(z, own[:, :2], np.exp(own[:, 2:] / 2)).sum(axis=1)
    np.testing.assert_allclose(log_prior(vae, z), expected)


def exact(vae, V):
    """Log-likelihoods by the sum over a grid."""
    density, n_units = vae.density_, vae.n_components
    z = grid(n_units)[:: 4 if n_units == 2 else 1]
    if n_units == 2:
        line = LINE[::3]
        z = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    step = (LINE[3] - LINE[0]) ** 2 if n_units == 2 else STEP
    out = density.hierarchy.downwards(density.net, z)
    own, log_p = density.net.params.dispersion, log_prior(vae, z) + np.log(step)
    table = vae._rows(V).take(slice(None))
    layer, found = density.hierarchy.data, []
    for v in np.repeat(table[:, None], len(z), axis=1):
        # Columns depend on those before them, where these are linked.
        x = density.output.inputs(v)
        linked = out if layer is None else layer.outputs(density.net.params, out, x)
        found.append(-density.output.nll(linked, v, own))
    volume = density.domain.log_volume(density.columns, density.read(V))
    return logsumexp(np.array(found) + log_p, axis=1) + volume


CASES = [
    *(
        (1, prior, posterior, "bernoulli")
        for prior, posterior in [
            ("vamp", "flow"),
            ("flow", "full"),
            ("autoregressive", "flow"),
        ]
    ),
    *(
        (2, prior, posterior, "bernoulli")
        for prior, posterior in product(("normal", *PRIORS), POSTERIORS)
    ),
    *((2, prior, "full", kind) for prior in ("mixture", "vamp") for kind in KINDS[1:]),
    (2, "flow", "flow", "mixed"),
    (2, "vamp", "auxiliary", "mixed"),
    (2, "normal", "auxiliary", "bernoulli"),
]


@pytest.mark.exhaustive(default=["'mixture', 'diagonal'", "'vamp', 'diagonal'"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_bounds_are_below_the_likelihood_and_reach_it(case):
    vae = fitted(*case)
    V = rows(case[-1])[:6]
    if vae.density_.hierarchy.data is None:
        V[0, 1] = np.nan
    truth = exact(vae, V)
    found, se = vae.importance_likelihood(V, n_draws=3000, return_se=True)
    assert (abs(found - truth) <= 4 * se + 2e-3).all()
    assert (se < 0.2).all()
    bound = vae.elbo(V, n_draws=1000)
    assert (bound.bound < truth + 0.02).all()
    np.testing.assert_allclose(bound.bound, bound.reconstruction - bound.kl)


def units_of(posterior, n_units, seed=0):
    """Units, statistics of two rows, and noise."""
    rng = np.random.default_rng(seed)
    if posterior == "full":
        units, own = FullUnits(), ()
    else:
        units = FlowUnits(3, layers.serial(layers.dense(4, "tanh")))
        own = units.link(n_units, None, rng, np.float64)
        own = tree_map(lambda a: a + 0.2 * rng.normal(size=a.shape), own)
    raw = 0.7 * rng.normal(size=(2, units.n_raw(n_units)))
    return units, units.stats(raw, own), rng


@pytest.mark.parametrize("n_units", [1, 2, 3])
@pytest.mark.parametrize("posterior", POSTERIORS[1:])
def test_draws_have_an_inverse_and_a_determinant(posterior, n_units):
    units, stats, rng = units_of(posterior, n_units)
    noise = rng.normal(size=(8, n_units))
    z, log_q = units.drawn(stats, noise)
    np.testing.assert_allclose(z, units.draw(stats, noise))
    np.testing.assert_allclose(units.noise_of(z, stats), noise, atol=1e-9)
    np.testing.assert_allclose(units.log_prob(z, stats), log_q, atol=1e-8)
    eps, slopes = 1e-6, []
    for way in np.eye(n_units) * eps:
        ends = units.draw(stats, noise + way), units.draw(stats, noise - way)
        slopes.append((ends[0] - ends[1]) / (2 * eps))
    log_det = np.linalg.slogdet(np.stack(slopes, axis=1))[1]
    expected = norm.logpdf(noise).sum(axis=1) - log_det
    np.testing.assert_allclose(log_q, expected, rtol=1e-5, atol=1e-6)


def test_a_triangular_factor_is_one_of_a_covariance():
    units, stats, rng = units_of("full", 3)
    L = np.diag(np.exp(stats[0, 3:6] / 2))
    L[1, 0], L[2, 0], L[2, 1] = stats[0, 6:]
    known = multivariate_normal(stats[0, :3], L @ L.T)
    z = rng.normal(size=(5, 3))
    np.testing.assert_allclose(units.log_prob(z, stats[:1]), known.logpdf(z))
    np.testing.assert_array_equal(units.mean(stats), stats[:, :3])
    terms = np.trace(L @ L.T) + (stats[0, :3] ** 2).sum() - 3
    kl = 0.5 * terms - np.log(np.diag(L)).sum()
    assert units.divergence(stats, ())[0] == pytest.approx(kl)


def test_the_entropy_of_a_flow_is_that_of_its_density():
    units, stats, rng = units_of("flow", 2)
    stats = stats._replace(raw=stats.raw[:1])
    z = grid(2)[::2]
    log_q = units.log_prob(z, stats)
    q = np.exp(log_q) * 2 * STEP**2
    assert q.sum() == pytest.approx(1, abs=1e-3)
    drawn, found = units.drawn(stats, rng.normal(size=(20_000, 2)))
    assert_means(-found, -q @ log_q)
    assert_means(drawn, q @ z)


def test_a_mean_of_a_flow_is_what_the_mean_becomes():
    units, stats, _ = units_of("flow", 2)
    np.testing.assert_allclose(units.mean(stats), units.draw(stats, np.zeros((2, 2))))


@pytest.mark.parametrize("n_components, sizes", [(2, 4), ((3, 2), (4, 3))])
@pytest.mark.parametrize("objective", ["elbo", "iwae"])
def test_free_bits_cost_nothing(n_components, sizes, objective):
    """Below the limit the gradient is that of the reconstruction."""
    kind = {"elbo": ELBO, "iwae": IWAE}[objective]
    V, noise = rows("bernoulli"), np.random.default_rng(2).normal(size=(80, 3))
    grads = []
    for free_bits, beta in ((0.0, 1.0), (1e6, 1.0), (0.0, 0.0), (1e-9, 1.0)):
        own = kind(n_importance=2, free_bits=free_bits)
        vae = VAE(n_components, sizes, objective=own, n_iter=0, random_state=0)
        vae.fit(V)
        for leaf in leaves(vae._training.params):
            leaf += 0.1
        objective_ = vae._objective(tabulate(vae._rows(V), None), 0)
        v, n = vae._rows(V).take(slice(None)), objective_.hierarchy.n_latent

        def loss(params, objective_=objective_, v=v, n=n, beta=beta, vae=vae):
            source = lambda level, stats: noise[:, : n[level]]  # noqa: E731
            batch = BoundBatch(
                statistics=vae._training.statistics,
                v=v,
                noise=source,
                beta=beta,
                training=stream(0),
                covariates=None,
            )
            return objective_.forward(params, batch)[0]

        grads.append(leaves(vjp(loss, vae._training.params, np.ones_like)[1]))
    full, free, without, little = (np.concatenate([*map(np.ravel, g)]) for g in grads)
    np.testing.assert_allclose(little, full)
    assert abs(free - full).max() > 1e-3
    if objective == "elbo":
        np.testing.assert_allclose(free, without, atol=1e-12)


def test_free_bits_are_for_each_layer():
    gaps = np.array([0.5, 1.5]), np.array([3.0, 5.0])
    found = Pass(None, gaps, (np.zeros(2),), (), (), ()).with_free(2.0)
    np.testing.assert_array_equal(found.gap, [3.5, 6.5])


@pytest.mark.parametrize("kind", KINDS)
def test_pseudo_inputs_are_rows(kind, tmp_path):
    V = rows(kind)
    options = {"prior": "vamp", "n_prior_components": 6, "random_state": 0}
    vae = grouped(VAE, 2, 6, column_types=columns_of(kind), n_iter=30, **options).fit(V)
    found = vae.pseudo_inputs_
    assert found.shape == (6, 3)
    assert np.isfinite(vae.score_samples(found)).all()
    for j in range(3):
        if kind != "gaussian":
            assert (found[:, j] >= V[:, j].min()).all()
            assert (found[:, j] <= V[:, j].max()).all()
    # They are learned, and none of the rows.
    start = grouped(VAE, 2, 6, column_types=columns_of(kind), n_iter=0, **options).fit(
        V
    )
    assert not np.allclose(found, start.pseudo_inputs_)
    assert not (found[:, None] == V).all(axis=2).any() or kind == "bernoulli"
    save(vae, tmp_path / "vae")
    np.testing.assert_array_equal(load(tmp_path / "vae").pseudo_inputs_, found)


def test_others_have_no_pseudo_inputs():
    assert not hasattr(fitted(2, "mixture"), "pseudo_inputs_")


@pytest.mark.parametrize(
    "option, value",
    [("prior", "mixture"), ("posterior", "full"), ("prior__n_components", 7)],
)
def test_priors_do_not_change_while_they_learn(option, value):
    V, how = rows("bernoulli"), {"n_prior_components": 5, "n_iter": 2}
    vae = grouped(VAE, 2, 4, prior="vamp", **how, random_state=0).fit(V)
    assert vae.partial_fit(V).n_iter_ == 3
    with pytest.raises(ValueError, match=f"{option}.* changed since"):
        vae.set_params(**{option: value}).partial_fit(V)


@pytest.mark.exhaustive(default=["vamp"])
@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("posterior", [*POSTERIORS, "auxiliary"])
def test_hard_rows_are_learned(prior, posterior):
    """Three rows, with a constant column, holes and an outlier."""
    V = np.array([[1.0, 2, 1e6], [1.0, np.nan, 0], [1.0, -1, 1]], np.float32)
    vae = VAE(
        *((3, 2), (4, 4)),
        column_types="gaussian",
        prior=prior,
        posterior=posterior,
        objective="iwae",
        n_iter=5,
        random_state=0,
    ).fit(V)
    filled = vae.impute(V, sampler="metropolis", n_steps=5)
    for found in (vae.score_samples(V), vae.transform(V), vae.sample(5), filled):
        assert np.isfinite(found).all()
    assert vae.coefs_[0].dtype == np.float32


@pytest.mark.exhaustive
def test_richer_priors_are_better():
    """Rows near one of three corners: a single normal prior leaves room between."""
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 2, (6, 12)).astype(float)
    V = abs(corners[rng.integers(0, 6, 600)] - (rng.random((600, 12)) < 0.03))
    scores = {}
    mixtures = (Prior(kind, n_components=12) for kind in ("mixture", "vamp"))
    for prior in ("normal", *mixtures):
        options = {"prior": prior, "learning_rate": 0.01}
        vae = VAE(2, 16, n_iter=60, random_state=0, **options).fit(V[:300])
        scores[getattr(prior, "kind", prior)] = vae.score(V[300:])
    assert scores["mixture"] > scores["normal"] + 0.05
    assert scores["vamp"] > scores["normal"] + 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_pseudo_inputs_differ_at_the_start(kind):
    options = {"prior": "vamp", "n_prior_components": 50, "random_state": 0}
    model = grouped(VAE, 1, 3, column_types=columns_of(kind), n_iter=0, **options).fit(
        rows(kind)
    )
    found = model.pseudo_inputs_
    assert len(np.unique(found, axis=0)) > 1
    if kind != "mixed":
        assert (found.std(axis=0) > 0.15 * rows(kind).std(axis=0)).all()


def test_posteriors_are_those_that_are_asked_for():
    kinds = {"diagonal": NormalUnits, "full": FullUnits}
    kinds |= {"auxiliary": AuxiliaryUnits, "flow": FlowUnits}
    for posterior, kind in kinds.items():
        vae = VAE(2, (3,), posterior=posterior, n_iter=0).fit(np.eye(4))
        rows = vae._label(vae._rows(np.eye(4)), None, False, None)[0]
        objective = vae._objective(tabulate(rows, None), 0)
        assert type(objective.hierarchy.units) is kind, posterior
