"""Draws of a generative stochastic network of MNIST, and what there is to say of them.

    python doc/benchmarks/gsn.py --data DATA --minutes 30

A net learns from the 50,000 training rows, grey in [0, 1], for a number of minutes, in
the last fifth of them at a tenth of the learning rate. Its draws are those of 1,000
chains, ten each, 100 steps apart, and as in the paper the expected rows given them.
``Parzen`` is the density of 9,000 validation rows under a window of the 10,000 draws,
whose width is chosen by the other 1,000; beside it are the area under the curve of a
two-sample test, and density and coverage of the draws by nearest neighbours.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from adversarial import density_and_coverage

from skdgm import GSN
from skdgm.metrics import classifier_two_sample_test, parzen_log_likelihood


def fitted(X, options):
    """Network, number of epochs, and the processor's seconds."""
    net = GSN(
        tuple(options.hidden),
        noise_before=options.noise,
        noise_after=options.noise,
        corruption_level=options.level,
        walkback=options.walkback,
        learning_rate=options.rate,
        batch_size=100,
        random_state=0,
    )
    start, used, number = time.monotonic(), time.process_time(), 0
    limit = 60 * options.minutes
    while (gone := time.monotonic() - start) < limit:
        net.learning_rate = options.rate * (1.0 if gone < 0.8 * limit else 0.1)
        # A fifth of an epoch at a time.
        net.partial_fit(X[number % 5 :: 5])
        number += 1
        if number % 5 == 0:
            print(f"epoch {number // 5}, {gone:.0f} s, {net.loss_curve_[-1]:.2f}")
    return net, number / 5, time.process_time() - used


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--hidden", type=int, nargs="+", default=[500, 500])
    parser.add_argument("--noise", type=float, default=0.1)
    parser.add_argument("--level", type=float, default=0.4)
    parser.add_argument("--walkback", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1e-3)
    options = parser.parse_args()
    print(describe(), flush=True)
    images = load(options.data, "mnist")
    X, V = (np.asarray(images[k], np.float32) / 255 for k in ("train", "valid"))
    net, n_epochs, seconds = fitted(X, options)
    how = {"n_steps": 1000, "burn_in": 100, "thin": 100}
    draws = net.sample(10_000, random_state=0, **how)
    means = net.inverse_transform(net.transform(draws))
    chosen, asked = V[:1000], V[1000:]
    print(
        f"{n_epochs:.1f} epochs, {seconds:.0f} s of the processor\n"
        "| rows | Parzen, nats | sigma | two-sample AUC | density | coverage |\n"
        "|---|---|---|---|---|---|"
    )
    sets = {"expected": means, "drawn": draws, "training": X[:10_000]}
    for name, rows in sets.items():
        found = parzen_log_likelihood(asked, rows, X_valid=chosen)
        turn = np.random.default_rng(0).permutation(len(rows))[:2000]
        test = classifier_two_sample_test(V[:2000], rows[turn], random_state=0)
        density, coverage = density_and_coverage(V[:2000], rows[turn])
        print(
            f"| {name} | {found.log_likelihood:.0f} ± {found.se:.0f} |",
            f"{found.sigma:.2f} | {test.roc_auc:.2f} | {density:.2f} |",
            f"{coverage:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
