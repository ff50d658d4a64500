"""What options are: checked at every call, of any number's type, and what a fitted
model has learned, whatever they are set to afterwards."""

import inspect
import warnings
from copy import copy
from numbers import Integral, Real

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import get_tags
from sklearn.utils._param_validation import Interval, StrOptions

from skdgm import (
    DBM,
    DBN,
    BernoulliRBM,
    GaussianRBM,
    GenerativeDBNClassifier,
    RBMClassifier,
)
from skdgm.base.groups import asked_value, assign
from skdgm.base.options import allowed
from tests.common.instances import CLASSES, ESTIMATORS, KINDS, cases, name_of
from tests.common.shapes import having, having_option, learned
from tests.common.test_contract import BITS, HOLES, REAL, Data, takes_reals
from tests.options import details_of

# Those that say how to answer, and are documented as such.
LIVE = {"feature_layer", "inference_steps", "inference_tol", "n_draws", "n_orderings"}
# How y is read, and others of one family.
LIVE |= {"unlabeled", "n_betas", "code_noise"}
LIVE |= {"sampler", "n_resamplings", "guidance", "likelihood"}

of_kinds = pytest.mark.parametrize("instance", cases(KINDS))
of_classes = pytest.mark.parametrize("instance", cases(CLASSES))


def constraints(estimator):
    """Constraints of options and then of their details, by full name: those of a
    machine that describes one."""
    params = estimator.get_params(deep=False)
    own = {name: estimator._parameter_constraints[name] for name in params}
    hints = {name: estimator._DETAILS[name].hint for name in details_of(estimator)}
    own |= {name: allowed(hint) for name, hint in hints.items()}
    if own.pop("dbm", None) is None:
        return own
    return own | {f"dbm__{k}": v for k, v in constraints(estimator.dbm).items()}


def last(name):
    """An option's name without that of the machine which has it."""
    return name.rsplit("__")[-1]


def owner(estimator, name):
    """The machine that has an option."""
    return estimator.dbm if name.startswith("dbm__") else estimator


def put(estimator, **values):
    """Set options, and details of them, by full name; the estimator."""
    for name, value in values.items():
        assign(owner(estimator, name), **{last(name): value})
    return estimator


def present(estimator):
    """Values of options and of details, by full name."""
    names = constraints(estimator)
    return {name: asked_value(owner(estimator, name), last(name)) for name in names}


def fitted(instance):
    """A fitted estimator, and its data."""
    estimator = having(clone(instance), n_iter=1, early_stopping=False, pretrain_iter=1)
    data = Data(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(data.X, **data.y()), data


def whole_numbers(kind):
    """Pairs of a public method of a class, and of an argument that is a count."""
    methods = inspect.getmembers(kind, inspect.isfunction)
    return [
        (method, name)
        for method, function in methods
        for name, argument in inspect.signature(function).parameters.items()
        if method[0] != "_" and argument.annotation in (int, int | None)
    ]


COUNTING = [one for one in CLASSES if whole_numbers(type(one))]


@pytest.mark.parametrize("instance", cases(COUNTING))
def test_counts_beyond_a_machine_word_are_named_by_methods(instance):
    estimator, data = fitted(instance)
    required = {"X": data.X[:4], "given": {0: data.X[0, 0]}, "n_steps": 2}
    for method, name in whole_numbers(type(instance)):
        if not hasattr(estimator, method):
            continue
        function = getattr(estimator, method)
        parameters = inspect.signature(function).parameters
        empty = {
            key
            for key in parameters
            if parameters[key].default is inspect.Parameter.empty
        }
        given = {key: required[key] for key in empty - {name, "y"}}
        if "y" in parameters and method != "sample":
            given |= data.y(slice(4))
        for value in (2**63, 10**400, -(10**5000)):
            named = pytest.raises((TypeError, ValueError), match=name)
            with named as caught:
                function(**given, **{name: value})
            assert len(str(caught.value)) < 400


def answers(estimator, data):
    """All that a fitted model says of data."""
    X = data.X[:9]
    holed = np.where(HOLES[:9], np.nan, X)
    found = {
        "score_samples": estimator.score_samples(holed),
        "transform": estimator.transform(holed),
        "sample": estimator.sample(3, random_state=0),
        "impute": estimator.impute(holed),
    }
    for name in "predict", "predict_proba":
        if hasattr(estimator, name):
            found[name] = getattr(estimator, name)(holed)
    return found


def assert_equal(a, b, name=""):
    assert a.keys() == b.keys()
    for key in a:
        np.testing.assert_array_equal(a[key], b[key], err_msg=f"{key} {name}")


def other(constraints, value):
    """Another valid value of an option."""
    for wanted in constraints:
        if isinstance(wanted, StrOptions) and wanted.options - {value}:
            return sorted(wanted.options - {value})[0]
        if isinstance(wanted, str) and wanted == "boolean":
            return not value
        if isinstance(wanted, Interval) and isinstance(value, Real):
            low = wanted.left or 0
            if wanted.type is Integral:
                return value + 1
            return low + 0.5 * (value - low) if value > low else low + 0.5
        if wanted is None and value is not None:
            return None
        if wanted is tuple and isinstance(value, tuple):
            return value[::-1]
    return value


@of_kinds
def test_a_fitted_model_answers_by_what_it_learned(instance):
    estimator, data = fitted(instance)
    before, own = answers(estimator, data), present(estimator)
    wanted, kept = constraints(estimator), estimator.get_params()
    names = [name for name in wanted if last(name) not in LIVE]
    # Steps of reconstruction and of diffusions are live, those of chains in training
    # are not.
    if own.keys() & {"n_orderings", "sampler"}:
        names = [name for name in names if name != "n_steps"]
    values = {name: other(wanted[name], own[name]) for name in names}
    arguments = [name for name in names if name in kept]
    kept = {name: kept[name] for name in wanted if name in kept}
    for given in (values, dict.fromkeys(arguments, object())):
        put(estimator, **given)
        try:
            after = answers(estimator, data)
            assert_equal(after, before)
        except Exception:
            # Of which one it is.
            estimator.set_params(**kept)
            for name in given:
                put(estimator, **{name: given[name]})
                assert_equal(answers(estimator, data), before, name)
                estimator.set_params(**kept)
            raise


@of_classes
def test_options_are_checked_whenever_an_estimator_learns(instance):
    estimator, data = fitted(instance)
    before = learned(estimator)
    wrong = {
        "learning_rate": -1,
        "gradient": "bogus",
        "solver": "bogus",
        "l1_ratio": -1,
        "alpha": -1,
        "batch_size": 0,
        "tol": -1,
    }
    params, n_checked = estimator.get_params(), 0
    own = {name: params[name] for name in constraints(estimator) if name in params}
    for name in constraints(estimator):
        if last(name) not in wrong:
            continue
        put(estimator, **{name: wrong[last(name)]})
        with pytest.raises(ValueError, match=last(name)):
            estimator.partial_fit(data.X, **data.y())
        estimator.set_params(**own)
        n_checked += 1
    assert n_checked >= 3
    assert_equal(learned(estimator), before)


def integers(estimator):
    """The options that are whole numbers, by name, as constraints say."""
    found, values = {}, present(estimator)
    for name, wanted in constraints(estimator).items():
        value = values[name]
        whole = any(
            c is Integral or (isinstance(c, Interval) and c.type is Integral)
            for c in wanted
        )
        if whole and wanted != ["verbose"] and wanted != ["random_state"]:
            found[name] = value
    return found


def in_type(value, dtype):
    """The same whole numbers of another type, where it has them."""
    if isinstance(value, tuple):
        return tuple(in_type(part, dtype) for part in value)
    if isinstance(value, int) and not isinstance(value, bool):
        held = np.iinfo(dtype)
        return dtype(value) if held.min <= value <= held.max else value
    return value


@pytest.mark.release(default=["RBM-", "VAE-", "GAN-", "FVBN", "Classifier"])
@of_classes
def test_numbers_of_any_type_do_the_same(instance):
    plain, data = fitted(instance)
    own, before = integers(plain), learned(plain)
    expected = answers(plain, data)
    for dtype in (np.uint8, np.int8, np.uint64, np.int64):
        given = {name: in_type(value, dtype) for name, value in own.items()}
        estimator = put(clone(plain), **given, random_state=dtype(0))
        kept = estimator.get_params()
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            estimator.fit(data.X, **data.y())
            clone(estimator)
        now = estimator.get_params()
        assert all(now[name] is kept[name] for name in kept)
        assert_equal(learned(estimator), before, dtype)
        assert_equal(answers(estimator, data), expected, dtype)


@pytest.mark.exhaustive(default=["VAE", "RBMClassifier", "Flow"])
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_true_is_no_number(cls):
    estimator = cls()
    if hasattr(estimator, "dbm"):
        estimator.set_params(dbm=DBM())
    data, own = Data(estimator), integers(estimator)
    assert own
    for name in own:
        for value in (True, np.True_, (True,)):
            if isinstance(value, tuple) and tuple not in constraints(estimator)[name]:
                continue
            broken = put(clone(estimator), **{name: value})
            fields = details_of(owner(estimator, name)).get(last(name), (last(name),))
            with pytest.raises(ValueError, match=fields[-1]):
                broken.fit(data.X, **data.y())


@of_classes
def test_numbers_of_rows_are_checked(instance):
    estimator, _ = fitted(instance)
    with pytest.raises(TypeError, match="n_samples must be an instance of int"):
        estimator.sample(True)
    for many in (10**30, 10**15):
        with pytest.raises(ValueError, match=f"n_samples={many}"):
            estimator.sample(many)
    with pytest.raises(ValueError, match="n_samples == 0"):
        estimator.sample(0)
    assert len(estimator.sample(np.uint8(3), random_state=0)) == 3


@pytest.mark.release(default=["RBM-", "VAE-", "GAN-", "FVBN", "Classifier"])
@of_kinds
def test_copies_learn_apart(instance):
    estimator, data = fitted(instance)
    other, before = copy(estimator), answers(estimator, data)
    states = learned(estimator)
    other.partial_fit(data.X[:40], **data.y(slice(40)))
    other.set_params(warm_start=True).fit(data.X[:40], **data.y(slice(40)))
    assert_equal(learned(estimator), states)
    assert_equal(answers(estimator, data), before)


OF_REALS = [one for one in KINDS if takes_reals(one)]


@pytest.mark.exhaustive(default=["GaussianRBM-0", "RNADE-0", "Flow-0", "Regressor-0"])
@pytest.mark.parametrize("instance", OF_REALS, ids=name_of)
def test_sums_beyond_all_numbers_are_named(instance):
    estimator = having(clone(instance), n_iter=1)
    data = Data(estimator)
    X = data.X.copy()
    X[:, 3] = np.where(np.arange(len(X)) % 2, 1e308, -1e308)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(ValueError, match=r"columns \[3\] are too large"):
            estimator.fit(X, **data.y())
    if data.numbers:
        named = pytest.raises(ValueError, match=r"y, in columns \[0\] are too large")
        with named, np.errstate(all="ignore"):
            estimator.fit(data.X, X[:, 3])


def test_subclasses_may_have_options_of_their_own():
    class Extended(BernoulliRBM):
        def __init__(self, n_components=3, *, extra=True, n_iter=1):
            super().__init__(n_components, n_iter=n_iter)
            self.extra = extra

    assert Extended().fit(BITS).score_samples(BITS).shape == (len(BITS),)


def test_machines_that_are_fitted_are_given_for_their_options():
    machine = GaussianRBM(3, n_iter=1).fit(REAL)
    assert not get_tags(DBN(layers=[("bottom", machine)])).input_tags.positive_only
    labeled = RBMClassifier(3, n_iter=1).fit(BITS, np.arange(len(BITS)) % 2)
    labeled.set_params(column_types="gaussian", objective="generative")
    clf = GenerativeDBNClassifier(layers=[("top", labeled)])
    assert clf.fit(REAL, np.arange(len(REAL)) % 2).n_features_in_ == REAL.shape[1]


IMAGES = [one for one in KINDS if having_option(one, "image_shape")]


@pytest.mark.parametrize("instance", cases(IMAGES))
def test_shapes_of_images_may_be_lists(instance):
    estimator = having(clone(instance), n_iter=1, early_stopping=False, pretrain_iter=1)
    data, found = Data(estimator), []
    shape = asked_value(estimator, "image_shape") or (5, data.X.shape[1] // 5)
    for kind in tuple, list:
        given = assign(clone(estimator), image_shape=kind(shape))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given.fit(data.X, **data.y())
        found.append(answers(given, data))
    assert_equal(*found)
