"""Every group of options that estimators take: kept, copied, set, and checked."""

import inspect
import pickle
from statistics import median

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid
from sklearn.utils._param_validation import (
    InvalidParameterError,
    StrOptions,
    make_constraint,
)
from skops import io

import skdgm
from skdgm import VAE, BernoulliRBM
from skdgm.base.groups import groups_of
from skdgm.base.options import _options_of as options_of
from skdgm.base.options import allowed
from skdgm.options import PCD, Adam
from skdgm.persistence import TRUSTED_TYPES
from tests.common.instances import PUBLIC

# Details of kinds of columns, and of machines, nets and games.
FIRST = "BernoulliRBM", "DBNClassifier", "VAE", "InfoGAN", "RNNNADE", "ConvDBN"
# Most options of a constructor: of half of all classes, and of each.
HALF, EACH = 20, 28


def takers(cls):
    """Options of a class with groups, and the classes of these."""
    constraints = getattr(cls, "_parameter_constraints", {})
    listed = [name for name in constraints if not isinstance(constraints[name], str)]
    return [(name, kind) for name in listed for kind in groups_of(cls, name)]


GROUPED = [cls for cls in PUBLIC if takers(cls)]


def of_all(test):
    """A test of all classes with groups."""
    test = pytest.mark.parametrize("cls", GROUPED, ids=lambda cls: cls.__name__)(test)
    return pytest.mark.exhaustive(default=[*FIRST])(test)


def fields_of(cls, option, kind):
    """Fields of a group that are details of a class's option, and their options."""
    own = {name: part for name, part in cls._DETAILS.items() if part.group == option}
    named = {field: own[name] for name in own for field in kind.by_field({name: 0})}
    return {field: named[field] for field in sorted(named)}


def other(hint, default):
    """A value that a hint allows, neither a default nor "auto"."""
    constraints = allowed(hint)
    if constraints == "no_validation":
        return 0.25
    texts = [one.options for one in constraints if isinstance(one, StrOptions)]
    for value in (
        0.25,
        3,
        2,
        *sorted(set().union(*texts)),
        not default,
        "text",
        (2, 3),
    ):
        allows = any(make_constraint(one).is_satisfied_by(value) for one in constraints)
        if allows and value not in ("auto", default):
            return value
    raise AssertionError(f"no other value than {default!r} found for {hint}")


def changed(fields):
    """Other values than the defaults."""
    return {field: other(*option[:2]) for field, option in fields.items()}


def chosen(cls, option, kind):
    """Value of an option that a group stands for."""
    return kind.STANDS_FOR if kind.VALUE is None else getattr(cls(), option)


def test_the_list_of_groups_is_what_estimators_take():
    kinds = {kind.__name__ for cls in GROUPED for _, kind in takers(cls)}
    assert kinds == set(skdgm.options.__all__)


@of_all
def test_groups_are_copied_and_kept(cls, tmp_path):
    for option, kind in takers(cls):
        given = changed(fields_of(cls, option, kind))
        model = cls(**{option: kind.made_of(chosen(cls, option, kind), given)})
        assert fields_of(cls, option, kind), (option, kind)
        own, path = getattr(model, option), tmp_path / "model.skdgm"
        assert f"{kind.__name__}(" in repr(model)
        skdgm.save(model, path)
        kept = io.dumps(model)
        assert set(io.get_untrusted_types(data=kept)) <= set(TRUSTED_TYPES)
        for twin in (
            clone(model),
            pickle.loads(pickle.dumps(model)),
            skdgm.load(path),
            io.loads(kept, trusted=list(TRUSTED_TYPES)),
        ):
            assert repr(twin) == repr(model)
            found = getattr(twin, option)
            assert type(found) is kind
            assert found is not own
            assert repr(found.get_params()) == repr(own.get_params())


@of_all
def test_details_are_set_by_nested_names(cls):
    for option, kind in takers(cls):
        given = changed(fields_of(cls, option, kind))
        text = chosen(cls, option, kind)
        nested = {f"{option}__{field}": value for field, value in given.items()}
        made = cls(**{option: kind.made_of(text, given)})
        params = made.get_params()
        assert nested.items() <= params.items()
        # From a text, all at once as searches do, and from an object.
        before = cls(**{option: text})
        if kind is groups_of(cls, option)[0] or kind.STANDS_FOR is not None:
            once = clone(before).set_params(**{option: text}, **nested)
            assert repr(once) == repr(made)
            for step in ParameterGrid({name: [nested[name]] for name in nested}):
                assert repr(clone(before).set_params(**step)) == repr(made)
            assert getattr(before, option) == text
        start = cls(**{option: kind.made_of(text, {})})
        assert repr(start.set_params(**nested)) == repr(made)


@of_all
def test_wrong_details_are_named(cls):
    for option, kind in takers(cls):
        fields = fields_of(cls, option, kind)
        text, X = chosen(cls, option, kind), np.zeros((2, 2))
        for field in set(kind._get_param_names()) - {kind.VALUE}:
            named = f"{field!r} parameter of {kind.__name__} "
            if field not in fields:
                value = other(options_of(kind)[field].hint, "auto")
                named += f"does not apply to {cls.__name__}"
            elif allowed(fields[field].hint) == "no_validation":
                continue
            else:
                value, named = object(), f"{named}of {cls.__name__} must be"
            model = cls(**{option: kind.made_of(text, {field: value})})
            with pytest.raises(InvalidParameterError, match=named):
                model.fit(X, [0, 1])


def test_options_remain_few():
    counts = {cls.__name__: len(inspect.signature(cls).parameters) for cls in PUBLIC}
    assert median(counts.values()) <= HALF
    assert {name: n for name, n in counts.items() if n > EACH} == {}


def test_groups_that_are_shared_are_changed_in_one_place_only():
    solver = Adam(clip_norm=1.0)
    one, two = VAE(solver=solver), VAE(solver=solver)
    assert clone(one).set_params(solver__clip_norm=2.0).solver is not solver
    assert two.solver.clip_norm == 1.0


def test_odd_numbers_in_groups_are_named():
    X = np.zeros((3, 2))
    for value, told in (True, "a number, not a bool"), (10**30, "a larger whole"):
        with pytest.raises(ValueError, match=f"n_chains.* of PCD of Bern.*{told}"):
            BernoulliRBM(gradient=PCD(n_chains=value)).fit(X)
