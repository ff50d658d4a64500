"""Nats a step of models of sequences on polyphonic music, with published figures.

    python doc/benchmarks/sequences.py --data FOLDER --only jsb_chorales RNNNADE

Rows are steps, columns 88 keys. Scores are those of validation pieces, which no fit has
seen; they are printed every few epochs. Chorales are transposed to a common tonality,
as those of the published figures were: by the key whose profile fits best, and a
uniform choice among 12 keys is added to the cost of a piece.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe

import skdgm
from skdgm.options import Sequences

PUBLISHED = {
    ("jsb_chorales", "RNNNADE"): -5.56,
    ("jsb_chorales", "RNNRBM"): -6.27,
    ("jsb_chorales", "RTRBM"): -6.35,
    ("jsb_chorales", "VRNN"): -7.51,
    ("nottingham", "RNNNADE"): -2.31,
    ("nottingham", "RNNRBM"): -2.39,
    ("nottingham", "VRNN"): -3.07,
}
# Options, and whether pieces are transposed.
CHORALES = {"batch_size": 8, "random_state": 0}
TUNES = CHORALES | {"n_components": 200, "n_recurrent": 250}
RUNS = {
    ("jsb_chorales", "RNNNADE"): CHORALES
    | {"n_components": 250, "n_recurrent": 300, "n_iter": 40, "activation": "relu"}
    | {"learning_rate": 0.003, "dropout": (0.5, 0.4), "alpha": 0.002},
    ("jsb_chorales", "RNNRBM"): CHORALES
    | {"n_components": 150, "n_recurrent": 200, "n_iter": 90, "dropout": 0.5}
    | {"learning_rate": 0.03},
    ("jsb_chorales", "RTRBM"): CHORALES
    | {"n_components": 200, "n_iter": 130, "dropout": 0.3, "learning_rate": 0.025},
    ("jsb_chorales", "VRNN"): CHORALES
    | {"n_components": 32, "n_hidden": 100, "n_recurrent": 200, "n_iter": 25}
    | {"learning_rate": 0.003, "alpha": 0.01, "objective": "fivo"},
    ("nottingham", "RNNNADE"): TUNES | {"n_iter": 10, "dropout": 0.2},
    ("nottingham", "RNNRBM"): TUNES
    | {"n_components": 150, "n_recurrent": 200, "n_iter": 12, "dropout": 0.1}
    | {"learning_rate": 0.015},
    ("nottingham", "VRNN"): CHORALES
    | {"n_components": 32, "n_hidden": 100, "n_recurrent": 200, "n_iter": 12}
    | {"learning_rate": 0.003, "alpha": 0.002, "batch_size": 16}
    | {"sequences": Sequences(batch_length=50)},
}
# Profiles of Krumhansl and Kessler.
MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]
MINOR = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]


def transposed(piece):
    """A piece in C major or A minor, if its key is what its tones say."""
    notes = piece.sum(axis=0)
    tones = (np.arange(88) + 21) % 12
    share = np.bincount(tones, notes, 12)
    fits = [
        (np.corrcoef(np.roll(profile, key), share)[0, 1], (key + relative) % 12)
        for profile, relative in ((MAJOR, 0), (MINOR, 3))
        for key in range(12)
    ]
    key = max(fits)[1]
    return np.roll(piece, -key if key <= 6 else 12 - key, axis=1)


def pieces(data, part):
    """The pieces of a part of a set."""
    ends = np.cumsum(data[f"{part}_lengths"])[:-1]
    return np.split(data[part].astype(np.float32), ends)


def run(folder, name, kind):
    """Learn one model, and print a row of the table."""
    data = load(folder, name)
    train, valid = (pieces(data, part) for part in ("train", "valid"))
    cost = 0.0
    if name == "jsb_chorales":
        train, valid = ([transposed(p) for p in part] for part in (train, valid))
        cost = np.log(12) * len(valid) / sum(map(len, valid))
    model = getattr(skdgm, kind)(**RUNS[name, kind])
    start = time.perf_counter()
    model.fit(train)
    minutes = (time.perf_counter() - start) / 60
    score = model.score(valid) - cost
    known, kind_of = PUBLISHED[name, kind], model.density_kind_
    print(f"| {name} | {kind} | {score:.2f} | {known} | {kind_of} | {minutes:.1f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=())
    options = parser.parse_args()
    print(describe())
    print("| set | model | nats a step | published | kind | minutes |")
    print("|---|---|---|---|---|---|")
    for name, kind in RUNS:
        if not options.only or set(options.only) <= {name, kind}:
            run(options.data, name, kind)
