"""Nats against minutes: variational autoencoders of MNIST.

    python doc/benchmarks/vae_quality.py --data DATA --only resampled | tee TABLE
    python doc/benchmarks/vae_quality.py --data DATA --only priors --line "prior vamp"
    python doc/benchmarks/vae_quality.py --draw TABLE [TABLE ...]

Pixels are drawn anew as bits; 200-200 tanh units and 50 latent units, as in the paper
on importance weighting (its second architecture: 100 and 50 latent units, 200-200 and
100-100 tanh units). Adam, with a learning rate falling from 0.004 to 0, in batches of
100. Each of the first 1,000 validation rows, drawn as bits once, has 5,000 importance
samples; the mean has its standard error due to the small number of rows. Each line is a
separate fit. Minutes are of the processor: with one thread, of one core.

"priors" are those of 40 latent units, with the nets of the paper on VampPrior: two
layers of 300 gated units. "digits" are those of scikit-learn, 1,297 to learn from.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import VAE
from skdgm.options import ELBO, IWAE, Adam, Columns, Prior

N_ROWS, N_DRAWS = 1000, 5000
ONE = {"n_components": 50, "hidden_layer_sizes": (200, 200)}
TWO = {"n_components": (100, 50), "hidden_layer_sizes": ((200, 200), (100, 100))}
COMMON = {"activation": "tanh", "learning_rate": 0.004, "random_state": 0}
WEIGHTED = {"objective": IWAE(n_importance=5)}
WARM = {"objective": ELBO(warm_up=10)}
# The nets of the paper on VampPrior.
GATED = {"n_components": 40, "hidden_layer_sizes": (300, 300), "activation": "gated"}
GATED |= WARM | {"learning_rate": 0.003, "batch_size": 200}
VAMP = {"prior": Prior("vamp", n_components=100)}
MORE = {"prior": Prior("vamp", n_components=500)}
LAYERS = {"n_components": (40, 40), "hidden_layer_sizes": ((300, 300), (300, 300))}
TOP_DOWN = {"inference": "top-down"}
# Rate and early stopping as in the paper.
SLOW = {"objective": ELBO(warm_up=100), "solver": Adam(schedule="constant")}
SLOW |= {"learning_rate": 0.0007, "early_stopping": True, "n_iter_no_change": 50}
SLOW |= {"validation_fraction": 0.05}
LAYERS |= TOP_DOWN
PRIORS = "mixture", "vamp", "flow", "autoregressive"
POSTERIORS = "full", "flow", "auxiliary"
DIGITS = WARM | {"n_components": 8, "batch_size": 20}
MANY = {name: {"prior": Prior(name, n_components=40)} for name in ("mixture", "vamp")}
PAIR = {"n_components": (8, 8), "hidden_layer_sizes": ((256, 256), (256, 256))}
RUNS = {
    "digits": [
        ("prior normal", DIGITS, (100,)),
        *(
            (f"prior {name}", DIGITS | MANY.get(name, {"prior": name}), (100,))
            for name in PRIORS
        ),
        *(
            (f"posterior {name}", DIGITS | {"posterior": name}, (100,))
            for name in POSTERIORS
        ),
        ("vamp, full", DIGITS | MANY["vamp"] | {"posterior": "full"}, (100,)),
        ("convolutions", DIGITS | {"architecture": "conv"}, (100,)),
        ("two layers", DIGITS | PAIR, (100,)),
        ("two layers, top-down", DIGITS | PAIR | TOP_DOWN, (100,)),
        (
            "two layers, top-down, vamp",
            DIGITS | MANY["vamp"] | PAIR | TOP_DOWN,
            (100,),
        ),
    ],
    "resampled": [
        ("VAE", ONE, (20, 100)),
        ("IWAE, k = 5", ONE | WEIGHTED, (20, 100)),
        ("VAE, two layers", TWO, (60,)),
    ],
    "long": [("VAE", ONE, (500,))],
    "fixed": [("VAE", ONE, (20, 100))],
    "priors": [
        ("prior normal", GATED, (100,)),
        ("prior vamp", GATED | VAMP, (100,)),
        ("two layers, prior normal", GATED | LAYERS, (100,)),
        ("two layers, prior vamp", GATED | LAYERS | VAMP, (100,)),
        ("two layers, vamp of 500", GATED | LAYERS | MORE, (100,)),
        ("and dropout of 0.05", GATED | LAYERS | MORE | {"dropout": 0.05}, (100,)),
        ("and a lower rate", GATED | LAYERS | MORE | SLOW, (450,)),
    ],
}


def bits(X, seed):
    """Draw gray rows as bits."""
    drawn = np.random.default_rng(seed).random(X.shape, dtype=np.float32) < X
    return drawn.astype(np.float32)


def rows(options, name):
    """Load training and validation rows."""
    if name in ("fixed", "priors"):
        data = load(options.data, "binarized_mnist")
        return data["train"].astype(np.float32), data["valid"].astype(np.float32)
    if name == "digits":
        X, V = train_test_split(load_digits().data / 16, test_size=500, random_state=0)
        return X.astype(np.float32), bits(V, 0)
    data = load(options.data, "mnist")
    gray = [data[part] / np.float32(255) for part in ("train", "valid")]
    return gray[0], bits(gray[1], 0)


def measure(name, X, V, options, n_iter):
    """Fit a model and print its line."""
    start = time.process_time()
    vae = VAE(**COMMON | options, column_types=Columns(resample=True), n_iter=n_iter)
    vae.fit(X)
    minutes = (time.process_time() - start) / 60
    found, se = vae.importance_likelihood(V[:N_ROWS], n_draws=N_DRAWS, return_se=True)
    error, bound = found.std() / np.sqrt(len(found)), vae.elbo(V).bound.mean()
    print(
        f"| {name} | {n_iter} | {minutes:.1f} | {found.mean():.2f} ± {error:.2f} |",
        f"{np.sqrt((se**2).sum()) / len(se):.3f} | {bound:.2f} |",
        f"{vae.score(bits(X[:N_ROWS], 1)):.2f} | {vae.active_units(V).sum()} |",
        flush=True,
    )
    return vae


def draw(tables):
    """Plot the printed lines: nats against minutes."""
    points = {}
    for line in "\n".join(table.read_text() for table in tables).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[1].isdigit():
            nats = float(cells[3].split("±")[0])
            points.setdefault(cells[0], []).append((float(cells[2]), nats))
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, found in points.items():
        ax.plot(*zip(*sorted(found)), marker="o", label=name)
    ax.set(xscale="log", xlabel="minutes of training, one core")
    ax.set(ylabel="log-likelihood of validation rows, nats")
    ax.legend()
    figure.savefig("vae_quality.png", dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", choices=RUNS)
    parser.add_argument("--line", help="a single line of the table, by its name")
    parser.add_argument("--draw", type=Path, nargs="+")
    options = parser.parse_args()
    if options.draw:
        draw(options.draw)
        return
    print(describe(), "\n", flush=True)
    print("| | epochs | minutes | log-likelihood | of draws | bound | train | active |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for part in [options.only] if options.only else RUNS:
        X, V = rows(options, part)
        for name, given, epochs in RUNS[part]:
            if options.line not in (None, name):
                continue
            for n_iter in epochs:
                measure(name, X, V, given, n_iter)


if __name__ == "__main__":
    main()
