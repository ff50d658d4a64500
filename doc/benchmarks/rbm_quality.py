"""Quality of the RBM family's models, compared with published figures.

    python doc/benchmarks/rbm_quality.py --data FOLDER [--only PART ...]

FOLDER holds ``<name>.npz`` files and the ``load.py`` that reads them. All figures are
for validation rows, which resemble the papers' test rows; where a recipe says so, the
figure is the best of a few settings on these rows. Log-likelihoods are in nats, with
log Z exact or bracketed by forward and reverse annealed importance sampling: where the
two differ by more than a nat, the less favorable one counts. Minutes are fitting
times, with whatever else the machine was doing.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.decomposition import FactorAnalysis
from sklearn.linear_model import LogisticRegression

from skdgm import BernoulliRBM, GaussianRBM, RBMClassifier
from skdgm.metrics import partition_bracket
from skdgm.options import CD, PCD, SGD, Columns, Hybrid, Penalty, Tempering


class Data:
    """Benchmark sets of a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name, scale=1.0):
        """Load training and validation rows."""
        data = load(self.folder, name)
        parts = (data["train"], data["valid"])
        return tuple(np.ascontiguousarray(X / np.float32(scale)) for X in parts)

    def labels(self, name):
        """Load labels of training and validation rows."""
        data = load(self.folder, name)
        return data["train_y"], data["valid_y"]


def timed(estimator, *data):
    """Fit an estimator and return it with the minutes that it took."""
    start = time.perf_counter()
    estimator.fit(*data)
    return estimator, (time.perf_counter() - start) / 60


def sides(rbm):
    """Forward and reverse estimates of log Z, with more chains than in ``score``."""
    found = partition_bracket(rbm, n_chains=500, n_betas=10_000)
    return found.forward, found.reverse


def sixteen(data, seeds=3):
    """16 hidden units: exact log-likelihoods, centered or not, also of flipped data."""
    X, V = (part > 0.5 for part in data("mnist", 255))
    options = {"learning_rate": 0.01, "batch_size": 100, "n_iter": 50}
    options |= {"gradient": PCD(n_chains=100)}
    print("\n| 16 hidden units, thresholded MNIST | init | as is | flipped |")
    print("|---|---|---|---|")
    for centering in (None, "data"):
        for init in ("zeros", "marginals"):
            cells = []
            for flip in (False, True):
                nats = []
                for seed in range(seeds):
                    rbm = BernoulliRBM(
                        16,
                        **options,
                        solver=SGD(schedule="constant", init_biases=init),
                        centering=centering,
                        random_state=seed,
                    ).fit(X ^ flip)
                    nats.append(rbm.score(V ^ flip))
                cells.append(f"{np.mean(nats):.2f} ± {np.std(nats):.2f}")
            row = " | ".join([f"centering={centering!r}", init, *cells])
            print(f"| {row} |", flush=True)


def binary_rows(V):
    """Draw gray rows as bits, once."""
    return (np.random.default_rng(0).random(V.shape) < V).astype(np.float32)


SHORT = {"gradient": PCD(n_steps=5, n_chains=100), "n_iter": 150}
SHORT |= {"solver": SGD(schedule="linear"), "learning_rate": 0.05}
LONG = {**SHORT, "n_iter": 500}


def mnist(data):
    """500 hidden units on MNIST with pixels drawn again at each presentation."""
    X, V = data("mnist", 255)
    V = binary_rows(V)
    print("\n| MNIST, 500 hidden units | minutes | nats | log Z forward, reverse |")
    print("|---|---|---|---|")
    for name, options in {"30 minutes at most": SHORT, "one long run": LONG}.items():
        rbm, minutes = timed(
            BernoulliRBM(500, batch_size=100, resample=True, random_state=0, **options),
            X,
        )
        up, down = sides(rbm)
        nats = -rbm.free_energy(V).mean() - max(up.log_Z, down.log_Z)
        print(
            f"| {name}: {options} | {minutes:.1f} | {nats:.2f} | {up.log_Z:.2f} ± "
            f"{up.se:.2f}, {down.log_Z:.2f} ± {down.se:.2f} |",
            flush=True,
        )


METHODS = {
    "cd-1": CD(),
    "cd-25": CD(n_steps=25),
    "pcd-1": PCD(n_chains=100),
    "pcd-5": PCD(n_steps=5, n_chains=100),
    "tempering": Tempering(n_chains=20),
}


def curves(data, epochs=(1, 4)):
    """Log-likelihood against minutes, one fit for each point."""
    X, V = data("mnist", 255)
    V, points = binary_rows(V), {}
    for method in METHODS.values():  # Compile before timing.
        BernoulliRBM(8, gradient=method, n_iter=1, resample=True).fit(X[:1000])
    heads = [f"{n} epochs" for n in epochs]
    print("\n| MNIST, 500 hidden units: nats (minutes) | " + " | ".join(heads), "|")
    print("|---" * (len(epochs) + 1) + "|")
    for centering in (None, "data"):
        for name, method in METHODS.items():
            label, cells = name + (", centered" if centering else ""), []
            for n_iter in epochs:
                rbm, minutes = timed(
                    BernoulliRBM(
                        500,
                        gradient=method,
                        solver=SGD(schedule="linear"),
                        n_iter=n_iter,
                        learning_rate=0.05,
                        batch_size=100,
                        resample=True,
                        centering=centering,
                        random_state=0,
                    ),
                    X,
                )
                found = partition_bracket(rbm, n_chains=100, n_betas=1000)
                up, down = found.forward, found.reverse
                nats = -rbm.free_energy(V).mean() - max(up.log_Z, down.log_Z)
                points.setdefault(label, []).append((minutes, nats))
                cells.append(f"{nats:.1f} ({minutes:.2f})")
            print(f"| {label} | {' | '.join(cells)} |", flush=True)
    _plot(points, Path(__file__).with_name("rbm_quality.png"))


def _plot(points, path):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5))
    for number, (label, line) in enumerate(points.items()):
        style = "--" if "centered" in label else "-"
        color = f"C{number % len(METHODS)}"
        axes.plot(*zip(*line), style, color=color, marker="o", label=label)
    axes.set(xscale="log", xlabel="minutes of training", ylabel="nats, validation")
    axes.set_ylim(bottom=max(-200, axes.get_ylim()[0]))
    axes.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


TABLES = {
    "adult": ({"learning_rate": 0.2, "n_iter": 200, "batch_size": 20}, -16.26),
    "connect4": ({"learning_rate": 0.05, "n_iter": 100, "batch_size": 50}, -22.66),
    "dna": ({"learning_rate": 0.05, "n_iter": 100, "batch_size": 50}, -96.74),
    "mushrooms": ({"learning_rate": 0.05, "n_iter": 200, "batch_size": 20}, -15.15),
    "nips": ({"learning_rate": 0.05, "n_iter": 100, "batch_size": 50}, -277.37),
    "ocr_letters": ({"learning_rate": 0.05, "n_iter": 100, "batch_size": 50}, -43.05),
}
COMMON = {"n_components": 200, "gradient": PCD(n_steps=5, n_chains=100)}
COMMON |= {"solver": SGD(schedule="linear")}
SILHOUETTES = {"n_components": 500, "learning_rate": 0.02, "n_iter": 300}
SILHOUETTES |= {"batch_size": 50, "penalty": Penalty(alpha=0.1), "centering": "data"}


def tables(data):
    """Binary tables and silhouettes."""
    print("\n| table | recipe | minutes | train | valid | published RBM (test) |")
    print("|---|---|---|---|---|---|")
    recipes = {}
    for name, (own, bar) in TABLES.items():
        penalty = Penalty(alpha=1e-4 * own["batch_size"])
        recipes[name] = {**COMMON, "penalty": penalty, **own}, bar
    recipes["caltech101_silhouettes"] = {**COMMON, **SILHOUETTES}, -114.75
    for name, (options, bar) in recipes.items():
        X, V = data(name)
        rbm, minutes = timed(BernoulliRBM(random_state=0, **options), X)
        print(
            f"| {name} | {options} | {minutes:.1f} | {rbm.score(X[:2000]):.2f} | "
            f"{rbm.score(V):.2f} | {bar:.2f} |",
            flush=True,
        )


NET = {"batch_size": 100, "learning_rate": 0.001}
NET |= {"column_types": Columns(resample=True)}
HYBRID = {
    "n_components": 2000,
    "n_iter": 60,
    "objective": Hybrid(generative_weight=0.02),
    "gradient": "cd",
}
JOINT = {"n_components": 1500, "n_iter": 60, "batch_size": 50}
JOINT |= {"gradient": PCD(n_chains=100), "objective": "generative"}
JOINT |= {"solver": SGD(momentum=0.0), "learning_rate": 0.1}
CLASSIFIERS = {
    "hybrid": (1.28, HYBRID),
    "discriminative": (
        1.81,
        {"n_components": 1000, "n_iter": 30, "objective": "discriminative"},
    ),
    "generative": (3.39, JOINT),
}


def classifiers(data):
    """Error rates of RBMClassifier, and of RBM features, on MNIST."""
    X, V = data("mnist", 255)
    y, w = data.labels("mnist")
    print("\n| MNIST | minutes | error, valid | published (test) |")
    print("|---|---|---|---|")
    for name, (bar, options) in CLASSIFIERS.items():
        options = {**NET, **options}
        machine = RBMClassifier(random_state=0, **options)
        machine, minutes = timed(machine, X, y)
        error = 100 * (1 - machine.score(V, w))
        print(
            f"| {name}: {options} | {minutes:.1f} | {error:.2f} % | {bar} % |",
            flush=True,
        )
    features(X, V, y, w)


def features(X, V, y, w):
    """Logistic regression on an RBM's features."""
    options = {"n_components": 1024, "n_iter": 30, "batch_size": 20}
    rbm, minutes = timed(BernoulliRBM(random_state=0, **options), X)
    model = LogisticRegression(C=1.0, max_iter=200)
    model, more = timed(model, rbm.transform(X), y)
    error = 100 * (1 - model.score(rbm.transform(V), w))
    print(
        f"| RBM features, logistic regression: {options} | {minutes + more:.1f} | "
        f"{error:.2f} % | 1.83 % |",
        flush=True,
    )


def digits():
    """Training and validation rows, of columns with a density in factor analysis."""
    X = np.random.default_rng(0).permutation(load_digits().data)
    X = X[:, X[:1400].std(axis=0) > 0.3].astype(np.float32)
    return X[:1400], X[1400:]


def real(data):
    """GaussianRBM and FactorAnalysis with as many components."""
    sets = {"digits": digits(), "usps": data("usps")}
    print("\n| real data | components | FactorAnalysis | GaussianRBM | minutes |")
    print("|---|---|---|---|---|")
    for name, (X, V) in sets.items():
        for n_components in (16, 64, 256):
            fa = FactorAnalysis(n_components, max_iter=300, random_state=0).fit(X)
            rbm = GaussianRBM(n_components, random_state=0, **REAL)
            rbm, minutes = timed(rbm, X)
            print(
                f"| {name} | {n_components} | {fa.score(V):.2f} | {rbm.score(V):.2f} | "
                f"{minutes:.1f} |",
                flush=True,
            )


REAL = {"n_iter": 100}


def long(data):
    """GaussianRBM after 20 epochs, the default, and after a thousand.

    Densities, pseudo-likelihoods of training rows, and the highest precision, which is
    at most 20.
    """
    sets = {"digits": digits(), "frey_faces": data("frey_faces", 255)}
    sets["usps"] = data("usps")
    print("\n| data, 256 units | epochs | minutes | train | valid | PL | precision |")
    print("|---|---|---|---|---|---|---|")
    for name, (X, V) in sets.items():
        for n_iter in (20, 1000):
            rbm, minutes = timed(GaussianRBM(n_iter=n_iter, random_state=0), X)
            best, last = -min(rbm.loss_curve_), -rbm.loss_curve_[-1]
            precision = (rbm.precision_ * rbm.scale_**2).max()
            print(
                f"| {name} | {n_iter} | {minutes:.1f} | {rbm.score(X[:1000]):.1f} | "
                f"{rbm.score(V):.1f} | {best:.0f}, {last:.0f} | {precision:.1f} |",
                flush=True,
            )


def faces(data):
    """Draw filters and samples of a GaussianRBM on faces."""
    import matplotlib.pyplot as plt

    X, _ = data("frey_faces", 255)
    rbm = GaussianRBM(64, n_iter=60, random_state=0).fit(X)
    filters = rbm.components_[:32] / abs(rbm.components_[:32]).max(1, keepdims=True)
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    for ax, images in zip(axes, (filters, rbm.sample(32, random_state=0))):
        rows = images.reshape(4, 8, 28, 20).swapaxes(1, 2).reshape(4 * 28, 8 * 20)
        ax.imshow(rows, cmap="gray")
        ax.set_axis_off()
    figure.tight_layout()
    figure.savefig(Path(__file__).with_name("rbm_faces.png"), dpi=80)


PARTS = {
    part.__name__: part
    for part in (sixteen, mnist, curves, tables, classifiers, real, long, faces)
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    print(describe())
    for name in options.only:
        PARTS[name](Data(options.data))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
