"""Time of an update of a convolutional GAN, and of layers of it, beside PyTorch's.

    python doc/benchmarks/convolution.py --torch RIVAL/lib/python3.11/site-packages

The generator goes from 100 numbers by 7 x 7 x 64 and 14 x 14 x 32 to 28 x 28 x 1, with
batch normalization and rectifiers; the discriminator by 14 x 14 x 32 and 7 x 7 x 64 to
one number, with leaky rectifiers; all windows are 5 x 5, strides 2. An update is that
of both by Adam in float32, with 64 images each that are real and drawn; images drawn
are those of one forward pass of the generator, and no gradient is computed that is not
used. The penalty is that of a Wasserstein critic, the same discriminator, on its
gradients by 64 images, and its gradient by the parameters.

RIVAL is a virtual environment with PyTorch for the same version of Python; both run in
one process, by turns, on as many threads as ``--threads``. A figure is the least of a
number of repetitions, of the processor's time on one thread and of the clock's on
several.
"""

import argparse
import sys
import time

import numpy as np
from _machine import describe

from skdgm.nets import gradient_penalty, logistic_cross_entropy, vjp
from skdgm.nets.images.convolution import convolve, deconvolve
from skdgm.nets.images.maps import conv, deconv, images, map_norm
from skdgm.nets.layers import activation, dense, serial
from skdgm.optim import FlatParameters, adam
from skdgm.utils.threading.parallel import limit
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.windows import window

N, N_NOISE, N_ROUNDS = 64, 100, 40
RATE, MOMENTUM = 2e-4, 0.5
LEAKY = {"activation": "leaky_relu"}
DISCRIMINATOR = serial(
    images((28, 28, 1), conv(32, **LEAKY), conv(64, **LEAKY)), dense(1)
)
GENERATOR = serial(
    dense(7 * 7 * 64),
    images(
        (7, 7, 64),
        *(map_norm(), activation("relu"), deconv(32)),
        *(map_norm(), activation("relu"), deconv(1, activation="tanh")),
    ),
)
LAYERS = (14, 32, 64), (28, 1, 32)


class Player:
    """A net of ours with its parameters and Adam."""

    def __init__(self, net, n_inputs):
        rng = np.random.default_rng(0)
        _, params, self.statistics = net.init(rng, n_inputs, np.float32)
        self.net, self.joined = net, FlatParameters(params, adam.init(params))
        self.params = self.joined.params

    def outputs(self, params, x):
        """Outputs for rows, in training."""
        y, statistics = self.net.apply(params, self.statistics, x, train=True)
        self.statistics = statistics
        return y

    def step(self, grads):
        """Ascend."""
        rule = {"rate": RATE, "momentum": MOMENTUM, "l2": 0.0}
        self.joined.step(adam, grads, **rule)


def ours():
    """An update of both nets of ours."""
    critic, generator = Player(DISCRIMINATOR, 784), Player(GENERATOR, N_NOISE)
    ones = np.ones((N, 1), np.float32)
    labels = np.concatenate([ones, 0 * ones])

    def share(loss):
        return np.full_like(loss, -1 / N)

    def learn(drawn, real):
        x = np.concatenate([real, drawn])

        def losses(params):
            return logistic_cross_entropy(critic.outputs(params, x), labels)

        critic.step(vjp(losses, critic.params, share)[1])

        def fooled(rows):
            return logistic_cross_entropy(critic.outputs(critic.params, *rows), ones)

        return vjp(fooled, (drawn,), share)[1][0]

    def update(real, noise):
        def draw(params):
            return generator.outputs(params, noise)

        # The discriminator learns in between, and says where the drawn should go.
        _, grads = vjp(draw, generator.params, lambda drawn: learn(drawn, real))
        generator.step(grads)

    return update


def our_penalty():
    """The gradient of our penalty."""
    critic = Player(DISCRIMINATOR, 784)

    def penalize(real, noise):
        def penalty(params):
            return gradient_penalty(critic.net, params, critic.statistics, real)

        return vjp(penalty, critic.params, lambda value: np.full_like(value, 1 / N))

    return penalize


def their_critic(torch, place):
    """The discriminator of PyTorch."""
    from torch import nn

    more = {"stride": 2, "padding": 2}
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 5, **more), nn.LeakyReLU(0.01)),
        *(nn.Conv2d(32, 64, 5, **more), nn.LeakyReLU(0.01)),
        *(nn.Flatten(), nn.Linear(7 * 7 * 64, 1)),
    ).to(memory_format=place)


def their_penalty(torch, last):
    """The gradient of PyTorch's penalty."""
    place = torch.channels_last if last else torch.contiguous_format
    critic = their_critic(torch, place)

    def penalize(real, noise):
        x = torch.from_numpy(real).view(N, 1, 28, 28).contiguous(memory_format=place)
        x.requires_grad_(True)
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        # That by the last bias is none.
        return torch.autograd.grad(
            penalty, list(critic.parameters()), allow_unused=True
        )

    return penalize


def theirs(torch, last):
    """An update of both nets of PyTorch, with maps last in memory or not."""
    from torch import nn

    place = torch.channels_last if last else torch.contiguous_format
    critic, more = their_critic(torch, place), {"stride": 2, "padding": 2}
    more["output_padding"] = 1
    generator = nn.Sequential(
        *(nn.Linear(N_NOISE, 7 * 7 * 64), nn.Unflatten(1, (64, 7, 7))),
        *(nn.BatchNorm2d(64), nn.ReLU(), nn.ConvTranspose2d(64, 32, 5, **more)),
        *(nn.BatchNorm2d(32), nn.ReLU(), nn.ConvTranspose2d(32, 1, 5, **more)),
        nn.Tanh(),
    ).to(memory_format=place)
    nets = critic, generator
    options = {"lr": RATE, "betas": (MOMENTUM, 0.999)}
    steps = [torch.optim.Adam(net.parameters(), **options) for net in nets]
    labels = torch.cat([torch.ones(N, 1), torch.zeros(N, 1)])
    loss = nn.BCEWithLogitsLoss(reduction="sum")

    def learn(net, value, step):
        grads = torch.autograd.grad(value / N, list(net.parameters()))
        for own, grad in zip(net.parameters(), grads):
            own.grad = grad
        step.step()

    def update(real, noise):
        real = torch.from_numpy(real).view(N, 1, 28, 28)
        drawn = generator(torch.from_numpy(noise))
        both = torch.cat([real, drawn.detach()]).contiguous(memory_format=place)
        learn(critic, loss(critic(both), labels), steps[0])
        learn(generator, loss(critic(drawn), labels[:N]), steps[1])

    return update


def layers(torch, size, below, above):
    """Functions by name, those of ours and of PyTorch."""
    aten, how = torch.ops.aten, ((2, 2), (2, 2), (1, 1), False, (0, 0), 1)
    rng, own = np.random.default_rng(0), window((size, size, below))
    x = rng.standard_normal((N, size * size * below), np.float32)
    y = rng.standard_normal((N, own.n_positions * above), np.float32)
    W = rng.standard_normal((own.n_numbers, above), np.float32)
    b, c = np.zeros(above, np.float32), np.zeros(below, np.float32)

    def gradient(params, function):
        return lambda: vjp(function, params, lambda _: y)

    found = {
        "convolution": lambda: convolve(x, W, b, own),
        "transposed": lambda: deconvolve(y, W, c, own),
        "and gradient by W": gradient((W,), lambda p: convolve(x, *p, b, own)),
        "and by both": gradient((x, W), lambda p: convolve(*p, b, own)),
    }
    found = {name: {"ours": run} for name, run in found.items()}
    places = {"first": torch.contiguous_format, "last": torch.channels_last}
    for name, place in places.items():
        shapes = [N, below, size, size], [N, above, own.high, own.wide]
        shapes += ([above, below, 5, 5],)
        X, Y, V = (torch.randn(shape).to(memory_format=place) for shape in shapes)

        def forwards(X=X, V=V):
            return torch.conv2d(X, V, None, 2, 2)

        def backwards(asked, X=X, Y=Y, V=V):
            torch.conv2d(X, V, None, 2, 2)
            return aten.convolution_backward(Y, X, V, None, *how, asked)

        def transposed(Y=Y, V=V):
            return torch.conv_transpose2d(Y, V, None, 2, 2, 1)

        found["convolution"][name] = forwards
        found["transposed"][name] = transposed
        found["and gradient by W"][name] = lambda f=backwards: f((False, True, False))
        found["and by both"][name] = lambda f=backwards: f((True, True, False))
    return found


def measured(runs, clock, n_rounds=N_ROUNDS):
    """Least milliseconds of each function, which take turns."""
    best = dict.fromkeys(runs, np.inf)
    for _ in range(n_rounds):
        for name, run in runs.items():
            start = clock()
            run()
            best[name] = min(best[name], 1e3 * (clock() - start))
    return best


def line(name, n_threads, best):
    """A line of the table."""
    first, last = best["first"], best["last"]
    numbers = f"{best['ours']:.2f} | {first:.2f} | {last:.2f}"
    ratio = best["ours"] / min(first, last)
    print(f"| {name} | {n_threads} | {numbers} | {ratio:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", default="")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=N_ROUNDS)
    options = parser.parse_args()
    sys.path.append(options.torch)
    import torch

    print(f"{describe()}, torch {torch.__version__}\n")
    print("| | threads | skdgm, ms | PyTorch, maps first | maps last | ratio |")
    print("|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    real = 2 * rng.random((N, 784), np.float32) - 1
    noise = rng.standard_normal((N, N_NOISE), np.float32)
    for n_threads in options.threads:
        torch.set_num_threads(n_threads)
        clock = time.process_time if n_threads == 1 else time.perf_counter
        with limit(n_threads):
            both = {"update": (ours, theirs), "penalty": (our_penalty, their_penalty)}
            for name, (own, other) in both.items():
                made = {"ours": own(), "first": other(torch, False)}
                made["last"] = other(torch, True)
                runs = {name: lambda f=f: f(real, noise) for name, f in made.items()}
                line(name, n_threads, measured(runs, clock, options.rounds))
            for shape in LAYERS:
                for name, runs in layers(torch, *shape).items():
                    name = f"{shape[0]} x {shape[0]} x {shape[1]}, {shape[2]}: {name}"
                    line(name, n_threads, measured(runs, clock, options.rounds))


if __name__ == "__main__":
    with one_blas_thread():
        main()
