"""Numbers of a short fit of every estimator, beside a list of them: ``records.json``.

A record, not a proof: it notices that numbers change, and does not say which are right.
Proofs are the tests of each folder; this notices a wrong line between what they look
at. Whoever changes numbers on purpose writes the list again, by

    python -m tests.test_records

and sees in its differences which estimators the change concerns.
"""

import json
import warnings
import zlib
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skdgm import (
    DRAW,
    FVBN,
    GAN,
    GMMN,
    GSN,
    LAPGAN,
    MADE,
    NADE,
    RNADE,
    S3C,
    VAE,
    Autoencoder,
    BernoulliRBM,
    BiGAN,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    Diffusion,
    EoNADE,
    Flow,
    GANClassifier,
    GeneratorNet,
    GSNClassifier,
    InfoGAN,
    NeuralAutoregressive,
    PredictabilityMinimization,
    SigmoidBeliefNetwork,
)
from skdgm.base.groups import asked_value
from skdgm.options import ELBO, Discriminator, GameLoss, Prior
from skdgm.partition import bracket
from tests.common.conftest import SHORT_ANNEALING
from tests.common.instances import INSTANCES
from tests.common.shapes import brief
from tests.common.test_contract import Data
from tests.options import assign, details_of, grouped

LIST = Path(__file__).with_name("records.json")
N_ROWS = 24
WEIGHT = np.tile([1.5, 2.0, 0.5], N_ROWS // 3)
# Methods of rows with missing entries.
OF_ROWS = "score_samples", "transform", "impute", "predict_proba", "predict"
OF_ROWS += "reconstruct", "invert", "free_energy", "likelihood_bound"
RNG = np.random.default_rng(0)


def _holed(X):
    # Streams of rows depend on their last digits.
    return np.where(RNG.random(X.shape) < 0.1, np.nan, np.round(X, 3))


Z = RNG.normal(size=(N_ROWS, 2))
REAL = np.column_stack([Z, Z.sum(axis=1), RNG.normal(size=N_ROWS)]) * [1, 10, 0.1, 1]
IMAGES = (Z @ RNG.normal(size=(2, 16)) > 0).astype(float)
ROWS = {
    "real": _holed(REAL + [0, 5, 1, -3]),
    "shares": _holed(1 / (1 + np.exp(-REAL / [1, 10, 0.1, 1]))),
    "counts": _holed(np.clip(np.rint(3 + REAL / [1, 10, 0.1, 1]), 0, 6)),
    "bits": _holed(IMAGES[:, :6]),
    "images": _holed(IMAGES),
    "gray": _holed(1 / (1 + np.exp(-Z @ RNG.normal(size=(2, 16))))),
}
ROWS["frame"] = pd.DataFrame(ROWS["real"][:, :2], columns=["a", "b"]).assign(
    bit=ROWS["bits"][:, 0],
    kind=np.array(["x", "y", "z", None])[RNG.integers(4, size=N_ROWS)],
)
# A value that a third of the rows have, and categories that are rare.
ROWS["rare"] = pd.DataFrame(
    {
        "a": np.where(np.arange(N_ROWS) % 3, ROWS["real"][:, 0], 0),
        "kind": np.array([*"xxxyyyzw"])[RNG.integers(8, size=N_ROWS)],
    }
)
ROWS["one"] = ROWS["real"][:, :1]
MIXED = {"column_types": "mixed"}
RARE = MIXED | {"min_frequency": 0.2, "handle_unknown": "infrequent_if_exist"}
REALS = {"column_types": "gaussian"}
GIVEN = {"attribute_conditional": True}
CLASSES = {"class_conditional": True}
CONVS = {"architecture": "conv"}
CONV = CONVS | {"conv_layer_sizes": (3, 4)}
# Numbers whose mean and deviation are exact, as of these depend streams of rows too.
NUMBERS = np.repeat(np.tile([1.5, -1.5], 4), 3)[:, None]
LABELS = np.where(Z[:, 0] > 0, "high", "low")
# Options that no instance of the common tests has: rows, attributes and an estimator.
OTHERS = [
    ("real", NUMBERS, grouped(Flow, 1, (4,), **GIVEN)),
    ("real", LABELS, grouped(Flow, 1, (4,), base="student", **GIVEN)),
    ("real", None, Flow(1, (4,), base="mixture", autoregressive=True)),
    ("real", None, Flow(1, (4,), layer_type="affine", linear="permutation")),
    ("shares", None, Flow(1, (4,), bounds=(-0.1, 1), early_stopping=False)),
    ("counts", None, Flow(1, (4,), bounds=(0, 6), dequantization="uniform")),
    ("counts", LABELS, grouped(Flow, 1, (4,), dequantization="variational", **GIVEN)),
    (
        "frame",
        None,
        grouped(
            GAN,
            3,
            (6,),
            **MIXED,
            discriminator=Discriminator(minibatch_kernels=2),
            loss=GameLoss("relativistic", gradient_penalty=0),
        ),
    ),
    (
        "real",
        None,
        grouped(
            GAN,
            3,
            (6,),
            **REALS,
            loss=GameLoss("relativistic", output_noise=0.1),
            prior="bits",
        ),
    ),
    (
        "bits",
        LABELS,
        grouped(GAN, 3, (6,), **CLASSES, loss="minimax", batch_norm="virtual"),
    ),
    (
        "gray",
        None,
        grouped(
            GAN,
            3,
            (3, 4),
            **CONVS,
            loss=GameLoss("relativistic", feature_matching=True),
        ),
    ),
    ("bits", None, GAN(3, (6,), loss=GameLoss("wasserstein", clip_weights=0.1))),
    (
        "bits",
        None,
        GAN(
            3, (6,), loss="likelihood", discriminator=Discriminator(activation="maxout")
        ),
    ),
    ("frame", None, grouped(BiGAN, 3, (6,), **MIXED)),
    ("images", None, grouped(BiGAN, 3, (3, 4), **CONVS)),
    ("frame", None, grouped(InfoGAN, 3, (6,), **MIXED, n_categories=2, n_codes=1)),
    (
        "frame",
        LABELS,
        grouped(
            GANClassifier, 3, (6,), **MIXED, discriminator=Discriminator(noise=0.1)
        ),
    ),
    ("images", LABELS, grouped(LAPGAN, 3, (6,), n_levels=2, **CLASSES)),
    ("frame", LABELS, grouped(GMMN, 3, (6,), **MIXED, **CLASSES)),
    (
        "images",
        None,
        DRAW(n_components=2, n_glimpses=2, n_recurrent=4, read_size=2, write_size=3),
    ),
    (
        "gray",
        None,
        DRAW(n_components=2, n_glimpses=2, n_recurrent=4, cell="gru", objective="iwae"),
    ),
    (
        "frame",
        None,
        grouped(
            VAE,
            2,
            (5,),
            **MIXED,
            missing_pattern="model",
            objective=ELBO(warm_up=3),
        ),
    ),
    (
        "bits",
        LABELS,
        grouped(VAE, 2, (5,), **CLASSES, prior=Prior("mixture", n_components=3)),
    ),
    ("real", NUMBERS, grouped(VAE, 2, (5,), **REALS, **GIVEN, posterior="auxiliary")),
    (
        "real",
        None,
        grouped(VAE, (2, 2), (5, 4), **REALS, inference="top-down", batch_norm=True),
    ),
    (
        "real",
        None,
        grouped(
            VAE,
            2,
            (5,),
            **REALS,
            prior="autoregressive",
            variance="sample",
        ),
    ),
    (
        "images",
        None,
        grouped(VAE, 2, (5,), **CONV, dropout=0.2, objective=ELBO(n_importance=2)),
    ),
    ("gray", None, grouped(Autoencoder, 3, hidden_layer_sizes=(5,), **CONV)),
    (
        "frame",
        None,
        grouped(
            Autoencoder,
            3,
            hidden_layer_sizes=(5,),
            **MIXED,
            variance=0.5,
        ),
    ),
    ("frame", None, grouped(ContractiveAutoencoder, 4, **MIXED)),
    (
        "real",
        None,
        grouped(DenoisingAutoencoder, 6, **REALS, corruption="salt-and-pepper"),
    ),
    (
        "frame",
        None,
        grouped(DenoisingAutoencoder, 6, **MIXED, corruption="salt-and-pepper"),
    ),
    ("images", None, grouped(PredictabilityMinimization, 3, **CONV)),
    ("frame", None, grouped(GSN, (5, 4), **MIXED)),
    (
        "frame",
        LABELS,
        grouped(GSNClassifier, (5, 4), **MIXED, objective="discriminative"),
    ),
    ("gray", NUMBERS, grouped(GeneratorNet, (5,), **CONV)),
    ("real", LABELS, grouped(GeneratorNet, (5,), **REALS)),
    ("images", None, grouped(Diffusion, (5,), **CONV, column_types="bernoulli")),
    ("gray", LABELS, grouped(Diffusion, (5,), **CONV, **CLASSES, guidance=1.0)),
    (
        "frame",
        None,
        grouped(Diffusion, (5,), **MIXED, missing_pattern="model"),
    ),
    ("bits", None, Diffusion((5,), column_types="bernoulli", bits="flips")),
    ("real", NUMBERS, grouped(Diffusion, (5,), **GIVEN, weighting="likelihood")),
    ("frame", None, grouped(NADE, 5, **MIXED, n_orderings=2)),
    (
        "real",
        None,
        grouped(NADE, 5, **REALS, conditional="laplace"),
    ),
    (
        "real",
        None,
        RNADE(5, n_mixtures=2, conditional="laplace", ordering=(2, 0, 3, 1)),
    ),
    ("frame", None, grouped(MADE, (5,), **MIXED, n_masks=2, direct=False)),
    ("real", None, grouped(FVBN, **REALS, early_stopping=True, n_orderings=2)),
    (
        "frame",
        None,
        grouped(FVBN, **MIXED, missing_pattern="model"),
    ),
    ("frame", None, grouped(EoNADE, (5,), **MIXED, n_steps=2, learned_steps="last")),
    ("frame", None, grouped(NeuralAutoregressive, 2, **MIXED)),
    ("frame", None, grouped(SigmoidBeliefNetwork, (4, 3), **MIXED)),
    *(
        ("rare", None, one)
        for one in (
            *(
                grouped(GAN, 3, (6,), **RARE),
                grouped(BiGAN, 3, (6,), **RARE),
                grouped(GMMN, 3, (6,), **RARE),
            ),
            *(
                grouped(VAE, 2, (5,), **RARE),
                grouped(Diffusion, (5,), **RARE),
                grouped(NADE, 5, **RARE),
            ),
            *(
                grouped(EoNADE, (5,), **RARE),
                grouped(FVBN, **RARE),
                grouped(DenoisingAutoencoder, 6, **RARE),
            ),
        )
    ),
    *(
        ("one", None, one)
        for one in (
            *(
                Flow(2, (4,)),
                grouped(GMMN, 3, (6,), **REALS, n_draws=1),
                grouped(VAE, 2, (5,), **REALS),
            ),
            *(
                Diffusion((5,)),
                RNADE(5),
                grouped(EoNADE, (5,), **REALS),
                grouped(GSN, (5, 4), **REALS),
            ),
        )
    ),
    *(
        ("bits", None, BernoulliRBM(4, gradient=gradient))
        for gradient in (
            *("pseudo-likelihood", "block-pseudo-likelihood", "ratio-matching"),
            *("probability-flow", "noise-contrastive", "pcd"),
        )
    ),
]
SHORT = {"n_iter": 2, "batch_size": 8, "n_draws": 6, "n_steps": 3}
SHORT |= {"random_state": 0, "early_stopping": True, "validation_fraction": 0.3}


def cases():
    """Data and estimators, by names that stay theirs while others come and go."""
    found = {}
    for instance in INSTANCES:
        # Independent components of so few rows hang on how a machine rounds.
        if isinstance(instance, S3C):
            continue
        data = Data(instance)
        y = data.targets[:N_ROWS] if data.given else None
        found[_name(instance)] = data.holed[:N_ROWS], y, instance
    for kind, y, one in OTHERS:
        own, default = details_of(one) | one.get_params(deep=False), type(one)()
        short = {
            name: value
            for name, value in SHORT.items()
            if name in own and asked_value(one, name) == asked_value(default, name)
        }
        found[f"{_name(one)}-{kind}"] = ROWS[kind], y, assign(one, **short)
    return found


def _name(estimator):
    default = type(estimator)().get_params(deep=False)
    own = estimator.get_params(deep=False)
    given = {k: v for k, v in own.items() if repr(v) != repr(default[k])}
    digest = zlib.crc32(repr(sorted(given.items())).encode())
    return f"{type(estimator).__name__}-{digest:08x}"


CASES = cases()


def summary(value):
    """A weighted sum of numbers and their norm: enough to notice a change."""
    if value is None or hasattr(value, "get_params") or isinstance(value, dict):
        return None
    if isinstance(value, pd.DataFrame):
        value = [value[name].to_numpy() for name in value]
    parts = [_numbers(part) for part in (value if isinstance(value, list) else [value])]
    flat = np.concatenate([*parts, np.zeros(0)])
    flat = np.where(np.isfinite(flat), flat, 1e3)
    if not flat.size:
        return None
    total, size = flat @ np.cos(np.arange(flat.size)), np.sqrt(flat @ flat)
    return [float(f"{number:.8g}") for number in (total, size)]


def _numbers(part):
    """Numbers of an array, that of the text of what is none."""
    part = np.asarray(part).ravel()
    if part.dtype.kind in "fiub":
        return part.astype(float)
    return np.array([float(zlib.crc32(str(one).encode()) % 97) for one in part])


def record(X, y, instance):
    """Summaries of what is learned, and of what methods return."""
    estimator = brief(clone(instance))
    given = {} if y is None else {"y": y}
    few, three = X[:3], {name: value[:3] for name, value in given.items()}
    quick = mock.patch.object(bracket, "estimate", _quick)
    with warnings.catch_warnings(), quick:
        warnings.simplefilter("ignore")
        estimator.fit(X, **given, sample_weight=WEIGHT)
        found = {
            name: getattr(estimator, name)
            for name in (*vars(estimator), "validation_curve_", "n_updates_")
            if name.endswith("_") and not name.startswith("_")
            if hasattr(estimator, name)
        }
        for name in OF_ROWS:
            found[name] = _called(estimator, name, few, **three)
        found["filled"] = _called(estimator, "impute", few, **DRAWN, **three)
        found["sample"] = _called(estimator, "sample", 3, random_state=0)
        found["given"] = _called(estimator, "conditional_sample", few, random_state=0)
        column, rows = (X.columns[0], X) if hasattr(X, "columns") else (0, X.T)
        value, least = rows[column][~np.isnan(rows[column])][0], np.nanmin(rows[column])
        # A range with all values would have draws of equal weights, but for rounding.
        values = slice(None, value) if value == least else slice(value, None)
        for name, own in ("value", value), ("range", values):
            how = {"random_state": 0, "conditions": {column: own}}
            found[f"given a {name}"] = _called(estimator, "sample", 3, **how)
        for name in "generate", "inverse_transform":
            width = getattr(estimator, "n_components", 0)
            if name == "inverse_transform" and found["transform"] is not None:
                width = np.shape(found["transform"])[1]
            if isinstance(width, int):
                codes = np.linspace(-1, 1, 3 * width).reshape(3, -1)
                found[name] = _called(estimator, name, codes, **three)
    found = {name: summary(value) for name, value in found.items()}
    return {name: value for name, value in sorted(found.items()) if value}


def _quick(rng, problem, _):
    """How log Z is estimated: in a few steps, and in one attempt."""
    there = bracket._searched(rng, problem)
    return bracket._tried(rng, problem, SHORT_ANNEALING, there)[0]


DRAWN = {"method": "sample", "random_state": 0}


def _called(estimator, name, first, **given):
    """Result of a method, with those arguments that it takes; None without it."""
    for left_out in (), ("y",):
        own = {k: v for k, v in given.items() if k not in left_out}
        try:
            return getattr(estimator, name)(first, **own)
        except (TypeError, ValueError, AttributeError):
            continue
    return None


@pytest.fixture(scope="module")
def known():
    return json.loads(LIST.read_text())


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_the_list(name, known):
    found, expected = record(*CASES[name]), known[name]
    assert found.keys() == expected.keys()
    for part, numbers in found.items():
        # Sums in another order, as of another machine, differ by less.
        bound = 1e-5 * expected[part][1] + 1e-9
        np.testing.assert_allclose(numbers, expected[part], 0, bound, err_msg=part)


if __name__ == "__main__":
    lines = (f"{json.dumps(k)}: {json.dumps(record(*v))}" for k, v in CASES.items())
    LIST.write_text("{\n" + ",\n".join(sorted(lines)) + "\n}\n")
