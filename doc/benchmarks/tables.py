"""Generators of tables, compared by what their rows are worth.

    python doc/benchmarks/tables.py --data DATA --rivals FOLDER [--only PART ...]
        [--rows N] | tee TABLE

Parts: ``adult`` and ``horse``, sets of a folder; ``bundled``, sets of scikit-learn; and
``public``, sets of the literature that OpenML has, skipped where it is not reached.
Each generator learns from the training rows, the first N of them by option, and draws
as many; the held-out rows are the part ``valid``, or a quarter of the rows. Missing
cells are drawn, too: see tables_rival.py.

The rivals have packages of their own, and an environment for these, made once by

    python3.11 -m venv FOLDER
    FOLDER/bin/pip install torch "pandas<2.3" "numpy<2" "scikit-learn<1.7" \
        "scipy<1.14" tqdm matplotlib psutil pyyaml Faker packaging
    FOLDER/bin/pip install --ignore-requires-python --no-deps \
        ctgan==0.6.0 rdt==1.2.1 copulas==0.7.0

These are the last versions under the MIT licence; later ones are under the Business
Source License 1.1. What rivals draw is kept in FOLDER/drawn and used again; without
``--rivals`` they are left out. Seconds are those of one thread's processor.
"""

import argparse
import json
import os
import subprocess
import time
import warnings
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from _data import load
from _machine import describe
from autoregressive_quality import frame
from sklearn import datasets
from sklearn.model_selection import train_test_split
from tables_rival import decode, encode
from threadpoolctl import threadpool_limits

from skdgm import MADE, NADE, EoNADE
from skdgm.metrics import tabular_report
from skdgm.utils.threading.parallel import limit

OURS = {"EoNADE": EoNADE, "NADE": NADE, "MADE": MADE}
RIVALS = {"CTGAN": "ctgan", "TVAE": "tvae", "Gaussian copula": "copula"}
N_OF_CLASS = 100
# OpenML's sets of the literature: name, version, target.
PUBLIC = {
    "adult": ("adult", 2, "class"),
    "default": ("default-of-credit-card-clients", 1, "y"),
    "shoppers": ("online-shoppers-intention", 1, "Revenue"),
    "magic": ("MagicTelescope", 1, "class"),
    "news": ("OnlineNewsPopularity", 1, "shares"),
}
BUNDLED = "wine", "breast_cancer", "diabetes"
HEAD = (
    *("set", "rows", "generator", "fit, s", "shapes", "trends", "all pairs"),
    *("two-sample AUC", "trained on synthetic", "on real", "closer to train"),
    *("copies", f"{N_OF_CLASS} rows of a class, s"),
)


class Set(NamedTuple):
    """A table: training and held-out rows, the column to predict, a rare class."""

    name: str
    train: pd.DataFrame
    held_out: pd.DataFrame
    target: str | None
    rare: tuple | None = None


class Drawn(NamedTuple):
    """Rows of a generator, and seconds: of the fit, and of rows of a class."""

    rows: pd.DataFrame
    fit: float | None = None
    of_class: str = ""


def adult(options):
    """Census incomes, with the class as a column, and 5 % of Masters.

    Missing categories are a category, "?", as in the original file.
    """
    data, parts = load(options.data, "adult_mixed"), []
    for part in ("train", "valid"):
        rich = data[f"{part}_y"] == 1
        rows = frame(data, part).assign(income=np.where(rich, ">50K", "<=50K"))
        whole = {name: int for name, kind in rows.dtypes.items() if kind == "float64"}
        rows = rows.astype(whole)
        for name in rows.columns[rows.isna().any()]:
            rows[name] = rows[name].cat.add_categories("?").fillna("?")
        parts.append(rows)
    yield Set("adult", *parts, "income", ("education", "Masters"))


def horse(options):
    """Horses with colic: many cells are missing."""
    data = load(options.data, "horse_colic")
    train, held_out = (frame(data, part) for part in ("train", "valid"))
    yield Set("horse colic", train, held_out, None)


def bundled(options):
    """Sets of scikit-learn."""
    for name in BUNDLED:
        found = getattr(datasets, f"load_{name}")(as_frame=True)
        rows = found.frame
        if name != "diabetes":
            rows = rows.assign(target=found.target_names[found.target])
        yield Set(name, *train_test_split(rows, random_state=0), "target")


def public(options):
    """Sets of OpenML."""
    for name, (full, version, target) in PUBLIC.items():
        try:
            found = datasets.fetch_openml(full, version=version, as_frame=True)
        except Exception as error:  # Of the network, or of a set that is not there.
            print(f"\n{name}: skipped, not fetched ({type(error).__name__})")
            continue
        rows = found.frame
        yield Set(name, *train_test_split(rows, random_state=0), target)


def whole(of):
    """Training rows without missing values."""
    if not of.train.isna().any(axis=None):
        return of.train
    return encode(of.train, list(of.train.select_dtypes("number")))


def like(of, rows):
    """Rows with the types of the training rows.

    Numbers end where those of the training rows do, as SDV had it.
    """
    rows = rows[list(of.train)].copy()
    for name, kind in of.train.dtypes.items():
        if isinstance(kind, pd.CategoricalDtype):
            rows[name] = rows[name].astype(kind.categories.dtype).astype(kind)
        elif pd.api.types.is_numeric_dtype(kind):
            rows[name] = rows[name].clip(of.train[name].min(), of.train[name].max())
    return rows


def ours(kind, of, options):
    """Rows of one of our estimators, with its defaults."""
    model = kind(random_state=0)
    with limit(1):
        rows = whole(of)
        start = time.process_time()
        model.fit(rows)
        fit, of_class = time.process_time() - start, ""
        rows = like(of, decode(model.sample(len(rows), random_state=0)))
        if of.rare is not None:
            start = time.process_time()
            model.sample(N_OF_CLASS, random_state=0, conditions=dict([of.rare]))
            of_class = f"{time.process_time() - start:.2f}"
    return Drawn(rows, fit, of_class)


def rival(name, of, options):
    """Rows of a rival, from an environment of its own, or kept from before."""
    folder = options.rivals / "drawn"
    folder.mkdir(exist_ok=True)
    stem = f"{of.name.replace(' ', '_')}{len(of.train)}"
    rows, facts = (folder / f"{stem}.{name}.{end}" for end in ("csv", "json"))
    if not facts.exists():
        _run(name, of, options, folder / stem, rows, facts)
    found = json.loads(facts.read_text())
    of_class = ""
    if "condition" in found:
        seconds, n = found["condition"]
        of_class = f"{seconds:.2f}" if n >= N_OF_CLASS else f"{n} in {seconds:.0f}"
    return Drawn(like(of, pd.read_csv(rows)), found["cpu"], of_class)


def _run(name, of, options, stem, rows, facts):
    """Run a rival in its environment."""
    recipe = {
        "numbers": list(of.train.select_dtypes("number")),
        "condition": of.rare,
        "seed": 0,
        "epochs": options.epochs,
    }
    recipe_file, train = f"{stem}.json", f"{stem}.csv"
    Path(recipe_file).write_text(json.dumps(recipe))
    of.train.to_csv(train, index=False)
    script = Path(__file__).with_name("tables_rival.py")
    # Isolated from packages of this environment in PYTHONPATH.
    given = "-I", "-W", "ignore", script, name, recipe_file, train, rows, facts
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    python = options.rivals / "bin" / "python"
    subprocess.run([python, *given], env=os.environ | alone, check=True)


def again(of, options):
    """Rows drawn from the training rows, with replacement."""
    return Drawn(of.train.sample(len(of.train), replace=True, random_state=0))


def independent(of, options):
    """Rows of columns that are each drawn from the training rows by itself."""
    columns = [
        of.train[name].sample(len(of.train), replace=True, random_state=number)
        for number, name in enumerate(of.train)
    ]
    columns = [column.reset_index(drop=True) for column in columns]
    return Drawn(pd.concat(columns, axis=1))


def generators(options):
    """All generators by name, functions of a set and of the options."""
    found = {name: partial(ours, kind) for name, kind in OURS.items()}
    if options.rivals is not None:
        found |= {name: partial(rival, own) for name, own in RIVALS.items()}
    return found | {"rows again": again, "independent columns": independent}


def line(*cells):
    """Print a line of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def compare(of, options):
    """Print the lines of a set."""
    for name, generate in generators(options).items():
        try:
            drawn = generate(of, options)
        except subprocess.CalledProcessError as error:
            line(of.name, len(of.train), f"{name}: failed ({error.returncode})")
            continue
        given = of.train, drawn.rows.reset_index(drop=True), of.held_out
        report = tabular_report(*given, target=of.target, random_state=0)
        found = {own: f"{value:.3f}" for own, value in report.scores.items()}
        line(
            *(of.name, len(of.train), name),
            "" if drawn.fit is None else f"{drawn.fit:.1f}",
            *(found[own] for own in ("shapes", "trends", "trends_of_all")),
            found["two_sample_auc"],
            *(found.get(f"utility_{own}", "") for own in ("synthetic", "real")),
            *(found["closer_to_train"], found["copies"], drawn.of_class),
        )


PARTS = {own.__name__: own for own in (adult, horse, bundled, public)}


def main():
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, help="folder of the sets")
    parser.add_argument("--rivals", type=Path, help="environment of the rivals")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rows", type=int, help="training rows at most")
    parser.add_argument("--epochs", type=int, help="of the rivals, for a trial")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{describe()}\n\n| {' | '.join(HEAD)} |\n{'|---' * len(HEAD)}|", flush=True)
    for name in options.only:
        if options.data is None and name in ("adult", "horse"):
            print(f"\n{name}: skipped, no --data")
            continue
        for of in PARTS[name](options):
            train = of.train[: options.rows].reset_index(drop=True)
            with threadpool_limits(1):
                compare(of._replace(train=train), options)


if __name__ == "__main__":
    main()
