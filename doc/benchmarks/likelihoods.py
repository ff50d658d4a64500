"""Reliability and cost of estimates of log Z and likelihoods.

    python doc/benchmarks/likelihoods.py [--data FOLDER] [--model FILE] [--only PART]

Parts: coverage (random models whose log Z is known), mnist (a machine of 500 hidden
units; fitted for a quarter of an hour and kept in FILE), rivals (comparison with a loop
in NumPy, and with rbms if it is installed), exact (20 and 22 binary units).
"""

import argparse
import itertools
import pickle
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from scipy.special import logsumexp
from scipy.stats import binom
from threadpoolctl import threadpool_limits

from skdgm import BernoulliRBM
from skdgm.distributions import Bernoulli
from skdgm.energies import Params, layered, tiled
from skdgm.metrics import likelihood_bracket, partition_bracket
from skdgm.options import PCD
from skdgm.partition import Problem, ais, bracket, exact, ladder
from skdgm.samplers import Gibbs
from skdgm.utils.random import stream

SHAPES = [
    [6, 4],
    [12, 8],
    [20, 10],
    [30, 15],
    [60, 16],
    [8, 8, 8],
    [12, 10, 6],
    [16, 12, 10],
    [20, 10, 10, 4],
    [100, 12],
]


def random_model(seed):
    """Random machine with weights from small to huge, half with balanced biases."""
    rng = np.random.default_rng(seed)
    sizes = SHAPES[seed % len(SHAPES)]
    scale = 0.3 * 300 ** rng.uniform()
    energy = layered([[Bernoulli(size)] for size in sizes])
    couplings = tuple(
        scale * rng.normal(size=pair) * 4 / np.sqrt(sum(pair))
        for pair in itertools.pairwise(sizes)
    )
    units = []
    for k, size in enumerate(sizes):
        above = couplings[k].sum(axis=1) if k < len(couplings) else 0.0
        below = couplings[k - 1].sum(axis=0) if k else 0.0
        balance = -(above + below) / 2 * (rng.uniform() < 0.5)
        units.append(balance + rng.normal(size=size) * scale * rng.uniform())
    return energy, Params(tuple(units), couplings), scale


def bracketed(seed, energy, params):
    """Bracket of log Z of a model about which nothing is known."""
    nothing = tuple(np.zeros_like(own) for own in params.units)
    chains = Gibbs(energy).init(stream(seed).rows(100), nothing)
    given = Problem(energy, params, chains, (None,) * len(nothing))
    return bracket.estimate(stream(seed, 1), given)


def coverage(options, n_models=300):
    """Share of models whose exact log Z is inside the bracket."""
    inside, warned, errors, start = [], [], [], time.perf_counter()
    for seed in range(n_models):
        energy, params, scale = random_model(seed)
        truth = exact.log_partition(energy, params)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = bracketed(seed, energy, params)
        inside.append(found.lower <= truth <= found.upper)
        warned.append(bool(caught))
        errors.append((scale, found.lower - truth, found.upper - truth))
    inside, warned = np.array(inside), np.array(warned)
    n, hits = (~warned).sum(), inside[~warned].sum()
    low = binom.ppf(0.025, n, hits / n) / n
    print(f"\n{n_models} random models, {(time.perf_counter() - start):.0f} seconds\n")
    print("| runs | number | log Z inside |\n|---|---|---|")
    print(f"| without a warning | {n} | {hits / n:.1%} (at least {low:.1%}) |")
    missed = inside[warned].sum()
    print(f"| with a warning | {warned.sum()} | {missed} of them |")
    for number in np.flatnonzero(~inside):
        scale, lower, upper = errors[number]
        how = "warned" if warned[number] else "NOT WARNED"
        print(f"- {number}: scale {scale:.1f}, [{lower:.2f}, {upper:.2f}] {how}")


def machine(options):
    """Machine of 500 hidden units on MNIST, the long run of rbm_quality.py."""
    if options.model.exists():
        return pickle.loads(options.model.read_bytes())
    X = load(options.data, "mnist")["train"] / np.float32(255)
    recipe = {"n_iter": 500, "learning_rate": 0.05, "batch_size": 100}
    recipe |= {"gradient": PCD(n_steps=5, n_chains=100)}
    rbm = BernoulliRBM(500, resample=True, random_state=0, **recipe)
    options.model.write_bytes(pickle.dumps(rbm.fit(X)))
    return rbm


def mnist(options):
    """Width of the bracket against seconds."""
    rbm = machine(options)
    print(
        "\n| chains | temperatures | schedule | seconds | forward | reverse |", end=""
    )
    print(" tempered | width |\n|---|---|---|---|---|---|---|---|")
    road = [(100, 1000), (100, 3000), (300, 3000), (500, 3000), (500, 6000)]
    road = [(*pair, "quadratic") for pair in [*road, (500, 10000), (800, 5000)]]
    for n_chains, n_betas, schedule in [*road, (500, 3000, "adaptive")]:
        start = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = partition_bracket(
                rbm, n_chains=n_chains, n_betas=n_betas, schedule=schedule
            )
        seconds, said = time.perf_counter() - start, " (warned)" * bool(caught)
        sides = (
            f"{side.log_Z:.2f} ± {side.se:.2f}"
            for side in (found.forward, found.reverse, found.tempered)
        )
        print(
            f"| {n_chains} | {n_betas} | {schedule} | {seconds:.1f} |",
            " | ".join(sides),
            f"| {found.upper - found.lower:.2f}{said} |",
            flush=True,
        )
    if options.data:
        V = load(options.data, "mnist")["valid"] / np.float32(255)
        V = (np.random.default_rng(0).random(V.shape) < V).astype(np.float32)
        found = likelihood_bracket(rbm, V, n_chains=500, n_betas=6000)
        print(f"\nvalidation rows: {found.lower:.2f} to {found.upper:.2f} nats")


def by_numpy(W, b, c, b0, n_chains, n_betas, seed=0):
    """Annealed importance sampling as commonly written in NumPy."""
    rng = np.random.default_rng(seed)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def log_p(v, beta):
        own = (1 - beta) * v @ b0 + beta * v @ b
        return own + np.logaddexp(0, beta * (v @ W + c)).sum(axis=1)

    v = (rng.random((n_chains, len(b))) < sigmoid(b0)).astype(W.dtype)
    log_w, betas = np.zeros(n_chains), np.linspace(0, 1, n_betas).astype(W.dtype)
    for here, there in itertools.pairwise(betas):
        log_w += log_p(v, there) - log_p(v, here)
        h = rng.random((n_chains, len(c))) < sigmoid(there * (v @ W + c))
        eta = (1 - there) * b0 + there * (h.astype(W.dtype) @ W.T + b)
        v = (rng.random(v.shape) < sigmoid(eta)).astype(W.dtype)
    log_Z_0 = np.logaddexp(0, b0).sum() + len(c) * np.log(2)
    return log_Z_0 + logsumexp(log_w) - np.log(n_chains)


def by_rbms(W, b, c, n_chains, n_betas):
    """Annealed importance sampling of the package rbms, on torch."""
    import torch
    from rbms.bernoulli_bernoulli.classes import BBRBM
    from rbms.partition_function.ais import compute_partition_function_ais

    torch.manual_seed(0)
    parts = (torch.tensor(part) for part in (W, b, c))
    params = BBRBM(*parts)
    with torch.no_grad():
        return compute_partition_function_ais(n_chains, n_betas, params)


def rivals(options, n_chains=100, n_betas=1000, repeats=3):
    """Seconds with the same chains, temperatures and weights."""
    rbm = machine(options)
    W, b, c = (
        np.ascontiguousarray(part, dtype=np.float32)
        for part in (
            rbm.components_.T,
            rbm.intercept_visible_,
            rbm.intercept_hidden_,
        )
    )
    energy, params = rbm.density_.energy, tiled(rbm.density_.params)
    mean, _ = rbm.density_.moments
    base = energy.base(params, (mean, np.full(len(c), 0.5)))
    b0, betas = base[0][0], ladder.linear(n_betas)
    ways = {
        "skdgm": lambda: (
            ais.forward(stream(0), energy, params, base, n_chains, betas).log_Z
        ),
        "NumPy": lambda: by_numpy(W, b, c, b0, n_chains, n_betas),
    }
    try:
        import rbms  # noqa: F401

        ways["rbms"] = lambda: by_rbms(W, b, c, n_chains, n_betas)
    except ImportError:
        print("rbms is not installed")
    for way in ways.values():
        way()
    seconds, found = {name: [] for name in ways}, {}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            found[name] = way()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"\n{n_chains} chains, {n_betas} equidistant temperatures\n")
    print("| | seconds | µs a chain and temperature | ratio | log Z |")
    print("|---|---|---|---|---|")
    for name, median in medians.items():
        print(
            f"| {name} | {median:.2f} | {1e6 * median / n_chains / n_betas:.1f} | "
            f"{median / medians['skdgm']:.1f} | {found[name]:.2f} |"
        )


def exactly(options):
    """Seconds for log Z by enumeration."""
    print("\n| units | seconds |\n|---|---|")
    for n_hidden in (16, 20, 22):
        energy = layered([[Bernoulli(784)], [Bernoulli(n_hidden)]])
        params = energy.init(np.random.default_rng(0), scale=0.1)
        exact.log_partition(energy, params)
        start = time.perf_counter()
        exact.log_partition(energy, params)
        print(f"| {n_hidden} x 784 | {time.perf_counter() - start:.2f} |")


PARTS = {"coverage": coverage, "mnist": mnist, "rivals": rivals, "exact": exactly}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", type=Path, default=Path("rbm_mnist_500.pkl"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    print(f"{describe()}; {options.threads} threads")
    with threadpool_limits(options.threads):
        for name in options.only:
            PARTS[name](options)


if __name__ == "__main__":
    main()
