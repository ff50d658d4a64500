"""Modes, losses, densities and classes of adversarial models.

    python doc/benchmarks/adversarial.py --only modes losses digits
    python doc/benchmarks/adversarial.py --data DATA --only parzen classes
    python doc/benchmarks/adversarial.py --data DATA --only labels label_images

``modes``: a ring of 8 normal distributions (radius 2, standard deviation 0.02) and a
grid of 25 (distance 2, 0.05), 5,000 rows, default parameters but the kind of columns,
by seed. A mode is found if a draw of 2,500 is within three standard deviations of it;
quality is the share of draws that are within three of any. ``iris``: share of draws
that are of the species far from the others, by seed. ``losses``: the same data as of
``modes``, one seed, by loss. ``digits``: scikit-learn's digits by default; accuracy of
a 1-nearest-neighbor classifier of real digits that learned from as many draws by
class. ``parzen``: MNIST's validation rows under a Parzen window of 10,000 draws, and
what else there is to say of these draws. ``classes``: MNIST by class; error of a
1-nearest-neighbor classifier that learned from 10,000 draws, and from 50,000.
``infogan``: share of rows whose most probable category is that of their class, after
the best matching of both. ``bigan``: accuracy of a 1-nearest-neighbor classifier of
the encoder's features, and of the reconstructions. Both by seed, of scikit-learn's
digits, or with ``--set mnist`` of MNIST (train, validation). Of these and ``classes``
there are models in whose name is ``--models``. ``labels``: errors of 500 of
scikit-learn's digits where 50 or 100 of the others have a label, as many of each class,
by seed (``--seeds``). ``label_images``: those of MNIST's validation rows where 100
training rows have one, by ``--jitter`` and seed. ``stacked``: 20,000 rows of three
digits, one in each channel; how many of the 1,000 combinations 26,000 draws have, by a
classifier. ``augment``: errors of 500 digits, of classifiers that learned from 200
others, and from these and draws by class of a model of them, by seed. Seconds are of
the processor.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, pairwise_distances
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.neural_network import MLPClassifier
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC

from skdgm import (
    GAN,
    GMMN,
    LAPGAN,
    BiGAN,
    DBNClassifier,
    GANClassifier,
    InfoGAN,
    RBMClassifier,
    StackGAN,
)
from skdgm.metrics import (
    classifier_two_sample_test,
    nearest_training_neighbors,
    parzen_log_likelihood,
)
from skdgm.options import Discriminator, GameLoss, Information

LOSSES = {
    "relativistic": {},
    "non-saturating": {"loss": "non-saturating"},
    "non-saturating, no penalty": {
        "loss": GameLoss("non-saturating", gradient_penalty=0.0)
    },
    "minimax": {"loss": "minimax"},
    "minimax, no penalty": {"loss": GameLoss("minimax", gradient_penalty=0.0)},
    "likelihood": {"loss": "likelihood"},
    "least-squares": {"loss": "least-squares"},
    "wasserstein, penalty between": {
        "loss": GameLoss("wasserstein", gradient_penalty=0.1, penalty="one-centered"),
        "discriminator": Discriminator(n_steps=5),
    },
    "wasserstein, clipping": {
        "loss": GameLoss("wasserstein", gradient_penalty=0.0, clip_weights=0.1),
        "discriminator": Discriminator(n_steps=5),
        "solver": "rmsprop",
    },
    "relativistic, normal prior": {"prior": "normal"},
    "relativistic, no waves": {"n_frequencies": 0},
}


def mixture(name, seed):
    """Rows, centers and standard deviation of a mixture in the plane."""
    rng = np.random.default_rng(seed)
    if name == "ring":
        angles = np.arange(8) * np.pi / 4
        centers, spread = 2 * np.column_stack([np.cos(angles), np.sin(angles)]), 0.02
    else:
        side = np.arange(-4.0, 5, 2)
        centers, spread = np.array([(a, b) for a in side for b in side]), 0.05
    which = rng.integers(0, len(centers), 5000)
    return centers[which] + rng.normal(0, spread, (5000, 2)), centers, spread


def quality(draws, centers, spread):
    """Number of modes found, and share of draws near any."""
    gaps = np.linalg.norm(draws[:, None] - centers, axis=2)
    near = gaps.min(axis=1) < 3 * spread
    return len(np.unique(gaps.argmin(axis=1)[near])), near.mean()


def fitted(X, y=None, model=GAN, **options):
    """A fitted model, and the seconds that it took."""
    start = time.process_time()
    gan = model(**options).fit(X, y)
    return gan, time.process_time() - start


def modes(options):
    """Modes found by default parameters."""
    print("| data | seed | modes | quality | coverage | s |\n|---|---|---|---|---|---|")
    for name in "ring", "grid":
        for seed in range(options.seeds):
            X, centers, spread = mixture(name, seed)
            gan, seconds = fitted(X, column_types="gaussian", random_state=seed)
            found, share = quality(gan.sample(2500, random_state=0), centers, spread)
            print(
                f"| {name} | {seed} | {found} of {len(centers)} | {share:.1%} |",
                f"{gan.coverage_:.2f} | {seconds:.0f} |",
                flush=True,
            )


def iris(options):
    """Share of draws that are of the species that is far from the others."""
    X = load_iris().data
    print("| seed | setosas | coverage | s |\n|---|---|---|---|")
    for seed in range(options.seeds):
        gan, seconds = fitted(X, column_types="gaussian", random_state=seed)
        share = (gan.sample(2000, random_state=0)[:, 2] < 2.5).mean()
        print(
            f"| {seed} | {share:.0%} | {gan.coverage_:.2f} | {seconds:.0f} |",
            flush=True,
        )


def losses(options):
    """Modes found by loss."""
    print("| loss | ring | quality | grid | quality | s |\n|---|---|---|---|---|---|")
    for label, asked in LOSSES.items():
        cells, total = [], 0.0
        for name in "ring", "grid":
            X, centers, spread = mixture(name, 0)
            how = {"column_types": "gaussian", "random_state": 0} | asked
            gan, seconds = fitted(X, **how)
            found, share = quality(gan.sample(2500, random_state=0), centers, spread)
            cells.append(f"{found} | {share:.0%}")
            total += seconds
        print(f"| {label} | {' | '.join(cells)} | {total:.0f} |", flush=True)


def nearest(X, y, draws, labels):
    """Error of a 1-nearest-neighbor classifier of X that learned from draws."""
    model = KNeighborsClassifier(1).fit(draws, labels)
    return 1 - model.score(X, y)


def digits(options):
    """Scikit-learn's digits: draws by class as a training set."""
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16, y, test_size=500, random_state=0, stratify=y)
    X, X_test, y, y_test = parts
    print("| training set | error of 1-NN | s |\n|---|---|---|")
    print(f"| {len(X)} digits | {nearest(X_test, y_test, X, y):.1%} | |")
    for name, asked in (
        ("dense", {}),
        ("conv", {"architecture": "conv"}),
        ("LAPGAN", {"model": LAPGAN}),
        ("StackGAN", {"model": StackGAN}),
    ):
        how = {"class_conditional": True, "random_state": 0} | asked
        gan, seconds = fitted(X, y, **how)
        labels = np.resize(np.arange(10), 5000)
        draws = gan.sample(5000, random_state=0, y=labels)
        error = nearest(X_test, y_test, draws, labels)
        print(f"| 5,000 draws, {name} | {error:.1%} | {seconds:.0f} |", flush=True)


def images(options):
    """MNIST in float32, training and validation rows with classes."""
    data = load(options.data, "mnist")
    X, V = (data[part].astype(np.float32) / 255 for part in ("train", "valid"))
    return X, data["train_y"], V, data["valid_y"]


def density_and_coverage(X, draws, n_neighbors=5):
    """Density and coverage of Naeem et al. (2020): the number of rows in whose
    surroundings a draw is, as a share of the number of neighbors; and the share of
    rows with a draw in theirs."""
    radius = NearestNeighbors(n_neighbors=n_neighbors + 1).fit(X).kneighbors(X)[0]
    inside = pairwise_distances(X, draws) < radius[:, -1:]
    return inside.sum() / (n_neighbors * len(draws)), inside.any(axis=1).mean()


def parzen(options):
    """MNIST under a Parzen window of draws, and other measures."""
    X, _, V, _ = images(options)
    print(
        "| model | Parzen, nats | sigma | two-sample AUC | density | coverage | "
        "nearer to train | s |\n|---|---|---|---|---|---|---|---|"
    )
    chosen, asked = V[:1000], V[1000:]
    for name in options.samplers:
        start = time.process_time()
        draws = SAMPLERS[name](X, options)
        seconds = time.process_time() - start
        found = parzen_log_likelihood(asked, draws, X_valid=chosen)
        test = classifier_two_sample_test(V[:2000], draws[:2000], random_state=0)
        density, coverage = density_and_coverage(V[:2000], draws[:2000])
        near = nearest_training_neighbors(draws[:1000], X[:5000], V[:5000])
        print(
            f"| {name} | {found.log_likelihood:.0f} ± {found.se:.0f} |",
            f"{found.sigma:.2f} | {test.roc_auc:.2f} | {density:.2f} |",
            f"{coverage:.2f} | {near.closer:.2f} | {seconds:.0f} |",
            flush=True,
        )


def drawn(model):
    """10,000 draws of a model that learned from rows."""
    return lambda X, options: (
        model(options.epochs).fit(X).sample(10_000, random_state=0)
    )


def centers(X, _):
    """Centers of clusters, as many as draws."""
    means = MiniBatchKMeans(10_000, batch_size=20_000, max_iter=10, n_init=1)
    return means.set_params(random_state=0, init="random").fit(X).cluster_centers_


MATCHING = {"hidden_layer_sizes": (64, 256, 256, 1024), "random_state": 0}
DENSE = {"hidden_layer_sizes": (256, 512), "learning_rate": 0.001, "random_state": 0}
LARGE = DENSE | {
    "hidden_layer_sizes": (1024, 1024),
    "discriminator": Discriminator((1024, 512)),
}
SAMPLERS = {
    "rows": lambda X, _: X[:10_000],
    "k-means": centers,
    "GMMN": drawn(lambda n: GMMN(n_iter=9 * n, **MATCHING)),
    "GMMN + AE": drawn(
        lambda n: GMMN(n_iter=2 * n, autoencoder_layer_sizes=(512, 10), **MATCHING)
    ),
    "GAN": drawn(lambda n: GAN(n_iter=4 * n, **DENSE)),
    "GAN, larger nets": drawn(lambda n: GAN(n_iter=4 * n, **LARGE)),
    "GAN, conv": drawn(lambda n: GAN(architecture="conv", n_iter=n, random_state=0)),
}


def classes(options):
    """MNIST: draws by class as a training set."""
    X, y, V, v = images(options)
    print("| model | 1-NN of 10,000 draws | of 50,000 | s |\n|---|---|---|---|")
    how = {"class_conditional": True, "n_iter": options.epochs, "random_state": 0}
    asked = (
        ("dense", DENSE),
        ("larger", LARGE),
        ("larger, 10 latent units", LARGE | {"n_components": 10}),
        ("conv", {"architecture": "conv"}),
    )
    for name, own in named(asked, options):
        gan, seconds = fitted(X, y, **how | own)
        labels = np.resize(np.arange(10), 50_000)
        draws = gan.sample(50_000, random_state=0, y=labels)
        found = (nearest(V, v, draws[:n], labels[:n]) for n in (10_000, 50_000))
        cells = " | ".join(f"{error:.1%}" for error in found)
        print(f"| {name} | {cells} | {seconds:.0f} |", flush=True)


def labeled(options):
    """Rows and classes to learn from, and to ask about: digits or MNIST."""
    if options.set == "mnist":
        return images(options)
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16, y, test_size=500, random_state=0, stratify=y)
    X, V, y, v = parts
    return X.astype(np.float32), y, V.astype(np.float32), v


def agreement(found, y):
    """Share of rows whose category is that of their class, best matched."""
    counts = confusion_matrix(found, y, labels=range(10))
    return counts[linear_sum_assignment(-counts)].sum() / len(y)


def variants(options):
    """Options by architecture, and by number of epochs on MNIST."""
    more = {"n_iter": options.epochs} if options.set == "mnist" else {}
    return (("dense", more), ("conv", {"architecture": "conv"} | more))


def named(asked, options):
    """Models and their options, of those that are asked for by name."""
    return [(name, how) for name, how in asked if options.models in name]


def infogan(options):
    """Categories of digits that nobody named."""
    X, y, V, v = labeled(options)
    print(
        "| model | seed | agreement, train | held out | information, nats | s |\n"
        "|---|---|---|---|---|---|"
    )
    (_, more), _ = asked = variants(options)
    wide = more | {"hidden_layer_sizes": (256, 256)}
    near = {"information": Information(jitter=1.0, n_neighbors=5)}
    if options.set == "mnist":
        near = {
            "information": Information(jitter=1.0, n_neighbors=10),
            "batch_size": 1000,
        }
    asked += (
        ("dense, jitter", more | {"information": Information(jitter=1.0)}),
        ("256-256, jitter, neighbors", wide | near),
    )
    for name, how in named(asked, options):
        for seed in range(options.seeds):
            gan, seconds = fitted(X, model=InfoGAN, random_state=seed, **how)
            own, other = (agreement(gan.predict(r), c) for r, c in ((X, y), (V, v)))
            print(
                f"| {name} | {seed} | {own:.1%} | {other:.1%} |",
                f"{gan.information_curve_[-1]:.2f} | {seconds:.0f} |",
                flush=True,
            )


# Options of a BiGAN with which features tell more.
FEATURES = {
    "n_components": 200,
    "hidden_layer_sizes": (512, 512),
    "learning_rate": 0.001,
    "reconstruction_weight": 0.5,
}


def bigan(options):
    """Features of an encoder, and classes of reconstructions."""
    X, y, V, v = labeled(options)
    plain = KNeighborsClassifier(1).fit(X, y)
    print("| model | seed | 1-NN of features | of reconstructions | coverage | s |")
    print("|---|---|---|---|---|---|")
    print(f"| the rows | | {plain.score(V, v):.1%} | | | |")
    (_, more), _ = asked = variants(options)
    asked += (("dense, rebuilt", {"reconstruction_weight": 0.1} | more),)
    asked += (("dense, features", FEATURES | more),)
    for name, how in named(asked, options):
        for seed in range(options.seeds):
            gan, seconds = fitted(X, model=BiGAN, random_state=seed, **how)
            coded = KNeighborsClassifier(1).fit(gan.transform(X), y)
            print(
                f"| {name} | {seed} | {coded.score(gan.transform(V), v):.1%} |",
                f"{plain.score(gan.reconstruct(V), v):.1%} |",
                f"{gan.coverage_:.2f} | {seconds:.0f} |",
                flush=True,
            )


def with_labels(y, n_labels, seed):
    """Labels, -1 but for as many of each class."""
    rng, marked = np.random.default_rng(seed), np.full(len(y), -1)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        marked[rows[: n_labels // len(np.unique(y))]] = label
    return marked


CLASSIFIERS = {
    "GANClassifier": GANClassifier(unlabeled=-1),
    "DBNClassifier": DBNClassifier(unlabeled=-1),
    "RBMClassifier": RBMClassifier(unlabeled=-1),
    "LabelSpreading": LabelSpreading(kernel="knn", n_neighbors=7),
    "LogisticRegression": LogisticRegression(max_iter=1000),
}


def labels(options):
    """Scikit-learn's digits with few labels."""
    print("| labels | model | error by seed | mean | s |\n|---|---|---|---|---|")
    X, y = load_digits(return_X_y=True)
    for n_labels in 50, 100:
        for name, model in CLASSIFIERS.items():
            errors, start = [], time.process_time()
            for seed in range(options.seeds):
                how = {"test_size": 500, "random_state": seed, "stratify": y}
                rows, test, known, wanted = train_test_split(X / 16, y, **how)
                marked, own = with_labels(known, n_labels, seed), clone(model)
                if hasattr(own, "random_state"):
                    own.set_params(random_state=seed)
                # An ordinary classifier sees rows with labels only.
                which = marked >= -(name != "LogisticRegression")
                errors.append(
                    1 - own.fit(rows[which], marked[which]).score(test, wanted)
                )
            seconds = (time.process_time() - start) / options.seeds
            cells = " ".join(f"{error:.1%}" for error in errors)
            mean = f"{np.mean(errors):.1%} | {seconds:.0f}"
            print(f"| {n_labels} | {name} | {cells} | {mean} |", flush=True)


def label_images(options):
    """MNIST with 100 labels."""
    X, y, V, v = images(options)
    print("| `jitter` | seed | epochs | error | s |\n|---|---|---|---|---|")
    how = {
        "unlabeled": -1,
        "hidden_layer_sizes": (256, 256),
        "discriminator": Discriminator((500, 250, 250)),
        "n_iter": options.epochs,
    }
    for jitter in options.jitter:
        for seed in range(options.seeds):
            start, marked = time.process_time(), with_labels(y, 100, seed)
            clf = GANClassifier(jitter=jitter, random_state=seed, **how)
            error = 1 - clf.fit(X, marked).score(V, v)
            print(
                f"| {jitter:g} | {seed} | {options.epochs} | {error:.2%} |",
                f"{time.process_time() - start:.0f} |",
                flush=True,
            )


def stacked(options):
    """Modes of three digits, one in each channel."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, test_size=500, random_state=0)
    judge = SVC(gamma=0.04, C=10).fit(X, y)
    right = judge.score(X_test, y_test)
    print(f"The classifier of single digits is right in {right:.1%} of others.\n")
    rng = np.random.default_rng(0)
    rows = np.stack([X[rng.integers(0, len(X), 20_000)] for _ in range(3)], axis=2)
    rows = rows.reshape(len(rows), -1).astype(np.float32)

    def share(rows):
        """Modes of rows, and the divergence of their frequencies from even ones."""
        images = rows.reshape(len(rows), 64, 3).transpose(0, 2, 1).reshape(-1, 64)
        codes = judge.predict(images).reshape(-1, 3) @ [100, 10, 1]
        p = np.bincount(codes, minlength=1000) / len(rows)
        return (p > 0).sum(), (p[p > 0] * np.log(1000 * p[p > 0])).sum()

    print("| model | modes | divergence, nats | coverage | s |\n|---|---|---|---|---|")
    found, gap = share(rows)
    print(f"| the 20,000 rows | {found} | {gap:.2f} | | |")
    for name, how in (("dense", {}), ("conv", {"architecture": "conv"})):
        how |= {"image_shape": (8, 8, 3), "random_state": 0}
        gan, seconds = fitted(rows, **how)
        found, gap = share(gan.sample(26_000, random_state=0))
        cells = name, found, f"{gap:.2f}", f"{gan.coverage_:.2f}", f"{seconds:.0f}"
        print("|", " | ".join(map(str, cells)), "|", flush=True)


def augment(options):
    """Errors of classifiers of 200 digits, and of draws of a model of these beside."""
    X, y = load_digits(return_X_y=True)
    cells = {}
    for seed in range(options.seeds):
        how = {"test_size": 500, "random_state": seed, "stratify": y}
        rest, X_test, labels, y_test = train_test_split(X / 16, y, **how)
        few, _, y_few, _ = train_test_split(
            rest, labels, train_size=200, random_state=seed, stratify=labels
        )
        gan, _ = fitted(few, y_few, class_conditional=True, random_state=seed)
        own = np.resize(np.arange(10), 2000)
        draws = gan.sample(2000, random_state=seed, y=own)
        for name, judge in (
            ("SVC", SVC(gamma=0.04, C=10)),
            ("MLPClassifier", MLPClassifier(max_iter=500, random_state=seed)),
            ("1-NN", KNeighborsClassifier(1)),
        ):
            weight = np.r_[np.ones(200), np.full(2000, 0.1)]
            both = np.r_[few, draws], np.r_[y_few, own]
            if name == "SVC":
                with_draws = clone(judge).fit(*both, sample_weight=weight)
            else:
                with_draws = clone(judge).fit(*both)
            for rows, fit in (("200", judge.fit(few, y_few)), ("both", with_draws)):
                error = 1 - fit.score(X_test, y_test)
                cells.setdefault((name, rows), []).append(error)
    print("| classifier | 200 digits | 200 digits and 2,000 draws |\n|---|---|---|")
    for name in "SVC", "MLPClassifier", "1-NN":
        found = [np.array(cells[name, rows]) for rows in ("200", "both")]
        means = " | ".join(f"{part.mean():.1%} ± {part.std():.1%}" for part in found)
        print(f"| {name} | {means} |", flush=True)


PARTS = (modes, losses, digits, parzen, classes, infogan, bigan, labels, label_images)
PARTS = {part.__name__: part for part in (*PARTS, iris, stacked, augment)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=SAMPLERS)
    parser.add_argument("--set", choices=["digits", "mnist"], default="digits")
    parser.add_argument("--models", default="", help="those that have this in the name")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--jitter", type=float, nargs="+", default=[0.0, 0.7])
    options = parser.parse_args()
    print(describe(), "\n")
    for part in options.only:
        print(f"\n{part}\n")
        PARTS[part](options)
