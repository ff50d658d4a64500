"""DRAW of MNIST: nats against minutes, and images as they are painted.

    python doc/benchmarks/draw.py --data DATA [--n-iter 10] [--images FILE]

Binarized MNIST. The bound is that of the first 2,000 validation rows, with 10 draws
each; the importance weighted one has 200 draws for the first 200. Images from the prior
are saved, if asked for, with the canvas after every other step.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _data import load
from _machine import describe

from skdgm import DRAW

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("--n-iter", type=int, default=10)
parser.add_argument("--images", type=Path)
options = parser.parse_args()

print(describe())
data = load(options.data, "binarized_mnist")
X, V = (data[part].astype(np.float32) for part in ("train", "valid"))
SMALL = {"n_glimpses": 16, "n_components": 8, "n_recurrent": 128, "batch_size": 100}
print("| nets | epochs | minutes | bound | importance weighted |")
print("|---|---|---|---|---|")
start = time.perf_counter()
model = DRAW(**SMALL, learning_rate=0.003, n_iter=options.n_iter, random_state=0)
model.set_params(verbose=1).fit(X)
minutes = (time.perf_counter() - start) / 60
bound = model.elbo(V[:2000], n_draws=10).bound
weighted = model.importance_likelihood(V[:200], n_draws=200)
print(
    f"| 16 glimpses, 128 units, 5 x 5 filters | {model.n_iter_} | {minutes:.0f} |",
    f"{bound.mean():.2f} ± {bound.std() / np.sqrt(len(bound)):.2f} |",
    f"{weighted.mean():.2f} |",
)
if options.images:
    steps = model.paint(10, random_state=0)[:, 1::2].reshape(10, 8, 28, 28)
    plt.imsave(options.images, 1 - steps.swapaxes(1, 2).reshape(280, 224), cmap="gray")
