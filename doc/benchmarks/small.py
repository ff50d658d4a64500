"""Speed on small data: scikit-learn's digits, compared with scikit-learn.

    python doc/benchmarks/small.py [--only PART ...] [--repeats N]

Times are of one thread's processor, so that other work on the machine counts little;
ratios are of neighbouring times in one process, and tables have their medians. The
picture ``small.png``, of the part ``updates``, is written beside this file.
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

import numpy as np
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM as ScikitRBM
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import skdgm
from skdgm import BernoulliRBM
from skdgm.partition import AISOptions
from skdgm.partition.bracket import BRIEF
from skdgm.utils.parallel import limit

X, Y = load_digits(return_X_y=True)
X /= 16
KINDS = {"grey": X, "bits": X > 0.5}
# Models of real columns take pixels as they are.
REAL = "GaussianRBM", "RNADE"
N_EPOCHS = 20


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
    own = BernoulliRBM(n_components, n_chains=batch_size, schedule="constant", **given)
    return own, ScikitRBM(n_components, **given)


def fits(n_repeats):
    """A fit of 20 epochs with scikit-learn's parameters."""
    names = "ms, skdgm", "ms, scikit-learn", "times faster (range)"
    table(fits.__doc__, "type", "data", "hidden", "batch", *names)
    for dtype in ("float32", "float64"):
        for kind, data in KINDS.items():
            for n_hidden in (64, 256):
                for batch_size in (10, 100):
                    own, other = alike(n_hidden, batch_size)
                    rows = data.astype(dtype)
                    own.fit(rows)
                    calls = partial(own.fit, rows), partial(other.fit, rows)
                    a, b, ratio = ratios(*calls, n_repeats)
                    cells = dtype, kind, n_hidden, batch_size, f"{1e3 * a:.0f}"
                    row(*cells, f"{1e3 * b:.0f}", ratio)


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
    few, quick = {"n_iter": 10, "random_state": 0}, {"pretrain_iter": 10}
    models = {
        "BernoulliRBM, 256, grey": BernoulliRBM(256, **few).fit(X.astype(np.float32)),
        "BernoulliRBM, 64, bits": BernoulliRBM(64, **hot).fit(bits),
        "BernoulliRBM, 256, bits, batches of 10, rate 0.3": BernoulliRBM(
            256, **hot | {"learning_rate": 0.3, "batch_size": 10}
        ).fit(bits),
        "DBM, 100-100, bits": skdgm.DBM((100, 100), **few | quick).fit(bits),
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


def defaults(n_repeats):
    """A fit with default parameters, float32."""
    table(defaults.__doc__, "estimator", "seconds", "times MLPClassifier's")
    anchor = seconds(partial(MLPClassifier(random_state=0).fit, X, Y))
    row("scikit-learn's MLPClassifier", f"{anchor:.1f}", 1.0)
    for name in skdgm.__all__:
        cls = getattr(skdgm, name)
        if not hasattr(cls, "fit") or name == "BernoulliBinarizer":
            continue
        rows = (X * 16 if name in REAL else X).astype(np.float32)
        cls(n_iter=1, random_state=0).fit(rows[:300], Y[:300])
        took = seconds(partial(cls(random_state=0).fit, rows, Y))
        row(name, f"{took:.1f}", f"{took / anchor:.1f}")


def updates(n_repeats):
    """Microseconds an update, grey float32."""
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
        ax.legend()
    figure.savefig(Path(__file__).with_name("small.png"), dpi=80)


FIRST = """
import time, warnings
warnings.simplefilter("ignore")
import numpy as np
import skdgm
from sklearn.datasets import load_digits
X, y = load_digits(return_X_y=True)
X, y = (X[:300] / 16).astype(np.float32), y[:300]
model = skdgm.{name}(n_iter=1, random_state=0)
start = time.process_time()
model.fit(X, y)
model.transform(X)
print(time.process_time() - start)
"""


def compiling(n_repeats):
    """The first fit and use of a process, over import, float32."""
    table(compiling.__doc__, "estimator", "seconds, cold cache", "seconds, warm cache")
    for name in ("BernoulliRBM", "DBN", "VAE"):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", FIRST.format(name=name)]
            run = partial(subprocess.run, command, capture_output=True, check=True)
            env = os.environ | {"NUMBA_CACHE_DIR": folder}
            cold, warm = (float(run(env=env).stdout) for _ in range(2))
        row(name, f"{cold:.1f}", f"{warm:.1f}")


PARTS = {part.__name__: part for part in (fits, transforms, scores, defaults, updates)}
PARTS["compile"] = compiling


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(describe())
    with threadpool_limits(1), limit(1):
        for name in options.only:
            PARTS[name](options.repeats)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
