"""Options as fields: constructors, constraints and docstrings that follow from them."""

import importlib
import inspect
import pickle
import pkgutil
import re
import sys
from dataclasses import KW_ONLY
from doctest import DocTestParser
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal, Protocol

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import InvalidParameterError

import skdgm
from skdgm import registry
from skdgm.autoencoder import VAE
from skdgm.base import model as models
from skdgm.base import options
from skdgm.base.fits import current_options
from skdgm.base.options import Auto, Count, Options, Positive, allowed, worded
from skdgm.exceptions import MissingCapability
from tests.options import grouped

NAMES = [module.name for module in pkgutil.walk_packages(skdgm.__path__, "skdgm.")]
DECLARING = {
    kind
    for module in map(importlib.import_module, NAMES)
    for kind in vars(module).values()
    if inspect.isclass(kind) and issubclass(kind, Options) and kind is not Options
}


class Group(Options):
    """Options of several.

    Parameters
    ----------
    rate
        Rate of the group.
    a, b : float
        Two of one kind.

    Attributes
    ----------
    n_ : int
        Number of all.
    """

    _: KW_ONLY
    rate: Positive = 0.1
    a: float = 0.0
    b: float = 0.0


class Model(Group, BaseEstimator):
    """Model of two sizes.

    Parameters
    ----------
    size : int or tuple of int
        Size of it.
    kind
        Kind of it.

    Attributes
    ----------
    size_ : int
        Size that it has.

    Notes
    -----
    Further words.
    """

    size: Count | tuple = 3
    _: KW_ONLY
    kind: Literal["large", "small"] | None = None


class ReadOptions(models.ModelOptions, Protocol):
    """Options that a model reads."""

    c: float = 7.0


class Reader(models.Model[ReadOptions]):
    """Model of which only the options matter."""

    check = structure = density = objective = attributes = state = None


class Changed(Model):
    """Model with other defaults, whose model reads one more option."""

    size = 5
    rate = 0.5

    _MODEL = Reader()


def test_constructor():
    names = inspect.signature(Model).parameters
    assert [str(each) for each in names.values()] == [
        *("size=3", "kind=None", "rate=0.1", "a=0.0", "b=0.0")
    ]
    model = Model((1, 2), rate=1)
    assert vars(model) == {"size": (1, 2), "kind": None, "rate": 1, "a": 0.0, "b": 0.0}
    assert vars(clone(model)) == vars(model)
    assert not hasattr(Model, "rate")
    with pytest.raises(TypeError, match="1 to 2 positional arguments"):
        Model(1, None)
    with pytest.raises(TypeError, match="unexpected keyword argument 'c'"):
        Model(c=1)


def test_constraints():
    assert Model._parameter_constraints.keys() == Model().get_params().keys()
    Model(size=(1,), kind="large")._validate_params()
    for wrong in {"size": 0}, {"rate": 0}, {"kind": "huge"}, {"kind": 1}:
        (name,) = wrong
        with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of"):
            Model(**wrong)._validate_params()
    assert allowed(object) == "no_validation"
    assert allowed(bool | None) == ["boolean", None]


def test_changed_options():
    options = {"size": 5, "kind": None, "rate": 0.5, "a": 0.0, "b": 0.0}
    assert Changed().get_params() == options
    assert Changed(4).size == 4
    assert (
        vars(current_options(Changed()))
        == models.values_without_options(Reader) | options
    )
    assert current_options(Changed()).c == 7.0
    assert "rate : float, default=0.5\n    Rate of the group." in Changed.__doc__
    assert "\na, b : float, default=0.0\n    Two of one kind." in Changed.__doc__


def test_options_become_positional():
    class Other(Model):
        kind: Literal["large", "small"] | None = None
        size: Count | tuple = 3
        _: KW_ONLY

    assert vars(Other("large", 4)) == vars(Model(4, kind="large"))

    class Method(Model):
        def a(self):
            """Nothing."""

    assert Method().get_params() == Model().get_params()


def test_docstring():
    assert Model.__doc__ == inspect.cleandoc("""
        Model of two sizes.

        Parameters
        ----------
        size : int or tuple of int, default=3
            Size of it.
        kind : {"large", "small"} or None, default=None
            Kind of it.
        rate : float, default=0.1
            Rate of the group.
        a, b : float, default=0.0
            Two of one kind.

        Attributes
        ----------
        size_ : int
            Size that it has.
        n_ : int
            Number of all.

        Notes
        -----
        Further words.
    """)
    assert worded(Annotated[int, None] | tuple | Auto) == 'int, tuple or "auto"'


def test_inherited_paragraphs_cite_what_the_class_refers_to():
    class Source(Options, BaseEstimator):
        """Source.

        Parameters
        ----------
        a
            From one paper [1]_ and others [2]_, [3]_.

        References
        ----------
        .. [1] One.
        .. [2] Two,
           in two lines.
        .. [3] Three.
        """

        a: int = 0

    class Without(Source):
        """Without references."""

    class Other(Source):
        """With others.

        References
        ----------
        .. [1] Another.
        .. [2] Two,
           in two lines.
        """

    assert "From one paper [1]_ and others [2]_, [3]_." in Source.__doc__
    assert "From one paper and others." in Without.__doc__
    assert "From one paper and others [2]_." in Other.__doc__


def test_a_constructor_of_ones_own_is_kept():
    class Mine(VAE):
        """VAE of one option."""

        scale: float = 3.0

        def __init__(self, n_components=2):
            super().__init__(n_components, dropout=0.5)

    class Yours(Mine):
        width: Count = 3

    for kind in Mine, Yours:
        assert list(inspect.signature(kind).parameters) == ["n_components"]
        assert kind().dropout == 0.5
    assert Mine.scale == 3.0
    assert Mine.__doc__ == "VAE of one option."


def test_a_subclass_without_options_inherits_the_constructor():
    class Mine(VAE):
        pass

    assert Mine.__init__ is VAE.__init__
    assert Mine.__doc__ is None


def documented(kind):
    """Names of options of which a class itself has a paragraph."""
    entries = vars(kind)["__doc__"].entries("Parameters")
    return {name for names, _, _ in entries for name in names} | {*kind._own_docs}


ESTIMATORS = [kind for kind in DECLARING if issubclass(kind, BaseEstimator)]


@pytest.mark.parametrize("kind", sorted(ESTIMATORS, key=str), ids=lambda k: k.__name__)
def test_each_option_has_a_paragraph_and_each_paragraph_an_option(kind):
    bases = [base for base in kind.__mro__ if base in DECLARING]
    options = set(inspect.signature(kind).parameters)
    assert options <= set().union(*map(documented, bases))
    # A base class may have paragraphs of options that several of its family declare.
    family = {other for other in ESTIMATORS if issubclass(other, kind)}
    family = set().union(*(inspect.signature(other).parameters for other in family))
    assert set(documented(kind)) <= family


def test_the_page_for_extenders_is_right():
    page = (Path(__file__).parents[2] / "doc" / "extending.rst").read_text()
    sources = [example.source for example in DocTestParser().get_examples(page)]
    (code,) = (source for source in sources if source.startswith("class SparseVAE"))
    names = vars(options) | {"VAE": VAE}
    exec(code, names)
    model = names["SparseVAE"](8)
    assert (model.n_components, model.sparsity, model.learning_rate) == (8, 0.1, 0.003)
    assert "warm_up" not in model.get_params()
    assert model._current_options().warm_up == 20
    assert "sparsity : float, default=0.1" in model.__doc__


def test_what_is_no_option_of_a_users_class_stays():
    code = """
from __future__ import annotations
from typing import TYPE_CHECKING, Any, ClassVar
from skdgm import BernoulliRBM
if TYPE_CHECKING:
    from somewhere import Thing

class Own(BernoulliRBM):
    TABLE: dict = {"a": 1}
    shared: ClassVar[int] = 3
    note: Thing
    thing: Thing = None
    some: list[int] | Any = (1,)
    sizes: list[int] | None = None
"""
    place = ModuleType("users_module")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "users_module", place)
        exec(compile(code, "users_module", "exec"), vars(place))
    own = place.Own(n_components=2, n_iter=1, thing=4, some="b", random_state=0)
    assert (own.TABLE, own.shared) == ({"a": 1}, 3)
    assert {"thing", "some", "sizes"} <= set(own.get_params())
    assert not {"TABLE", "shared", "note"} & set(own.get_params())
    own.fit(np.eye(4))
    with pytest.raises(ValueError, match="'sizes' parameter"):
        own.set_params(sizes=2).fit(np.eye(4))


def test_values_without_options_change_again():
    class FirstOptions(ReadOptions, Protocol):
        d: int = 20

    class First(Reader, models.Model[FirstOptions]):
        """Model of one more option."""

    class SecondOptions(FirstOptions, Protocol):
        d: int = 30
        n_iter: int

    class Second(First, models.Model[SecondOptions]):
        """Model with another value."""

    first, second = map(models.values_without_options, (First, Second))
    assert (first["c"], first["d"], second["c"], second["d"]) == (7.0, 20, 7.0, 30)
    assert models.options_read(Second()) >= {"c", "d", "n_iter", "batch_size"}


def test_a_generic_model_declares_the_bound_of_its_options():
    # Of the bases of the machine one has an option that the model of the other reads.
    assert skdgm.RBMClassifier()._current_options().negative == "samples"
    assert skdgm.GAN._MODEL.__class__ is not skdgm.BiGAN._MODEL.__class__
    assert "packing" in models.values_without_options(type(skdgm.GAN._MODEL))


def test_defaults_may_be_arrays():
    class Ordered(VAE):
        prior = np.arange(6)

    class Same(Ordered):
        pass

    assert Same().prior is Ordered().prior


def test_missing_capabilities_are_raised_in_other_processes():
    error = MissingCapability("DBM", "log_prob", "missing")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (MissingCapability, str(error))


@pytest.mark.exhaustive
def test_references_are_those_that_are_cited():
    wrong = {}
    for name in registry.MODELS:
        text = inspect.getdoc(getattr(skdgm, name))
        listed = set(re.findall(r"\.\. \[(\d+)\]", text))
        cited = set(re.findall(r"(?<!\.\. )\[(\d+)\]_", text))
        if listed != cited:
            wrong[name] = listed ^ cited
    assert not wrong


def test_no_default_is_without_an_option():
    """A plain assignment in a group of options that inherits no such option would be no
    option's default, in silence."""
    names = {name for kind in DECLARING for name in options._options_of(kind)}
    dead = [
        f"{kind.__name__}.{name}"
        for kind in DECLARING
        for name, value in vars(kind).items()
        if name in names and not hasattr(value, "__get__")
    ]
    assert not dead


@pytest.mark.parametrize(
    "capability, argument, text",
    [
        ("log_prob", "missing", "log_prob) of rows with missing values (NaN): impute"),
        ("importance", "missing", "impute them, or use score_samples."),
        ("importance", "complete", "(importance) of complete rows."),
        ("sample", "y", "the method (sample) given y."),
        ("sample", "unconditional", "the method (sample)."),
    ],
)
def test_capabilities_that_are_missing_are_named(capability, argument, text):
    error = str(MissingCapability("DBM", capability, argument))
    assert text in error
    assert ("score_samples" in error) == ("score_samples" in text)


def test_shapes_of_images_may_be_lists():
    X = np.random.default_rng(0).integers(0, 2, (12, 6))
    given = {"filter_shape": 2, "n_iter": 1, "random_state": 0}
    one, other = (
        grouped(skdgm.ConvRBM, 2, image_shape=shape, **given).fit(X)
        for shape in ((2, 3), [2, 3])
    )
    np.testing.assert_array_equal(one.components_, other.components_)
    assert current_options(other).image_shape == (2, 3)
    assert other.image_shape == [2, 3]
