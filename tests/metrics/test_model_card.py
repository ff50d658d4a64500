"""Model cards describe fitted estimators."""

import json
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

import skdgm
from skdgm import (
    FVBN,
    GAN,
    NADE,
    VAE,
    DBNClassifier,
    DensityOutlierDetector,
    GenerativeImputer,
    SelfSupervisedBoosting,
)
from skdgm.exceptions import InterruptedFitWarning
from skdgm.metrics import ModelCard
from skdgm.options import Adam
from skdgm.registry import PUBLIC
from tests.callbacks import Callback
from tests.common.instances import CLASSES, cases
from tests.common.shapes import brief
from tests.common.test_contract import Data

X = load_iris().data
BITS = np.random.default_rng(0).integers(0, 2, (80, 6))


@pytest.mark.exhaustive(default=["BernoulliRBM", "DBN-", "GAN", "RNNNADE"])
@pytest.mark.parametrize("instance", cases(CLASSES))
def test_every_estimator_has_a_card(instance):
    estimator, data = brief(clone(instance)), Data(instance)
    card = skdgm.card(estimator.fit(data.X, **data.y()))
    name = type(estimator).__name__
    assert card.title.startswith(f"{name}: ")
    assert name in PUBLIC
    assert card.sections["Model"]["class"] == f"skdgm.{name}"
    assert card.sections["Training"]["rows"] == "80"
    assert list(card.sections["Columns"]) == [
        "0 to 29" if len(estimator.column_types_) == 30 else "0"
    ]
    assert estimator.density_kind_ in card.sections["Methods"]["likelihood"]


def test_options_are_those_that_differ_from_defaults():
    model = NADE(8, n_iter=2, solver=Adam(clip_norm=1.0), random_state=0).fit(BITS)
    assert skdgm.card(model).sections["Options"] == {
        "n_components": "8",
        "n_iter": "2",
        "solver": "Adam(clip_norm=1.0)",
        "random_state": "0",
    }
    assert "Options" not in skdgm.card(FVBN().fit(BITS)).sections


def test_rows_are_weighted_and_missing_entries_do_not_count_against_them():
    rows = X.copy()
    rows[:40, 0] = np.nan
    model = FVBN("gaussian").fit(rows, sample_weight=np.full(150, 2.0))
    assert skdgm.card(model).sections["Training"]["rows"] == "300"


def test_columns_of_frames_have_their_names():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"city": list("abab") * 10, "x": np.arange(40) / 7})
    card = skdgm.card(NADE(n_iter=1, random_state=0).fit(frame))
    assert card.sections["Columns"]["city"] == "category a, b"
    assert card.sections["Columns"]["x"].startswith("number from 0 to 5.57")


def test_a_long_list_of_columns_ends():
    kinds = ["bernoulli", "gaussian"] * 60
    model = FVBN(tuple(kinds)).fit(np.resize([0, 1, 1], (20, 120)))
    columns = skdgm.card(model).sections["Columns"]
    assert len(columns) == 101
    assert columns["..."] == "120 columns"


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (FVBN("gaussian"), "exact log-likelihood (densities in the units of the"),
        (FVBN("bernoulli"), "exact log-likelihood (probabilities of rows)"),
        (VAE(2, n_iter=1), "lower bound on the log-likelihood"),
        (GAN(2, n_iter=1, column_types="gaussian"), "estimate of the log-likelihood"),
        (SelfSupervisedBoosting(n_iter=1), "estimate of the log-likelihood"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_kinds_of_likelihoods(model, text):
    rows = BITS if getattr(model, "column_types", None) == "bernoulli" else X
    model = clone(model).set_params(**seed_of(model)).fit(rows)
    assert skdgm.card(model).sections["Methods"]["likelihood"].startswith(text)


def seed_of(model):
    """The parameter of random numbers, if a model has one."""
    return {"random_state": 0} if "random_state" in model.get_params() else {}


def test_meta_estimators_describe_their_model():
    inner = NADE(8, n_iter=2, random_state=0)
    for model in (DensityOutlierDetector(inner), GenerativeImputer(inner)):
        sections = skdgm.card(model.fit(BITS)).sections
        assert sections["Options"]["estimator"] == repr(inner)
        assert sections["Training"]["model"] == "NADE"
        assert sections["Training"]["rows"] == "80"
        assert sections["Columns"] == {"0 to 5": "bit"}


def test_classes_are_listed():
    labels = np.array(["no", "yes"])[BITS[:, 0]]
    model = DBNClassifier((4,), n_iter=1, random_state=0).fit(BITS, labels)
    assert skdgm.card(model).sections["Training"]["classes"] == "2: no, yes"


class Interrupt(Callback):
    """Ctrl-C at the end of the first epoch."""

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            raise KeyboardInterrupt


def test_a_fit_that_ended_early_says_so():
    model = NADE(4, n_iter=5, random_state=0).set_callbacks(Interrupt())
    with pytest.warns(InterruptedFitWarning):
        model.fit(BITS)
    epochs = skdgm.card(model).sections["Training"]["epochs"]
    assert epochs == "1, interrupted by Ctrl-C"


def test_forms():
    notes = {"Use": "For <b>tests</b> | only.", "Evaluation": {"nats": "-2.1"}}
    card = skdgm.card(FVBN("gaussian").fit(X), notes=notes)
    assert isinstance(card, ModelCard)
    assert "\nEvaluation\n  nats  -2.1" in str(card)
    assert "&lt;b&gt;tests" in card._repr_html_()
    assert "<b>" not in card._repr_html_()
    text = card.to_markdown()
    assert text.startswith("# FVBN: ")
    assert "\n## Evaluation\n" in text
    assert "|  | For \\<b>tests\\</b> \\| only. |" in text
    assert json.loads(json.dumps(card.to_dict())) == card.to_dict()


def test_errors():
    with pytest.raises(NotFittedError):
        skdgm.card(NADE())
    with pytest.raises(TypeError, match=r"estimators of skdgm; got PCA\. Pass the"):
        skdgm.card(PCA().fit(X))
    for notes in ({"Use": 3}, {"Use": {"nats": -2.1}}, {3: "text"}, ["text"]):
        with pytest.raises(TypeError, match="notes"):
            skdgm.card(FVBN().fit(X), notes=notes)


def test_a_card_is_computed_without_warnings_or_changes():
    model = NADE(4, n_iter=1, random_state=0).fit(BITS)
    before = {**vars(model)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert str(skdgm.card(model)) == str(skdgm.card(model))
    assert vars(model) == before
