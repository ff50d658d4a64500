"""Speed on small data: scikit-learn's digits, compared with scikit-learn.

    python doc/benchmarks/small.py [--only PART ...] [--repeats N] [--data FOLDER]

Times are of one thread's processor, so that other work on the machine counts little;
ratios are of neighboring times in one process, and tables have their medians. The
picture ``small.png``, of the part ``updates``, is written beside this file. The part
``budgets`` has rows of more sets if there is a folder with them.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

# ruff: noqa: E402  Where set, before NumPy is imported, these hold BLAS back.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import numpy as np
from _data import load
from _machine import describe
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import BernoulliRBM as ScikitRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from threadpoolctl import threadpool_limits

import skdgm
from skdgm import DBN, BernoulliRBM
from skdgm.options import PCD, SGD
from skdgm.partition import AISOptions
from skdgm.partition.bracket import BRIEF
from skdgm.utils.threading.parallel import limit

X, Y = load_digits(return_X_y=True)
X /= 16
KINDS = {"gray": X, "bits": X > 0.5}
N_EPOCHS = 20
# Of a grid search.
SIZES = [(n, m) for n in (64, 128, 256) for m in (64, 128, 256)] + [(256,)]


def seconds(call):
    """Processor time of a call."""
    start = time.thread_time()
    call()
    return time.thread_time() - start


def ratios(ours, theirs, n_repeats):
    """Median times of two calls in turns, and how many times faster the first is."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(n_repeats)]
    a, b = (statistics.median(times) for times in zip(*pairs))
    quotients = sorted(theirs / ours for ours, theirs in pairs)
    median = statistics.median(quotients)
    return a, b, f"{median:.1f} ({quotients[0]:.1f}-{quotients[-1]:.1f})"


def table(title, *columns):
    """Print the head of a table in Markdown."""
    print(f"\n## {title}\n\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")


def row(*cells):
    """Print a row of a table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def alike(n_components, batch_size, **options):
    """Both machines with the same parameters, as many chains as rows in a batch."""
    given = {"batch_size": batch_size, "n_iter": N_EPOCHS, "learning_rate": 0.05}
    given |= {"random_state": 0, **options}
    own = BernoulliRBM(
        n_components,
        gradient=PCD(n_chains=batch_size),
        solver=SGD(schedule="constant"),
        **given,
    )
    return own, ScikitRBM(n_components, **given)


def fits(n_repeats):
    """A fit of 20 epochs with scikit-learn's parameters; and with 50 chains."""
    names = "ms, skdgm", "ms, scikit-learn", "times faster (range)", "with 50 chains"
    table(fits.__doc__, "type", "data", "hidden", "batch", *names)
    for dtype in ("float32", "float64"):
        for kind, data in KINDS.items():
            for n_hidden in (64, 256):
                for batch_size in (10, 100):
                    own, other = alike(n_hidden, batch_size)
                    rows = data.astype(dtype)
                    more = clone(own).set_params(gradient__n_chains=50)
                    fit, of_more = own.fit(rows).fit, more.fit(rows).fit
                    theirs = partial(other.fit, rows)
                    a, b, ratio = ratios(partial(fit, rows), theirs, n_repeats)
                    *_, ratio_50 = ratios(partial(of_more, rows), theirs, n_repeats)
                    cells = dtype, kind, n_hidden, batch_size, f"{1e3 * a:.0f}"
                    row(*cells, f"{1e3 * b:.0f}", ratio, ratio_50)


def transforms(n_repeats):
    """Features of rows, 256 hidden units."""
    names = "us, skdgm", "us, scikit-learn", "times faster (range)"
    table(transforms.__doc__, "type", "rows", *names)
    for dtype in ("float32", "float64"):
        rows = X.astype(dtype)
        own, other = (model.fit(rows) for model in alike(256, 100, n_iter=1))
        for n_rows in (1, 10, 100, 1000):
            part, n_calls = rows[:n_rows], max(5, 300 // n_rows)
            a, b, ratio = ratios(
                partial(repeat, n_calls, own.transform, part),
                partial(repeat, n_calls, other.transform, part),
                n_repeats,
            )
            row(dtype, n_rows, *(f"{1e6 * t / n_calls:.0f}" for t in (a, b)), ratio)


def scores(n_repeats):
    """Log Z, which the first ``score_samples`` computes: a brief run and the usual one.

    Differences are those from a run of 300 chains at 1,000 temperatures.
    """
    names = "seconds, brief", "seconds, usual", "nats, brief", "nats, usual", "taken"
    table(scores.__doc__.splitlines()[0], "model", *names)
    bits = KINDS["bits"].astype(np.float32)
    hot = {"n_iter": 30, "learning_rate": 0.1, "random_state": 0}
    few = {"n_iter": 10, "random_state": 0}
    models = {
        "BernoulliRBM, 256, gray": BernoulliRBM(256, **few).fit(X.astype(np.float32)),
        "BernoulliRBM, 64, bits": BernoulliRBM(64, **hot).fit(bits),
        "BernoulliRBM, 256, bits, batches of 10, rate 0.3": BernoulliRBM(
            256, **hot | {"learning_rate": 0.3, "batch_size": 10}
        ).fit(bits),
        "DBM, 100-100, bits": skdgm.DBM((100, 100), **few).fit(bits),
    }
    long = AISOptions((1000,), burn_in=1000, n_steps=200)
    for name, model in models.items():
        density, cells, logs = model.density_, [name], []
        truth = density.bracket(300, long, seed=1).log_Z
        for effort in (BRIEF, AISOptions()):
            start = time.thread_time()
            logs.append(density.bracket(options=effort))
            cells.append(f"{time.thread_time() - start:.2f}")
        cells += [f"{one.log_Z - truth:+.3f} ± {one.se:.3f}" for one in logs]
        sure = density.bracket().log_Z == logs[0].log_Z
        row(*cells, "brief" if sure else "usual")


def repeat(n_calls, call, *arguments):
    """Make a call several times."""
    for _ in range(n_calls):
        call(*arguments)


def updates(n_repeats):
    """Microseconds an update, gray float32."""
    import matplotlib.pyplot as plt

    rows, figure = X.astype(np.float32), plt.figure(figsize=(9, 4), layout="tight")
    sizes = {"batch size, 64 hidden units": (5, 10, 20, 50, 100, 200)}
    sizes["hidden units, batches of 10"] = (16, 64, 128, 256, 512)
    for place, (label, values) in enumerate(sizes.items()):
        ax, lines = figure.add_subplot(1, 2, 1 + place), []
        for value in values:
            n_hidden, batch_size = (64, value) if place == 0 else (value, 10)
            n_updates = N_EPOCHS * -(-len(rows) // batch_size)
            models = alike(n_hidden, batch_size)
            models[0].fit(rows)
            calls = [partial(model.fit, rows) for model in models]
            times = ratios(*calls, n_repeats)[:2]
            lines.append([1e6 * t / n_updates for t in times])
        for name, line in zip(("skdgm", "scikit-learn"), zip(*lines)):
            ax.loglog(values, line, "o-", label=name)
        ax.set(xlabel=label, ylabel="microseconds an update")
        ax.set_xticks(values, values)
        ax.set_xticks([], minor=True)
        ax.legend()
    figure.savefig(Path(__file__).with_name("small.png"), dpi=80)


FIRST = """
import time, warnings
warnings.simplefilter("ignore")
import skdgm
from sklearn.datasets import load_digits
X, y = load_digits(return_X_y=True)
X, model = X / 16, skdgm.{name}(random_state=0)
labels = {{"y": y}} if hasattr(model, "predict") else {{}}
for step in model.fit, model.score:
    start, cpu = time.perf_counter(), time.process_time()
    step(X, **labels)
    print(time.perf_counter() - start, time.process_time() - cpu)
"""
FIRST_OF = "BernoulliRBM", "DBNClassifier", "NADE", "GAN", "VAE"


def compiling(n_repeats):
    """The first fit by default and the first score, without the import: seconds, and
    those of processors, with no kernel on disk and with all."""
    names = ("fit", "cpu", "score", "cpu")
    warm = [f"{name}, from disk" for name in names]
    table(" ".join(compiling.__doc__.split()), "estimator", *names, *warm)
    for name in FIRST_OF:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", FIRST.format(name=name)]
            run = partial(subprocess.run, command, capture_output=True, check=True)
            env = os.environ | {"NUMBA_CACHE_DIR": folder}
            took = [float(x) for _ in range(2) for x in run(env=env).stdout.split()]
        row(name, *(f"{x:.1f}" for x in took))


def budgets(n_repeats, folder=None):
    """Epochs of a stack's layers: 20 million values of X, or at most 12,000 updates."""
    columns = "rows", "estimator", "epochs", "score, %", "s", "epochs", "score, %", "s"
    table(budgets.__doc__, *columns)
    for name, rows, y in sets(folder):
        for kind in "DBN", "DBNClassifier", "DBNRegressor":
            option = "n_iter" if kind == "DBN" else "pretrain__n_iter"
            n_train = round(0.7 * len(rows))
            before = int(np.clip(20_000_000 // (n_train * rows.shape[1]), 20, 200))
            now = min(before, max(20, -(-12_000 // -(-n_train // 10))))
            cells = []
            for n_epochs in before, now:
                given = [
                    (kind, {option: n_epochs}, rows, y, s) for s in range(n_repeats)
                ]
                found = [quality(*one) for one in given]
                score, took = np.mean(found, axis=0)
                error = np.std(found, axis=0)[0] / n_repeats**0.5
                cells += [
                    n_epochs,
                    f"{100 * score:.1f} ± {100 * error:.1f}",
                    f"{took:.1f}",
                ]
            row(name, kind, *cells)


def sets(folder):
    """Iterate over names, rows and labels of sets."""
    yield "digits", X.astype(np.float32), Y
    for name, read in (("breast_cancer", load_breast_cancer), ("wine", load_wine)):
        rows, labels = read(return_X_y=True)
        yield name, MinMaxScaler().fit_transform(rows).astype(np.float32), labels
    for name in ("usps", "ocr_letters", "adult") if folder else ():
        found = load(folder, name)
        some = np.random.default_rng(0).permutation(len(found["train"]))[:3000]
        rows = np.asarray(found["train"], np.float32).reshape(len(found["train"]), -1)
        rows = rows[some]
        yield name, (rows - rows.min()) / np.ptp(rows), found["train_y"][some]


def quality(kind, options, rows, y, seed):
    """Score on 30 % of the rows, by logistic regression on features of a DBN, and the
    seconds of the fit."""
    given = {"test_size": 0.3, "stratify": y, "random_state": seed}
    train, test, y_train, y_test = train_test_split(rows, y, **given)
    model = getattr(skdgm, kind)(random_state=seed).set_params(**options)
    took = seconds(partial(model.fit, train, y_train))
    if kind != "DBN":
        return model.score(test, y_test), took
    judge = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    judge.fit(model.transform(train), y_train)
    return judge.score(model.transform(test), y_test), took


def search(n_repeats):
    """Grid search: 20 DBNs in 5 folds, with two processes."""
    steps = MinMaxScaler(), DBN(random_state=0), LogisticRegression(max_iter=500)
    grid = {"dbn__learning_rate": [0.03, 0.1], "dbn__hidden_layer_sizes": SIZES}
    found = GridSearchCV(make_pipeline(*steps), grid, cv=5, n_jobs=2)
    start = time.perf_counter()
    found.fit(X, Y)
    table(search.__doc__, "candidates", "minutes", "best score, %")
    minutes = (time.perf_counter() - start) / 60
    row(2 * len(SIZES), f"{minutes:.1f}", f"{100 * found.best_score_:.1f}")


_PARTS = fits, transforms, scores, updates, budgets, search
PARTS = {part.__name__: part for part in _PARTS}
PARTS["compile"] = compiling


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--data", type=Path, help="folder with usps and ocr_letters")
    options = parser.parse_args()
    PARTS["budgets"] = partial(budgets, folder=options.data)
    print(describe())
    with threadpool_limits(1), limit(1):
        for name in options.only:
            PARTS[name](options.repeats)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
