"""Errors about tables and options name what is wrong, and a remedy."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

from skdgm import (
    DBN,
    GAN,
    LAPGAN,
    NADE,
    BernoulliRBM,
    ConstrainedTable,
    ConvDBN,
    ConvDBNClassifier,
    ConvRBM,
    DBNClassifier,
    DBNRegressor,
    GANClassifier,
    GenerativeDBNClassifier,
    RBMClassifier,
    ReplicatedSoftmax,
)
from skdgm.constraints import Inequality
from skdgm.exceptions import LabelWarning, MissingDataWarning
from skdgm.metrics import tabular_report
from skdgm.options import Columns, Pretraining
from tests.common.instances import READERS, cases
from tests.options import grouped

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
X = (RNG.random((40, 9)) < 0.5).astype(float)
Y = RNG.integers(0, 3, 40)
WITH_COUNTS = [*READERS, ReplicatedSoftmax(2)]


@pytest.mark.parametrize("estimator", cases(READERS))
def test_what_is_wrong_with_a_table(estimator):
    own = clone(estimator)
    infinite = X.copy()
    infinite[3, [4, 7]] = np.inf
    names = list("abcdefghi")
    frame = pd.DataFrame(infinite, columns=names)
    lists = pd.DataFrame(X, columns=names).astype({"c": object})
    lists["c"] = [[1, 2]] * len(X)
    for given, message in (
        (X.reshape(10, 4, 9), r"dim 3.* (X.reshape\(len\(X\), -1\)|list\(X\))"),
        (infinite, r"infinity.* They are in columns \[4, 7\]: make them NaN"),
        (sp.csr_array(infinite), r"infinity.* columns \[4, 7\]"),
        (frame, r"infinity.* columns \['e', 'h'\]"),
        ([[1, 2], [3]], "X has rows of 1 and of 2 values|have one dimension"),
        (lists, "olumn 'c' has"),
    ):
        with pytest.raises(ValueError, match=message):
            own.fit(
                given, Y[: len(given) if isinstance(given, list) else given.shape[0]]
            )
        assert not hasattr(own, "n_iter_")


@pytest.mark.parametrize(
    "estimator",
    cases(WITH_COUNTS, [type(one).__name__ for one in WITH_COUNTS]),
)
def test_a_sparse_vector_is_no_table(estimator):
    own = clone(estimator)
    with pytest.raises(ValueError, match="2D"):
        own.fit(sp.coo_array([1.0, 0.0, 1.0]), Y[:3])
    assert not hasattr(own, "n_iter_")


def test_what_is_wrong_with_later_tables():
    names = list("abcdefghi")
    frame = pd.DataFrame(X, columns=names).assign(text=np.where(Y > 0, "x", "y"))
    plain, mixed = (BernoulliRBM(2, n_iter=1).fit(X), NADE(2, "mixed", n_iter=0))
    mixed.fit(frame)
    for method in ("transform", "score_samples", "impute", "partial_fit"):
        with pytest.raises(ValueError, match="X has rows of 1 and of 2 values"):
            getattr(plain, method)([[1, 2], [3]])
        for name in ("c", "text"):
            lists = frame.astype({name: object})
            lists[name] = [[1, 2]] * len(X)
            with pytest.raises(ValueError, match=f"Column '{name}' had .* and has"):
                getattr(mixed, method)(lists)


@pytest.mark.parametrize(
    "classifier",
    [RBMClassifier(2, n_iter=1), GANClassifier(2, (4,), n_iter=1)],
)
def test_one_hot_labels_are_refused_with_advice(classifier):
    with pytest.raises(ValueError, match=r"y should be a 1d .* y.argmax\(axis=1\)"):
        classifier.fit(X, np.eye(3)[Y])


def test_one_hot_labels_are_warned_of():
    classifier = DBNClassifier(
        (4,), pretrain=Pretraining(n_iter=0), n_iter=1, random_state=0
    )
    with pytest.warns(LabelWarning, match=r"one-hot .* Give classes as y.argmax"):
        classifier.fit(X, np.eye(3, dtype=int)[Y])
    # Rows of several labels, or none, are not.
    classifier.fit(X, X[:, :3].astype(int))


MACHINE, MAPS = BernoulliRBM(2, n_iter=1), ConvRBM(2, n_iter=1)
NETWORKS = DBN, DBNClassifier, DBNRegressor, GenerativeDBNClassifier
DEEP = {(cls, MACHINE) for cls in NETWORKS}
DEEP |= {(cls, MAPS) for cls in (ConvDBN, ConvDBNClassifier)}


@pytest.mark.parametrize("name", [None, 1, ("a",)])
def test_layers_have_text_as_names(name):
    for cls, machine in DEEP:
        with pytest.raises(ValueError, match="pairs .name, machine. with a text as na"):
            cls(layers=[(name, machine)]).fit(X, Y)


@pytest.mark.parametrize("option", ["iter", "learning_rate", "batch_size", "steps"])
@pytest.mark.parametrize("cls", [DBNClassifier, DBNRegressor, ConvDBNClassifier])
def test_options_of_pretraining_are_called_by_their_names(cls, option):
    given = {f"pretrain_{option}": (1, "x"), "pretrain_gradient": ("x", "cd")}
    for name, layer in ((f"pretrain_{option}", 1), ("pretrain_gradient", 0)):
        own = grouped(cls, (4, 3), n_iter=1, **{name: given[name]})
        (field,) = Pretraining.by_field({name: 0})
        message = f"The '{field}' parameter of Pretraining of {cls.__name__}, "
        message += f"of layer {layer}, must"
        with pytest.raises(ValueError, match=message):
            own.fit(X, Y)


@pytest.mark.parametrize("given", [("a", np.nan), (28, 28), (3,), (9.0, 1)])
def test_shapes_of_images_fit_whatever_reads_them(given):
    for own in (GAN(2, (4,)), LAPGAN(2, (4,)), ConvRBM(2), GANClassifier(2, (4,))):
        own.set_params(image_shape=given)
        message = f"image_shape={re.escape(repr(given))} of (a|Conv)[A-Za-z ]* must be "
        with pytest.raises(ValueError, match=message + r"\(height.* = 9, the number"):
            own.fit(X, Y)


@pytest.mark.parametrize("given", [[[2, 3], [4]], [[2] * 9], ["a"] * 9, [2.5] * 9])
def test_least_numbers_of_categories(given):
    with pytest.raises(ValueError, match="min_categories must be positive integers"):
        NADE(2, Columns("categorical", min_categories=given)).fit(X)


def test_a_constraint_without_a_list():
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    table = ConstrainedTable(NADE(2, "mixed"), Inequality("a", "b"))
    with pytest.raises(TypeError, match=r"constraints must be a list.*\[Inequality\("):
        table.fit(frame)


def test_dates_that_were_never_seen_are_not_drawn():
    frame = pd.DataFrame({"x": RNG.normal(size=30), "day": pd.Series([pd.NaT] * 30)})
    with pytest.warns(MissingDataWarning, match="no observed"):
        model = NADE(2, "mixed", n_iter=1, random_state=0).fit(frame)
    drawn = model.sample(5)
    assert drawn["day"].isna().all()
    assert (drawn.dtypes == frame.dtypes).all()


def test_columns_without_values_make_no_warnings_of_numpy():
    real = pd.DataFrame({"x": RNG.normal(size=30), "y": RNG.normal(size=30)})
    lost = real.assign(y=np.nan)
    for one, other in ((lost, real), (real, lost), (lost, lost)):
        tabular_report(one, other, holdout=one, sensitive=["y"], known=["x"])


@pytest.mark.parametrize("other", ["bool", "Int64"])
def test_categories_beside_bits_are_named(other):
    """pandas has another error for these."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"town": pd.Categorical(list("abab")), "n": [0, 1, 1, 0]})
    for model in (BernoulliRBM(n_iter=1), DBN(n_iter=1)):
        with pytest.raises(ValueError, match="column 'town' has other values"):
            model.fit(frame.astype({"n": other}))


def test_labels_that_were_not_given():
    with pytest.raises(TypeError, match=r"DBNClassifier.fit\(\): missing a req.* 'y'"):
        DBNClassifier().fit(np.zeros((4, 2)))
