"""Convolutional machines: time of an epoch, nats and features of digits.

    python doc/benchmarks/convolutional.py
    python doc/benchmarks/convolutional.py --only nats features speed

``speed``: an epoch of CD-1 of 24 maps of 9 x 9 filters in blocks of 2 x 2, on 1,000
random images of 28 x 28 bits in batches of 10 and of 100, beside the same written in
NumPy with a matrix of patches; one thread, seconds of the processor, the median of 3
turns. ``nats``: scikit-learn's digits, three quarters to learn from, or 100 of them.
``features``: error of logistic regression on features and pixels, five folds.
"""

import argparse
import time
import warnings

import numpy as np
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer

from skdgm import DBN, BernoulliRBM, ConvRBM
from skdgm.utils.parallel import limit
from skdgm.utils.threads import one_blas_thread


def plain_epoch(X, W, b, c, size, rate, rng):
    """An epoch of CD-1 with patches of all images in one matrix."""
    view = np.lib.stride_tricks.sliding_window_view

    def up(v):
        patches = view(v.reshape(-1, 28, 28), (9, 9), axis=(1, 2)).reshape(-1, 81)
        eta = (patches @ W + c).reshape(len(v), 10, 2, 10, 2, 24)
        top = np.maximum(eta.max(axis=(2, 4), keepdims=True), 0)
        e = np.exp(eta - top)
        p = e / (e.sum(axis=(2, 4), keepdims=True) + np.exp(-top))
        return patches, p.reshape(-1, 24)

    def draw(p, n):
        blocks = p.reshape(n, 10, 2, 10, 2, 24).transpose(0, 1, 3, 5, 2, 4)
        upto = blocks.reshape(-1, 4).cumsum(axis=1)
        u = rng.random((len(upto), 1), np.float32)
        first = np.concatenate([np.zeros_like(u), upto[:, :-1]], axis=1)
        h = ((u >= first) & (u < upto)).astype(np.float32)
        h = h.reshape(n, 10, 10, 24, 2, 2).transpose(0, 1, 4, 2, 5, 3)
        return h.reshape(n, 400, 24)

    for start in range(0, len(X), size):
        v = X[start : start + size]
        patches, p = up(v)
        back = (draw(p, len(v)) @ W.T).reshape(-1, 20, 20, 9, 9)
        field = np.zeros((len(v), 28, 28), np.float32)
        for i in range(9):
            for j in range(9):
                field[:, i : i + 20, j : j + 20] += back[..., i, j]
        p_v = 1 / (1 + np.exp(-(field.reshape(len(v), -1) + b)))
        v_new = (rng.random(p_v.shape, np.float32) < p_v).astype(np.float32)
        patches_new, p_new = up(v_new)
        W += rate / len(v) * (patches.T @ p - patches_new.T @ p_new)
        b += rate / len(v) * (v - v_new).sum(axis=0)
        c += rate / len(v) * (p - p_new).sum(axis=0)


def speed():
    """Print seconds of an epoch."""
    rng = np.random.default_rng(0)
    X = (rng.random((1000, 784)) < 0.2).astype(np.float32)
    print("| batch | ConvRBM s | NumPy s | ratio |\n|---|---|---|---|")
    for size in (10, 100):
        options = {"filter_shape": 9, "pool_shape": 2, "gradient": "cd", "n_iter": 1}
        options |= {"solver": "sgd", "momentum": 0.0, "batch_size": size}
        machine = ConvRBM(24, random_state=0, **options).fit(X)
        W = rng.normal(0, 0.1, (81, 24)).astype(np.float32)
        given = W, np.zeros(784, np.float32), np.full(24, -3, np.float32), size
        ours, theirs = [], []
        with limit(1), one_blas_thread():
            for _ in range(3):
                start = time.process_time()
                machine.partial_fit(X)
                ours.append(time.process_time() - start)
                start = time.process_time()
                plain_epoch(X, *given, 0.001, rng)
                theirs.append(time.process_time() - start)
        a, b = np.median(ours), np.median(theirs)
        print(f"| {size} | {a:.2f} | {b:.2f} | {b / a:.1f} |", flush=True)


def nats():
    """Print nats of held-out digits."""
    X = (load_digits().data / 16).astype(np.float32)
    A, B = train_test_split(X, random_state=0)
    print("| machine | parameters | held-out nats | log Z ± | fit s |")
    print("|---|---|---|---|---|")
    machines = {
        "BernoulliRBM(16)": BernoulliRBM(16),
        "BernoulliRBM(64)": BernoulliRBM(64),
        "ConvRBM()": ConvRBM(),
        "ConvRBM(64)": ConvRBM(64),
        "ConvRBM(64), pool_shape=1": ConvRBM(64, pool_shape=1),
        "ConvRBM(64), padding='same'": ConvRBM(64, padding="same"),
        "ConvRBM(64), filters of 7 x 7": ConvRBM(64, filter_shape=7),
    }
    for name, machine in machines.items():
        for n, part in (("", A), (", 100 rows", A[:100])):
            machine.set_params(random_state=0, n_iter=20 if n == "" else 280)
            start = time.process_time()
            machine.fit(part)
            seconds = time.process_time() - start
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                found = machine.score(B)
            size = machine.components_.size + len(machine.intercept_hidden_) + 64
            mark = " (warns)" if said else ""
            print(
                f"| {name}{n} | {size} | {found:.2f}{mark} | {machine.log_Z_se_:.3f} | "
                f"{seconds:.1f} |",
                flush=True,
            )


def beside(*machines):
    """Transformers side by side with the pixels."""
    return make_union(FunctionTransformer(), *machines)


def features():
    """Print errors of logistic regression on features."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    print("| features | number | error % |\n|---|---|---|")
    machines = {
        "pixels": FunctionTransformer(),
        "BernoulliRBM(64)": BernoulliRBM(64, random_state=0),
        "BernoulliRBM()": BernoulliRBM(random_state=0),
        "DBN()": DBN(random_state=0),
        "ConvRBM()": ConvRBM(random_state=0),
        "ConvRBM(64)": ConvRBM(64, random_state=0),
        "ConvRBM(64), detection": ConvRBM(64, features="detection", random_state=0),
        "pixels, ConvRBM(64)": beside(ConvRBM(64, random_state=0)),
    }
    for name, machine in machines.items():
        model = make_pipeline(machine, LogisticRegression(C=10, max_iter=2000))
        error = 1 - cross_val_score(model, X, y, cv=folds).mean()
        n = machine.fit(X[:50], y[:50]).transform(X[:2]).shape[1]
        print(f"| {name} | {n} | {100 * error:.2f} |", flush=True)


PARTS = {"speed": speed, "nats": nats, "features": features}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    print(describe())
    for part in parser.parse_args().only:
        print(f"\n## {part}\n")
        PARTS[part]()
