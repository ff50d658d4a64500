"""Times of autoregressive models, compared with the same in PyTorch and NumPy.

    python doc/benchmarks/autoregressive_speed.py --data DATA --torch RIVAL/bin/python

NADE 784-500 (logistic units) on the bits of MNIST in float32: an epoch of Adam in
batches of 100, the log-likelihoods of 2,000 rows, and 1,000 images drawn. RIVAL is a
virtual environment with PyTorch; without one PyTorch is left out. The other
implementations go through the columns one after the other, all rows of a batch at a
time:

- PyTorch: gradients by autograd;
- NumPy: gradients by hand;
- NumPy, sparse: the same, but hidden units are recomputed only for rows in which a
  pixel is on, and columns in which no row has one are computed together.

An epoch has ``--rows`` rows; its time is multiplied by 50,000 / rows. An epoch of FVBN,
on all rows, is compared with the matrix products that it needs, by NumPy alone.
Processes take turns; a figure is the median of their medians. All start from the same
weights, for which their log-likelihoods must agree.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from _processes import asked
from scipy.special import expit

N_ROWS, N_UNITS, BATCH, N_SCORED, N_DRAWN = 50_000, 500, 100, 2_000, 1_000
WHO = {
    "ours": "skdgm",
    "torch": "PyTorch",
    "dense": "NumPy",
    "sparse": "NumPy, sparse",
}


def batches(X):
    """Yield the batches of an epoch."""
    index = np.random.default_rng(0).permutation(len(X))
    return (X[index[i : i + BATCH]] for i in range(0, len(X), BATCH))


def entropy(z, x):
    """Cross-entropy of bits given logits, row by row."""
    return (np.logaddexp(0, z) - x * z).sum(axis=1, dtype=np.float64)


class Ours:
    """NADE of skdgm, as a user calls it."""

    def __init__(self, X, weights=None):
        from skdgm import NADE
        from skdgm.options import Adam

        self.model = NADE(
            N_UNITS,
            activation="logistic",
            batch_size=BATCH,
            n_iter=0,
            random_state=0,
            learning_rate=1e-3,
            solver=Adam(schedule="constant"),
        )
        self.model.fit(X)

    def weights(self):
        """Return W, c, V and b."""
        (W, V), (c, b) = self.model.coefs_, self.model.intercepts_
        return W, c, V, b

    def epoch(self, X):
        self.model.partial_fit(X)

    def score(self, X):
        return self.model.score_samples(X)

    def sample(self):
        return self.model.sample(N_DRAWN, random_state=0)


class Adam:
    """Adam updates, in place."""

    def __init__(self, params):
        self.params, self.t = params, 0
        self.m = [np.zeros_like(p) for p in params]
        self.s = [np.zeros_like(p) for p in params]

    def step(self, slopes):
        self.t += 1
        rate = 1e-3 * np.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        for p, m, s, g in zip(self.params, self.m, self.s, slopes):
            m *= np.float32(0.9)
            m += np.float32(0.1) * g
            g *= g
            s *= np.float32(0.999)
            s += np.float32(0.001) * g
            p -= np.float32(rate) * m / (np.sqrt(s) + np.float32(1e-8))


class Dense:
    """NADE in NumPy, with gradients by hand."""

    def __init__(self, X, weights):
        self.params = [w.copy() for w in weights]
        self.adam = Adam(self.params)
        n_columns = X.shape[1]
        self.h = np.empty((n_columns, BATCH, N_UNITS), np.float32)

    def forward(self, x, keep=None):
        """Compute logits; hidden units of each column go to ``keep`` if given."""
        W, c, V, b = self.params
        a, z = np.tile(c, (len(x), 1)), np.empty_like(x)
        h = np.empty_like(a)
        for t in range(x.shape[1]):
            h = h if keep is None else keep[t, : len(x)]
            z[:, t] = expit(a, out=h) @ V[t]
            a += x[:, t, None] * W[t]
        return z + b

    def slopes(self, x):
        """Gradients of the mean negative log-likelihood of rows."""
        z, (_, _, V, _) = self.forward(x, self.h), self.params
        dz = (expit(z) - x) / np.float32(len(x))
        da, dW, dV = (
            np.zeros((len(x), N_UNITS), np.float32),
            *map(np.empty_like, [V, V]),
        )
        for t in range(x.shape[1] - 1, -1, -1):
            h = self.h[t, : len(x)]
            dW[t] = x[:, t] @ da
            dV[t] = dz[:, t] @ h
            g = dz[:, t, None] * V[t]
            g *= h
            h -= 1
            g *= h
            da -= g
        return [dW, da.sum(axis=0), dV, dz.sum(axis=0)]

    def epoch(self, X):
        for x in batches(X):
            self.adam.step(self.slopes(x))

    def score(self, X):
        parts = [X[i : i + BATCH] for i in range(0, len(X), BATCH)]
        return -np.concatenate([entropy(self.forward(x), x) for x in parts])

    def sample(self):
        W, c, V, b = self.params
        rng, a = np.random.default_rng(0), np.tile(c, (N_DRAWN, 1))
        v = np.empty((N_DRAWN, len(b)), np.float32)
        for t in range(len(b)):
            p = expit(expit(a) @ V[t] + b[t])
            v[:, t] = rng.random(N_DRAWN) < p
            a += v[:, t, None] * W[t]
        return v


class Sparse(Dense):
    """NADE in NumPy for rows in which most bits are zero."""

    def __init__(self, X, weights):
        super().__init__(X, weights)
        self.h = None

    def forward(self, x, keep=None):
        W, c, V, b = self.params
        a, z = np.tile(c, (len(x), 1)), np.empty_like(x)
        h, first = expit(a), 0
        for t in np.flatnonzero(x.any(axis=0)):
            z[:, first : t + 1] = h @ V[first : t + 1].T
            rows, first = np.flatnonzero(x[:, t]), t + 1
            if keep is not None:
                keep.append((t, rows, h[rows]))
            a[rows] += W[t]
            h[rows] = expit(a[rows])
        z[:, first:] = h @ V[first:].T
        if keep is not None:
            keep.append(h)
        return z + b

    def slopes(self, x):
        keep, (_, _, V, _) = [], self.params
        dz = (expit(self.forward(x, keep)) - x) / np.float32(len(x))
        h, last = keep.pop(), x.shape[1]
        # Accumulated gradient of hidden units that do not change in between.
        told, da = np.zeros_like(h), np.zeros_like(h)
        dW, dV = np.zeros_like(V), np.empty_like(V)
        while keep:
            t, rows, before = keep.pop()
            own = dz[:, t + 1 : last]
            told += own @ V[t + 1 : last]
            dV[t + 1 : last], last = own.T @ h, t + 1
            now = h[rows]
            da[rows] += told[rows] * now * (1 - now)
            dW[t] = da[rows].sum(axis=0)
            told[rows], h[rows] = 0, before
        told += dz[:, :last] @ V[:last]
        dV[:last] = dz[:, :last].T @ h
        da += told * h * (1 - h)
        return [dW, da.sum(axis=0), dV, dz.sum(axis=0)]


class Torch:
    """NADE in PyTorch, with gradients by autograd."""

    def __init__(self, X, weights):
        import torch

        torch.set_num_threads(int(os.environ["NUMBA_NUM_THREADS"]))
        torch.manual_seed(0)
        self.torch = torch
        self.params = [torch.from_numpy(w.copy()).requires_grad_() for w in weights]
        self.adam = torch.optim.Adam(self.params, 1e-3)

    def surprise(self, x):
        W, c, V, b = self.params
        a, found = c.expand(len(x), -1), []
        for column, w, v in zip(x.unbind(1), W.unbind(0), V.unbind(0)):
            found.append(self.torch.sigmoid(a) @ v)
            a = a + column[:, None] * w
        z = self.torch.stack(found, 1) + b
        loss = self.torch.nn.functional.binary_cross_entropy_with_logits
        return loss(z, x, reduction="none").sum(1)

    def epoch(self, X):
        for x in batches(X):
            self.adam.zero_grad()
            self.surprise(self.torch.from_numpy(x)).mean().backward()
            self.adam.step()

    def score(self, X):
        with self.torch.no_grad():
            parts = self.torch.from_numpy(X).split(BATCH)
            return -np.concatenate([self.surprise(x).numpy() for x in parts])

    def sample(self):
        torch, (W, c, V, b) = self.torch, self.params
        with torch.no_grad():
            a, found = c.expand(N_DRAWN, -1), []
            for w, v, bias in zip(W, V, b):
                p = torch.sigmoid(torch.sigmoid(a) @ v + bias)
                found.append(torch.bernoulli(p))
                a = a + found[-1][:, None] * w
            return torch.stack(found, 1).numpy()


KINDS = {"ours": Ours, "torch": Torch, "dense": Dense, "sparse": Sparse}


def seconds(function, *args):
    """Time a call."""
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def linear(X):
    """Times of an epoch of FVBN, and of the matrix products that it needs."""
    from skdgm import FVBN

    fvbn = FVBN(batch_size=BATCH, n_iter=0, random_state=0).fit(X)
    fvbn.partial_fit(X)
    (W,), delta = fvbn.coefs_, np.empty((BATCH, X.shape[1]), np.float32)

    def products():
        for x in batches(X):
            np.matmul(x, W, out=delta[: len(x)])
            x.T @ delta[: len(x)]

    products()
    times = zip(*((seconds(fvbn.partial_fit, X), seconds(products)) for _ in range(5)))
    return dict(zip(("FVBN", "products"), map(np.median, times)))


def measured(who, X, folder):
    """Times of one implementation."""
    if who == "fvbn":
        return linear(X)
    path = folder / "weights.npz"
    weights = None if who == "ours" else [*np.load(path).values()]
    model = KINDS[who](X, weights)
    scored = X[:N_SCORED]
    if who == "ours":
        np.savez(path, *model.weights())
    found = {"check": float(np.mean(model.score(scored)))}
    model.epoch(X[: 5 * BATCH])
    model.sample()
    found["epoch"] = seconds(model.epoch, X)
    found["scores"] = np.median([seconds(model.score, scored) for _ in range(3)])
    found["draws"] = np.median([seconds(model.sample) for _ in range(3)])
    return found


def report(n_threads, options, folder):
    """Print the lines for a number of threads."""
    names = [who for who in WHO if who != "torch" or options.torch]
    found = {who: [] for who in [*names, "fvbn"]}
    for _ in range(options.rounds):
        for who, parts in found.items():
            python = options.torch if who == "torch" else None
            given = {"data": options.data, "run": who, "folder": folder}
            given["rows"] = options.rows
            parts.append(asked(__file__, n_threads, python, **given))
    median = {
        who: {key: np.median([part[key] for part in parts]) for key in parts[0]}
        for who, parts in found.items()
    }
    ours, scale = median["ours"], N_ROWS / options.rows
    for who in names:
        own = median[who]
        assert abs(own["check"] - ours["check"]) < 1e-3, (who, own, ours)
        cells = [
            f"{own[key] * by:.2f} s | {own[key] / ours[key]:.1f}"
            for key, by in (("epoch", scale), ("scores", 1), ("draws", 1))
        ]
        print(f"| {WHO[who]} | {n_threads} |", " | ".join(cells), "|", flush=True)
    own = median["fvbn"]
    epoch, bare = own["FVBN"], own["products"]
    return f"| {n_threads} | {epoch:.2f} s | {bare:.2f} s | {epoch / bare:.2f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--torch", help="an interpreter that has PyTorch")
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--run", choices=[*KINDS, "fvbn"])
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.rows, options.rounds = 1_000, 1
    from _data import load

    if options.run:
        n_rows = N_ROWS if options.run == "fvbn" and not options.quick else options.rows
        X = load(options.data, "binarized_mnist")["train"][:n_rows]
        found = measured(options.run, X.astype(np.float32), options.folder)
        print(json.dumps(found))
        return
    from _machine import describe

    print(describe() + f", epochs of {options.rows} rows\n")
    print(
        "| NADE | threads | epoch | ratio | 2,000 scores | ratio | 1,000 draws "
        "| ratio |"
    )
    print("|---" * 8 + "|", flush=True)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for n_threads in options.threads:
            lines.append(report(n_threads, options, Path(folder)))
    print("\n| threads | FVBN, an epoch | its products | ratio |\n|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
