"""Flows: seven densities of points in the plane, drawn, with nats beside the truth.

    python doc/benchmarks/flows_planes.py [--plot FILE]

Each set is a curve, or a set of centers, with normal noise, or uniform on squares, so
that its density is known: sums over many points of the curve. Fits see 5,000 points;
nats are means over as many others, those of the truth of the same ones, and the gap has
a standard error. "larger" has four couplings of 32 hidden units.
"""

import argparse
import time

import numpy as np
from _machine import describe
from scipy.special import logsumexp
from scipy.stats import norm

from skdgm import Flow

_LARGER = {"n_layers": 4, "hidden_layer_sizes": (32,), "learning_rate": 0.01}
_LARGER |= {"alpha": 0.1, "n_iter": 60}
MODELS = {"default": {}, "larger": _LARGER}


class Curve:
    """Points of a curve, a function of the unit interval, or of ``parts`` of it, with
    normal noise."""

    def __init__(self, curve, noise, n_points=2000):
        self.curve, self.noise = curve, noise
        self.grid = curve((np.arange(n_points) + 0.5) / n_points)

    def draw(self, n, rng):
        """Draw points."""
        return self.curve(rng.random(n)) + self.noise * rng.normal(size=(n, 2))

    def log_p(self, x):
        """Log densities of points."""
        gaps = ((x[:, None] - self.grid) ** 2).sum(axis=2) / (2 * self.noise**2)
        constant = np.log(2 * np.pi * self.noise**2) + np.log(len(self.grid))
        return logsumexp(-gaps, axis=1) - constant


class Board:
    """Uniform on the dark squares of a board of 4 by 4."""

    def draw(self, n, rng):
        """Draw points."""
        x = rng.uniform(-2, 2, n)
        y = rng.random(n) + 2 * rng.integers(-1, 1, n) + np.floor(x) % 2
        return np.stack([x, y], axis=1)

    def log_p(self, x):
        """Log densities of points."""
        return np.full(len(x), -np.log(8))


class Pinwheel:
    """Five normal arms, turned by as much as they are far from the center: areas are
    kept."""

    def draw(self, n, rng):
        """Draw points."""
        along, across = 1 + 0.3 * rng.normal(size=n), 0.1 * rng.normal(size=n)
        turn = 2 * np.pi * rng.integers(0, 5, n) / 5
        return 2 * self._turned(np.stack([along, across], axis=1), turn, 1)

    def log_p(self, x):
        """Log densities of points."""
        parts = []
        for arm in range(5):
            back = self._turned(x / 2, np.full(len(x), 2 * np.pi * arm / 5), -1)
            p = norm(1, 0.3).logpdf(back[:, 0]) + norm(0, 0.1).logpdf(back[:, 1])
            parts.append(p - np.log(5 * 4))
        return logsumexp(parts, axis=0)

    @staticmethod
    def _turned(x, turn, sign):
        angle = sign * (turn + 1.2 * np.linalg.norm(x, axis=1))
        cos, sin = np.cos(angle), np.sin(angle)
        rows = x[:, 0] * cos - x[:, 1] * sin, x[:, 0] * sin + x[:, 1] * cos
        return np.stack(rows, axis=1)


def _circle(t, radius=1.0):
    return np.stack([radius * np.cos(2 * np.pi * t), radius * np.sin(2 * np.pi * t)], 1)


def _moons(t):
    upper, angle = t < 0.5, 2 * np.pi * (t % 0.5)
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    return np.stack([x, np.where(upper, np.sin(angle), 0.5 - np.sin(angle))], axis=1)


def _rings(radii):
    def curve(t):
        which = np.minimum((t * len(radii)).astype(int), len(radii) - 1)
        return _circle(t * len(radii) % 1, np.asarray(radii)[which])

    return curve


def _spirals(t):
    side, share = np.where(t < 0.5, 1, -1), 2 * (t % 0.5)
    turn = 3 * np.pi * np.sqrt(0.05 + 0.95 * share)
    points = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1) / 4
    return side[:, None] * points


def _eight(t):
    return 2 * _circle(np.floor(8 * t) / 8)


SETS = {
    "moons": Curve(_moons, 0.08),
    "circles": Curve(_rings((0.5, 1.0)), 0.06),
    "spirals": Curve(_spirals, 0.08),
    "pinwheel": Pinwheel(),
    "checkerboard": Board(),
    "eight Gaussians": Curve(_eight, 0.15),
    "rings": Curve(_rings((0.5, 1.0, 1.5, 2.0)), 0.06),
}


def main():
    """Print the table, and draw the densities."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot")
    parser.add_argument("--sets", default=",".join(SETS))
    asked = parser.parse_args()
    print(f"{describe()}\n\n| set | truth | flow | nats | below the truth | CPU s |")
    print("|---|---|---|---|---|---|")
    shown = []
    for name in asked.sets.split(","):
        own, rng = SETS[name], np.random.default_rng(0)
        X, T = own.draw(5000, rng), own.draw(5000, rng)
        truth = np.concatenate([own.log_p(part) for part in np.split(T, 10)])
        for kind, options in MODELS.items():
            start = time.process_time()
            flow = Flow(random_state=0, **options).fit(X)
            seconds = time.process_time() - start
            gap = truth - flow.score_samples(T)
            line = f"| {name} | {truth.mean():.3f} | {kind} | {flow.score(T):.3f} |"
            line += f" {gap.mean():.3f} ± {gap.std() / np.sqrt(len(T)):.3f} |"
            print(line, f"{seconds:.0f} |", flush=True)
        shown.append((name, own, flow, T))
    if asked.plot:
        draw(shown, asked.plot)


def draw(shown, path):
    """Densities of the sets above, of flows in the middle, and their draws below."""
    import matplotlib.pyplot as plt

    size = 1.8 * len(shown), 5.5
    figure, axes = plt.subplots(3, len(shown), figsize=size, layout="constrained")
    for column, (name, own, flow, T) in zip(axes.T, shown):
        middle, half = T.mean(axis=0), 1.15 * np.abs(T - T.mean(axis=0)).max()
        side = np.linspace(-half, half, 140)
        grid = np.stack(np.meshgrid(*(middle[:, None] + side)), axis=-1)
        grid = grid.reshape(-1, 2)
        truth = np.concatenate([own.log_p(x) for x in np.array_split(grid, 40)])
        if isinstance(own, Board):
            x, y = grid.T
            dark = (np.floor(x) + np.floor(y)) % 2 == 0
            inside = (np.abs(grid) < 2).all(axis=1) & dark
            truth = np.where(inside, truth, -np.inf)
        top = np.sqrt(np.exp(truth.max()))
        for ax, log_p in zip(column, (truth, flow.score_samples(grid))):
            p = np.sqrt(np.exp(log_p)).reshape(len(side), -1)
            ax.imshow(p, origin="lower", cmap="magma", vmin=0, vmax=top)
        drawn = flow.sample(3000, random_state=0) - middle
        column[2].scatter(*drawn.T, s=0.3, c="black", linewidths=0)
        column[2].set(xlim=(-half, half), ylim=(-half, half), aspect="equal")
        column[0].set_title(name)
        for ax in column:
            ax.set(xticks=[], yticks=[])
    for ax, word in zip(axes[:, 0], ("truth", "flow", "draws")):
        ax.set_ylabel(word)
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
