"""Proof that two versions of skdgm give the same results, bit for bit.

Run in each checkout, then compare:

    python tests/same_results.py record before.json
    python tests/same_results.py record after.json
    python tests/same_results.py compare before.json after.json

Recorded are hashes of what all instances of the common tests learn by ``fit`` and
``partial_fit`` from binary, gray, incomplete and weighted rows, and of all that they
compute afterwards. ``--only NAME`` records the estimators of that class alone.
"""

import argparse
import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np

METHODS = (
    "transform",
    "transform_layers",
    "score_samples",
    "score_features",
    "free_energy",
    "likelihood_bound",
    "importance_likelihood",
    "elbo",
    "predict",
    "predict_proba",
    "decision_function",
    "impute",
)


def data(estimator):
    """Training rows, rows to score and targets, of a kind that the estimator takes."""
    rng = np.random.RandomState(0)
    h = rng.rand(150, 3) < 0.5
    X = (h @ rng.normal(0, 3, (3, 9)) + rng.normal(0, 1, (150, 9))).astype(np.float32)
    y = 3 * h[:, 0] + h[:, 1]
    if getattr(estimator, "column_types", None) == "categorical":
        X = np.floor(np.abs(X)).clip(max=3)
    elif is_binary(estimator):
        X = 1 / (1 + np.exp(-2 * X))
        X[:, ::2] = np.round(X[:, ::2])
    if type(estimator).__name__.endswith("Regressor"):
        y = X[:, :2] @ np.ones(2) + y
    elif hasattr(estimator, "unlabeled") and estimator.unlabeled is not None:
        y = np.where(rng.rand(len(y)) < 0.3, estimator.unlabeled, y)
    return X, y


def is_binary(estimator):
    """Whether the estimator's columns are bits."""
    return bool(estimator.__sklearn_tags__().input_tags.positive_only)


def digest(value):
    """Hash of an array, a tree of arrays or a table."""
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if isinstance(value, list | tuple):
        return digest(np.array([digest(part) for part in value]))
    value = np.ascontiguousarray(value)
    if value.dtype == object:
        value = np.array([str(part) for part in value.ravel()])
    text = f"{value.dtype}{value.shape}".encode()
    return hashlib.sha1(text + value.tobytes()).hexdigest()[:12]


def learned(estimator):
    """Fitted attributes of an estimator and of those that it is made of."""
    found = {}
    for name, value in sorted(vars(estimator).items()):
        if not name.endswith("_") or name.startswith("_"):
            continue
        for number, part in enumerate(value if isinstance(value, list) else [value]):
            inner = learned(part) if hasattr(part, "get_params") else {"": digest(part)}
            found |= {f"{name}{number}{key}": text for key, text in inner.items()}
    return found


def results(estimator):
    """Hashes of all results of an estimator, by name."""
    from sklearn.base import clone

    X, y = data(estimator)
    holes = np.random.RandomState(1).rand(*X.shape) < 0.1
    missing = np.where(holes, np.nan, X)
    weight = np.arange(len(X)) % 3
    found = {}

    def record(stage, model):
        found.update({f"{stage}.{k}": v for k, v in learned(model).items()})
        for name in METHODS:
            if not hasattr(model, name):
                continue
            for kind, rows in (("", X[:40]), (" missing", missing[:40])):
                key = f"{stage}.{name}{kind}"
                try:
                    found[key] = digest(getattr(model, name)(rows))
                except ValueError as error:
                    found[key] = str(error)
        for seed in 0, 1:
            sample = model.sample(7, random_state=seed)
            found[f"{stage}.sample {seed}"] = digest(sample)
        drawn = model.impute(missing[:20], method="sample", random_state=0)
        found[f"{stage}.drawn"] = digest(drawn)
        for name in "log_Z_", "density_kind_":
            if hasattr(model, name):
                found[f"{stage}.{name}"] = str(getattr(model, name))
        if hasattr(model, "inverse_transform"):
            H = model.transform(X[:5])
            found[f"{stage}.inverse"] = digest(model.inverse_transform(H))
        found[f"{stage}.score"] = str(model.score(X, y))

    model = clone(estimator).fit(X, y)
    record("fit", model)
    model.partial_fit(X[:60], y[:60])
    record("then", model)
    record("holes", clone(estimator).fit(missing, y, sample_weight=weight))
    more = {"classes": np.unique(y)} if hasattr(model, "predict_proba") else {}
    if more and getattr(estimator, "unlabeled", None) is not None:
        more["classes"] = more["classes"][more["classes"] != estimator.unlabeled]
    partial = clone(estimator).partial_fit(X, y, **more)
    found.update({f"partial.{k}": v for k, v in learned(partial).items()})
    return found


def main():
    """Record or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["record", "compare"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.action == "compare":
        before, after = (json.loads(Path(name).read_text()) for name in options.files)
        common = [name for name in after if name in before]
        wrong = [
            f"{name}: {key}"
            for name in common
            for key in before[name] | after[name]
            if before[name].get(key) != after[name].get(key)
        ]
        print("\n".join(wrong[:200]))
        n_results = sum(len(after[name]) for name in common)
        print(f"{len(common)} instances, {n_results} results, {len(wrong)} differ")
        sys.exit(bool(wrong) or not common)
    sys.path.insert(0, ".")
    from tests.common.instances import INSTANCES

    found, counts = {}, {}
    for estimator in INSTANCES:
        kind = type(estimator).__name__
        counts[kind] = counts.get(kind, 0) + 1
        if options.only and kind not in options.only:
            continue
        print(f"{kind} {counts[kind]}", file=sys.stderr, flush=True)
        found[f"{kind} {counts[kind]}"] = results(estimator)
    Path(options.files[0]).write_text(json.dumps(found, indent=0))


if __name__ == "__main__":
    main()
