"""Boltzmann machines on any graph: nats, couplings of known models, time of a draw.

    python doc/benchmarks/graph_machines.py --data DATA
    python doc/benchmarks/graph_machines.py --only digits potts speed

``digits``: bits of scikit-learn's digits, 1 above the level 7; three quarters are
training rows. ``nltcs``: its training rows, and its validation rows as held-out rows.
Nats of held-out rows, the difference from the first machine with the standard error of
paired rows, the standard error of log Z, and the CPU time. ``potts``: couplings of a
random Potts model from 10,000 samples, in the zero-sum gauge. ``speed``: a Gibbs step
of 50 chains of 784 bits, compared with a NumPy loop over bits for all chains, or
for one chain, on one thread, in one run; medians of 5.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.feature_extraction.image import grid_to_graph
from sklearn.model_selection import train_test_split

from skdgm import BernoulliRBM, BoltzmannMachine
from skdgm.distributions import Bernoulli
from skdgm.energies import Connected, Params
from skdgm.options import PCD
from skdgm.samplers import Gibbs
from skdgm.utils.random import stream
from skdgm.utils.threading.parallel import limit
from skdgm.utils.threading.threads import one_blas_thread

PSEUDO = {"objective": "pseudo-likelihood"}


def compare(machines, X, V):
    """Print held-out nats of machines."""
    print("| machine | held-out nats | less the first's | log Z ± | fit s |")
    print("|---|---|---|---|---|")
    first = None
    for name, machine in machines.items():
        start = time.process_time()
        machine.set_params(random_state=0).fit(X)
        seconds = time.process_time() - start
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = machine.score_samples(V)
        first = found if first is None else first
        less = found - first
        more = f"{less.mean():+.3f} ± {less.std() / np.sqrt(len(V)):.3f}"
        mark = " (warns)" if said else ""
        print(
            f"| {name} | {found.mean():.3f}{mark} | {more} | {machine.log_Z_se_:.3f} | "
            f"{seconds:.1f} |",
            flush=True,
        )


def digits(_):
    """Nats of held-out digits."""
    X = (load_digits().data > 7).astype(np.float32)
    long = {"n_iter": 100}
    machines = {
        "BernoulliRBM(16)": BernoulliRBM(16, **long),
        "BernoulliRBM(64)": BernoulliRBM(64, **long),
        "BoltzmannMachine()": BoltzmannMachine(**long),
        "BoltzmannMachine(), pseudo-likelihood": BoltzmannMachine(**PSEUDO, **long),
        "BoltzmannMachine(16)": BoltzmannMachine(16, learning_rate=0.1, **long),
    }
    compare(machines, *train_test_split(X, random_state=0))


def nltcs(folder):
    """Nats of held-out rows of nltcs."""
    found = load(folder, "nltcs")
    long = {"batch_size": 50, "learning_rate": 0.1, "n_iter": 30}
    long |= {"gradient": PCD(n_chains=100)}
    machines = {
        "BernoulliRBM(16), batches of 10": BernoulliRBM(16, n_iter=30),
        "BernoulliRBM(16)": BernoulliRBM(16, **long),
        "BoltzmannMachine()": BoltzmannMachine(**long),
        "BoltzmannMachine(), pseudo-likelihood": BoltzmannMachine(**PSEUDO, **long),
        "BoltzmannMachine(16)": BoltzmannMachine(16, **long),
    }
    rows = (found[part].astype(np.float32) for part in ("train", "valid"))
    compare(machines, *rows)


def potts_model(n=24, q=4, share=0.12):
    """Couplings (n, n, q, q) in the zero-sum gauge, and 10,000 samples."""
    rng, W = np.random.default_rng(1), np.zeros((n, n, q, q))
    for i in range(n):
        for j in range(i + 1, n):
            if rng.random() < share:
                W[i, j] = centered(rng.normal(0, 0.7, (q, q)))
                W[j, i] = W[i, j].T
    h, codes = rng.normal(0, 0.3, (n, q)), rng.integers(0, q, (10_000, n))
    for _ in range(200):
        for i in range(n):
            field = np.tile(h[i], (len(codes), 1))
            for j in np.flatnonzero(W[i].any(axis=(1, 2))):
                field += W[i, j].T[codes[:, j]]
            codes[:, i] = (field + rng.gumbel(size=field.shape)).argmax(axis=1)
    return W, codes


def centered(block):
    """A block of couplings in the zero-sum gauge."""
    block = block - block.mean(axis=0)
    return block - block.mean(axis=1, keepdims=True)


def potts(_):
    """Recovery of the couplings of a Potts model."""
    W, codes = potts_model()
    n, q = len(W), W.shape[-1]
    upper = np.triu_indices(n, 1)
    true = W[upper]
    linked = true.any(axis=(1, 2))
    options = {"column_types": "categorical", "batch_size": 100, "learning_rate": 0.2}
    machines = {
        "pseudo-likelihood": BoltzmannMachine(**PSEUDO, **options),
        "persistent chains": BoltzmannMachine(
            n_iter=40, gradient=PCD(n_chains=200), **options
        ),
    }
    print(f"{linked.sum()} of {len(linked)} pairs are linked.\n")
    print("| by | correlation | of linked pairs | links among the highest | fit s |")
    print("|---|---|---|---|---|")
    for name, machine in machines.items():
        start = time.process_time()
        machine.set_params(random_state=0).fit(codes)
        seconds = time.process_time() - start
        J = machine.coupling_.reshape(n, q, n, q).transpose(0, 2, 1, 3)[upper]
        found = np.array([centered(block) for block in J])
        whole = np.corrcoef(true.ravel(), found.ravel())[0, 1]
        part = np.corrcoef(true[linked].ravel(), found[linked].ravel())[0, 1]
        scores = machine.pair_scores(apc=True)[upper]
        best = linked[np.argsort(-scores)[: linked.sum()]].mean()
        print(f"| {name} | {whole:.3f} | {part:.3f} | {best:.0%} | {seconds:.1f} |")


def batched(J, b, x, uniform):
    """A Gibbs step of all chains at once, bit by bit."""
    field = b + x @ J
    for i in range(len(b)):
        new = uniform[:, i] < 1 / (1 + np.exp(-field[:, i]))
        field += (new - x[:, i])[:, None] * J[i]
        x[:, i] = new


def single(J, b, x, uniform):
    """A Gibbs step of one chain."""
    field = b + J @ x
    for i in range(len(b)):
        new = float(uniform[i] < 1 / (1 + np.exp(-field[i])))
        if new != x[i]:
            field += (new - x[i]) * J[i]
            x[i] = new


def timed(n_updates, function, *arguments):
    """Nanoseconds of an update."""
    start = time.process_time()
    function(*arguments)
    return (time.process_time() - start) / n_updates * 1e9


def speed(_):
    """Time of an update of a bit."""
    rng, n, n_chains = np.random.default_rng(0), 784, 50
    grid = grid_to_graph(28, 28).toarray().astype(bool) & ~np.eye(n, dtype=bool)
    b = rng.normal(-1.5, 1, n).astype(np.float32)
    J = np.triu(rng.normal(0, 0.02, (n, n)), 1)
    J = (J + J.T).astype(np.float32)
    print("| links | ns | all chains, NumPy | one chain, NumPy | bits that change |")
    print("|---|---|---|---|---|")
    for name, edges, W in ("all", None, J), ("grid", grid, J * grid * 20):
        energy, params = Connected(Bernoulli(n), 0, edges), Params((b,), (W,))
        rows = stream(0).rows(n_chains)
        state = Gibbs(energy).init(rows, params.units)
        with limit(1), one_blas_thread():
            state, _ = Gibbs(energy).step(rows, params, state, 50)
            x = np.asarray(state.x[0])
            after, _ = Gibbs(energy).step(rows.fold(1), params, state)
            changed = (after.x[0] != x).mean()
            found = []
            for _ in range(5):
                u = rng.random((n_chains, n), dtype=np.float32)
                ours = rows, params, state, 100
                found.append(
                    (
                        timed(100 * n_chains * n, Gibbs(energy).step, *ours),
                        timed(n_chains * n, batched, W, b, x.copy(), u),
                        timed(n, single, W, b, x[0].copy(), u[0]),
                    )
                )
        ours, many, one = np.median(found, axis=0)
        print(
            f"| {name} | {ours:.0f} | {many / ours:.0f} times | {one / ours:.0f} times "
            f"| {changed:.0%} |"
        )


PARTS = {"digits": digits, "nltcs": nltcs, "potts": potts, "speed": speed}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default="public")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args()
    print(describe())
    for name in given.only:
        print(f"\n## {name}\n")
        PARTS[name](given.data)
