"""Seconds of an epoch of nets, compared with PyTorch, eager and compiled.

    python doc/benchmarks/nets_torch.py --torch RIVAL/bin/python

RIVAL is a virtual environment with PyTorch, whose compiled nets need a C++ compiler.
Rows are as many random gray values as scikit-learn's digits have, 64 columns, half of
which are zero; and 10,000 rows of 784 columns, a fifth of which are positive, as in
MNIST. Nets, batches and optimizers are the same, in float32. PyTorch runs the code that
is commonly written, and the same code with ``torch.compile`` and a fused optimizer.
Processes take turns; a figure is the median of their epochs, without the first two.
"""

import argparse
import json
import os
import sys
import time
from itertools import pairwise

import numpy as np
from _processes import asked, epochs

N_EPOCHS, N_FIRST, N_ROUNDS, BATCH, RATE = 8, 2, 3, 100, 1e-3
# Rows, columns and share of positive values; hidden units of a net, and of a stack.
SETS = {
    "digits": ((1_700, 64, 0.5), (256,), (256, 256)),
    "mnist": ((10_000, 784, 0.2), (512,), (500, 500, 2000)),
}
N_LATENT, N_CLASSES, DROPOUT = 16, 10, (0.2, 0.5)
GAME = {"kind": "non-saturating", "gradient_penalty": 0}
WAYS = "eager", "compiled"


def data(name):
    """Rows of gray values, and classes."""
    (n, n_columns, share), *_ = SETS[name]
    rng = np.random.default_rng(0)
    X = rng.random((n, n_columns), dtype=np.float32)
    X = np.where(rng.random(X.shape) < share, X, np.float32(0))
    return X, rng.integers(N_CLASSES, size=n)


# %% skdgm


def ours(model, name):
    """Seconds of each epoch of skdgm, with the losses that it monitors."""
    import skdgm
    from skdgm.options import Adam

    _, hidden, stack = SETS[name]
    common = {"n_iter": N_EPOCHS, "learning_rate": RATE, "batch_size": BATCH}
    common |= {"solver": Adam(schedule="constant"), "random_state": 0}
    X, y = data(name)
    if model == "DBNClassifier":
        common |= {"pretrain": skdgm.options.Pretraining(n_iter=1), "alpha": 0}
        classifier = skdgm.DBNClassifier(stack, dropout=DROPOUT, **common)
        # The fit ends with fine-tuning, and a task that joins it and pre-training.
        return epochs(classifier, X, y)[-N_EPOCHS - 1 : -1]
    extra = {
        "VAE": {"prior": "normal"},
        "GAN": {"loss": skdgm.options.GameLoss(**GAME)},
    }
    common |= {"column_types": "bernoulli", "early_stopping": False}
    net = getattr(skdgm, model)(N_LATENT, hidden, **common, **extra.get(model, {}))
    return epochs(net, X)


# %% PyTorch


def theirs(model, name, way):
    """Seconds of each epoch of the same nets in PyTorch."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(int(os.environ["NUMBA_NUM_THREADS"]))
    torch.manual_seed(0)
    X, y = map(torch.from_numpy, data(name))
    _, hidden, stack = SETS[name]
    n_columns = X.shape[1]

    def net(sizes, activation, dropout=(0, 0)):
        layers = [nn.Dropout(dropout[0])] if dropout[0] else []
        for i, pair in enumerate(pairwise(sizes)):
            layers += [nn.Linear(*pair)]
            if i < len(sizes) - 2:
                layers += [activation()]
                layers += [nn.Dropout(dropout[1])] if dropout[1] else []
        return nn.Sequential(*layers)

    def binary(logits, targets):
        loss = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
        return loss / len(targets)

    down = N_LATENT, *hidden[::-1], n_columns
    if model == "DBNClassifier":
        nets = [net((n_columns, *stack, N_CLASSES), nn.Sigmoid, DROPOUT)]
        losses = [lambda x, y: F.cross_entropy(nets[0](x), y)]
    elif model == "Autoencoder":
        parts = net((n_columns, *hidden, N_LATENT), nn.Tanh), net(down, nn.Tanh)
        nets = [nn.Sequential(*parts)]
        losses = [lambda x, y: binary(nets[0](x), x)]
    elif model == "VAE":
        encoder = net((n_columns, *hidden, 2 * N_LATENT), nn.Tanh)
        decoder = net(down, nn.Tanh)
        nets = [nn.ModuleList([encoder, decoder])]

        def elbo(x, y):
            mean, log_var = encoder(x).chunk(2, dim=1)
            z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
            gap = mean**2 + log_var.exp() - log_var - 1
            return binary(decoder(z), x) + 0.5 * gap.sum() / len(x)

        losses = [elbo]
    else:
        nets = [net((n_columns, *hidden[::-1], 1), lambda: nn.LeakyReLU(0.2))]
        nets += [net(down, lambda: nn.LeakyReLU(0.2))]
        judge, generator = nets

        def fake(x):
            return torch.sigmoid(generator(torch.randn(len(x), N_LATENT)))

        def discriminate(x, y):
            real, generated = judge(torch.cat([x, fake(x).detach()])).chunk(2)
            return F.softplus(-real).mean() + F.softplus(generated).mean()

        losses = [discriminate, lambda x, y: F.softplus(-judge(fake(x))).mean()]
    fused = None
    if way == "compiled":
        losses, fused = [torch.compile(loss) for loss in losses], True
    optimizers = [torch.optim.Adam(own.parameters(), RATE, fused=fused) for own in nets]
    seconds = []
    for _ in range(N_EPOCHS):
        start = time.perf_counter()
        for index in torch.split(torch.randperm(len(X)), BATCH):
            x, labels = X[index], y[index]
            for loss, optimizer in zip(losses, optimizers):
                optimizer.zero_grad()
                loss(x, labels).backward()
                optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds


# %% Table


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    models = "Autoencoder", "VAE", "GAN", "DBNClassifier"
    parser.add_argument("--torch", default=sys.executable)
    parser.add_argument("--models", nargs="+", default=models, choices=models)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--run", choices=("ours", *WAYS))
    options = parser.parse_args()
    if options.run:
        case = options.models[0], options.sets[0]
        ran = ours(*case) if options.run == "ours" else theirs(*case, options.run)
        print(json.dumps(ran))
        return
    from _machine import describe

    print(describe(), "\n")
    print("| set | net | threads | skdgm | eager | compiled | over eager | ", end="")
    print("over compiled |\n" + 8 * "|---" + "|")
    pythons = {"ours": sys.executable} | dict.fromkeys(WAYS, options.torch)
    for name in options.sets:
        for model in options.models:
            for n_threads in (1, os.cpu_count()):
                times = {who: [] for who in pythons}
                for _ in range(N_ROUNDS):
                    for who, python in pythons.items():
                        case = {"run": who, "models": model, "sets": name}
                        times[who] += asked(__file__, n_threads, python, **case)[
                            N_FIRST:
                        ]
                own, *others = (np.median(times[who]) for who in pythons)
                cells = [name, model, n_threads]
                cells += [f"{1e3 * value:.0f} ms" for value in (own, *others)]
                cells += [f"{own / value:.2f}" for value in others]
                print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
