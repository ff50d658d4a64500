"""Seconds of an epoch of a flow, beside the same layers in PyTorch.

    python doc/benchmarks/flows_speed.py --torch PYTHON

PYTHON has PyTorch. Both learn 4,000 rows of random numbers in batches of 100 by Adam,
on one thread; the least of five epochs, each in a process of its own.
"""

import argparse
import json
import time

import numpy as np
from _processes import asked, epochs

CASES = (16, 2, 16), (16, 5, 64), (64, 2, 16)
LEAST, LEAST_SLOPE, BOUND = 1e-3, 1e-3, 5.0
SHIFT = float(np.log(np.expm1(1 - LEAST_SLOPE)))


def ours(X, n_layers, size, layer):
    """Seconds of the shortest epoch of Flow."""
    from skdgm import Flow

    flow = Flow(n_layers, (size,), layer=layer, n_iter=5, verbose=1, random_state=0)
    return min(epochs(flow.set_params(early_stopping=False).fit, X))


def rival(X, n_layers, size, layer):
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
    solver = torch.optim.Adam(params, lr=0.003, weight_decay=0.01)
    rows, found = torch.from_numpy(X), []
    for _ in range(5):
        start = time.perf_counter()
        for index in torch.randperm(len(rows)).split(100):
            x, total = rows[index], 0.0
            for own in stack:
                x, log = own(x)
                total = total + log
            loss = (0.5 * (x * x).sum(1) - total).mean()
            solver.zero_grad()
            loss.backward()
            solver.step()
        found.append(time.perf_counter() - start)
    return min(found)


def main():
    """Print the table, or measure one case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch")
    parser.add_argument("--case")
    asked_for = parser.parse_args()
    if asked_for.case:
        who, kind, n, n_layers, size, layer = asked_for.case.split(",")
        X = np.random.default_rng(0).normal(size=(4000, int(n))).astype(kind)
        measure = {"ours": ours, "rival": rival}[who]
        print(json.dumps(measure(X, int(n_layers), int(size), layer)))
        return
    print(
        "| columns | couplings | hidden | layer | type | skdgm s | PyTorch s | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for kind in "float32", "float64":
        for case in CASES:
            for layer in "spline", "affine":
                own = ",".join(map(str, (kind, *case, layer)))
                a = asked(__file__, 1, case=f"ours,{own}")
                b = asked(__file__, 1, asked_for.torch, case=f"rival,{own}")
                line = " | ".join(map(str, (*case, layer, kind)))
                print(f"| {line} | {a:.3f} | {b:.3f} | {a / b:.2f} |", flush=True)


if __name__ == "__main__":
    main()
