"""Log-likelihoods of autoregressive models, with published ones and simpler models.

    python doc/benchmarks/autoregressive_quality.py --data DATA --only uci | tee TABLE

Scores are those of validation rows, which no fit has seen: early stopping holds out a
tenth of the training rows. Published figures are those of the test rows, so each table
has rows of independent columns for both. All sets of a table are learned with the same
options, defined below. The parts: ``uci``, ``debd`` (binary tables), ``caltech``,
``mnist``, ``eonade`` (pictures), ``mixed`` and ``impute`` (tables of several kinds).
``--quick`` is a trial with a few rows and epochs; its figures mean nothing.
"""

import argparse
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from _data import load
from _machine import describe
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from scipy.special import xlogy
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdgm import FVBN, MADE, NADE, EoNADE, GenerativeImputer
from skdgm.utils.threading.parallel import limit, n_threads

STOP = {"early_stopping": True, "random_state": 0}
LIKELY = {"n_iter": 200, "n_iter_no_change": 15}
SLOWLY = LIKELY | {"learning_rate": 0.001}
# The observed part of a row is drawn anew for each update, so many updates are needed.
ORDERLESS = {
    "hidden_layer_sizes": (500, 500),
    "learning_rate": 0.001,
    "n_iter_no_change": 100,
    "n_orderings": 16,
}
BINARY = {
    "FVBN": (FVBN, LIKELY),
    "NADE": (NADE, SLOWLY),
    "MADE": (MADE, SLOWLY),
    "EoNADE": (EoNADE, ORDERLESS),
}
# Updates of an orderless net (fewer for mixed tables), and the most epochs.
UPDATES, FEWER, EPOCHS = 100_000, 20_000, 3000
OF_KINDS = ORDERLESS | {"activation": "relu"}
MIXED = {
    "NADE": (NADE, SLOWLY | {"n_components": 100}),
    "MADE": (MADE, SLOWLY | {"hidden_layer_sizes": (100,)}),
    "EoNADE": (EoNADE, OF_KINDS),
}
ALL = {"early_stopping": False}
# Adam would take large steps for pixels that are hardly ever on.
LINEAR = ALL | {
    "solver": "sgd",
    "learning_rate": 0.05,
    "alpha": 0.03,
    "n_iter": 25,
}
DIGITS = {
    "NADE-500": (
        NADE,
        ALL
        | {"activation": "logistic", "learning_rate": 0.005}
        | {"alpha": 0.012, "n_iter": 18},
    ),
    "FVBN": (FVBN, LINEAR),
    "FVBN, 4 orders": (FVBN, LINEAR | {"n_orderings": 4}),
}
EONADE = {
    "hidden_layer_sizes": (500, 500),
    "batch_size": 200,
    "learning_rate": 0.0014,
    "alpha": 0.1,
    "n_iter": 660,
    "random_state": 0,
}
# Published, of test rows, in nats: independent columns (README of the sets); the same
# kind of model; and the highest one.
UCI = {
    "adult": (-25.77, (-13.17, -13.19, -13.12, -13.19), -13.12),
    "connect4": (-35.34, (-12.39, -11.99, -11.90, -12.58), -11.68),
    "dna": (-100.39, (-83.64, -84.81, -83.63, -82.31), -79.66),
    "mushrooms": (-34.23, (-10.27, -9.81, -9.68, -9.69), -9.55),
    "nips": (-294.80, (-276.88, -273.08, -280.25, -272.39), -271.11),
    "ocr_letters": (-63.74, (-39.30, -27.22, -28.34, -27.32), -26.43),
}
# Published: independent columns, Chow-Liu tree, LearnSPN, ID-SPN.
DEBD = {
    "nltcs": (-9.23, -6.76, -6.11, -6.02),
    "plants": (-31.27, -16.52, -12.98, -12.54),
    "jester": (-63.88, -58.23, -53.48, -52.86),
    "accidents": (-45.56, -33.19, -30.04, -26.98),
    "baudio": (-49.34, -44.37, -40.50, -39.79),
}
SHARES, N_NEIGHBORS = (0.1, 0.3, 0.5), 20
# Weight of the training frequencies in the class probabilities of an imputer.
DOUBT = 0.1


def table(*names):
    """Print the head of a table."""
    print("\n| " + " | ".join(names) + " |\n" + "|---" * len(names) + "|", flush=True)


def line(*cells):
    """Print a line of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def mean(found):
    """Format a mean with its standard error."""
    return f"{found.mean():.2f} ± {found.std() / np.sqrt(len(found)):.2f}"


def fitted(kind, given, X, quick, n_updates=UPDATES):
    """Fit an estimator and return it with the minutes that it took."""
    start = time.perf_counter()
    n_epochs = min(n_updates // max(1, len(X) // 100), EPOCHS)
    given = {"n_iter": n_epochs} | given | ({"n_iter": 2} if quick else {})
    model = kind(**given).fit(X)
    return model, f"{(time.perf_counter() - start) / 60:.1f}"


def bits(options, name):
    """Load training and validation rows of a binary set."""
    data, n = load(options.data, name), 300 if options.quick else None
    return [data[part][:n].astype(np.float32) for part in ("train", "valid")]


def independent(X, V):
    """Log-likelihood of rows under independent binary columns."""
    p = (X.sum(axis=0) + 1) / (len(X) + 2)
    return xlogy(V, p).sum(axis=1) + xlogy(1 - V, 1 - p).sum(axis=1)


def chow_liu(X, V, smoothing=1.0):
    """Log-likelihood of rows under the best tree of columns (Chow-Liu)."""
    n, X, V = len(X) + 4 * smoothing, X.astype(float), V.astype(int)
    both, one = X.T @ X, X.sum(axis=0)
    counts = np.stack(
        [
            [len(X) - one[:, None] - one + both, one - both],
            [one[:, None] - both, both],
        ]
    )
    p = (counts + smoothing) / n
    single = np.array([1 - (one + 2 * smoothing) / n, (one + 2 * smoothing) / n])
    given = single[:, None, :, None] * single[None, :, None, :]
    gain = (p * np.log(p / given)).sum(axis=(0, 1))
    np.fill_diagonal(gain, 0)
    tree = minimum_spanning_tree(-gain)
    order, above = breadth_first_order(tree, 0, directed=False)
    found = np.log(single[V[:, 0], 0])
    for j in order[1:]:
        i = above[j]
        found += np.log(p[V[:, i], V[:, j], i, j] / single[V[:, i], i])
    return found


def of_bits(options, name, X, V, published, best, models=BINARY):
    """Print the lines of all estimators for a set."""
    for (who, (kind, given)), known in zip(models.items(), published):
        model, minutes = fitted(kind, STOP | given, X, options.quick)
        found = model.score_samples(V)
        line(name, who, mean(found), known, best, model.n_iter_, minutes)


def uci(options):
    """Sets of Larochelle and Murray."""
    table("set", "model", "validation", "published", "best", "epochs", "minutes")
    for name, (alone, published, best) in UCI.items():
        X, V = bits(options, name)
        line(name, "independent", mean(independent(X, V)), alone, "", "", "")
        of_bits(options, name, X, V, published, best)


def debd(options):
    """Sets on which trees and sum-product networks were compared."""
    table("set", "model", "validation", "published", "ID-SPN", "epochs", "minutes")
    for name, (alone, tree, learned, best) in DEBD.items():
        X, V = bits(options, name)
        line(name, "independent", mean(independent(X, V)), alone, "", "", "")
        line(name, "Chow-Liu tree", mean(chow_liu(X, V)), tree, "", "", "")
        line(name, "LearnSPN", "", learned, "", "", "")
        of_bits(options, name, X, V, [""] * len(BINARY), best)


def caltech(options):
    """Caltech 101 silhouettes."""
    table("set", "model", "validation", "published", "best", "epochs", "minutes")
    X, V = bits(options, "caltech101_silhouettes")
    line("caltech", "independent", mean(independent(X, V)), -380.05, "", "", "")
    of_bits(options, "caltech", X, V, ["", -110.6, "", "-107.28 (NADE-5)"], -104.3)


def mnist(options):
    """MNIST digits with fixed bits."""
    table("set", "model", "validation", "published", "best", "epochs", "minutes")
    X, V = bits(options, "binarized_mnist")
    of_bits(options, "mnist", X, V, (-88.33, -97.45, ""), "", DIGITS)


def eonade(options):
    """EoNADE with two layers, and the gain from more orders."""
    X, V = bits(options, "binarized_mnist")
    model, minutes = fitted(EoNADE, EONADE, X, options.quick)
    table("orders", "rows", "validation", "published", "epochs", "minutes")
    some = V[np.random.default_rng(0).permutation(len(V))[:1000]]
    for n_orderings, rows, known in ((2, V, -87.96), (128, some, -85.10)):
        model.set_params(n_orderings=2 if options.quick else n_orderings)
        found = mean(model.score_samples(rows))
        line(n_orderings, len(rows), found, known, model.n_iter_, minutes)


def frame(data, part, n=None):
    """Build a DataFrame of columns of several kinds, with the names of categories."""
    columns, X = data["columns"].tolist(), data[part][:n].astype(np.float64)
    coded = "is_categorical" in data
    kinds = data["is_categorical" if coded else "column_kind"]
    found = {}
    for name, kind, values in zip(columns, kinds, X.T):
        if coded and kind:
            names = data[f"categories_{name}"]
            codes = np.where(np.isnan(values), -1, values).astype(int)
            found[name] = pd.Categorical.from_codes(codes, names)
        elif not coded and kind == "cat":
            seen = np.unique(data["train"][:, columns.index(name)])
            found[name] = pd.Categorical(values, seen[~np.isnan(seen)])
        elif coded or kind == "num":
            found[name] = values
    return pd.DataFrame(found)


def frames(options, name, n=(None, None)):
    """Load training and validation rows of a table."""
    n = (200, 50) if options.quick else n
    data = load(options.data, name)
    return [frame(data, part, n) for part, n in zip(("train", "valid"), n)]


def reals(X):
    """Select the real columns."""
    return X.select_dtypes("number")


def frequencies(X, name):
    """Frequencies of a column's categories, each counted once more (add one)."""
    counts = X[name].value_counts().reindex(X[name].cat.categories, fill_value=0) + 1
    return counts / counts.sum()


def marginals(X, V):
    """Log-likelihood of rows under independent columns; missing entries count 0."""
    total = np.zeros(len(V))
    for name in V:
        if isinstance(V[name].dtype, pd.CategoricalDtype):
            found = np.log(V[name].map(frequencies(X, name)).astype(float))
        else:
            z = (V[name] - X[name].mean()) / X[name].std(ddof=0)
            found = -0.5 * (z**2 + np.log(2 * np.pi)) - np.log(X[name].std(ddof=0))
        total += found.fillna(0).to_numpy()
    return total


def mixtures(X, V, quick):
    """Log-likelihood under the Gaussian mixture that is best on a held-out tenth."""
    center, scale = X.mean(), X.std(ddof=0)
    Z, W = ((part - center) / scale for part in (X, V))
    kept, held_out, best = Z[: -len(Z) // 10], Z[-len(Z) // 10 :], None
    for n in (1, 5) if quick else (1, 5, 10, 20, 40):
        model = GaussianMixture(n, reg_covar=1e-4, random_state=0).fit(kept)
        score = model.score(held_out)
        if best is None or score > best[0]:
            best = score, n, model
    return best[1], best[2].score_samples(W) - np.log(scale).sum()


def mixed(options):
    """Tables of several kinds, and their real columns alone."""
    table("set", "columns", "model", "validation", "epochs", "minutes")
    for name in ("adult_mixed", "horse_colic"):
        for what, part in (("all", lambda X: X), ("real", reals)):
            X, V = map(part, frames(options, name))
            what = f"{what} {X.shape[1]}"
            line(name, what, "independent", mean(marginals(X, V)), "", "")
            if what.startswith("real") and not X.isna().any(axis=None):
                n, found = mixtures(X, V, options.quick)
                line(name, what, f"{n} full Gaussians", mean(found), "", "")
            # Standardized, not as normal scores with atoms: densities that compare.
            plain = dict.fromkeys(reals(X), "gaussian")
            for who, (kind, given) in MIXED.items():
                given = STOP | given | {"column_types": plain}
                model, minutes = fitted(kind, given, X, options.quick, FEWER)
                found = mean(model.score_samples(V))
                line(name, what, who, found, model.n_iter_, minutes)


def holes(V, share):
    """Mask of the known entries that are hidden."""
    luck = np.random.default_rng(0).random(V.shape)
    return (luck < share) & V.notna().to_numpy()


class OneHot:
    """Standardized numbers and one-hot categories, for imputers of numbers only."""

    def __init__(self, X):
        self.real = reals(X).columns
        self.center, self.scale = X[self.real].mean(), X[self.real].std(ddof=0)
        names = X.columns.difference(self.real, sort=False)
        self.frequencies = {name: frequencies(X, name) for name in names}
        sizes = [0, *map(len, self.frequencies.values())]
        self.firsts = len(self.real) + np.cumsum(sizes)[:-1]

    def numbers(self, X):
        """Encode a frame as an array, with a group of columns per categorical one."""
        parts = [((X[self.real] - self.center) / self.scale).to_numpy()]
        for name, known in self.frequencies.items():
            codes = X[name].cat.codes.to_numpy()
            part = np.eye(len(known))[codes]
            part[codes < 0] = np.nan
            parts.append(part)
        return np.concatenate(parts, axis=1)

    def surprise(self, Z, V, hidden):
        """Errors of hidden numbers, standardized, and log-losses of hidden codes."""
        truth = ((V[self.real] - self.center) / self.scale).to_numpy()
        at = hidden[:, V.columns.get_indexer(self.real)]
        n = len(self.real)
        errors, losses = (Z[:, :n] - truth)[at], []
        for name, known in self.frequencies.items():
            p, n = np.clip(Z[:, n : n + len(known)], 1e-9, 1), n + len(known)
            p /= p.sum(axis=1, keepdims=True)
            p = (1 - DOUBT) * p + DOUBT * known.to_numpy()
            rows = np.flatnonzero(hidden[:, V.columns.get_loc(name)])
            losses.append(-np.log(p[rows, V[name].cat.codes.to_numpy()[rows]]))
        return errors, np.concatenate(losses) if losses else np.empty(0)


def by_imputer(imputer, X, V, hidden):
    """Errors and log-losses of an imputer, or for None of means and frequencies."""
    code = OneHot(X)
    if imputer is None:
        n, known = len(code.real), [f.to_numpy() for f in code.frequencies.values()]
        row = np.concatenate([np.zeros(n), *known])
        return code.surprise(np.tile(row, (len(V), 1)), V, hidden)
    given, asked = code.numbers(X), code.numbers(V.mask(hidden))
    if isinstance(imputer, KNNImputer):
        Z = imputer.fit(given).transform(asked)
    else:
        # The bits of a group sum to one: with all of them, each would be predicted from
        # the others of its own group, which are also missing.
        Z, kept = asked, np.setdiff1d(np.arange(given.shape[1]), code.firsts)
        Z[:, kept] = imputer.fit(given[:, kept]).transform(asked[:, kept])
        for first, known in zip(code.firsts, code.frequencies.values()):
            Z[:, first] = 1 - Z[:, first + 1 : first + len(known)].sum(axis=1)
    return code.surprise(Z, V, hidden)


def filling(code, **options):
    """Pipeline of an imputer, an orderless net, and the encoding of the other ones."""
    imputer = GenerativeImputer(EoNADE(**options)).set_output(transform="pandas")
    return make_pipeline(imputer, FunctionTransformer(code.numbers))


def by_net(pipe, X, V, hidden):
    """Errors and log-losses of an orderless net, given the entries not hidden."""
    code, given, losses = OneHot(X), V.mask(hidden), []
    net = pipe[0].estimator_
    errors, _ = code.surprise(pipe.transform(given), V, hidden)
    for name in code.frequencies:
        rows = np.flatnonzero(hidden[:, V.columns.get_loc(name)])
        if rows.size:
            asked = given.iloc[rows].assign(**{name: V[name].iloc[rows]})
            losses.append(-net.score_features(asked, given="others")[name])
    return errors, np.concatenate(losses) if losses else np.empty(0)


def tables(options):
    """Yield names, kinds of columns, training and validation rows."""
    yield "adult_mixed", "mixed", *frames(options, "adult_mixed", (4000, 1000))
    yield "horse_colic", "mixed", *frames(options, "horse_colic")
    rows = np.random.default_rng(0).permutation(1797)[: 250 if options.quick else None]
    gray = pd.DataFrame(load_digits().data[rows] / 16)
    gray.columns = gray.columns.astype(str)
    cut = len(gray) * 3 // 4
    yield "digits", "bernoulli", gray[:cut], gray[cut:]


def impute(options):
    """Imputation of entries hidden at random."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rivals = {
        "means and frequencies": None,
        f"KNNImputer, {N_NEIGHBORS}": KNNImputer(n_neighbors=N_NEIGHBORS),
        "IterativeImputer": IterativeImputer(
            max_iter=1 if options.quick else 10, random_state=0
        ),
    }
    table("set", "hidden", "model", "RMSE", "log-loss")
    for name, output, X, V in tables(options):
        if output == "bernoulli":
            X, V = X.loc[:, X.std() > 0], V.loc[:, X.std() > 0]
        given = STOP | OF_KINDS | {"column_types": output}
        kind = partial(filling, OneHot(X))
        pipe, minutes = fitted(kind, given, X, options.quick, FEWER)
        for share in SHARES:
            hidden, found = holes(V, share), {}
            for who, imputer in rivals.items():
                found[who] = by_imputer(imputer, X, V, hidden)
            found[f"EoNADE ({minutes} minutes)"] = by_net(pipe, X, V, hidden)
            for who, (errors, losses) in found.items():
                loss = f"{losses.mean():.3f}" if losses.size else ""
                line(
                    name,
                    f"{share:.0%}",
                    who,
                    f"{np.sqrt((errors**2).mean()):.3f}",
                    loss,
                )


PARTS = {f.__name__: f for f in (uci, debd, caltech, mnist, eonade, mixed, impute)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS))
    parser.add_argument("--threads", type=int, default=n_threads())
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(describe() + f", {options.threads} threads", flush=True)
    with limit(options.threads):
        for part in options.only:
            PARTS[part](options)


if __name__ == "__main__":
    main()
