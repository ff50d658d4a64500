"""One name for one thing, as doc/api_conventions.rst has it."""

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest
from sklearn.neural_network import BernoulliRBM as ScikitRBM

import skdgm
from skdgm import options
from skdgm.base.groups import OptionGroup
from tests.common.instances import PUBLIC

PAGE = Path(__file__).parents[1] / "doc" / "api_conventions.rst"


def names(section):
    """The names in the first column of a section's table."""
    parts = re.split(r"^(.+)\n-{5,}$", PAGE.read_text(), flags=re.M)
    text = parts[parts.index(section) + 1]
    cells = re.findall(r"^   \* - (.*)$", text, flags=re.M)
    return {name for cell in cells for name in re.findall(r"``([^`]+)``", cell)}


def parameters(cls):
    """The parameters of an estimator."""
    return inspect.signature(cls).parameters


def constraints(name):
    """For each estimator that has a parameter, the types of value that it takes."""
    found = {}
    for cls in PUBLIC:
        if name in parameters(cls):
            allowed = cls._parameter_constraints[name]
            found[cls.__name__] = allowed if isinstance(allowed, list) else [allowed]
    return found


TABLE = names("Parameters of estimators")


@pytest.mark.parametrize("cls", PUBLIC)
def test_every_parameter_is_in_the_table(cls):
    assert set(parameters(cls)) <= TABLE


def test_no_name_of_the_table_is_unused():
    used = {name for cls in PUBLIC for name in parameters(cls)}
    assert used >= TABLE


def test_details_of_options_are_as_in_the_table():
    groups = [getattr(options, name) for name in options.__all__]
    details = {name for group in groups for name in group().get_params(deep=False)}
    assert names("Details of options") == details


def test_names_that_were_given_up_are_gone():
    gone = {"max_iter", "learning_rate_init", "init", "visible", "output", "decoder"}
    # Methods have a layer by its number.
    gone |= {"layer"}
    for cls in PUBLIC:
        assert not gone & set(parameters(cls))


def methods(cls):
    """The public methods of a class that are of skdgm."""
    members = inspect.getmembers(cls, inspect.isroutine)
    return {
        name: method
        for name, method in members
        if not name.startswith("_") and getattr(method, "__module__", "")[:5] == "skdgm"
    }


def test_methods_of_several_classes_are_in_the_table():
    table = names("Methods")
    counts = Counter(name for cls in PUBLIC for name in methods(cls))
    theirs = {"set_params", "get_params", "fit_transform"}
    theirs |= {"get_feature_names_out", "get_metadata_routing"}
    assert {name for name, n in counts.items() if n > 1} - theirs <= table
    assert table <= counts.keys()


def test_parameters_of_methods_in_the_table_are_used():
    taken = {
        name
        for cls in PUBLIC
        for method in methods(cls).values()
        for name in inspect.signature(method).parameters
    }
    distributed = set(inspect.signature(skdgm.dask.fit).parameters)
    assert names("Parameters of methods") <= taken | distributed


@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_name_takes_one_type_of_value_everywhere(name):
    # Options are numbers, choices or both ("auto", None); what differs is their range.
    kinds = {cls: {_sort(own) for own in got} for cls, got in constraints(name).items()}
    assert set.intersection(*kinds.values()), kinds


def _sort(constraint):
    """A word for the type of value that a constraint admits."""
    if isinstance(constraint, type) and issubclass(constraint, OptionGroup):
        # It stands for a text.
        return "string"
    if constraint is None or isinstance(constraint, str | type):
        return str(constraint)
    if hasattr(constraint, "options"):
        return "string"
    # Of objects, the methods that they have; of others, a class of scikit-learn's.
    return str(getattr(constraint, "type", None) or constraint)


def test_weight_decay_of_nets_and_of_machines_have_two_names():
    for cls in PUBLIC:
        assert not {"alpha", "penalty"} <= set(parameters(cls))


def test_parameters_of_scikit_learn_have_its_names():
    assert set(parameters(ScikitRBM)) <= set(parameters(skdgm.BernoulliRBM))


def test_attributes_are_as_in_the_table():
    for name in names("Attributes of fitted estimators"):
        # An attribute that only some models have is documented where it is.
        assert any(name in (cls.__doc__ or "") for cls in PUBLIC), name
