"""Seconds of an epoch of a flow, beside the same layers in PyTorch.

    python doc/benchmarks/flows_speed.py --torch PYTHON [--packages] [--nats]

PYTHON has PyTorch, which runs eagerly, and compiled with a fused optimizer. All learn
4,000 rows of random numbers in batches of 100 by Adam, on one thread; the least of five
epochs, each in a process of its own. With --packages, the others are zuko's NSF and
nflows' transforms, on one thread and on two: couplings by rational-quadratic splines
with the same numbers of couplings, hidden units and bins; nflows has triangular
matrices in between, as skdgm has, and zuko permutations. With
--nats, these learn 4,000 points of a pinwheel for 20 epochs, and held-out nats are
means over three seeds.
"""

import argparse
import json
import tempfile
import time
from functools import partial

import numpy as np
from _processes import asked, epochs

CASES = (16, 2, 16), (16, 5, 64), (64, 2, 16)
LEAST, LEAST_SLOPE, BOUND, N_BINS = 1e-3, 1e-3, 5.0, 5
_EPOCHS = 20
SHIFT = float(np.log(np.expm1(1 - LEAST_SLOPE)))


def ours(X, n_layers, size, layer):
    """Seconds of the shortest epoch of Flow."""
    from skdgm import Flow

    options = {"layer_type": layer, "n_iter": 5, "batch_size": 100, "random_state": 0}
    flow = Flow(n_layers, (size,), **options)
    return min(epochs(flow.set_params(early_stopping=False), X))


def rival(X, n_layers, size, layer, *, compiled=False):
    """Seconds of the shortest epoch of the same in PyTorch."""
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(1)
    torch.set_default_dtype(getattr(torch, X.dtype.name))
    torch.manual_seed(0)
    n, n_bins = X.shape[1], 5 if layer == "spline" else 0
    each = 3 * n_bins - 1 if n_bins else 2

    def knots(part):
        share = F.softmax(part, dim=-1)
        size = 2 * BOUND * (LEAST + (1 - n_bins * LEAST) * share)
        return size, torch.cumsum(size, dim=-1) - size - BOUND

    def spline(x, raw):
        inside = x.abs() < BOUND
        at = torch.where(inside, x, torch.zeros_like(x))
        widths, xs = knots(raw[..., :n_bins])
        heights, ys = knots(raw[..., n_bins : 2 * n_bins])
        inner = LEAST_SLOPE + F.softplus(raw[..., 2 * n_bins :] + SHIFT)
        slopes = F.pad(inner, (1, 1), value=1.0)
        index = (at[..., None] >= xs[..., 1:]).sum(-1, keepdim=True)

        def of(part, shift=0):
            part = part.expand(*x.shape, part.shape[-1])
            return part.gather(-1, index + shift)[..., 0]

        w, h, low, high = of(widths), of(heights), of(slopes), of(slopes, 1)
        theta = (at - of(xs)) / w
        s, t = h / w, theta * (1 - theta)
        den = s + (low + high - 2 * s) * t
        y = of(ys) + h * (s * theta**2 + low * t) / den
        slope = high * theta**2 + 2 * s * t + low * (1 - theta) ** 2
        log = 2 * torch.log(s) + torch.log(slope) - 2 * torch.log(den)
        return torch.where(inside, y, x), torch.where(inside, log, 0 * log)

    def numbers(*shape):
        return torch.nn.Parameter(torch.zeros(*shape))

    def triangle(lower):
        own = numbers(n, n), numbers(n), numbers(n)
        params.extend(own)
        W, b, gain = own
        ones = torch.ones(n, n)
        free = ones.tril(-1) if lower else ones.triu(1)

        def layer(x):
            return x * torch.exp(gain) + x @ (W * free) + b, gain.sum()

        return layer

    def coupling():
        half, order = n // 2, torch.randperm(n)
        net = torch.nn.Sequential(
            torch.nn.Linear(half, size),
            torch.nn.Tanh(),
            torch.nn.Linear(size, each * (n - half)),
        )
        params.extend(net.parameters())

        def layer(x):
            x = x[:, order]
            stay, change = x[:, :half], x[:, half:]
            out = net(stay).reshape(len(x), n - half, each)
            if n_bins:
                y, log = spline(change, out)
            else:
                log = 2 * torch.tanh(out[..., 0] / 2)
                y = change * torch.exp(log) + out[..., 1]
            return torch.cat([stay, y], 1), log.sum(1)

        return layer

    params, stack = [], []
    if n_bins:
        raw = numbers(1, n, each)
        params.append(raw)

        def columns(x):
            y, log = spline(x, raw)
            return y, log.sum(1)

        stack.append(columns)
    eye = torch.eye(n)
    stack += [lambda x: (x @ eye, 0.0), triangle(True), triangle(False)]
    for _ in range(n_layers):
        stack += [coupling(), triangle(True), triangle(False)]

    def loss_of(x):
        total = 0.0
        for own in stack:
            x, log = own(x)
            total = total + log
        return (0.5 * (x * x).sum(1) - total).mean()

    if compiled:
        loss_of = torch.compile(loss_of)
    fused = True if compiled else None
    solver = torch.optim.Adam(params, lr=0.003, weight_decay=0.01, fused=fused)
    rows, found = torch.from_numpy(X), []
    for _ in range(5):
        start = time.perf_counter()
        for index in torch.randperm(len(rows)).split(100):
            loss = loss_of(rows[index])
            solver.zero_grad()
            loss.backward()
            solver.step()
        found.append(time.perf_counter() - start)
    return min(found)


def _nflows(n, n_layers, size):
    """Log density of a flow of nflows, and its parameters."""
    import torch
    from nflows import distributions, flows, transforms

    class Dense(torch.nn.Module):
        """Net of a coupling."""

        def __init__(self, n_in, n_out):
            super().__init__()
            self.layers = torch.nn.Sequential(
                torch.nn.Linear(n_in, size),
                torch.nn.Tanh(),
                torch.nn.Linear(size, n_out),
            )

        def forward(self, x, context=None):
            """Parameters of splines."""
            return self.layers(x)

    parts = [transforms.LULinear(n, identity_init=True)]
    for _ in range(n_layers):
        mask = (torch.arange(n) < n - n // 2).int()
        coupling = transforms.PiecewiseRationalQuadraticCouplingTransform
        how = {"num_bins": N_BINS, "tails": "linear", "tail_bound": BOUND}
        parts += [transforms.RandomPermutation(n), coupling(mask, Dense, **how)]
        parts.append(transforms.LULinear(n, identity_init=True))
    whole = transforms.CompositeTransform(parts)
    flow = flows.Flow(whole, distributions.StandardNormal([n]))
    return flow.log_prob, list(flow.parameters())


def _zuko(n, n_layers, size):
    """Log density of a flow of zuko, and its parameters."""
    import torch
    from zuko.flows import NSF

    # Of two columns, random orders would leave one as it is.
    how = {"bins": N_BINS, "passes": 2, "randperm": n > 2}
    how |= {"hidden_features": (size,), "activation": torch.nn.Tanh}
    flow = NSF(n, transforms=n_layers, **how)
    return lambda x: flow().log_prob(x), list(flow.parameters())


PACKAGES = {"nflows": _nflows, "zuko": _zuko}


def package(name, X, n_layers, size, n_threads, n_epochs=5, seed=0):
    """Seconds of each epoch of a package's flow, and its log density."""
    import torch

    torch.set_num_threads(n_threads)
    torch.set_default_dtype(getattr(torch, X.dtype.name))
    torch.manual_seed(seed)
    log_p, params = PACKAGES[name](X.shape[1], n_layers, size)
    solver = torch.optim.Adam(params, lr=0.003)
    rates = torch.optim.lr_scheduler.LinearLR(solver, 1.0, 0.0, n_epochs)
    rows, found = torch.from_numpy(X), []
    for _ in range(n_epochs):
        start = time.perf_counter()
        for index in torch.randperm(len(rows)).split(100):
            loss = -log_p(rows[index]).mean()
            solver.zero_grad()
            loss.backward()
            solver.step()
        found.append(time.perf_counter() - start)
        rates.step()
    return found, lambda x: log_p(torch.from_numpy(x)).detach().numpy()


def packages(python):
    """Print the table of packages."""
    print("| columns | couplings | hidden | threads | skdgm s | nflows s | zuko s |")
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        for n_threads in 1, 2:
            own = ",".join(map(str, ("float32", *case, "spline")))
            found = [asked(__file__, n_threads, case=f"ours,{own}")]
            for name in PACKAGES:
                given = f"{name},{own},{n_threads}"
                found.append(asked(__file__, n_threads, python, case=given))
            line = " | ".join(map(str, (*case, n_threads)))
            cells = " | ".join(f"{seconds:.3f}" for seconds in found)
            print(f"| {line} | {cells} |", flush=True)


def points(name, n, seed):
    """Points of a set, standardized by its own moments of many."""
    from flows_planes import SETS

    many = SETS[name].draw(50_000, np.random.default_rng(1))
    X = SETS[name].draw(n, np.random.default_rng(seed))
    return ((X - many.mean(axis=0)) / many.std(axis=0)).astype(np.float32)


def nats_of(who, X, T, seed):
    """Held-out nats after 20 epochs of five couplings of 32 units."""
    if who in PACKAGES:
        X, T = (np.asarray(part, np.float32) for part in (X, T))
        log_p = package(who, X, 5, 32, 1, n_epochs=_EPOCHS, seed=seed)[1]
        return float(log_p(T).mean())
    from skdgm import Flow
    from skdgm.options import Adam

    options = {"solver": Adam(schedule="linear", average=False), "alpha": 0.0}
    options |= {"base": "normal", "early_stopping": False, "n_iter": _EPOCHS}
    flow = Flow(5, (32,), random_state=seed, **options)
    return float(flow.fit(np.float32(X)).score(np.float32(T)))


def nats(python, n_seeds=3):
    """Print the table of nats."""
    print("| set | skdgm | nflows | zuko |\n|---|---|---|---|")
    for name in ("pinwheel",):
        rows = [points(name, 4000, seed).tolist() for seed in (2, 3)]
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/rows.json"
            with open(path, "w") as file:
                json.dump(rows, file)
            cells = []
            for who in ("ours", *PACKAGES):
                other = python if who in PACKAGES else None
                found = [
                    asked(__file__, 1, other, fit=f"{who},{path},{seed}")
                    for seed in range(n_seeds)
                ]
                error = np.std(found, ddof=1) / np.sqrt(n_seeds)
                cells.append(f"{np.mean(found):.3f} ± {error:.3f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main():
    """Print the table, or measure one case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch")
    parser.add_argument("--packages", action="store_true")
    parser.add_argument("--nats", action="store_true")
    parser.add_argument("--fit")
    parser.add_argument("--case")
    asked_for = parser.parse_args()
    if asked_for.fit:
        who, path, seed = asked_for.fit.split(",")
        with open(path) as file:
            X, T = json.load(file)
        print(json.dumps(nats_of(who, X, T, int(seed))))
        return
    if asked_for.packages or asked_for.nats:
        (packages if asked_for.packages else nats)(asked_for.torch)
        return
    if asked_for.case:
        who, kind, n, n_layers, size, layer, *n_threads = asked_for.case.split(",")
        X = np.random.default_rng(0).normal(size=(4000, int(n))).astype(kind)
        if who in PACKAGES:
            found = package(who, X, int(n_layers), int(size), int(n_threads[0]))
            print(json.dumps(min(found[0])))
            return
        compiled = partial(rival, compiled=True)
        measures = {"ours": ours, "eager": rival, "compiled": compiled}
        print(json.dumps(measures[who](X, int(n_layers), int(size), layer)))
        return
    print("| columns | couplings | hidden | layer | type | skdgm s | ", end="")
    print("eager s | compiled s | ratios |\n" + 9 * "|---" + "|")
    for kind in "float32", "float64":
        for case in CASES:
            for layer in "spline", "affine":
                own = ",".join(map(str, (kind, *case, layer)))
                a = asked(__file__, 1, case=f"ours,{own}")
                others = [
                    asked(__file__, 1, asked_for.torch, case=f"{who},{own}")
                    for who in ("eager", "compiled")
                ]
                line = " | ".join(map(str, (*case, layer, kind)))
                times = " | ".join(f"{seconds:.3f}" for seconds in (a, *others))
                ratios = ", ".join(f"{a / seconds:.2f}" for seconds in others)
                print(f"| {line} | {times} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
