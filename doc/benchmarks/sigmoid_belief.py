"""Sigmoid belief networks: nats by objective, variances of gradients, time of updates.

    python doc/benchmarks/sigmoid_belief.py --only digits gradients
    python doc/benchmarks/sigmoid_belief.py --data DATA --only mnist --epochs 100
    python doc/benchmarks/sigmoid_belief.py --torch SITE_PACKAGES --only speed

``digits``: scikit-learn's digits as bits, drawn once with the gray values as
probabilities; three quarters to learn from, with default parameters but ``objective``;
importance weighted bounds of the others by 1,000 draws. ``linked``: the same by
``autoregressive`` (p) and ``recognition_autoregressive`` (q). ``bidirectional``: the
same of geometric means of p and q, by ``n_importance``. ``gradients``: variance and
bias of the gradient of a batch for a network that has learned digits for some epochs,
summed over the parameters of the inference net and of the model, over 200 repetitions,
in units of the squared norm of the exact gradient, a mean over 2,000 repetitions of an
unbiased one; biases are differences from that of the bound of one draw, or of five for
"vimco" and "rws", in units of its norm, or what noise leaves unknown.
``mnist``: fixed binarization, networks of 200 units a layer (``--units``), by
``--objectives`` and by dependence within layers (``--links-of-p``, ``--links-of-q``);
validation rows by 1,000 draws (``--measure``). ``minutes``: two such layers, nats of
1,000 validation rows by 100 draws against minutes, as a plot beside this file.
``tables``: three layers with one set of options, 1,500 validation rows at most by as
many draws, with the standard error of the rows' mean. ``speed``: an update of
784-200-200 by "vimco" with five draws and 100 rows of MNIST's density, beside PyTorch's
(eager), both in one process, by turns; the least time of the processor of 60 updates
each, on one thread. Seconds are CPU time.
"""

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import BidirectionalHelmholtzMachine, SigmoidBeliefNetwork
from skdgm.data import tabulate
from skdgm.directed._objective import OBJECTIVES
from skdgm.nets import vjp
from skdgm.options import BeliefObjective
from skdgm.training.loop import Clock
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import copy, leaves

N_ROUNDS, N_REPEATED = 60, 200
# Dependence within layers.
LINKS = {"no": False, "linear": True, "nade": "nade"}


def bits():
    """Digits as bits, in two parts."""
    X = load_digits().data / 16
    X = (np.random.default_rng(0).random(X.shape) < X).astype(np.float32)
    return train_test_split(X, random_state=0)


def digits(_):
    """Nats of held-out digits by objective."""
    X, V = bits()
    print("| objective | held-out nats | s |\n|---|---|---|")
    for objective in OBJECTIVES:
        start = time.process_time()
        sbn = SigmoidBeliefNetwork(objective=objective, random_state=0).fit(X)
        seconds = time.process_time() - start
        found = sbn.importance_likelihood(V, n_draws=1000).mean()
        print(f"| {objective} | {found:.2f} | {seconds:.0f} |", flush=True)


def linked(_):
    """Nats of held-out digits by dependence within layers, of p and of q."""
    X, V = bits()
    print("| p | q | held-out nats | s |\n|---|---|---|---|")
    for of_p in False, True, "nade":
        for of_q in False, True, "nade":
            how = {"autoregressive": of_p, "recognition_autoregressive": of_q}
            sbn = SigmoidBeliefNetwork(**how, random_state=0)
            seconds, found = fitted(sbn, X, V, 1000)
            nats = f"{found.mean():.2f}"
            print(f"| {of_p} | {of_q} | {nats} | {seconds:.0f} |", flush=True)


def bidirectional(_):
    """Nats of held-out digits of geometric means, by draws in training."""
    X, V = bits()
    print("| draws | held-out nats | log Z | s |\n|---|---|---|---|")
    for n_draws in 1, 5, 10, 20:
        how = {"n_importance": n_draws, "random_state": 0}
        machine = BidirectionalHelmholtzMachine(**how)
        seconds, found = fitted(machine, X, V, 1000)
        log_Z = f"{machine.log_Z_:.2f} ± {machine.log_Z_se_:.2f}"
        nats = f"{found.mean():.2f}"
        print(f"| {n_draws} | {nats} | {log_Z} | {seconds:.0f} |", flush=True)


def gradients(_):
    """Variance of each gradient, and its bias."""
    X, _ = bits()
    sbn = SigmoidBeliefNetwork((50, 20), n_iter=10, random_state=0).fit(X)
    state, rows = sbn._training, sbn._rows(X)
    batch = np.arange(100)

    def gradient(objective, n_draws, number, **more):
        given = BeliefObjective(objective, n_importance=n_draws, **more)
        twin = SigmoidBeliefNetwork((50, 20), objective=given, n_iter=0).fit(X)
        twin._seed = number
        own = twin._objective(tabulate(rows, None), 0)
        # Updates change arrays in place.
        now = own.resume(copy(state)._replace(mean=()))
        if objective in ("nvil", "reinforce"):
            # Moments and predictions as after some updates.
            for k in range(100):
                now = own.step(now, batch, Clock(0, 1, k, 100))
            now = now._replace(params=now.params._replace(model=state.params.model))
        found = []
        for k in range(number):
            drawn = own.prepare(now, batch, Clock(1, 2, k, number))
            grads = vjp(
                lambda p, drawn=drawn: own.forward(p, drawn)[0],
                now.params,
                lambda out: np.full_like(out, -1 / len(out)),
            )[1].model
            found.append(
                [
                    np.concatenate([g.ravel() for g in leaves(part)])
                    for part in (grads.encoders, (grads.decoders, grads.prior))
                ]
            )
        return [np.array(part) for part in zip(*found)]

    exact = {1: gradient("disarm", 1, 2000), 5: gradient("vimco", 5, 2000)}
    exact = {n: [part.mean(axis=0) for part in parts] for n, parts in exact.items()}
    print(
        "| objective | draws | variance, q | bias, q | variance, p | bias, p |\n"
        "|---|---|---|---|---|---|"
    )
    for objective, n_draws, more in (
        ("reinforce", 1, {"baseline": "none", "normalize_signal": False}),
        ("reinforce", 1, {"baseline": "mean", "normalize_signal": False}),
        ("reinforce", 1, {"baseline": "optimal", "normalize_signal": False}),
        ("nvil", 1, {"baseline": "mean", "normalize_signal": False}),
        ("nvil", 1, {"baseline": "optimal", "normalize_signal": False}),
        ("nvil", 1, {"baseline": "net", "normalize_signal": False}),
        ("disarm", 1, {}),
        ("concrete", 1, {}),
        ("straight-through", 1, {}),
        ("wake-sleep", 1, {}),
        ("vimco", 5, {}),
        ("rws", 5, {}),
    ):
        cells = []
        found = gradient(objective, n_draws, N_REPEATED, **more)
        for part, wanted in zip(found, exact[n_draws]):
            unit = (wanted**2).sum()
            variance, gap = part.var(axis=0).sum(), part.mean(axis=0) - wanted
            noise = variance / len(part)
            if (gap**2).sum() > 1.5 * noise:
                bias = f"{np.sqrt(((gap**2).sum() - noise) / unit):.2g}"
            else:
                bias = f"< {np.sqrt(noise / unit):.2g}"
            cells.append(f"{variance / unit:.2g} | {bias}")
        label = ", ".join([objective, *map(str, more.values())][:2])
        print(f"| {label} | {n_draws} | {' | '.join(cells)} |", flush=True)


def fitted(sbn, X, V, n_draws):
    """CPU seconds to fit, and the bound of each of other rows."""
    start = time.process_time()
    sbn.fit(X)
    seconds = time.process_time() - start
    return seconds, sbn.importance_likelihood(V, n_draws=n_draws)


def mnist(options):
    """Nats of MNIST's validation rows, by layers and objective."""
    data = load(options.data, "binarized_mnist")
    X, V = (data[part].astype(np.float32) for part in ("train", "valid"))
    print(
        "| layers | links, p | links, q | objective | draws | epochs | learning rate | "
        "alpha | nats | s |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    for n_layers in options.layers:
        for objective in options.objectives:
            sbn = SigmoidBeliefNetwork(
                (options.units,) * n_layers,
                objective=BeliefObjective(objective, n_importance=options.draws),
                learning_rate=options.rate,
                alpha=options.alpha,
                autoregressive=LINKS[options.links_of_p],
                recognition_autoregressive=LINKS[options.links_of_q],
                n_iter=options.epochs,
                random_state=0,
            )
            seconds, found = fitted(sbn, X, V, options.measure)
            n_draws = options.draws or OBJECTIVES[objective].n_draws
            print(
                f"| {'-'.join([str(options.units)] * n_layers)} | "
                f"{options.links_of_p} | {options.links_of_q} | {objective} | "
                f"{n_draws} | {options.epochs} | {options.rate} | {options.alpha} | "
                f"{found.mean():.2f} | {seconds:.0f} |",
                flush=True,
            )


def minutes(options):
    """Nats of MNIST's validation rows by minutes, one net, all objectives."""
    import matplotlib.pyplot as plt

    data = load(options.data, "binarized_mnist")
    X, V = (data[part].astype(np.float32) for part in ("train", "valid"))
    _, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
    for objective in options.objectives:
        times, nats, spent = [], [], [0.0]

        def note(sbn, *_, times=times, nats=nats, spent=spent):
            # The time that this takes does not count.
            start = time.process_time()
            times.append((start - spent[0]) / 60)
            nats.append(sbn.importance_likelihood(V[:1000], n_draws=100).mean())
            spent[0] += time.process_time() - start
            return nats[-1]

        sbn = SigmoidBeliefNetwork(
            (200, 200),
            objective=objective,
            learning_rate=options.rate,
            n_iter=options.epochs,
            random_state=0,
        )
        spent[0] = time.process_time()
        sbn.set_callbacks(ScoringMonitor(scoring={"nats": note})).fit(X)
        # The last is of the whole fit.
        ax.plot(times[:-1], nats[:-1], label=objective)
        print(f"| {objective} | {times[-1]:.1f} | {nats[-1]:.2f} |", flush=True)
    ax.set(xlabel="minutes of a processor", ylabel="held-out nats", ylim=(-130, None))
    ax.set_xscale("log")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    plt.savefig(Path(__file__).with_name("sigmoid_belief.png"), dpi=120)


# Published nats of reweighted wake-sleep, on test rows.
PUBLISHED = {
    "adult": -13.65,
    "connect4": -12.68,
    "dna": -90.63,
    "mushrooms": -9.90,
    "nips": -272.54,
    "ocr_letters": -29.99,
    "rcv1_sub": -46.16,
    "web_resplit": -28.18,
    "caltech101_silhouettes": -113.3,
}


def tables(options):
    """Nats of other tables' validation rows, with one set of options."""
    print("| data | epochs | held-out nats | published | s |\n|---|---|---|---|---|")
    for name in options.sets:
        data = load(options.data, name)
        X, V = (data[part].astype(np.float32) for part in ("train", "valid"))
        sbn = SigmoidBeliefNetwork(
            (200, 100, 50),
            learning_rate=options.rate,
            alpha=options.alpha,
            n_iter=options.epochs,
            objective=BeliefObjective("rws", n_importance=5),
            batch_size=25,
            recognition_autoregressive=LINKS[options.links_of_q],
            early_stopping=True,
            # The learning rate is to fall before a fit ends.
            n_iter_no_change=int(0.3 * options.epochs),
            random_state=0,
        )
        seconds, found = fitted(sbn, X, V[:1500], options.measure)
        error = found.std() / np.sqrt(len(found))
        print(
            f"| {name} | {sbn.n_iter_} | {found.mean():.2f} ± {error:.2f} | "
            f"{PUBLISHED[name]} | {seconds:.0f} |",
            flush=True,
        )


def ours(X):
    """A function that makes an update."""
    sbn = SigmoidBeliefNetwork((200, 200), objective="vimco", n_iter=0, random_state=0)
    sbn.fit(X)
    objective = sbn._objective(tabulate(sbn._rows(X), None), 0)
    state, batch = objective.start(), np.arange(100)

    def update(k, state=state):
        with one_blas_thread():
            objective.step(state, batch, Clock(0, 1, k % 100, 100))

    return update


def theirs(X):
    """The same by PyTorch, as commonly written."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as nll

    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes, n_draws = (784, 200, 200), 5
    up = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    down = [torch.nn.Linear(b, a) for a, b in pairwise(sizes)]
    prior = torch.nn.Parameter(torch.zeros(200))
    params = [p for net in up + down for p in net.parameters()] + [prior]
    adam = torch.optim.Adam(params, lr=0.003)
    x = torch.from_numpy(X[:100])

    def log_p(logits, bits):
        return -nll(logits, bits, reduction="none").sum(dim=-1)

    def update(_):
        below, log_q, drawn = x, 0.0, []
        for net in up:
            logits = net(below)
            if not drawn:
                logits = logits.repeat_interleave(n_draws, dim=0)
            with torch.no_grad():
                below = torch.bernoulli(torch.sigmoid(logits))
            log_q = log_q + log_p(logits, below)
            drawn.append(below)
        rows = [x.repeat_interleave(n_draws, dim=0), *drawn]
        total = log_p(prior.expand_as(drawn[-1]), drawn[-1])
        for net, z, lower in zip(down, drawn, rows):
            total = total + log_p(net(z), lower)
        log_w = (total - log_q).reshape(-1, n_draws)
        with torch.no_grad():
            share = torch.softmax(log_w, dim=1)
            mean = (log_w.sum(dim=1, keepdim=True) - log_w) / (n_draws - 1)
            swapped = log_w[:, None].repeat(1, n_draws, 1)
            here = torch.arange(n_draws)
            swapped[:, here, here] = mean
            gain = torch.logsumexp(log_w, 1, keepdim=True)
            gain = gain - torch.logsumexp(swapped, 2) - share
        loss = -(share * total.reshape(log_w.shape) + gain * log_q.reshape(gain.shape))
        adam.zero_grad()
        (loss.sum() / len(x)).backward()
        adam.step()

    return update


def speed(options):
    """Time of an update beside PyTorch's."""
    X = (np.random.default_rng(0).random((100, 784)) < 0.13).astype(np.float32)
    updates = {"skdgm": ours(X)}
    if options.torch is not None:
        sys.path.append(str(options.torch))
        updates["PyTorch"] = theirs(X)
    least = dict.fromkeys(updates, np.inf)
    for k in range(N_ROUNDS):
        for name, update in updates.items():
            start = time.process_time()
            update(k)
            least[name] = min(least[name], time.process_time() - start)
    print("| update of 100 rows, 784-200-200, vimco 5 | ms |\n|---|---|")
    for name, seconds in least.items():
        print(f"| {name} | {1000 * seconds:.1f} |")


PARTS = digits, linked, bidirectional, gradients, mnist, minutes, tables, speed
PARTS = {part.__name__: part for part in PARTS}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--torch", type=Path)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.005)
    parser.add_argument("--draws", type=int)
    parser.add_argument("--alpha", type=float, default=0.0)
    parser.add_argument("--links-of-p", choices=LINKS, default="no")
    parser.add_argument("--links-of-q", choices=LINKS, default="no")
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--measure", type=int, default=1000)
    parser.add_argument("--layers", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--objectives", nargs="+", default=["rws"], choices=OBJECTIVES)
    parser.add_argument("--sets", nargs="+", default=list(PUBLISHED), choices=PUBLISHED)
    options = parser.parse_args()
    print(describe(), "\n")
    for part in options.only:
        print(f"\n{part}\n")
        PARTS[part](options)
