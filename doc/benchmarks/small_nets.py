"""Default fits of nets on small tables: held-out log-likelihoods, and seconds.

    python doc/benchmarks/small_nets.py --data DATA | tee TABLE

compares the defaults with former ones, which made about three times as many updates at
a third or a quarter of the learning rate. Figures are means over seeds. Seconds are
those of the process, all threads together. ``--only NAME`` runs one model.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from skdgm import MADE, NADE, RNADE, VAE, EoNADE, NeuralAutoregressive
from skdgm.training import Budget

# Former budgets and learning rates.
FORMER = {
    VAE: (Budget(10_000, 20, 300), 0.002),
    NeuralAutoregressive: (Budget(10_000, 20, 300), 0.002),
    MADE: (Budget(10_000, 20, 300), 0.001),
    NADE: (Budget(10_000, 20, 300), 0.001),
    RNADE: (Budget(10_000, 20, 300), 0.001),
    EoNADE: (Budget(30_000, 20, 600), 0.001),
}
PICTURES, TABLES = ("digits, bits", "digits, gray"), ("wine", "cancer")
SETS = {
    VAE: (*PICTURES, "adult", "ocr_letters", *TABLES),
    NeuralAutoregressive: (*PICTURES, "adult", *TABLES),
    MADE: (*PICTURES, "adult", "ocr_letters", *TABLES),
    NADE: (*PICTURES, "adult", "ocr_letters"),
    RNADE: ("digits, real", *TABLES),
    EoNADE: PICTURES,
}
COLUMNS = "set", "model", "former nats", "nats", "gain"
EFFORT = "former epochs", "epochs", "former s", "s"


def split(X, n_test):
    """Training and held-out rows."""
    X = X[np.random.RandomState(0).permutation(len(X))].astype(np.float32)
    return X[n_test:], X[:n_test]


def rows(name, folder):
    """Training and held-out rows of a set, and the kind of its columns."""
    digits = load_digits().data
    own = {
        "digits, bits": (digits >= 8, 360, "bernoulli"),
        "digits, gray": (digits / 16, 360, "bernoulli"),
        "digits, real": (digits / 16, 360, "gaussian"),
        "wine": (load_wine().data, 45, "gaussian"),
        "cancer": (load_breast_cancer().data, 120, "gaussian"),
    }
    if name in own:
        X, n_test, kind = own[name]
        return *split(X, n_test), kind
    parts = load(folder, name)
    n_test = 1000 if name == "ocr_letters" else None
    found = parts["train"][:5000], parts["valid"][:n_test]
    return *(part.astype(np.float32) for part in found), "bernoulli"


def result(kind, name, folder, former, seed):
    """Held-out nats per row, epochs and seconds of a fit."""
    X, held_out, columns = rows(name, folder)
    options = {"random_state": seed}
    if columns != "bernoulli" and kind is not RNADE:
        options["column_types"] = columns
    if former:
        budget, rate = FORMER[kind]
        n_batches = -(-len(X) // kind().batch_size)
        n_epochs = np.clip(-(-budget.n_updates // n_batches), *budget[1:])
        options |= {"n_iter": int(n_epochs), "learning_rate": rate}
    start = time.process_time()
    model = kind(**options).fit(X)
    seconds = time.process_time() - start
    return model.score(held_out), model.n_iter_, seconds


def line(name, kind, before, after):
    """Line of the table, from the results of all seeds."""
    means = [np.mean(part, axis=0) for part in (before, after)]
    (old, old_epochs, old_seconds), (new, epochs, seconds) = means
    return (
        f"| {name} | {kind} | {old:.2f} | {new:.2f} | {new - old:+.2f} "
        f"| {old_epochs:.0f} | {epochs:.0f} | {old_seconds:.1f} | {seconds:.1f} |"
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only")
    parser.add_argument("--seeds", type=int, default=2)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    head = *COLUMNS, *EFFORT
    print(f"{describe()}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for kind, names in SETS.items():
        if asked.only not in (None, kind.__name__):
            continue
        for name in names:
            found = [
                [result(kind, name, asked.data, former, s) for s in range(asked.seeds)]
                for former in (True, False)
            ]
            print(line(name, kind.__name__, *found), flush=True)


if __name__ == "__main__":
    main()
