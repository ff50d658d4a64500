"""Posteriors by simulation beside exact ones, on cases that no default was chosen by.

    python doc/benchmarks/simulators.py [--simulations 20000] [--cases exponential ...]

Each case is a simulator whose likelihood is known: its posterior is exact, on a fine
grid. Parameters of five data sets are drawn from the prior, and each method, otherwise
with defaults, has the same number of simulations. ``mean`` is the root mean square of
errors of posterior means, in exact deviations; ``width`` the mean ratio of deviations
to the exact ones, with the least and the greatest in brackets; ``seconds`` are of the
process, for one data set.
"""

import argparse
import time
import warnings

import numpy as np
from _machine import describe
from scipy.special import gammaln
from scipy.stats import norm, uniform

from skdgm import ABC

METHODS = {
    "rejection": {"method": "rejection", "adjustment": None},
    "smc": {"method": "smc", "adjustment": None},
    "smc, linear": {"method": "smc"},
    "flow": {"method": "flow"},
}


class Case:
    """A simulator, priors, a sufficient summary, and the log likelihood on a grid of
    parameters."""

    def __init__(self, priors, simulate, summary, log_p, grid):
        self.priors, self.simulate, self.summary = priors, simulate, summary
        self.log_p, self.grid = log_p, grid

    def exact(self, X):
        """Means and deviations of the posterior."""
        theta = np.stack(np.meshgrid(*self.grid, indexing="ij"), axis=-1)
        theta = theta.reshape(-1, len(self.grid))
        log_w = sum(own.logpdf(part) for own, part in zip(self.priors, theta.T))
        with np.errstate(divide="ignore"):
            log_w = log_w + self.log_p(theta, X)
        w = np.exp(log_w - log_w.max())
        w /= w.sum()
        mean = w @ theta
        return mean, np.sqrt(w @ (theta - mean) ** 2)


def _column(values):
    return np.asarray(values, float).reshape(-1, 1)


def _autoregression(theta, rng):
    noise, found = rng.normal(size=120), [0.0]
    for own in noise:
        found.append(theta[0] * found[-1] + own)
    return _column(found[1:])


def _lagged(X):
    x = np.r_[0.0, X[:, 0]]
    return x[1:] @ x[:-1], x[:-1] @ x[:-1]


def _autoregression_log_p(theta, X):
    cross, square = _lagged(X)
    return theta[:, 0] * cross - 0.5 * theta[:, 0] ** 2 * square


def _normal_log_p(theta, X):
    mean, sd = theta.T
    square = (X[:, 0] ** 2).sum() - 2 * mean * X.sum() + len(X) * mean**2
    return -len(X) * np.log(sd) - 0.5 * square / sd**2


# Of the guide, where the share of a flow was chosen: a cubic root, and a normal sample
# of 50 rows.
CASES = {
    "exponential rate, 20 rows": Case(
        [uniform(0, 10)],
        lambda theta, rng: _column(rng.exponential(1 / theta[0], 20)),
        np.mean,
        lambda theta, X: len(X) * np.log(theta[:, 0]) - theta[:, 0] * X.sum(),
        [np.linspace(1e-4, 10, 20001)],
    ),
    "Poisson mean, 8 rows": Case(
        [uniform(0, 30)],
        lambda theta, rng: _column(rng.poisson(theta[0], 8)),
        np.sum,
        lambda theta, X: X.sum() * np.log(theta[:, 0]) - 8 * theta[:, 0],
        [np.linspace(1e-4, 30, 20001)],
    ),
    "share of 30 successes": Case(
        [uniform(0, 1)],
        lambda theta, rng: _column(rng.random(30) < theta[0]),
        np.sum,
        lambda theta, X: (
            X.sum() * np.log(theta[:, 0]) + (30 - X.sum()) * np.log1p(-theta[:, 0])
        ),
        [np.linspace(1e-6, 1 - 1e-6, 20001)],
    ),
    "square, one row": Case(
        [uniform(-2, 4)],
        lambda theta, rng: _column(theta[0] ** 2 + 0.2 * rng.normal()),
        np.mean,
        lambda theta, X: norm.logpdf(X[0, 0], theta[:, 0] ** 2, 0.2),
        [np.linspace(-2, 2, 20001)],
    ),
    "autoregression, 120 steps": Case(
        [uniform(-0.95, 1.9)],
        _autoregression,
        lambda X: (_lagged(X)[0] / _lagged(X)[1], np.log(_lagged(X)[1])),
        _autoregression_log_p,
        [np.linspace(-0.95, 0.95, 20001)],
    ),
    "mean and deviation, 10 rows": Case(
        [uniform(-5, 10), uniform(0.1, 4.9)],
        lambda theta, rng: _column(rng.normal(*theta, 10)),
        lambda X: (X.mean(), X.std()),
        _normal_log_p,
        [np.linspace(-5, 5, 1001), np.linspace(0.1, 5, 801)],
    ),
    "gamma shape and rate, 40 rows": Case(
        [uniform(0.5, 9.5), uniform(0.1, 4.9)],
        lambda theta, rng: _column(rng.gamma(theta[0], 1 / theta[1], 40)),
        lambda X: (np.log(X.mean()), np.log(X).mean()),
        lambda theta, X: (
            len(X) * (theta[:, 0] * np.log(theta[:, 1]) - gammaln(theta[:, 0]))
            + (theta[:, 0] - 1) * np.log(X).sum()
            - theta[:, 1] * X.sum()
        ),
        [np.linspace(0.5, 10, 1001), np.linspace(0.1, 5, 1001)],
    ),
}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=20_000)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe(), end="\n\n")
    print("| case | method | mean | width | seconds |\n|---|---|---|---|---|")
    for name in options.cases:
        case, rng = CASES[name], np.random.default_rng(0)
        data = []
        for _ in range(5):
            theta = np.array([own.rvs(random_state=rng) for own in case.priors])
            data.append(case.simulate(theta, rng))
        for method in options.methods:
            own = METHODS[method]
            parts, start = [], time.process_time()
            for seed, X in enumerate(data):
                abc = ABC(case.simulate, case.priors, case.summary, **own)
                abc.set_params(n_simulations=options.simulations, random_state=seed)
                theta, w = abc.fit(X).particles_, abc.weights_
                mean = w @ theta
                sd = np.sqrt(w @ (theta - mean) ** 2)
                exact = case.exact(X)
                parts.append(((mean - exact[0]) / exact[1], sd / exact[1]))
            seconds = (time.process_time() - start) / len(data)
            off, width = np.array(parts).swapaxes(0, 1)
            print(
                f"| {name} | {method} | {np.sqrt((off**2).mean()):.2f} |",
                f"{width.mean():.2f} ({width.min():.2f} to {width.max():.2f}) |",
                f"{seconds:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
