"""Repeat the measurement of a few figures of these pages, those that are quick.

    python doc/benchmarks/check.py --data FOLDER [--only PAGE ...]

Each line gives a page, the row and column of one of its tables, the figure printed
there, the figure that today's code gives with the script's own recipe, and the
tolerance: about two standard deviations over seeds, as other processors round
differently and chaotic fits then diverge. The exit status is 1 if a figure is off.
Takes about ten minutes on one core.
"""

import argparse
import re
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import autoregressive_quality
import deep_quality
import likelihoods
import numpy as np
import rbm_defaults
import rbm_quality
import vae_quality
from _data import load
from _machine import describe

from skdgm import VAE, BernoulliRBM, GaussianRBM
from skdgm.options import Columns
from skdgm.partition import exact

PAGES = Path(__file__).parent


class Check(NamedTuple):
    """One figure.

    Parameters
    ----------
    page : str
        The name of a page, without its extension.
    row : tuple of str
        The first cells of a row.
    column : str
        The heading of the column.
    tolerance : float
        The largest accepted difference.
    measure : callable
        ``measure(folder)`` returns today's figure.
    """

    page: str
    row: tuple
    column: str
    tolerance: float
    measure: object


def cells(line):
    """Return the cells of a table's line, without bold markup."""
    return [
        cell.strip().replace("**", "") for cell in line.strip().strip("|").split("|")
    ]


def printed(page, row, column):
    """Return the first number of a cell of a page."""
    head = None
    for line in (PAGES / f"{page}.md").read_text().splitlines():
        if not line.startswith("|"):
            head = None
            continue
        found = cells(line)
        head = head or found
        if column in head and tuple(found[: len(row)]) == row:
            return float(re.search(r"-?\d+\.?\d*", found[head.index(column)])[0])
    raise LookupError(f"{page}.md has no row {row} with a column {column!r}")


def binary(folder, name):
    """Load training and validation rows of a binary set."""
    data = load(folder, name)
    return [data[part].astype(np.float32) for part in ("train", "valid")]


def table(name):
    """Return a function that scores an RBM on a binary table, by its recipe."""

    def measure(folder):
        options, _ = rbm_quality.TABLES[name]
        X, V = binary(folder, name)
        rbm = BernoulliRBM(random_state=0, **{**rbm_quality.COMMON, **options})
        return rbm.fit(X).score(V)

    return measure


def gaussian(folder):
    """Score of a GaussianRBM on digits."""
    X, V = rbm_quality.digits()
    return GaussianRBM(16, random_state=0, **rbm_quality.REAL).fit(X).score(V)


def default(name):
    """Return a function that scores the RBM of a line, averaged over three seeds."""

    def measure(folder):
        X, V, *_ = rbm_defaults.split(folder, name)
        own = rbm_defaults.STEPS["n_iter=20"]
        fitted = [BernoulliRBM(random_state=seed, **own).fit(X) for seed in range(3)]
        return np.mean([rbm_defaults.likelihood(rbm, X, V) for rbm in fitted])

    return measure


def autoregressive(name, who):
    """Return a function that scores an autoregressive model on a binary table.

    The recipe is that of all tables.
    """

    def measure(folder):
        X, V = binary(folder, name)
        kind, given = autoregressive_quality.BINARY[who]
        given = autoregressive_quality.STOP | given
        return autoregressive_quality.fitted(kind, given, X, False)[0].score(V)

    return measure


def autoencoder(folder):
    """Bound of a variational autoencoder after twenty epochs on MNIST."""
    options = argparse.Namespace(data=folder)
    X, V = vae_quality.rows(options, "resampled")
    given = vae_quality.COMMON | vae_quality.ONE
    vae = VAE(**given, column_types=Columns(resample=True), n_iter=20).fit(X)
    return vae.elbo(V).bound.mean()


def covered(folder, n_models=30):
    """Percentage of random machines whose log Z is inside the bracket."""
    inside = []
    for seed in range(n_models):
        energy, params, _ = likelihoods.random_model(seed)
        truth = exact.log_partition(energy, params)
        found = likelihoods.bracketed(seed, energy, params)
        inside.append(found.lower <= truth <= found.upper)
    return 100 * np.mean(inside)


def deep(name):
    """Return a function that bounds a small deep model of part of MNIST."""
    return lambda folder: deep_quality.small(folder, name)[0]


CHECKS = [
    Check("rbm_quality", ("dna",), "valid", 0.4, table("dna")),
    Check("rbm_quality", ("nips",), "valid", 1.0, table("nips")),
    Check("rbm_quality", ("mushrooms",), "valid", 1.0, table("mushrooms")),
    Check("rbm_quality", ("digits", "16"), "GaussianRBM", 1.0, gaussian),
    Check("rbm_defaults", ("n_iter=20",), "digits", 0.2, default("digits")),
    Check("rbm_defaults", ("n_iter=20",), "dna", 0.5, default("dna")),
    Check("rbm_defaults", ("n_iter=20",), "adult", 1.5, default("adult")),
    *(
        Check(
            "autoregressive", (name, who), "validation", 0.4, autoregressive(name, who)
        )
        for name in ("dna", "mushrooms", "nips")
        for who in ("FVBN", "NADE")
    ),
    Check("vae", ("VAE", "20"), "bound", 0.5, autoencoder),
    Check(
        "likelihoods",
        ("without a warning",),
        "log Z inside the 95 % bracket",
        4,
        covered,
    ),
    *(Check("deep", (name,), "bound", 0.5, deep(name)) for name in deep_quality.SMALL),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    pages = sorted({check.page for check in CHECKS})
    parser.add_argument("--only", nargs="+", choices=pages, default=pages)
    options = parser.parse_args()
    print(describe())
    print("\n| page | row | printed | measured | may differ by | |")
    print("|---|---|---|---|---|---|", flush=True)
    off = False
    for check in CHECKS:
        if check.page not in options.only:
            continue
        figure = printed(check.page, check.row, check.column)
        found = check.measure(options.data)
        wrong = not abs(found - figure) <= check.tolerance
        off |= wrong
        print(
            f"| {check.page} | {', '.join(check.row)} | {figure:.2f} | {found:.2f} | "
            f"{check.tolerance} | {'OFF' * wrong} |",
            flush=True,
        )
    sys.exit(int(off))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
