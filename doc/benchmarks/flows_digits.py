"""Flows: bits per dimension of handwritten digits, dequantized.

    python doc/benchmarks/flows_digits.py --data FOLDER [--rows N] [--epochs N]

Digits are MNIST's, of 28 by 28 pixels in 256 gray levels, as whole numbers from 0 to
255, which the flow spreads by uniform noise and takes to a logit. Bits per dimension
are minus the log probability of held-out digits, a lower bound of it by one draw of the
noise, or by several, over log 2 and 784 pixels.
"""

import argparse
import time

import numpy as np

from skdgm import Flow
from skdgm.options import Adam


def bits(flow, X, n_draws):
    """Mean bits per dimension of rows, and its standard error."""
    found = -flow.set_params(n_draws=n_draws).score_samples(X) / X.shape[1] / np.log(2)
    return found.mean(), found.std(ddof=1) / np.sqrt(len(X))


def main():
    """Print a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--autoregressive", action="store_true")
    asked = parser.parse_args()
    with np.load(f"{asked.data}/mnist.npz") as found:
        X, held_out = found["train"][: asked.rows], found["valid"]
    flow = Flow(
        asked.layers,
        (asked.hidden,),
        bounds=(0, 255),
        dequantization="uniform",
        autoregressive=asked.autoregressive,
        early_stopping=False,
        n_iter=asked.epochs,
        solver=Adam(schedule="linear"),
        verbose=1,
        random_state=0,
    )
    start, cpu = time.perf_counter(), time.process_time()
    flow.fit(X)
    seconds = time.perf_counter() - start, time.process_time() - cpu
    one, several = bits(flow, held_out, 1), bits(flow, held_out[:1000], 20)
    trained = bits(flow, X[:1000], 1)
    print(
        "| layers | hidden | rows | epochs | bits | 20 draws | training | s | CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    kind = "masked" if asked.autoregressive else "coupling"
    cells = [f"{asked.layers} {kind}", asked.hidden, asked.rows, asked.epochs]
    cells += [f"{mean:.3f} ± {error:.3f}" for mean, error in (one, several, trained)]
    cells += [f"{own:.0f}" for own in seconds]
    print("|", " | ".join(map(str, cells)), "|")


if __name__ == "__main__":
    main()
