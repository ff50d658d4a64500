"""Seconds of an epoch of models of sequences, compared with PyTorch.

    python doc/benchmarks/sequences_speed.py --torch RIVAL/bin/python

As many sequences, steps and notes as the chorales of ``sequences.py`` have: 229 of 60
rows, with 4 of 88 bits on, drawn at random, in float32 and batches of 8 sequences, by
Adam with gradients clipped; cells are gated recurrent units. RIVAL is a virtual
environment with PyTorch (2.13 on the CPU, eager, the same number of threads); there all
that does not depend on the step before is one product for all steps, as here, and all
conditionals of NADE are one tensor. Processes take turns; a figure is the median of
their epochs, without the first one.
"""

import argparse
import json
import os
import sys
import time

import numpy as np
from _processes import asked, epochs

N_SEQUENCES, N_STEPS, N_COLUMNS, N_ON, BATCH = 229, 60, 88, 4, 8
N_EPOCHS, N_ROUNDS = 4, 2
SIZES = {
    "RNNRBM": {"n_components": 150, "n_recurrent": 200},
    "RNNNADE": {"n_components": 200, "n_recurrent": 300},
    "VRNN": {"n_components": 32, "n_hidden": 100, "n_recurrent": 200},
}
RATE, CLIP, N_GIBBS = 1e-3, 1.0, 5


def data():
    """Draw sequences of bits, (n_sequences, n_steps, n_columns)."""
    rng = np.random.default_rng(0)
    shape = N_SEQUENCES, N_STEPS, N_COLUMNS
    return (rng.random(shape, dtype=np.float32) < N_ON / N_COLUMNS).astype(np.float32)


def ours(X, name):
    """Seconds of each epoch of skdgm."""
    import skdgm
    from skdgm.options import Adam, Sequences

    average = {} if name == "VRNN" else {"average": False}
    options = {"solver": Adam(schedule="constant", clip_norm=CLIP, **average)}
    options |= {"learning_rate": RATE, "batch_size": BATCH, "n_iter": N_EPOCHS}
    options |= {"sequences": Sequences(batch_length=None)}
    if name == "RNNRBM":
        options |= {"n_steps": N_GIBBS}
    model = getattr(skdgm, name)(random_state=0, **options, **SIZES[name])
    return epochs(model, list(X))


def theirs(X, name):
    """Seconds of each epoch of the same model in PyTorch."""
    import torch

    torch.set_num_threads(int(os.environ["NUMBA_NUM_THREADS"]))
    torch.manual_seed(0)
    model = {"RNNRBM": rnn_rbm, "RNNNADE": rnn_nade, "VRNN": vrnn}[name]
    parameters, loss_of = model(torch, **SIZES[name])
    optimizer = torch.optim.Adam(parameters, RATE)
    rows, seconds = torch.from_numpy(X), []
    for _ in range(N_EPOCHS):
        start = time.perf_counter()
        for index in torch.split(torch.randperm(len(rows)), BATCH):
            loss = loss_of(rows[index].transpose(0, 1).contiguous())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, CLIP)
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds


def below(torch, n_hidden, n_recurrent):
    """Parameters of a recurrent net, and a function that has biases of all steps."""
    nn = torch.nn
    cell = nn.GRU(N_COLUMNS, n_recurrent)
    hidden, visible = nn.Linear(n_recurrent, n_hidden), nn.Linear(n_recurrent, 88)

    def biases(x):
        after = cell(x[:-1])[0]
        before = torch.cat([torch.zeros_like(after[:1]), after]).flatten(0, 1)
        return hidden(before), visible(before)

    parts = cell, hidden, visible
    return [p for part in parts for p in part.parameters()], biases


def rnn_rbm(torch, n_components, n_recurrent):
    """Parameters and loss of a recurrent net with a restricted Boltzmann machine."""
    functional = torch.nn.functional
    parameters, biases = below(torch, n_components, n_recurrent)
    W = torch.nn.Parameter(0.01 * torch.randn(N_COLUMNS, n_components))

    def free_energy(v, c, b):
        return -(v * b).sum(1) - functional.softplus(c + v @ W).sum(1)

    def loss_of(x):
        c, b = biases(x)
        v = model = x.flatten(0, 1)
        with torch.no_grad():
            for _ in range(N_GIBBS):
                h = torch.bernoulli(torch.sigmoid(torch.addmm(c, model, W)))
                model = torch.bernoulli(torch.sigmoid(torch.addmm(b, h, W.T)))
        return (free_energy(v, c, b) - free_energy(model, c, b)).mean()

    return [*parameters, W], loss_of


def rnn_nade(torch, n_components, n_recurrent):
    """Parameters and loss of a recurrent net with a NADE."""
    parameters, biases = below(torch, n_components, n_recurrent)
    W = torch.nn.Parameter(0.1 * torch.randn(N_COLUMNS, n_components))
    V = torch.nn.Parameter(torch.zeros(N_COLUMNS, n_components))

    def loss_of(x):
        c, b = biases(x)
        v = x.flatten(0, 1)
        own = v[:, :-1, None] * W[:-1]
        h = torch.tanh(torch.cat([c[:, None], own], 1).cumsum(1))
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        return loss(b + (h * V).sum(2), v, reduction="sum") / len(v)

    return [*parameters, W, V], loss_of


def vrnn(torch, n_components, n_hidden, n_recurrent):
    """Parameters and loss of a variational recurrent net."""
    nn, n, z, h = torch.nn, n_recurrent, n_components, n_hidden

    def net(n_below, n_above):
        return nn.Sequential(nn.Linear(n_below, h), nn.Tanh(), nn.Linear(h, n_above))

    seen = nn.Sequential(nn.Linear(N_COLUMNS, h), nn.Tanh())
    told = nn.Sequential(nn.Linear(z, h), nn.Tanh())
    prior, encoder, decoder = net(n, 2 * z), net(h + n, 2 * z), net(h + n, N_COLUMNS)
    cell = nn.GRUCell(2 * h, n)

    def loss_of(x):
        state = torch.zeros(x.shape[1], n)
        before, stats, of_latent, seen_x = [], [], [], seen(x)
        noise = torch.randn(*x.shape[:2], z)
        for own, draw in zip(seen_x, noise):
            stats.append(encoder(torch.cat([own, state], 1)))
            mean, log_var = stats[-1].chunk(2, 1)
            of_latent.append(told(mean + torch.exp(0.5 * log_var) * draw))
            before.append(state)
            state = cell(torch.cat([own, of_latent[-1]], 1), state)
        past, v = torch.cat(before), x.flatten(0, 1)
        out = decoder(torch.cat([torch.cat(of_latent), past], 1))
        mean, log_var = torch.cat(stats).chunk(2, 1)
        mean_of, log_var_of = prior(past).chunk(2, 1)
        kl = log_var_of - log_var - 1
        kl = kl + (log_var.exp() + (mean - mean_of) ** 2) / log_var_of.exp()
        loss = nn.functional.binary_cross_entropy_with_logits
        return (loss(out, v, reduction="sum") + 0.5 * kl.sum()) / len(v)

    parts = seen, told, prior, encoder, decoder, cell
    return [p for part in parts for p in part.parameters()], loss_of


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", default=sys.executable)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--run", choices=("ours", "theirs"))
    parser.add_argument("--model", choices=SIZES)
    options = parser.parse_args()
    if options.run:
        run = ours if options.run == "ours" else theirs
        print(json.dumps(run(data(), options.model)))
        return
    from _machine import describe

    print(describe(), "\n")
    print("| model | threads | skdgm | PyTorch | ratio |\n|---|---|---|---|---|")
    for name in SIZES:
        for n_threads in (1, os.cpu_count()):
            if options.only and not set(options.only) <= {name, str(n_threads)}:
                continue
            times = {"ours": [], "theirs": []}
            for _ in range(N_ROUNDS):
                for who, python in ("ours", sys.executable), ("theirs", options.torch):
                    given = {"run": who, "model": name}
                    times[who] += asked(__file__, n_threads, python, **given)[1:]
            ours_, theirs_ = (np.median(times[who]) for who in ("ours", "theirs"))
            print(
                f"| {name} | {n_threads} | {ours_:.2f} s | {theirs_:.2f} s |",
                f"{ours_ / theirs_:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
