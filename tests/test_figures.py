"""Figures of small reports and of pipelines of tools, beside a list: ``figures.json``.

A second net, as ``records.json`` is for estimators: what a figure should be is proved
elsewhere; here any change of one is noticed. Whoever changes figures on purpose writes
them anew, by

    python -m tests.test_figures

All is computed in double precision, and most figures are means over many numbers, which
other libraries of linear algebra give to far more digits than are compared.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import skdgm
from skdgm import metrics
from skdgm.constraints import ConstrainedTable, Range
from skdgm.options import Columns, UpDown
from tests.options import grouped

LIST = Path(__file__).with_name("figures.json")
DIGITS, ANEW = 1e-4, "python -m tests.test_figures writes figures anew"


def bits(n=40, n_columns=6):
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=n)
    p = np.where(y[:, None] == np.arange(n_columns) % 2, 0.85, 0.2)
    return (rng.random(p.shape) < p).astype(float), y


BITS, LABELS = bits()
REAL = np.random.default_rng(1).normal(size=(40, 4)) @ np.diag([1.0, 2.0, 0.5, 1.0])
REAL[:, 1] += REAL[:, 0]
GAPS = np.where(np.random.default_rng(2).random(REAL.shape) < 0.1, np.nan, REAL)
IMAGES = np.random.default_rng(3).random((30, 16))
WEIGHT = np.arange(40) % 3 + 1.0


def table(n=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "pay": np.exp(x).round(2),
            "age": (40 + 9 * x + rng.normal(size=n)).round(),
            "town": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
            "day": pd.Timestamp("2021-03-01") + pd.to_timedelta(x.round(), "D"),
            "rich": x + rng.normal(size=n) > 0.5,
        }
    )
    frame["pay"] = frame["pay"].mask(rng.random(n) < 0.1)
    frame["town"] = frame["town"].mask(rng.random(n) < 0.1, None)
    return frame


CHAINS = np.random.default_rng(4).normal(size=(4, 60)).cumsum(axis=1) * 0.3
CHAINS[0] += 1


def machine():
    rbm = skdgm.BernoulliRBM(3, n_iter=2, random_state=0).fit(BITS)
    rbm.components_ = 3 * rbm.components_
    rbm._forget()
    return rbm


def series(n=5, length=9):
    """Sequences with dates and a person's attributes."""
    rng, parts = np.random.default_rng(5), []
    for k in range(n):
        days = pd.Timestamp("2024-01-01") + pd.to_timedelta(
            rng.integers(1, 4, length).cumsum(), "D"
        )
        x = rng.normal(size=length).cumsum()
        parts.append(pd.DataFrame({"day": days, "sex": "fm"[k % 2], "x": x}))
    return parts


def of_data():
    frame, options = table(80), {"n_iter": 3, "batch_size": 20, "random_state": 0}
    holed = frame.assign(town=frame["town"].astype("category"))
    nade = grouped(skdgm.NADE, 3, Columns("mixed", min_frequency=0.15), **options)

    def mixed():
        found = learned_table(nade, holed, sample_weight=np.arange(80) % 3)
        return found | {"filled": numbers_in(nade.impute(holed, random_state=0))}

    def given():
        nade.fit(holed)
        drawn = nade.sample(60, random_state=0, conditions={"town": "a", "rich": True})
        return {"drawn": numbers_in(drawn)}

    def missing():
        model = grouped(
            skdgm.NADE, 3, Columns("mixed", missing_pattern="model"), **options
        )
        return learned_table(model, holed)

    def steps():
        model = grouped(
            skdgm.RNNNADE, 2, n_recurrent=3, column_types="mixed", **options
        )
        model.fit(parts := series())
        drawn = model.sample_sequences(4, prefix=parts[1][:5], random_state=0)[0]
        return {
            "losses": model.loss_curve_,
            "scores": model.score_samples(parts),
            "drawn": numbers_in(drawn),
        }

    def counts():
        X = np.random.default_rng(6).poisson(2, (40, 5))
        model = skdgm.ReplicatedSoftmax(2, n_iter=2, random_state=0).fit(X)
        return {
            "losses": model.loss_curve_,
            "scores": model.score_samples(X),
            "drawn": model.sample(50, random_state=0).mean(axis=0),
        }

    def far():
        X = REAL.copy()
        X[3, 1] = 1e4
        model = skdgm.GaussianRBM(3, n_iter=2, random_state=0).fit(X)
        return {"losses": model.loss_curve_, "scores": model.score_samples(X[5:])}

    def responses():
        model = skdgm.ConditionalRBM(2, n_iter=3, random_state=0)
        model.fit(REAL, np.column_stack([LABELS, REAL[:, 0] + REAL[:, 1]]))
        return {"losses": model.loss_curve_, "predicted": model.predict(REAL)}

    def labels():
        y = np.where(np.arange(40) % 4, LABELS, -1)
        clf = skdgm.RBMClassifier(3, n_iter=2, unlabeled=-1, random_state=0)
        clf.fit(BITS, y, sample_weight=WEIGHT).partial_fit(BITS[:9], y[:9])
        found = {"losses": clf.loss_curve_, "proba": clf.predict_proba(BITS)}
        return found | {"scores": clf.score_samples(BITS)}

    def layers():
        dbn = skdgm.DBN((4, 3), n_iter=2, refine=UpDown(n_iter=1))
        dbn.set_params(random_state=0, early_stopping=True).fit(BITS)
        return {
            "losses": [own.loss_curve_[-1] for own in dbn.layers_],
            "features": dbn.transform(BITS),
        }

    def steady():
        cells = skdgm.preprocessing.Dequantizer(step=0.5, random_state=0)
        gray = skdgm.preprocessing.BernoulliBinarizer(draw=3, random_state=1)
        floor = np.floor(REAL * 2) / 2
        return {
            "cells": cells.fit_transform(floor),
            "bits": gray.fit_transform(IMAGES),
        }

    makers = mixed, given, missing, steps, counts, far, responses, labels, layers
    for make in (*makers, steady):
        yield f"data {make.__name__}", make


def numbers_in(frame):
    """Means and spreads of columns as numbers, of dates as days, of text as codes."""
    found = []
    for name in frame:
        column = frame[name]
        if column.dtype.kind == "M":
            column = (column - pd.Timestamp("2021-01-01")) / pd.Timedelta("1D")
        elif not pd.api.types.is_numeric_dtype(column.dtype):
            texts = column.astype(object).fillna("none").astype(str)
            column = texts.map(lambda text: sum(map(ord, text)))
        column = column.astype(float)
        found += [column.mean(), column.std()]
    return found


def learned_table(model, frame, **given):
    model.fit(frame, **given)
    return {
        "losses": model.loss_curve_,
        "scores": model.score_samples(frame),
        "columns": model.score_features(frame),
        "drawn": numbers_in(model.sample(100, random_state=0)),
    }


def of_boosting():
    model = skdgm.SelfSupervisedBoosting(
        skdgm.FVBN("gaussian"), n_iter=6, n_particles=200, n_steps=1, random_state=0
    )
    model.fit(REAL[:, :2] ** 2, sample_weight=WEIGHT)
    found = {"weights": model.weights_, "scores": model.validation_scores_}
    drawn = model.sample(200, random_state=0)
    return found | {
        "log_Z": [model.log_Z_, model.log_Z_se_],
        "drawn": [drawn.mean(), drawn.std()],
    }


def of_metrics():
    parts = table(60), table(50, 1), table(40, 2)
    yield "report", lambda: report(*parts)
    first, second = REAL[:20], REAL[20:] * 1.1
    for name, function in {
        "mmd": lambda: metrics.maximum_mean_discrepancy(first, second, random_state=0),
        "two samples": lambda: metrics.classifier_two_sample_test(
            first, second, classifier=LogisticRegression(), random_state=0
        ),
        "nearest": lambda: metrics.nearest_training_neighbors(first, second),
        "modes": lambda: metrics.mode_coverage(BITS, BITS[:20], LABELS[:20] + 1),
        "ranks": lambda: metrics.anomaly_report(LABELS, REAL[:, 1], k=7),
        "parzen": lambda: metrics.parzen_log_likelihood(
            first, second, X_valid=REAL[::3], sigmas=[0.2, 0.5, 1.0]
        ),
        "pooled": lambda: metrics.pool_estimates(REAL[:5], REAL[5:10] ** 2),
        "mixing": lambda: {
            "r_hat": metrics.r_hat(CHAINS),
            "correlations": metrics.autocorrelation(CHAINS)[:9],
            **{
                name: metrics.effective_sample_size(CHAINS, method=name)
                for name in ("bulk", "tail", "mean")
            },
        },
        "chains": lambda: metrics.chain_diagnostics(
            machine(), n_chains=3, n_draws=20, thin=2, burn_in=5, random_state=0
        ),
        "conservative": lambda: {
            "csl": metrics.csl_log_likelihood(
                machine(), BITS, n_samples=200, n_steps=20, random_state=0
            ),
            "raise": metrics.raise_log_likelihood(
                machine(), BITS[:8], n_betas=20, n_chains=3, random_state=0
            ),
            "gap": metrics.free_energy_gap(machine(), BITS[:20], BITS[20:]),
        },
        "bracket": lambda: metrics.partition_bracket(
            machine(), n_chains=10, n_betas=20, burn_in=9, n_steps=5, random_state=0
        ),
        "gray": lambda: metrics.likelihood_bracket(
            machine(), BITS * 0.8 + 0.1, n_draws=5, n_bit_draws=3, random_state=0
        ),
        "table": lambda: metrics.likelihood_table(
            {"rbm": machine(), "fvbn": skdgm.FVBN(n_iter=2, random_state=0).fit(BITS)},
            BITS,
            random_state=0,
        ).to_dict("list"),
    }.items():
        yield name, lambda function=function: numbers_of(function())


def report(*parts):
    found = metrics.tabular_report(
        *parts, target="age", estimator=LinearRegression(), random_state=0
    )
    return numbers_of(found)


def numbers_of(found):
    """Numbers of a result, by name."""
    if isinstance(found, dict):
        items = found.items()
    elif hasattr(found, "_asdict"):
        items = found._asdict().items()
    elif hasattr(found, "__dict__"):
        items = vars(found).items()
    else:
        items = [("value", found)]
    numbers = {}
    for name, value in items:
        if isinstance(value, dict):
            inner = numbers_of(value)
            numbers |= {f"{name}.{key}": own for key, own in inner.items()}
        elif np.asarray(value).dtype.kind in "biuf" and np.size(value):
            value = np.asarray(value, float).ravel()
            value = value[np.isfinite(value)]
            spread = [value.mean(), value.std()] if value.size > 4 else value
            numbers[str(name)] = spread
    return numbers


def of_tables():
    frame = table(80)
    base = skdgm.FVBN("mixed", n_iter=2, random_state=0)
    rules = [Range("age", low=0, high=99)]

    def constrained():
        model = ConstrainedTable(base, rules, random_state=0).fit(frame)
        drawn = model.sample(50, random_state=0)
        return {
            "scores": model.score_samples(frame[:20]),
            "drawn": [drawn["age"].mean(), drawn["rich"].mean(), drawn["pay"].mean()],
        }

    def imputed():
        imputer = skdgm.GenerativeImputer(
            skdgm.FVBN("gaussian"), method="sample", random_state=0, add_indicator=True
        )
        return {"filled": imputer.fit_transform(GAPS).mean(axis=0)}

    def outliers():
        detector = skdgm.DensityOutlierDetector(
            skdgm.FVBN("gaussian"), score_by="column", contamination=0.13
        ).fit(GAPS, sample_weight=WEIGHT)
        return {"offset": [detector.offset_], "scores": detector.score_samples(GAPS)}

    yield "constraints", constrained
    yield "imputation", imputed
    yield "outliers", outliers
    yield "boosting", of_boosting


CASES = dict([*of_metrics(), *of_tables(), *of_data()])


def figures(case):
    """Figures of a case; what is long as its mean and spread."""
    with warnings.catch_warnings():
        # Of small fits.
        warnings.simplefilter("ignore")
        values = CASES[case]()
    found = {}
    for name, value in values.items():
        value = np.asarray(value, float).ravel()
        if value.size > 80:
            value = np.array([value.mean(), value.std()])
        if value.size:
            found[name] = [float(f"{own:.7g}") for own in value]
    return found


@pytest.mark.parametrize("case", CASES)
def test_figures_are_those_of_the_record(case):
    found, known = figures(case), json.loads(LIST.read_text())[case]
    assert found.keys() == known.keys()
    for name, value in known.items():
        np.testing.assert_allclose(
            found[name], value, rtol=DIGITS, atol=1e-6, err_msg=f"{name}: {ANEW}"
        )


if __name__ == "__main__":
    lines = [f"{json.dumps(case)}: {json.dumps(figures(case))}" for case in CASES]
    LIST.write_text("{\n" + ",\n".join(lines) + "\n}\n")
