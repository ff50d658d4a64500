"""Draws of MNIST by chains of networks that reconstruct, and what to say of them.

    python doc/benchmarks/gsn.py --data DATA [--nets gsn denoising ...] [--scale 1]

Each net learns the 50,000 training rows, gray in [0, 1], for its number of epochs times
--scale, with a learning rate that falls to 0. Draws are those of 1,000 chains, ten
each, 50 steps apart; scored are, as in the papers, the expected rows given them, and
for "drawn" they themselves. ``Parzen`` is the density of 9,000 validation rows under a
window of the 10,000 draws, whose width is chosen by the other 1,000; beside it are the
area under the curve of a two-sample test, and density and coverage of 2,000 draws by
nearest neighbors. Minutes are those of the process, on all its threads.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from adversarial import density_and_coverage

from skdgm import GSN, ContractiveAutoencoder, DenoisingAutoencoder
from skdgm.metrics import classifier_two_sample_test, parzen_log_likelihood

SALT = {"corruption": "salt-and-pepper", "corruption_level": 0.4}
# Noise of the second layer alone, and of both as by default.
ABOVE = {"noise_before": (0, 2.0), "noise_after": (0, 2.0)}
NETS = {
    "gsn": (12, GSN((500, 500), **SALT, **ABOVE)),
    "gsn, noise 0.1": (12, GSN((500, 500), **SALT)),
    "walkback": (8, DenoisingAutoencoder(1000, **SALT, walkback=4)),
    "denoising": (40, DenoisingAutoencoder(1000, **SALT)),
    "contractive": (40, ContractiveAutoencoder(1000, code_noise=1.0)),
}


class Judge:
    """Scores of rows, given those held out."""

    def __init__(self, V):
        self.some, self.asked, self.chosen = V[:2000], V[1000:], V[:1000]

    def say(self, name, epochs, minutes, rows):
        """Print a line of the table."""
        found = parzen_log_likelihood(self.asked, rows, X_valid=self.chosen)
        some = rows[np.random.default_rng(0).permutation(len(rows))[:2000]]
        test = classifier_two_sample_test(self.some, some, random_state=0)
        density, coverage = density_and_coverage(self.some, some)
        print(
            f"| {name} | {epochs} | {minutes} |",
            f"{found.log_likelihood:.0f} ± {found.se:.0f} | {found.sigma:.2f} |",
            f"{test.roc_auc:.3f} | {density:.2f} | {coverage:.2f} |",
            flush=True,
        )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--nets", nargs="*", choices=NETS, default=list(NETS))
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    print(describe(), end="\n\n")
    images = load(options.data, "mnist")
    X, V = (np.asarray(images[k], np.float32) / 255 for k in ("train", "valid"))
    judge = Judge(V)
    print(
        "| rows | epochs | minutes | Parzen, nats | sigma | two-sample AUC | density "
        "| coverage |\n" + "|---" * 8 + "|"
    )
    judge.say("training rows", "", "", X[:10_000])
    for name in options.nets:
        n_iter, net = NETS[name]
        n_iter = max(1, round(n_iter * options.scale))
        start = time.process_time()
        net.set_params(n_iter=n_iter, random_state=0).fit(X)
        minutes = f"{(time.process_time() - start) / 60:.1f}"
        how = {"n_steps": 500, "burn_in": 100, "thin": 50}
        drawn = net.sample(10_000, random_state=0, **how)
        expected = net.inverse_transform(net.transform(drawn.astype(np.float32)))
        judge.say(name, n_iter, minutes, expected)
        judge.say(f"{name}, drawn", "", "", drawn)


if __name__ == "__main__":
    main()
