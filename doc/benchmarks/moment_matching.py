"""Moment matching networks: Parzen estimates of their samples, and seconds.

    python doc/benchmarks/moment_matching.py [--data DATA] | tee TABLE

Sets are the 8 x 8 digits and, with DATA, MNIST. For each, a network of rows and one of
an autoencoder's codes learn; a Gaussian of 10,000 samples each (2,000 of digits), with
the bandwidth that is best for validation rows, gives the log-likelihood of test rows.
The same of training rows in place of samples stands beside it: the estimate favors
blurred samples, and says little of a model. Seconds are those of the process, all
threads together. ``--updates`` sets the length of training on MNIST.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits

from skdgm import GMMN
from skdgm.metrics import parzen_log_likelihood

CODER = {"digits": (128, 32), "mnist": (512, 32)}


def rows_of(name, data):
    """Training, validation and test rows, and the number of samples."""
    if name == "mnist":
        mnist = load(data, "mnist")
        parts = [mnist[part] for part in ("train", "valid")]
        parts = [np.asarray(part, np.float32) for part in parts]
        train, valid = (part / (255 if part.max() > 1 else 1) for part in parts)
        return [train, valid[:1000], valid[1000:]], 10_000
    X = (load_digits().data / 16).astype(np.float32)
    X = X[np.random.RandomState(0).permutation(len(X))]
    return [X[600:], X[:300], X[300:600]], 2_000


def networks(name, n_updates, n_rows):
    """Networks to compare, by name."""
    more = {"random_state": 0}
    if name == "mnist":
        n_iter = -(-n_updates * 1000 // n_rows)
        more |= {"hidden_layer_sizes": (64, 256, 256, 1024), "batch_size": 1000}
        yield "GMMN", GMMN(**more, n_iter=n_iter)
        more |= {"n_iter": 2 * n_iter}
    else:
        yield "GMMN", GMMN(**more)
    yield "GMMN + AE", GMMN(**more, autoencoder_layer_sizes=CODER[name])


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--updates", type=int, default=500)
    asked = parser.parse_args()
    print(describe(), end="\n\n", flush=True)
    print("| set | model | updates | Parzen, nats | sigma | coverage | s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in ("digits", "mnist") if asked.data else ("digits",):
        (train, valid, test), n_samples = rows_of(name, asked.data)
        held_out = valid[:1000]
        for model, gmmn in networks(name, asked.updates, len(train)):
            start = time.process_time()
            gmmn.fit(train)
            seconds = time.process_time() - start
            drawn = gmmn.sample(n_samples, random_state=0)
            found = parzen_log_likelihood(test, drawn, X_valid=held_out)
            print(
                f"| {name} | {model} | {gmmn.n_updates_} | {found.log_likelihood:.1f} "
                f"± {found.se:.1f} | {found.sigma:.3f} | {gmmn.coverage_:.2f} | "
                f"{seconds:.0f} |",
                flush=True,
            )
        few = train[:n_samples]
        found = parzen_log_likelihood(test, few, X_valid=held_out)
        print(
            f"| {name} | training rows | | {found.log_likelihood:.1f} ± "
            f"{found.se:.1f} | {found.sigma:.3f} | | |",
            flush=True,
        )


if __name__ == "__main__":
    main()
