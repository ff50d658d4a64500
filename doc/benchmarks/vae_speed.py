"""Seconds per epoch of a variational autoencoder, compared with PyTorch.

    python doc/benchmarks/vae_speed.py --torch RIVAL/bin/python

784-512-20 with ReLU units, batches of 128, Adam, 20,000 rows of random bits in float32,
of which 13 % are on, as in MNIST, or half of them. RIVAL is a virtual environment with
PyTorch (2.13 on the CPU, eager, the same number of threads). Processes take turns; a
figure is the median of their epochs, without the first one.
"""

import argparse
import json
import os
import sys
import time

import numpy as np
from _processes import asked, epochs

N_ROWS, N_EPOCHS, N_ROUNDS = 20_000, 6, 5
SHARES = (0.13, 0.5)


def data(share):
    """Draw rows of bits."""
    rng = np.random.default_rng(0)
    return (rng.random((N_ROWS, 784), dtype=np.float32) < share).astype(np.float32)


def ours(X):
    """Seconds of each epoch of skdgm."""
    from skdgm import VAE
    from skdgm.options import Adam

    options = {"batch_size": 128, "learning_rate": 1e-3}
    options |= {"solver": Adam(schedule="constant")}
    vae = VAE(20, (512,), activation="relu", random_state=0, **options)
    vae.set_params(n_iter=N_EPOCHS)
    return epochs(vae, X)


def theirs(X):
    """Seconds of each epoch of the same model in PyTorch, as commonly written."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(int(os.environ["NUMBA_NUM_THREADS"]))
    torch.manual_seed(0)
    up = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 40))
    down = nn.Sequential(nn.Linear(20, 512), nn.ReLU(), nn.Linear(512, 784))
    optimizer = torch.optim.Adam([*up.parameters(), *down.parameters()], 1e-3)
    rows, seconds = torch.from_numpy(X), []
    for _ in range(N_EPOCHS):
        start = time.perf_counter()
        for index in torch.split(torch.randperm(len(rows)), 128):
            x = rows[index]
            mean, log_var = up(x).chunk(2, dim=1)
            z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
            loss = functional.binary_cross_entropy_with_logits(
                down(z), x, reduction="sum"
            )
            loss += 0.5 * (mean**2 + log_var.exp() - log_var - 1).sum()
            optimizer.zero_grad()
            (loss / len(x)).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds


def measured(python, who, share, n_threads):
    """Seconds of the epochs of one process, without the first."""
    return asked(__file__, n_threads, python, run=who, share=share)[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", default=sys.executable)
    parser.add_argument("--run", choices=("ours", "theirs"))
    parser.add_argument("--share", type=float)
    options = parser.parse_args()
    if options.run:
        run = ours if options.run == "ours" else theirs
        print(json.dumps(run(data(options.share))))
        return
    from _machine import describe

    print(describe(), "\n")
    print("| on | threads | skdgm | PyTorch | ratio |\n|---|---|---|---|---|")
    for share in SHARES:
        for n_threads in (1, os.cpu_count()):
            times = {"ours": [], "theirs": []}
            for _ in range(N_ROUNDS):
                for who, python in ("ours", sys.executable), ("theirs", options.torch):
                    times[who] += measured(python, who, share, n_threads)
            ours_, theirs_ = (np.median(times[who]) for who in ("ours", "theirs"))
            print(
                f"| {share:.0%} | {n_threads} | {ours_:.2f} s | {theirs_:.2f} s |",
                f"{ours_ / theirs_:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
