"""Seconds of an epoch of machines of covariances, beside the same in PyTorch.

    python doc/benchmarks/covariance_speed.py --torch PYTHON

PYTHON has PyTorch. Both learn 4,000 rows of random numbers in batches of 100 by Adam,
from 100 persistent chains that make one trajectory of 20 leapfrog steps an update, on
one thread; the least of five epochs, each in a process of its own. PyTorch's slopes, of
the energy by rows and by parameters, are autograd's; those of rows are also written by
hand ("by hand"), as skdgm has them.
"""

import argparse
import json
import tempfile
import time

import numpy as np
from _processes import asked, epochs

# Columns, and mean units, covariance units and factors.
CASES = (63, 16, 64, 64), (63, 0, 16, 126), (195, 16, 256, 256)


def ours(X, n_mean, n_covariance, n_factors, gamma):
    """Seconds of the shortest epoch of skdgm."""
    from skdgm import MeanCovarianceRBM, MeanProductOfT

    cls = MeanProductOfT if gamma else MeanCovarianceRBM
    machine = cls(n_mean, n_covariance, n_factors=n_factors, n_iter=5)
    machine.set_params(n_chains=100, batch_size=100, random_state=0)
    return min(epochs(machine, X))


def rival(X, n_mean, n_covariance, n_factors, gamma, by_hand):
    """Seconds of the shortest epoch of the same in PyTorch."""
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(1)
    torch.set_default_dtype(getattr(torch, X.dtype.name))
    torch.manual_seed(0)
    n = X.shape[1]
    shapes = {
        "log_precision": (n,),
        "b": (n,),
        "W": (n, n_mean),
        "c": (n_mean,),
        "C": (n, n_factors),
        "log_P": (n_factors, n_covariance),
        "d": (n_covariance,),
    }
    params = {name: 0.05 * torch.randn(*shape) for name, shape in shapes.items()}
    for own in params.values():
        own.requires_grad_()

    def energy(v):
        squares = F.linear(v, params["C"].T) ** 2
        pooled = 0.5 * squares @ params["log_P"].exp()
        gaps = (v - params["b"]) ** 2
        total = 0.5 * (gaps * params["log_precision"].exp()).sum(1)
        if n_mean:
            total = total - F.softplus(params["c"] + v @ params["W"]).sum(1)
        if gamma:
            return total + (params["d"].exp() * torch.log1p(pooled)).sum(1)
        return total - F.softplus(params["d"] - pooled).sum(1)

    def slope(v):
        if not by_hand:
            v = v.detach().requires_grad_()
            value = energy(v)
            return value.detach(), torch.autograd.grad(value.sum(), v)[0]
        with torch.no_grad():
            P = params["log_P"].exp()
            projected = v @ params["C"]
            pooled = 0.5 * projected**2 @ P
            scaled = (v - params["b"]) * params["log_precision"].exp()
            total = 0.5 * ((v - params["b"]) * scaled).sum(1)
            if n_mean:
                inputs = params["c"] + v @ params["W"]
                total = total - F.softplus(inputs).sum(1)
                scaled = scaled - torch.sigmoid(inputs) @ params["W"].T
            if gamma:
                shapes = params["d"].exp()
                total = total + (shapes * torch.log1p(pooled)).sum(1)
                on = shapes / (1 + pooled)
            else:
                total = total - F.softplus(params["d"] - pooled).sum(1)
                on = torch.sigmoid(params["d"] - pooled)
            return total, scaled + (projected * (on @ P.T)) @ params["C"].T

    def trajectory(v, size):
        momentum = torch.randn_like(v)
        start, force = slope(v)
        before, x = start + 0.5 * (momentum**2).sum(1), v
        for _ in range(20):
            momentum = momentum - 0.5 * size * force
            x = x + size * momentum
            end, force = slope(x)
            momentum = momentum - 0.5 * size * force
        after = end + 0.5 * (momentum**2).sum(1)
        taken = torch.rand(len(v)).log() < before - after
        return torch.where(taken[:, None], x, v), taken.double().mean().item()

    solver = torch.optim.Adam(params.values(), lr=0.003)
    rows, chains, size = torch.from_numpy(X), torch.randn(100, n), 0.1
    found = []
    for _ in range(5):
        start = time.perf_counter()
        for index in torch.randperm(len(rows)).split(100):
            chains, rate = trajectory(chains, size)
            size *= float(np.exp(0.05 * (rate - 0.9)))
            loss = energy(rows[index]).mean() - energy(chains).mean()
            solver.zero_grad()
            loss.backward()
            solver.step()
        found.append(time.perf_counter() - start)
    return min(found)


def main():
    """Print the table, or one figure in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", help="a Python that has PyTorch")
    parser.add_argument("--one", help="ours, autograd or hand")
    parser.add_argument("--rows")
    parser.add_argument("--case", type=int)
    parser.add_argument("--gamma", type=int)
    given = parser.parse_args()
    if given.one:
        X, (_, *case) = np.load(given.rows), CASES[given.case]
        if given.one == "ours":
            print(json.dumps(ours(X, *case, given.gamma)))
        else:
            print(json.dumps(rival(X, *case, given.gamma, given.one == "hand")))
        return
    from _machine import describe

    print(describe())
    print("\n| columns | mean | covariance | factors | units | skdgm s ", end="")
    print("| PyTorch s | by hand s | ratio | by hand |")
    print("|" + "---|" * 10)
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        for k, case in enumerate(CASES):
            rng = np.random.default_rng(0)
            np.save(file.name, rng.standard_normal((4000, case[0]), dtype=np.float32))
            for gamma in (0, 1):
                own = {"rows": file.name, "case": k, "gamma": gamma}
                seconds = [
                    asked(__file__, 1, python, one=one, **own)
                    for one, python in (
                        ("ours", None),
                        ("autograd", given.torch),
                        ("hand", given.torch),
                    )
                ]
                ratios = [f"{seconds[0] / other:.2f}" for other in seconds[1:]]
                cells = [*case, "gamma" if gamma else "bits"]
                cells += [f"{one:.2f}" for one in seconds] + ratios
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
