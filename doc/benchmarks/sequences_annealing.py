"""Likelihoods of RNNRBM and RTRBM by number of annealing steps, on chorales.

    python doc/benchmarks/sequences_annealing.py --data FOLDER [--only KIND]

Models have the options of ``sequences.py``. Likelihoods are those of a few validation
pieces, in nats a step: means of forward estimates, which are too high on average, and
of reverse estimates, which are too low, with the same number of temperatures for all
steps. Standard errors are those of the draws, by the differences between two seeds of
the chains of each step. The last lines are scores, whose number of temperatures adapts
to each step.
"""

import argparse
import pickle
import time
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sequences import RUNS, pieces, transposed

import skdgm
from skdgm.recurrent import _rbm_step
from skdgm.recurrent._rbm_step import combined

# Numbers of temperatures and of chains for each step.
GRID = (100, 4), (400, 4), (1600, 4), (6400, 4), (100, 16)
SEEDS = range(2)


def estimates(model, parts, n_betas, n_chains, rounds):
    """Forward and reverse estimates of each step, (n_seeds, n_steps, 2), and the CPU
    seconds of a seed. ``rounds`` are factors of the number of temperatures, and gaps
    above which the next follows."""
    found, start = [], time.process_time()
    _rbm_step._N_CHAINS, _rbm_step._ROUNDS = n_chains, rounds
    model.set_params(n_betas=n_betas)
    X, lengths = np.concatenate(parts), [len(part) for part in parts]
    for seed in SEEDS:
        density = model.density_
        density.seed = seed
        found.append(density.bracket(X, lengths))
    return np.array(found), (time.process_time() - start) / len(SEEDS)


def line(name, found, seconds, cost):
    """Print means over steps, with standard errors over seeds."""
    parts = found[..., 0], found[..., 1], combined(found[..., 0], found[..., 1])
    cells = []
    for part in parts:
        # Steps have chains of their own.
        se = np.sqrt(part.var(axis=0, ddof=1).sum() / len(part)) / part.shape[1]
        cells.append(f"{part.mean() - cost:.3f} ± {se:.3f}")
    gap = abs(found[..., 0] - found[..., 1])
    print(
        f"| {name} | {' | '.join(cells)} | {(gap > 1).mean():.1%} | {seconds:.0f} |",
        flush=True,
    )


def run(folder, kind, every, kept):
    """Print the table of a model."""
    data = load(folder, "jsb_chorales")
    train, valid = (
        [transposed(p) for p in pieces(data, p)] for p in ("train", "valid")
    )
    path = kept and kept / f"{kind}.pickle"
    if path and path.exists():
        model = pickle.loads(path.read_bytes())
    else:
        start = time.process_time()
        model = getattr(skdgm, kind)(**RUNS["jsb_chorales", kind]).fit(train)
        print(f"{kind}: fit in {time.process_time() - start:.0f} CPU seconds")
        if path:
            path.write_bytes(pickle.dumps(model))
    parts, rounds = valid[::every], _rbm_step._ROUNDS
    cost = np.log(12) * len(parts) / sum(map(len, parts))
    print(f"\n{kind}: {sum(map(len, parts))} steps of {len(parts)} pieces\n")
    print("| temperatures, chains | forward | reverse | score | gap > 1 | seconds |")
    print("|---" * 6 + "|")
    for n_betas, n_chains in GRID:
        found = estimates(model, parts, n_betas, n_chains, ((1, np.inf),))
        line(f"{n_betas}, {n_chains}", *found, cost)
    for n_betas in 100, 400:
        found = estimates(model, parts, n_betas, 4, rounds)
        line(f"as scores, `n_betas={n_betas}`", *found, cost)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=("RNNRBM", "RTRBM"))
    parser.add_argument("--every", type=int, default=16)
    parser.add_argument("--kept", type=Path)
    options = parser.parse_args()
    print(describe())
    for kind in options.only:
        run(options.data, kind, options.every, options.kept)
