"""What every model promises, whatever its family: the base test case of the role.

An estimator of the common tests with a model is a case of it; what its model refuses is
added to ``REFUSED``.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone

import skdgm
from skdgm.base import Density, Model
from skdgm.base.model import options_read
from skdgm.stacks import StackedNetwork, TunedNetwork
from skdgm.training import Objective
from skdgm.utils.tree import leaves
from tests.common.instances import INSTANCES, cases
from tests.common.shapes import brief
from tests.same_results import data

# The first instance of each class.
CASES = {
    type(instance).__name__: instance
    for instance in reversed(INSTANCES)
    if instance._MODEL is not None
}
REFUSED = [
    ("VAE", {"n_components": ()}, "n_components must have at least one"),
    ("VAE", {"hidden_layer_sizes": ((3,), (4,))}, "one tuple for each"),
    ("VAE", {"hidden_layer_sizes": (0,)}, "hidden_layer_sizes"),
    ("HelmholtzMachine", {"hidden_layer_sizes": ()}, "at least one number"),
    ("BidirectionalHelmholtzMachine", {"feature_layer": 9}, "feature_layer"),
    (
        "SigmoidBeliefNetwork",
        {"recognition_autoregressive": True, "objective": "disarm"},
        "needs independent bits",
    ),
    (
        "SigmoidBeliefNetwork",
        {"autoregressive": "nade", "objective": "concrete"},
        "does not support autoregressive='nade'",
    ),
    ("GeneratorNet", {"hidden_layer_sizes": (0,)}, "hidden_layer_sizes"),
    (
        "GeneratorNet",
        {"architecture": "conv", "conv_layer_sizes": ()},
        "a number of maps",
    ),
    ("GAN", {"hidden_layer_sizes": (0,)}, "hidden_layer_sizes"),
    ("GAN", {"minibatch_kernels": 2, "gradient_penalty": 0.1}, "gradient_penalty=0"),
    ("InfoGAN", {"n_categories": (1,)}, "at least 2"),
    ("BiGAN", {"encoder_layer_sizes": (0,)}, "encoder_layer_sizes"),
    ("LAPGAN", {"batch_norm": True, "batch_size": 1}, "batch_size"),
    ("StackGAN", {"discriminator_layer_sizes": (0,)}, "discriminator__layer_sizes"),
    ("GANClassifier", {"discriminator_noise": (1,)}, "discriminator__noise"),
    ("GMMN", {"bandwidths": (0.0,)}, "bandwidths must be positive"),
    ("FVBN", {"alpha": (0.1, -1.0)}, "alpha"),
    ("NADE", {"ordering": (0, 0)}, "ordering"),
    ("MADE", {"hidden_layer_sizes": (0,)}, "hidden_layer_sizes"),
    (
        "EoNADE",
        {"missing_pattern": "model", "column_types": "bernoulli"},
        "missing_pattern",
    ),
]


@pytest.fixture(scope="module", params=cases(CASES.values(), CASES))
def fitted(request):
    """A fitted estimator, its rows and targets."""
    estimator = brief(clone(request.param), 1)
    X, y = data(estimator)
    X = X.astype(np.float64)
    return estimator.fit(X, y), X, y


@pytest.mark.parametrize("name", CASES)
def test_estimators_have_the_options_that_their_model_reads(name):
    estimator = CASES[name]
    assert options_read(estimator._MODEL) <= vars(estimator._current_options()).keys()


def test_models_declare_the_options_that_they_read():
    assert {"n_bins", "learning_rate", "tol"} < options_read(skdgm.Flow._MODEL)


def parts_of(estimator):
    """Model of a fitted estimator, facts and state."""
    facts = estimator._facts(estimator._learned)
    return estimator._MODEL, facts, estimator._state()


def assert_same(a, b):
    for one, other in zip(leaves(a), leaves(b), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def shape_of(value):
    """Shape and type of an array, or of each of several."""
    if isinstance(value, list | tuple):
        return [shape_of(part) for part in value]
    return np.shape(value), np.asarray(value).dtype


def test_the_role_is_filled(fitted):
    model = fitted[0]._MODEL
    assert isinstance(model, Model)
    assert not type(model).__abstractmethods__


def test_attributes_and_state_are_inverse(fitted):
    model, facts, state = parts_of(fitted[0])
    attributes = model.attributes(facts, state)
    assert set(attributes) <= set(vars(fitted[0]))
    again = model.state(facts, attributes)
    assert type(again) is type(state)
    assert_same(again, state)


def test_a_structure_has_names_that_users_know_and_is_kept(fitted, tmp_path):
    estimator, _, _ = fitted
    asked = estimator._facts().structure
    assert isinstance(asked, SimpleNamespace)
    # Sizes that follow from the columns have names of attributes.
    attributes = {name.rstrip("s_") for name in vars(estimator)}
    assert set(vars(asked)) <= set(vars(estimator._options)) | attributes
    skdgm.save(estimator, tmp_path / "model.skdgm")
    loaded = skdgm.load(tmp_path / "model.skdgm")
    assert vars(loaded._learned).keys() == vars(asked).keys()
    loaded._check_unchanged()


def test_options_of_a_fit_are_not_refused(fitted):
    fitted[0]._MODEL.check(fitted[0]._options)


@pytest.mark.parametrize("name, options, message", REFUSED)
def test_options_are_refused(name, options, message):
    case = clone(CASES[name])
    given = vars(case._current_options()) | options
    with pytest.raises(ValueError, match=message):
        case._MODEL.check(SimpleNamespace(**given))


def test_a_density_is_that_of_a_state(fitted):
    estimator, X, _ = fitted
    model, facts, state = parts_of(estimator)
    density = model.density(facts, state)
    assert isinstance(density, Density)
    found = density.log_prob(X[:9])
    np.testing.assert_array_equal(found, estimator.score_samples(X[:9]))
    assert density.features(X[:9]).shape == (9, estimator._n_features_out)


def test_an_objective_begins_with_all_attributes(fitted):
    estimator, X, y = fitted
    if isinstance(estimator, StackedNetwork | TunedNetwork):
        # A stack has stages, each with an objective.
        return
    model, facts, state = parts_of(estimator)
    table = estimator._begin(X, y, None, fresh=False)
    # A machine that pre-trains its layers tells the estimator of them.
    objective = estimator._objective(table, 0)
    assert isinstance(objective, Objective)
    parts = state, objective.start()
    expected, found = (model.attributes(facts, part) for part in parts)
    assert found.keys() == expected.keys()
    for name in found:
        if name.endswith("_"):
            shapes = (shape_of(part[name]) for part in (found, expected))
            assert next(shapes) == next(shapes), name
