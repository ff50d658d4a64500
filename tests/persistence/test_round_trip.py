"""What comes back from a file is what was saved."""

import os
import stat
import threading
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from numpy.lib.stride_tricks import sliding_window_view
from scipy.stats import norm
from sklearn.base import clone, is_classifier
from skops import io

import skdgm
from skdgm import (
    DBM,
    DBN,
    FVBN,
    NADE,
    BernoulliRBM,
    BoltzmannMachine,
    ConstrainedTable,
    DBMClassifier,
    DBNClassifier,
    DBNRegressor,
    Flow,
    GenerativeImputer,
    RBMClassifier,
)
from skdgm.adversarial._games.players import GameState
from skdgm.anomaly import DensityOutlierDetector
from skdgm.constraints import (
    FixedCombinations,
    Function,
    Inequality,
    Linear,
    Product,
    Range,
    Rule,
    Sum,
    Unique,
)
from skdgm.exceptions import UnsavableError
from skdgm.options import PCD, BeliefObjective, Pretraining
from skdgm.persistence import TRUSTED_TYPES
from skdgm.persistence.decoder import Decoder
from skdgm.persistence.encoder import SCALARS, SPARSE, Encoder
from skdgm.persistence.types import ESTIMATORS, RECORDS, WITH_PARAMS, class_of, tag_of
from skdgm.preprocessing import BernoulliBinarizer, Dequantizer
from skdgm.recurrent._rbm_step import StepMachine
from tests.common.instances import CLASSES, INSTANCES, cases
from tests.common.shapes import having
from tests.common.test_contract import OF_ROWS, Data
from tests.persistence.same import assert_identical

RNG = np.random.default_rng(0)
BITS = RNG.integers(0, 2, (40, 6))
REAL = RNG.normal(size=(40, 3))
RBM = BernoulliRBM(2)


def kept(estimator, folder):
    """What comes back of an estimator, from a file."""
    path = folder / "model.skdgm"
    skdgm.save(estimator, path)
    return skdgm.load(path)


@pytest.mark.parametrize("instance", cases(INSTANCES))
def test_everything_comes_back(instance, tmp_path):
    estimator = having(clone(instance), n_iter=1)
    assert_identical(estimator, kept(estimator, tmp_path))
    data = Data(estimator)
    estimator.fit(data.X, **data.y())
    other = kept(estimator, tmp_path)
    assert_identical(estimator, other)
    assert_identical(estimator.get_params(), other.get_params())
    untrusted = io.get_untrusted_types(data=io.dumps(estimator))
    assert set(untrusted) <= set(TRUSTED_TYPES)
    for found in (estimator, other):
        found.partial_fit(data.X, **data.y())
    assert_identical(estimator, other)


@pytest.mark.release(default=["BernoulliRBM", "VAE", "NADE", "DBN-"])
@pytest.mark.parametrize("instance", cases(CLASSES))
def test_it_answers_and_goes_on_alike(instance, tmp_path):
    estimator = having(clone(instance), n_iter=1)
    data = Data(estimator)
    estimator.set_params(warm_start=True, random_state=np.random.RandomState(3))
    estimator.fit(data.X, **data.y())
    other = kept(estimator, tmp_path)
    for name in {*OF_ROWS, "transform"}:
        if hasattr(estimator, name):
            X = data.X if name == "importance_likelihood" else data.holed
            found = [getattr(e, name)(X) for e in (estimator, other)]
            assert_identical(*map(list, found), name)
    assert_identical(*(e.sample(4, random_state=1) for e in (estimator, other)))
    found = [
        e.impute(data.holed, method="sample", random_state=0)
        for e in (estimator, other)
    ]
    assert_identical(*found)
    for e in (estimator, other):
        e.fit(data.X, **data.y())
    assert_identical(estimator, other)


@pytest.mark.parametrize(
    "classes",
    [
        np.array(["a", "bc"]),
        np.array(["a", "bc"], dtype=object),
        np.array([3, 7]),
        np.array([3, 7], dtype=np.uint8),
        np.array([False, True]),
        np.array([-1.0, 2.0]),
    ],
    ids=lambda classes: str(classes.dtype),
)
def test_labels_keep_their_type(classes, tmp_path):
    for estimator in (
        RBMClassifier(2, n_iter=1, random_state=0),
        DBNClassifier((2,), pretrain=Pretraining(n_iter=1), n_iter=1, random_state=0),
    ):
        X = BITS.astype(np.float64)
        other = kept(estimator.fit(X, classes[BITS[:, 0]]), tmp_path)
        assert_identical(estimator, other)
        assert_identical(estimator.predict(BITS), other.predict(BITS))


def test_several_labels_and_targets(tmp_path):
    for estimator, y in (
        (
            DBNClassifier(
                (2,), pretrain=Pretraining(n_iter=1), n_iter=1, random_state=0
            ),
            BITS[:, :3],
        ),
        (
            DBNRegressor(
                (2,), pretrain=Pretraining(n_iter=1), n_iter=1, random_state=0
            ),
            REAL,
        ),
    ):
        estimator.fit(1.0 * BITS if is_classifier(estimator) else REAL, y)
        assert_identical(estimator, kept(estimator, tmp_path))


@pytest.mark.exhaustive
def test_tables_of_several_kinds(tmp_path):
    frame = pd.DataFrame(
        {
            "real": REAL[:, 0],
            "whole": pd.array([3, None] * 20, dtype="Int16"),
            "bit": BITS[:, 0] > 0,
            "maybe": pd.array([True, None, False, True] * 10, dtype="boolean"),
            "word": np.where(BITS[:, 1], "yes", "no"),
            "object": pd.Series(["x", 2, None, 2.5] * 10, dtype=object),
            "text": pd.array(["p", None] * 20, dtype="string"),
            "size": pd.Categorical(["s", "l"] * 20, ["s", "m", "l"], ordered=True),
            "range": pd.cut(REAL[:, 1], 3),
            "number": pd.Categorical(BITS[:, 3] + 4),
            "sparse": pd.arrays.SparseArray(BITS[:, 2] * REAL[:, 2], fill_value=0.0),
            "small": REAL[:, 2].astype(np.float32),
        }
    )
    nade = NADE(2, column_types="mixed", n_iter=1, n_draws=2, random_state=0)
    nade.fit(frame)
    other = kept(nade, tmp_path)
    assert_identical(nade, other)
    samples = [e.sample(9, random_state=0) for e in (nade, other)]
    pd.testing.assert_frame_equal(*samples)
    pd.testing.assert_frame_equal(nade.impute(frame), other.impute(frame))
    for columns in (
        range(12),
        pd.Index(range(12), name="n"),
        pd.CategoricalIndex(list("abcdefghijkl"), name="c"),
        pd.Index([2.5, *range(11)], dtype=object),
    ):
        nade.fit(frame.set_axis(columns, axis=1))
        assert_identical(nade, kept(nade, tmp_path))
    odd = pd.MultiIndex.from_product([["a"], range(12)])
    with pytest.raises(UnsavableError, match=r"NADE\._columns\.codec\.columns is a pa"):
        kept(nade.fit(frame.set_axis(odd, axis=1)), tmp_path)


def test_tables_under_constraints(tmp_path):
    frame = pd.DataFrame({"low": REAL[:, 0], "high": REAL[:, 0] + abs(REAL[:, 1])})
    frame["part"], frame["id"] = abs(REAL[:, 2]), range(40)
    frame["total"] = 2 * frame["part"]
    frame["word"], frame["bit"] = np.where(BITS[:, 1], "yes", "no"), BITS[:, 1] > 0
    constraints = (
        Inequality("low", "high"),
        Sum("total", ["part"], within=True),
        FixedCombinations(["word", "bit"]),
        Range("part", 0),
        Unique("id", numbered=True),
    )
    model = NADE(2, column_types="mixed", n_iter=1, n_draws=2)
    table = ConstrainedTable(model, constraints, random_state=0).fit(frame)
    other = kept(table, tmp_path)
    assert_identical(table, other)
    samples = [own.sample(9, random_state=0) for own in (table, other)]
    pd.testing.assert_frame_equal(*samples)
    frame["square"] = frame["part"] ** 2
    frame["sign"] = np.where(frame["low"] > 0, "high", "low")
    constraints = (
        Product("square", ["part", "part"]),
        Linear("total", ["part"], [2]),
        Function("sign", "low"),
    )
    table = ConstrainedTable(model, constraints, random_state=0).fit(frame)
    assert_identical(table, kept(table, tmp_path))
    table.set_params(constraints=[Rule(len)])
    with pytest.raises(UnsavableError, match=r"constraints\[0\] is a .*Rule"):
        kept(table, tmp_path)


def test_times_and_columns_of_arrow(tmp_path):
    days = pd.Series(pd.date_range("2020-01-01", periods=40, freq="37h"))
    frame = pd.DataFrame(
        {
            "day": days,
            "zone": days.dt.tz_localize("Europe/Rome"),
            "month": pd.PeriodIndex.from_ordinals(np.arange(40) * 3, freq="M"),
            "week": pd.PeriodIndex.from_ordinals(np.arange(40), freq="W-TUE"),
            "duration": days - days[0],
            "date": days.dt.date,
        }
    )
    try:
        arrow = {"a": "int64[pyarrow]", "b": "timestamp[us, tz=UTC][pyarrow]"}
        frame = frame.assign(a=np.arange(40), b=days).astype(arrow)
    except ImportError:
        pass
    nade = NADE(2, column_types="mixed", n_iter=0, random_state=0).fit(frame)
    other = kept(nade, tmp_path)
    samples = [e.sample(9, random_state=0) for e in (nade, other)]
    pd.testing.assert_frame_equal(*samples)
    assert_identical(nade, other)


TIMES = [
    pd.Timestamp("2020-02-29 12:30:00.123456789"),
    pd.Timestamp("1700-01-01").as_unit("s"),
    pd.Timestamp("2020-10-25 01:30", tz="UTC").tz_convert("Europe/Rome"),
    pd.Timestamp("2020-10-25 02:30", tz="UTC"),
    pd.Timestamp("2020-10-25 02:30", tz=timezone(timedelta(hours=-3))),
    pd.Timedelta(-3, "ms"),
    pd.Period("2020-03", "M"),
    pd.Period("2020-03-05", "W-TUE"),
    pd.NaT,
    pd.NA,
    np.datetime64("2020-01-01T12"),
    np.timedelta64(7, "D"),
    date(2020, 2, 29),
    time(12, 30),
    datetime(2020, 2, 29, 12, 30, 0, 5),
    datetime(2020, 2, 29, tzinfo=UTC),
    timedelta(-3, 5, 7),
]


def test_times(tmp_path):
    rbm = BernoulliRBM(gradient=PCD(n_steps=TIMES))
    assert_identical(rbm, kept(rbm, tmp_path))
    odd = datetime(2020, 2, 29, tzinfo=ZoneInfo("Europe/Rome"))
    with pytest.raises(UnsavableError, match="n_steps is a datetime.datetime"):
        kept(BernoulliRBM(gradient=PCD(n_steps=odd)), tmp_path)


@pytest.mark.parametrize("zone", [None, "Europe/Rome"])
def test_ranges_of_dates(zone, tmp_path):
    days = pd.date_range("2020-01-01", periods=40, freq="37h", tz=zone)
    frame = pd.DataFrame({"t": days, "x": REAL[:, 0]})
    model = NADE(2, column_types="mixed", n_iter=1, n_draws=2)
    ends = pd.Timestamp("2019-12-31", tz=zone), pd.Timestamp("2020-05-01", tz=zone)
    table = ConstrainedTable(model, [Range("t", *ends)], random_state=0).fit(frame)
    other = kept(table, tmp_path)
    assert_identical(table, other)
    samples = [own.sample(9, random_state=0) for own in (table, other)]
    pd.testing.assert_frame_equal(*samples)


def test_closed_forms(tmp_path):
    # No instance of the common tests, as learning goes by no updates.
    fvbn = FVBN(column_types="gaussian").fit(REAL)
    other = kept(fvbn, tmp_path)
    assert_identical(fvbn, other)
    assert set(io.get_untrusted_types(data=io.dumps(fvbn))) <= set(TRUSTED_TYPES)
    assert_identical(*(e.partial_fit(REAL[:9]) for e in (fvbn, other)))


def test_names_of_columns(tmp_path):
    frame = pd.DataFrame(BITS, columns=list("abcdef"))
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).set_output(transform="pandas")
    other = kept(rbm.fit(frame), tmp_path)
    assert_identical(rbm.feature_names_in_, other.feature_names_in_)
    pd.testing.assert_frame_equal(rbm.transform(frame), other.transform(frame))


def deep(n_levels):
    """Lists in lists."""
    return [deep(n_levels - 1)] if n_levels else []


def test_values_of_any_type(tmp_path):
    values = {
        "none": None,
        "numbers": [True, 1, -(2**70), 0.1, -0.0, float("nan"), float("-inf")],
        "scalars": (np.float32(0.1), np.float64("nan"), np.int8(-3), np.bool_(True)),
        "more": (np.str_("x\ud800"), np.longdouble(1) / 3, np.datetime64("2020-01-01")),
        "tuple": ((), [], {}, (1, [2, {"a": (3,), 4: "b", (5, 6): None}])),
        "arrays": [np.zeros((0, 3)), np.array(5, np.uint16), np.array(["ä", ""])],
        "orders": [
            np.asfortranarray(REAL),
            REAL.astype(">f4"),
            REAL[::2, ::2],
            BITS > 0,
        ],
        "objects": np.array([["a", None], [1.5, (2, 3)]], dtype=object),
        "deep": deep(90),
        "dtypes": (np.dtype("f4"), np.dtype("O"), np.dtype("<U7")),
        "random": np.random.RandomState(5),
    }
    rbm = BernoulliRBM(gradient=PCD(n_steps=values))
    rbm.note = values["random"]
    values["random"].normal()
    other = kept(rbm, tmp_path)
    assert_identical(rbm, other)
    # What was one object is one.
    assert other.note is other.gradient.n_steps["random"]


@pytest.mark.parametrize("name", sorted(SPARSE))
def test_sparse_masks(name, tmp_path):
    # All pairs of neighbors in a ring.
    ring = np.roll(np.eye(BITS.shape[1], dtype=bool), 1, axis=1)
    edges = getattr(sp, name)(ring | ring.T)
    machine = BoltzmannMachine(edges=edges, n_iter=1, random_state=0).fit(BITS)
    other = kept(machine, tmp_path)
    assert type(other.edges) is type(edges)
    assert other.edges.dtype == edges.dtype
    np.testing.assert_array_equal(other.edges.toarray(), edges.toarray())
    assert_identical(machine.edges_, other.edges_)
    assert_identical(*(m.set_params(edges=None).fit(BITS) for m in (machine, other)))


@pytest.mark.parametrize(
    "estimator",
    [
        DensityOutlierDetector(BernoulliRBM(2, n_iter=1, random_state=0)),
        BernoulliBinarizer(random_state=1),
        BernoulliBinarizer(scheme="threshold"),
        Dequantizer(random_state=1),
        GenerativeImputer(FVBN(n_iter=1), add_indicator=True, random_state=0),
        ConstrainedTable(FVBN(n_iter=1), random_state=0),
        pytest.param(
            DBMClassifier(DBM((4, 3), n_iter=2), n_iter=2, random_state=0),
            marks=pytest.mark.exhaustive,
        ),
    ],
    ids=str,
)
def test_estimators_in_estimators(estimator, tmp_path):
    X = BITS / 2 if isinstance(estimator, BernoulliBinarizer) else BITS
    estimator = clone(estimator)
    if not isinstance(estimator, DBMClassifier):
        estimator.fit(X)
    other = kept(estimator, tmp_path)
    assert_identical(estimator, other)
    refits = [clone(e).fit(BITS, BITS[:, 0]) for e in (estimator, other)]
    assert_identical(*refits)


def test_estimators_that_are_shared(tmp_path):
    shared = BernoulliRBM(3, n_iter=2)
    stack = kept(DBN(layers=[("a", shared), ("b", shared)]), tmp_path)
    assert stack.layers[0][1] is stack.layers[1][1]


def test_every_estimator_is_on_the_list():
    others = {"DensityOutlierDetector", "BernoulliBinarizer", "Dequantizer"}
    public = {name for name in skdgm.__all__ if isinstance(getattr(skdgm, name), type)}
    assert set(ESTIMATORS) == public | others


@pytest.mark.parametrize("known", [WITH_PARAMS, RECORDS])
def test_tags_lead_to_classes_and_back(known):
    for tag in known:
        assert tag_of(class_of(tag, known)) == tag


def test_metadata_requests_come_back(tmp_path):
    with sklearn.config_context(enable_metadata_routing=True):
        rbm = BernoulliRBM(2, random_state=0).set_fit_request(sample_weight="w")
        other = kept(rbm, tmp_path)
        assert str(other.get_metadata_routing()) == str(rbm.get_metadata_routing())
        assert other.get_metadata_routing().fit.requests == {"sample_weight": "w"}


def test_log_Z_is_kept_and_callbacks_are_not(tmp_path):
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(BITS)
    log_Z = rbm.log_Z_
    rbm.set_callbacks()
    other = kept(rbm, tmp_path)
    assert vars(other)["log_Z_"] == log_Z
    assert not hasattr(other, "_skl_callbacks")


def test_what_is_not_kept_is_named(tmp_path):
    class Own(BernoulliRBM):
        """A class of a user's."""

    path = tmp_path / "model.skdgm"
    path.write_text("before")
    loop = []
    loop.append(loop)
    generator = np.random.RandomState(np.random.PCG64(0))
    for value, told in (
        (Own(), r"not objects of .*Own"),
        ("text", r"not objects of builtins\.str"),
        (DBN(layers=[("a", Own())]), r"DBN\.layers\[0\]\[1\] is a .*Own"),
        (
            BernoulliRBM(gradient=PCD(n_steps=test_names_of_columns)),
            "n_steps is a .*function",
        ),
        (
            BernoulliRBM(gradient=PCD(n_steps=np.ma.ones(3))),
            "n_steps is a .*MaskedArray",
        ),
        (
            BernoulliRBM(gradient=PCD(n_steps=np.ones(3, "i4,f8"))),
            "n_steps is an array of",
        ),
        (BernoulliRBM(gradient=PCD(n_steps=loop)), r"n_steps\[0\] contains itself"),
        (
            BernoulliRBM(gradient=PCD(n_steps=deep(300))),
            r"n_steps\[0\].* is nested more than 100 times",
        ),
        (
            BernoulliRBM(random_state=generator),
            "random_state is a RandomState of PCG64",
        ),
    ):
        with pytest.raises(UnsavableError, match=told):
            skdgm.save(value, path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["model.skdgm"]


def test_writing_is_atomic(tmp_path, monkeypatch):
    path, link = tmp_path / "model.skdgm", tmp_path / "link.skdgm"
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(BITS)
    skdgm.save(rbm, str(path))
    before = path.read_bytes()
    skdgm.save(rbm, path)
    assert path.read_bytes() == before, "equal models have equal files"
    link.symlink_to(path)
    skdgm.save(BernoulliRBM(7), link)
    assert link.is_symlink()
    assert skdgm.load(path).n_components == 7

    def fail(*_):
        raise OSError("disk full")

    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        skdgm.save(rbm, path)
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["link.skdgm", "model.skdgm"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o666])
def test_permissions_stay(mode, tmp_path):
    """Of a file that is replaced, also through a link; a new one has the usual."""
    path, link, usual = (tmp_path / name for name in ("model", "link", "usual"))
    usual.touch()
    skdgm.save(RBM, path)
    assert path.stat().st_mode == usual.stat().st_mode
    path.chmod(mode)
    link.symlink_to(path)
    skdgm.save(RBM, link)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert link.is_symlink()


def test_legal_names_are_names(tmp_path):
    for name in ("m" * 255, "ü" * 127, "[a]*?", "-", "a\nb"):
        skdgm.save(RBM, tmp_path / name)
        assert os.listdir(tmp_path) == [name]
        os.unlink(tmp_path / name)
    for name, error in (("m" * 256, "too long"), (".", "a folder of that name")):
        with pytest.raises(OSError, match=error):
            skdgm.save(RBM, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_thread_may_load_while_another_saves(tmp_path):
    path = tmp_path / "model.skdgm"
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(BITS)
    skdgm.save(rbm, path)
    found = []

    def read():
        found.extend(skdgm.load(path) for _ in range(30))

    reader = threading.Thread(target=read)
    reader.start()
    while reader.is_alive():
        skdgm.save(rbm, path)
    reader.join()
    assert len(found) == 30


def has_row(array, rows):
    """Whether an array has one of the rows along its last axis, or along its first."""
    n, squares = rows.shape[1], np.square(rows).sum(axis=1)
    for part in (array, np.moveaxis(array, 0, -1)):
        if part.shape[-1] >= n:
            found = sliding_window_view(part, n, axis=-1).reshape(-1, n)
            gaps = np.square(found).sum(axis=1)[:, None] - 2 * found @ rows.T + squares
            if gaps.min() < 1e-6:
                return True
    return False


@pytest.mark.parametrize("instance", cases(CLASSES))
def test_no_row_of_the_training_data_is_kept(instance):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (30, 40)) * 1.0
    X = rng.normal(size=X.shape) if Data(instance).real else X
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    assert has_row(np.vstack([np.zeros((2, 40)), X[3]]), X)
    assert has_row(X.T.reshape(4, 10, 30), X) is False
    for n_iter in (0, 2):
        estimator = having(clone(instance), n_iter=n_iter)
        estimator.fit(X, **({"y": np.arange(30) % 2} if Data(instance).given else {}))
        encoder = Encoder()
        encoder.node(estimator, "")
        for array in encoder.arrays:
            if array.dtype.kind in "fiub" and array.ndim:
                values = array.astype(float)
                assert not has_row(values, X)
                assert not has_row(values, standard)


def test_a_file_of_each_format_is_read():
    """An RBMClassifier of four rows, as format 4 keeps it."""
    rbm = skdgm.load(Path(__file__).parent / "files" / "format_4.skdgm")
    assert rbm.n_components == 3
    assert rbm.predict(np.eye(4)).tolist() == list("aabb")
    assert_identical(rbm.gradient.get_params(), PCD(n_chains=40).get_params())
    found = rbm.score_samples(np.eye(4))
    known = [-2.142292, -2.173571, -2.302864, -2.381630]
    np.testing.assert_allclose(found, known, rtol=1e-5)


def test_renamed_fields_of_older_files_are_read():
    fields = {name: {"tuple": []} for name in GameState._fields}
    fields["told"] = fields.pop("head_information")
    state = Decoder(None, 0).value({"record": "GameState", "fields": fields})
    assert state == GameState(*[()] * 7)


def test_older_names_of_attributes_and_values_are_read():
    decoder = Decoder(None, 0)
    names = {"n_colours": 2, "_grey": True, "penalty": "one-centred", "other": "grey"}
    known = {"n_colors": 2, "_gray": True, "penalty": "one-centered", "other": "grey"}
    assert vars(decoder.value({"namespace": names})) == known
    fields = dict.fromkeys(StepMachine._fields[:2]) | {"centre": 1.0}
    machine = {"record": "recurrent.Machine", "fields": fields}
    assert decoder.value(machine) == StepMachine(None, None, 1.0)
    belief = BeliefObjective(normalize_signal=False)
    attributes = vars(belief) | {"normalise_signal": False}
    del attributes["normalize_signal"]
    node = {"estimator": "options.BeliefObjective", "id": 0, "attributes": attributes}
    assert decoder.value(node).get_params() == belief.get_params()
    attributes = dict.fromkeys(vars(Flow())) | {"layer": "affine"}
    del attributes["layer_type"]
    node = {"estimator": "Flow", "id": 1, "attributes": attributes}
    assert decoder.value(node).layer_type == "affine"


def test_numbers_of_all_types_keep_their_type():
    kinds = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
    assert SCALARS.keys() == {*kinds, "float16", "float32", "float64", "bool", "str"}


def test_posteriors_with_former_names_of_fields():
    path = Path(__file__).parent / "files" / "abc_before_names.skdgm"
    abc = skdgm.load(path).set_params(priors=norm())
    log_p = abc.log_prob([[0.3], [-2.0]])
    assert np.isfinite(log_p[0])
    assert log_p[1] == -np.inf
    assert abc.sample(3, random_state=0).shape == (3, 1)
