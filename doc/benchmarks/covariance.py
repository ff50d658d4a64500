"""Machines of covariances: held-out nats of natural patches and of small tables.

    python doc/benchmarks/covariance.py [--only patches ...] [--models S3C ...]

``patches``: 10,000 patches of 8 x 8 pixels of the left halves of scikit-learn's two
photographs, logs of gray values, centered one by one and whitened; 4,000 of the right
halves are held out. ``normalized``: the same, each divided by the root of its variance
and of a hundredth of the mean variance, before it is whitened. ``tables``:
scikit-learn's, a quarter of the rows held out. ``digits``: the same of digits, for
likelihoods, and for the accuracy of a logistic regression of features from ten labels a
class; ``usps`` the latter of a set of the folder ``--data``. ``large``: ``normalized``
with 14 x 14 pixels, beside independent components and an autoregressive model.
``filters`` draws weights and samples of ``normalized``. ``states``: band powers of
states that follow each other, and how well these are found again. Seconds are of the
processor.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from scipy.stats import multivariate_t, t
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_sample_images,
    load_wine,
)
from sklearn.decomposition import PCA, FactorAnalysis, FastICA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from skdgm import (
    FVBN,
    RNADE,
    S3C,
    GaussianRBM,
    MeanCovarianceRBM,
    MeanProductOfT,
    SpikeSlabRBM,
)

SIZE, LARGE = 8, 14
TABLES = load_iris, load_wine, load_diabetes, load_breast_cancer
# Names of models to measure; all if none.
ASKED = set()


class StudentT:
    """A multivariate t distribution of whitened columns: one scale for each row."""

    def fit(self, X):
        """Choose degrees of freedom and the scale that are likeliest."""
        found = []
        for df in (1, 1.5, 2, 3, 4, 6, 10, 20, 50, 1000):
            for scale in np.logspace(-2.5, 0.5, 13):
                own = multivariate_t(np.zeros(X.shape[1]), scale, df)
                found.append((own.logpdf(X[::10]).mean(), own))
        self.best = max(found, key=lambda pair: pair[0])[1]
        return self

    def score_samples(self, X):
        """Log-likelihoods of rows."""
        return self.best.logpdf(X)


class IndependentComponents:
    """Fast ICA, with a t distribution of each component: degrees of freedom and scale
    that are likeliest."""

    def fit(self, X):
        """Find components, and their distributions."""
        self.ica = FastICA(whiten="unit-variance", max_iter=500, random_state=0).fit(X)
        S = self.ica.transform(X)
        self.log_volume = np.linalg.slogdet(self.ica.components_)[1]
        found = []
        for df in (2, 2.5, 3, 4, 6, 10, 20, 1000):
            for scale in np.linspace(0.3, 1.1, 17):
                found.append((t.logpdf(S[::5], df, 0, scale).mean(axis=0), df, scale))
        best = np.argmax([score for score, *_ in found], axis=0)
        self.df, self.scale = np.array([found[k][1:] for k in best]).T
        return self

    def score_samples(self, X):
        """Log-likelihoods of rows."""
        own = t.logpdf(self.ica.transform(X), self.df, 0, self.scale)
        return own.sum(axis=1) + self.log_volume


def patches(n, seed, right, size=SIZE):
    """Logs of patches of gray values, each centered."""
    rng, found = np.random.default_rng(seed), []
    for image in load_sample_images().images:
        gray = np.log1p(image.mean(axis=2))
        gray = gray[:, 320 + size :] if right else gray[:, :320]
        ends = np.array(gray.shape) - size
        for top, left in rng.integers(0, ends, (n // 2, 2)):
            found.append(gray[top : top + size, left : left + size].ravel())
    found = np.array(found)
    return found - found.mean(axis=1, keepdims=True)


def measured(name, model, X, X_test):
    """Print a row: nats of held-out rows, their standard error, and seconds of fit."""
    if ASKED and not name.startswith(tuple(ASKED)):
        return None
    start = time.process_time()
    model.fit(X)
    seconds = time.process_time() - start
    score = model.score_samples(X_test)
    se = score.std() / np.sqrt(len(score))
    print(f"| {name} | {score.mean():.2f} ± {se:.2f} | {seconds:.0f} |", flush=True)
    return model


def whitened(normalized, size=SIZE):
    """Whitened patches of the left and of the right halves of photographs, and two
    matrices that take rows to pixels: back, and turned only."""
    X, X_test = patches(10_000, 0, False, size), patches(4_000, 1, True, size)
    if normalized:
        least = 0.01 * X.var()
        X, X_test = (
            own / np.sqrt(own.var(axis=1, keepdims=True) + least) for own in (X, X_test)
        )
    values, vectors = np.linalg.eigh(X.T @ X / len(X))
    scale = np.sqrt(values[1:])
    white = vectors[:, 1:] / scale
    return X @ white, X_test @ white, (vectors[:, 1:] * scale).T, vectors[:, 1:].T


def of_patches(normalized=False, size=SIZE):
    """Held-out nats of whitened patches of photographs."""
    *given, _, _ = whitened(normalized, size)
    large = size > SIZE
    name = f"{size} x {size}" if large else "normalized" if normalized else "patches"
    print(f"\n## {name}\n\n| model | held-out nats | fit s |\n|---|---|---|")
    measured("normal", FVBN(column_types="gaussian"), *given)
    n_hidden = 256 if large else 144
    machine = GaussianRBM(n_hidden, n_iter=30, random_state=0)
    measured(f"GaussianRBM({n_hidden}, n_iter=30)", machine, *given)
    measured("multivariate t", StudentT(), *given)
    measured("FactorAnalysis", StandardFactors(), *given)
    measured("FastICA, t components", IndependentComponents(), *given)
    for k in (10, 50) if large else (10, 200):
        # Few rows a part want more.
        least = 1e-4 if k * given[0].shape[1] < 1000 else 1e-2
        mixture = GaussianMixture(k, reg_covar=least, max_iter=30, random_state=0)
        measured(f"GaussianMixture({k})", mixture, *given)
    measured("RNADE()", RNADE(random_state=0), *given)
    n_factors = 2 * given[0].shape[1]
    machines = {
        "MeanCovarianceRBM(16, 64, n_iter=30)": MeanCovarianceRBM(16, 64),
        f"MeanProductOfT(0, 16, n_factors={n_factors}, n_iter=30)": MeanProductOfT(
            0, 16, n_factors=n_factors
        ),
        f"SpikeSlabRBM({n_hidden}, n_iter=30)": SpikeSlabRBM(n_hidden),
        f"S3C({n_hidden}, n_iter=30)": S3C(n_hidden),
    }
    for name, machine in machines.items():
        machine.set_params(n_iter=30, random_state=0)
        found = measured(name, machine, *given)
        if hasattr(found, "log_Z_"):
            told = f"log Z {found.log_Z_:.2f} ± {found.log_Z_se_:.2f}"
            print(told, file=sys.stderr)


def drawn(name):
    """Weights of machines of normalized patches, and samples, as pictures."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    X, _, back, turn = whitened(normalized=True)
    machines = {
        "GaussianRBM": GaussianRBM(64),
        "MeanCovarianceRBM": MeanCovarianceRBM(0, 128, learning_rate=0.01),
        "MeanProductOfT": MeanProductOfT(0, 128),
        "SpikeSlabRBM": SpikeSlabRBM(128),
        "S3C": S3C(128),
    }
    figure, axes = plt.subplots(2, 5, figsize=(17, 7))
    for (title, machine), column in zip(machines.items(), axes.T):
        machine.set_params(n_iter=60, random_state=0).fit(X)
        weights = getattr(machine, "factors_", None)
        weights = machine.components_ if weights is None else weights
        norms = np.linalg.norm(weights, axis=1)
        weights = weights[np.argsort(-norms)][:64]
        # Weights as they see whitened pixels.
        rows = machine.sample(64, random_state=0)
        for axis, shown in zip(column, (weights @ turn, rows @ back)):
            shown = shown / np.abs(shown).max(axis=1, keepdims=True)
            tiles = np.ones((64, 9, 9))
            tiles[: len(shown), :8, :8] = shown.reshape(-1, 8, 8)
            sheet = tiles.reshape(8, 8, 9, 9).swapaxes(1, 2).reshape(72, 72)
            axis.imshow(sheet, cmap="gray", vmin=-1, vmax=1)
            axis.set_axis_off()
        column[0].set_title(f"{title}: weights")
        column[1].set_title("samples")
    figure.tight_layout()
    figure.savefig(name, dpi=60)


def recording(seed, moved):
    """Logs of band powers of 15 columns, and the state of each: four states that last,
    each with a covariance of its own, and with means if these are ``moved``."""
    rng = np.random.default_rng(seed)
    y = np.repeat(rng.integers(0, 4, 400), rng.integers(5, 20, 400))[:4000]
    X = np.empty((len(y), 15))
    for state in range(4):
        loadings = rng.normal(size=(3, 15))
        rows = y == state
        shape = rows.sum(), 3
        X[rows] = rng.normal(size=shape) @ loadings + rng.normal(0, moved, 15)
    return X + 0.5 * rng.normal(size=X.shape), y


def of_states():
    """Adjusted Rand indices of states that are found again."""
    try:
        from hmmlearn.hmm import GaussianHMM
    except ImportError:
        GaussianHMM = None
    n_seeds = 3
    print(
        "\n## states\n\n| found by | means differ | covariances only |\n|---|---|---|"
    )
    features = {
        "": FunctionTransformer(),
        "GaussianRBM(16), ": GaussianRBM(16, random_state=0),
        "MeanCovarianceRBM(8, 32), ": MeanCovarianceRBM(8, 32, n_iter=50),
        "MeanProductOfT(8, 32), ": MeanProductOfT(8, 32, n_iter=50),
    }
    ways = {
        "KMeans(4)": KMeans(4, n_init=10, random_state=0),
        "GaussianMixture(4)": GaussianMixture(4, n_init=5, random_state=0),
    }
    if GaussianHMM is not None:
        ways["GaussianHMM(4)"] = GaussianHMM(
            4, covariance_type="full", n_iter=50, random_state=0
        )
    found = {}
    for moved in (0.5, 0):
        for seed in range(n_seeds):
            X, y = recording(seed, moved)
            for name, model in features.items():
                if "random_state" in model.get_params():
                    model.set_params(random_state=0)
                H = model.fit(X).transform(X)
                # Of hidden units, as many directions as columns.
                H = (
                    PCA(8).fit_transform(StandardScaler().fit_transform(H))
                    if name
                    else X
                )
                for end, way in ways.items():
                    score = adjusted_rand_score(y, clone(way).fit(H).predict(H))
                    found.setdefault((name + end, moved), []).append(score)
    for name in dict.fromkeys(name for name, _ in found):
        cells = []
        for moved in (0.5, 0):
            own = found[name, moved]
            se = np.std(own, ddof=1) / np.sqrt(n_seeds)
            cells.append(f"{np.mean(own):.2f} ± {se:.2f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def of_tables():
    """Tables of scikit-learn."""
    for table in TABLES:
        X = table().data
        order = np.random.default_rng(0).permutation(len(X))
        train, test = X[order[len(X) // 4 :]], X[order[: len(X) // 4]]
        print(
            f"\n## {table.__name__}\n\n| model | held-out nats | fit s |\n|---|---|---|"
        )
        measured("normal", FVBN(column_types="gaussian"), train, test)
        machine = GaussianRBM(16, n_iter=300, random_state=0)
        measured("GaussianRBM(16, n_iter=300)", machine, train, test)
        for cls, sizes in (
            (MeanCovarianceRBM, (8, 16)),
            (MeanProductOfT, (8, 16)),
            (SpikeSlabRBM, (16,)),
        ):
            machine = cls(*sizes, n_iter=300, random_state=0)
            name = f"{cls.__name__}({str(sizes)[1:-1].rstrip(',')}, n_iter=300)"
            measured(name, machine, train, test)
        measured("FactorAnalysis", StandardFactors(), train, test)
        measured("S3C()", S3C(random_state=0), train, test)


class StandardFactors:
    """Factor analysis of standardized columns, with the number of factors that three
    folds of cross-validation prefer."""

    def fit(self, X):
        """Choose a number of factors, and fit."""
        numbers = range(1, min(X.shape[1], 31), 1 if X.shape[1] < 20 else 5)
        self.scaler = StandardScaler().fit(X)
        search = GridSearchCV(FactorAnalysis(), {"n_components": list(numbers)}, cv=3)
        self.best = search.fit(self.scaler.transform(X)).best_estimator_
        return self

    def score_samples(self, X):
        """Log-likelihoods of rows."""
        volume = np.log(self.scaler.scale_).sum()
        return self.best.score_samples(self.scaler.transform(X)) - volume


def of_digits():
    """Digits: pixels that are not zero in a twentieth of the rows."""
    X, y = load_digits(return_X_y=True)
    X = X[:, (X > 0).mean(axis=0) > 0.05] / 16
    order = np.random.default_rng(0).permutation(len(X))
    here, there = order[len(X) // 4 :], order[: len(X) // 4]
    train, test = X[here], X[there]
    print("\n## load_digits\n\n| model | held-out nats | fit s |\n|---|---|---|")
    measured("normal", FVBN(column_types="gaussian"), train, test)
    measured("FactorAnalysis", StandardFactors(), train, test)
    for k in 10, 64:
        measured(f"S3C({k})", S3C(k, random_state=0), train, test)
    of_features(train, test, y[here], y[there])


def of_usps(folder):
    """Accuracy of features of few labels of usps."""
    found = load(folder, "usps")
    X, X_test = (found[part].astype(float) for part in ("train", "valid"))
    print("\n## usps")
    of_features(X, X_test, found["train_y"], found["valid_y"])


def of_features(train, test, y, y_test):
    """Accuracy of a logistic regression of features."""
    print("\n| features | accuracy with 10 labels a class |\n|---|---|")
    features = {
        "pixels": FunctionTransformer(),
        "PCA(30)": PCA(30, random_state=0),
        "GaussianRBM(64)": GaussianRBM(64),
        "MeanCovarianceRBM(32, 32)": MeanCovarianceRBM(32, 32),
        "MeanProductOfT(32, 32)": MeanProductOfT(32, 32),
        "SpikeSlabRBM(64)": SpikeSlabRBM(64),
        "S3C(64)": S3C(64),
        'S3C(64, features="spike_slab")': S3C(64, features="spike_slab"),
    }
    labels = np.unique(y)
    for name, model in features.items():
        if "random_state" in model.get_params():
            model.set_params(random_state=0)
        model.fit(train)
        parts, found = [model.transform(part) for part in (train, test)], []
        for seed in range(10):
            own = np.random.default_rng(seed).permutation(len(train))
            few = np.concatenate([own[y[own] == label][:10] for label in labels])
            net = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
            net.fit(parts[0][few], y[few])
            found.append(net.score(parts[1], y_test))
        se = np.std(found) / 3
        print(f"| {name} | {np.mean(found):.3f} ± {se:.3f} |", flush=True)


def main():
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = "patches", "normalized", "large", "tables", "digits", "usps", "states"
    parser.add_argument("--only", nargs="+", choices=[*names, "filters"], default=names)
    parser.add_argument("--data", type=Path, help="folder with usps")
    parser.add_argument("--figure", default="covariance_filters.png")
    parser.add_argument("--models", nargs="+", default=[], help="of rows of scores")
    asked = parser.parse_args()
    ASKED.update(asked.models)
    print(describe())
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if "tables" in asked.only:
            of_tables()
        if "digits" in asked.only:
            of_digits()
        if "patches" in asked.only:
            of_patches()
        if "normalized" in asked.only:
            of_patches(normalized=True)
        if "large" in asked.only:
            of_patches(normalized=True, size=LARGE)
        if "usps" in asked.only and asked.data:
            of_usps(asked.data)
        if "states" in asked.only:
            of_states()
        if "filters" in asked.only:
            drawn(asked.figure)


if __name__ == "__main__":
    main()
