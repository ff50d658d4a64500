"""NADE-k: log-likelihoods by the number of steps and of orders, and times of an epoch.

    python doc/benchmarks/nade_k.py --data DATA --torch RIVAL/bin/python

The net of Raiko et al. (2014), 784-500-784 with tanh and five steps, on the bits of
MNIST. An epoch of Adam in batches of 100 is compared with the same in PyTorch: hidden
entries drawn alike, the mean loss of all steps, gradients by autograd. Both start from
the same weights, and processes take turns; a figure is the median. RIVAL is a virtual
environment with PyTorch; without one the comparison is left out.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from _processes import asked

N_UNITS, N_STEPS, BATCH = 500, 5, 100
OPTIONS = {
    "hidden_layer_sizes": (N_UNITS,),
    "n_steps": N_STEPS,
    "batch_size": BATCH,
    "n_orderings": 1,
    "random_state": 0,
}
# Numbers of orders, and of rows that are scored.
SCORED = (1, 500), (10, 500), (128, 40)
# Epochs, learning rates and what is learned: all steps at first, then the last one.
STAGES = (40, 0.002, "all"), (20, 0.001, "last"), (150, 0.0015, "last")


class Ours:
    """EoNADE, as a user calls it."""

    def __init__(self, X, folder):
        from skdgm import EoNADE
        from skdgm.options import Adam

        own = OPTIONS | {"solver": Adam(schedule="constant"), "learning_rate": 0.001}
        self.model = EoNADE(**own, n_iter=0).fit(X)
        (W, V), (c, b) = self.model.coefs_, self.model.intercepts_
        S, means = self.model._training.learned.seen, X.mean(axis=0)
        np.savez(folder / "weights.npz", W=W, S=S, c=c, V=V, b=b, means=means)

    def epoch(self, X):
        """Learn from all rows once."""
        self.model.partial_fit(X)


class Torch:
    """The same net in PyTorch."""

    def __init__(self, X, folder):
        import torch

        torch.set_num_threads(int(os.environ["NUMBA_NUM_THREADS"]))
        found = np.load(folder / "weights.npz")
        parts = {name: torch.from_numpy(found[name]) for name in found.files}
        self.torch, self.means = torch, parts.pop("means")
        self.params = {name: p.requires_grad_() for name, p in parts.items()}
        self.adam = torch.optim.Adam(self.params.values(), 0.001)

    def loss(self, x):
        """Mean loss of the hidden entries after all steps."""
        torch, p = self.torch, self.params
        n = x.shape[1]
        share = 1 - (1 - torch.rand(len(x))) ** 2
        n_seen = (share * n).floor().clamp(max=n - 1)
        frequency = (1 - n_seen / n).sqrt() - (1 - (n_seen + 1) / n).sqrt()
        factor = n / (n - n_seen) / (n * frequency)
        noise = torch.rand(x.shape)
        last = noise.sort(dim=1).values.gather(1, n_seen.long()[:, None])
        mask = (noise < last).float()
        hidden = 1 - mask
        seen = (x * mask) @ p["W"] + mask @ p["S"] + p["c"]
        v, total = self.means, 0
        own = torch.nn.functional.binary_cross_entropy_with_logits
        for _ in range(N_STEPS):
            z = torch.tanh(seen + (v * hidden) @ p["W"]) @ p["V"] + p["b"]
            total = total + own(z, x, weight=hidden, reduction="none").sum(1)
            v = torch.sigmoid(z)
        return (total * factor / N_STEPS).mean()

    def epoch(self, X):
        """Learn from all rows once."""
        index = np.random.default_rng(0).permutation(len(X))
        for i in range(0, len(X), BATCH):
            self.adam.zero_grad()
            self.loss(self.torch.from_numpy(X[index[i : i + BATCH]])).backward()
            self.adam.step()


KINDS = {"skdgm": Ours, "PyTorch": Torch}


def measured(who, X, folder):
    """Time of an epoch in this process, in seconds."""
    model = KINDS[who](X, folder)
    model.epoch(X[: 5 * BATCH])
    start = time.perf_counter()
    model.epoch(X)
    return time.perf_counter() - start


def speed(options, X):
    """Print times of an epoch."""
    print("\n| threads | skdgm | PyTorch | ratio |\n|---|---|---|---|")
    for n_threads in options.threads:
        found = {who: [] for who in KINDS}
        with tempfile.TemporaryDirectory() as folder:
            np.save(Path(folder) / "rows.npy", X[: options.rows])
            for _ in range(options.rounds):
                for who, times in found.items():
                    python = options.torch if who == "PyTorch" else None
                    given = {"data": options.data, "run": who, "folder": folder}
                    times.append(asked(__file__, n_threads, python, **given))
        ours, theirs = map(np.median, found.values())
        cells = f"{ours:.2f} s | {theirs:.2f} s | {ours / theirs:.2f}"
        print(f"| {n_threads} | {cells} |", flush=True)


def quality(options, X, V):
    """Fit a model, and print its scores by orders and steps."""
    from skdgm import EoNADE

    start = time.perf_counter()
    model = EoNADE(**OPTIONS, warm_start=True)
    for n_iter, rate, learned in STAGES:
        n_iter = 1 if options.quick else n_iter
        own = {"n_iter": n_iter, "learning_rate": rate, "learned_steps": learned}
        model.set_params(**own).fit(X)
    minutes = (time.perf_counter() - start) / 60
    print(f"\n{model.n_iter_} epochs, {minutes:.0f} minutes")
    scores(model, V, options)


def scores(model, V, options):
    """Print means over orders of log p, and logs of means of p."""
    some = V[np.random.default_rng(0).permutation(len(V))]
    print("\n| steps | orders | rows | mean log p | log mean p |")
    print("|---" * 5 + "|", flush=True)
    cases = [(k, 1, SCORED[0][1]) for k in range(1, N_STEPS)]
    cases += [(N_STEPS, *case) for case in SCORED]
    for n_steps, n_orderings, n in cases:
        if options.quick:
            n, n_orderings = 2, min(2, n_orderings)
        model.set_params(n_steps=n_steps, n_orderings=n_orderings)
        each = model.score_features(some[:n]).sum(axis=1)
        own = each if n_orderings == 1 else model.score_samples(some[:n])
        error = own.std() / np.sqrt(n)
        cells = f"{each.mean():.2f} | {own.mean():.2f} ± {error:.2f}"
        print(f"| {n_steps} | {n_orderings} | {n} | {cells} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--torch", help="an interpreter that has PyTorch")
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--run", choices=KINDS)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds = 500, 1
    if options.run:
        X = np.load(options.folder / "rows.npy")
        print(json.dumps(measured(options.run, X, options.folder)))
        return
    from _data import load

    data = load(options.data, "binarized_mnist")
    X, V = (data[part].astype(np.float32) for part in ("train", "valid"))
    from _machine import describe

    print(describe())
    if options.torch:
        speed(options, X)
    quality(options, X[:500] if options.quick else X, V)


if __name__ == "__main__":
    main()
