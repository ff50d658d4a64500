"""Groups of options: details of an option, in objects for which a text stands."""

import inspect
import pickle
import re
from typing import Annotated, Literal

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils._param_validation import InvalidParameterError

import skdgm
from skdgm import DBN, NADE, VAE, BernoulliRBM
from skdgm.base.fits import current_options
from skdgm.base.groups import (
    OptionGroup,
    asked_value,
    assign,
    check_groups,
    expanded,
    folded,
)
from skdgm.base.model import values_without_options
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Details,
    Doc,
    Options,
    Positive,
    Share,
    flat,
    within,
)
from skdgm.base.records import fingerprint
from skdgm.exceptions import OlderFileError
from skdgm.options import CD, ELBO, IWAE, SGD, Adam, Columns, Penalty


class Slow(OptionGroup):
    """Slow way.

    Parameters
    ----------
    rate
        Rate of it.
    """

    STANDS_FOR, FLAT_NAMES = "slow", {"rate": "pace"}

    _: KW_ONLY
    rate: Positive | Auto = "auto"


class Fast(Slow):
    """Fast way.

    Parameters
    ----------
    share
        Share of it.
    """

    STANDS_FOR = "fast"

    _: KW_ONLY
    share: float | Auto = "auto"


class Kinds(OptionGroup):
    """Kinds of things.

    Parameters
    ----------
    kinds
        Value of the option.
    size
        Size of each.
    """

    VALUE = "kinds"

    kinds: str = "auto"
    _: KW_ONLY
    size: Positive | Auto = "auto"


class Model(Options, BaseEstimator):
    """Model with details.

    Parameters
    ----------
    way
        Way that it takes.
    things
        Things that it has.
    """

    _MODEL = None

    _: KW_ONLY
    way: Literal["slow", "fast", "none"] | Slow | Fast = "slow"
    things: Literal["auto", "few"] | Kinds = "auto"
    pace: Positive = within("way", 3.0)
    share: Share = within("way", 0.5)
    size: Positive = within("things", 2.0)

    _validate_params = check_groups


class Other(Model):
    """Model whose defaults differ."""

    pace = 4.0
    share: Share = flat(default=0.25)


class Paces(Details):
    """Details of a way, which several classes have."""

    pace: Positive = 5.0


class MorePaces(Paces):
    """Further ones."""

    share: Share = 0.1


Way = Annotated[
    Literal["slow", "fast"] | Slow | Fast, MorePaces, Doc("Way,\n  or two.", "a way")
]


LACKING = values_without_options(type(None))


class Shared(Model):
    """Model whose way has what its hint has with it."""

    way: Way = "fast"
    share = 0.2


class Fewer(Shared):
    """Model whose way has fewer details."""

    way: Annotated[Literal["slow", "fast"] | Slow | Fast, Paces] = "fast"


def test_details_and_a_paragraph_come_with_a_hint():
    assert vars(current_options(Shared())) == LACKING | PLAIN | {
        "way": "fast",
        "pace": 5.0,
        "share": 0.2,
    }
    assert vars(current_options(Fewer())) == LACKING | {
        "way": "fast",
        "things": "auto",
        "pace": 5.0,
        "size": 2.0,
    }
    assert (
        'way : a way, default="fast"\n    Way,\n    or two.\n    Details'
        in Shared.__doc__
    )
    with pytest.raises(
        InvalidParameterError, match="'share' parameter of Fast does not"
    ):
        Fewer(way=Fast(share=0.1))._validate_params()
    with pytest.raises(InvalidParameterError, match="'share' parameter of Fast"):
        Shared(way=Fast(share=2))._validate_params()


PLAIN = {"way": "slow", "things": "auto", "pace": 3.0, "share": 0.5, "size": 2.0}


def test_details_are_no_arguments():
    assert list(inspect.signature(Model).parameters) == ["way", "things"]
    assert list(inspect.signature(Other).parameters) == ["way", "things", "share"]
    with pytest.raises(TypeError, match="unexpected keyword argument 'pace'"):
        Model(pace=1.0)


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({}, {}),
        ({"way": Slow()}, {}),
        ({"way": Slow(rate=1.0)}, {"pace": 1.0}),
        ({"way": Fast(share=0.1)}, {"way": "fast", "share": 0.1}),
        ({"things": Kinds("few", size=1)}, {"things": "few", "size": 1}),
        ({"things": Kinds()}, {}),
    ],
)
def test_models_read_details_by_their_own_names(options, changed):
    model = Model(**options)
    assert vars(current_options(model)) == LACKING | PLAIN | changed
    assert {name: asked_value(model, name) for name in PLAIN} == PLAIN | changed
    found = expanded(Model, model.get_params(deep=False))
    assert found.items() <= (PLAIN | changed).items()


def test_subclasses_have_other_defaults():
    assert asked_value(Other(), "pace") == 4.0
    assert asked_value(Other(way=Slow(rate=2.0)), "pace") == 2.0
    assert vars(current_options(Other(share=0.75)))["share"] == 0.75
    with pytest.raises(InvalidParameterError, match="'share' .* Fast does not apply"):
        Other(way=Fast(share=0.1))._validate_params()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"way": Slow(rate=-1.0)}, "'rate' parameter of Slow of Model must be"),
        ({"way": Fast(share=2.0)}, "'share' parameter of Fast of Model must be"),
        ({"things": Kinds("many")}, "'things' parameter of Model must be"),
    ],
)
def test_wrong_details_are_named(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        Model(**options)._validate_params()


def test_flat_options_are_folded():
    arguments = folded(Model, {"way": "fast", "pace": 1.0, "share": 0.1, "size": 5.0})
    assert repr(Model(**arguments)) == repr(
        Model(way=Fast(rate=1.0, share=0.1), things=Kinds(size=5.0))
    )
    # Details of the object take precedence, and a group leaves out what it has not.
    arguments = folded(Model, {"way": Slow(rate=1.0), "pace": 2.0, "share": 0.1})
    assert repr(arguments["way"]) == "Slow(rate=1.0)"
    assert folded(Model, {"way": "none", "pace": 1.0}) == {"way": "none"}


def test_details_are_assigned():
    model = BernoulliRBM(solver=SGD(momentum=0.5))
    kept = model.solver
    assign(model, schedule="constant", n_components=3, alpha=0.1)
    assert kept.schedule == "auto"
    assert repr(model.solver) == "SGD(momentum=0.5, schedule='constant')"
    assert repr(model.penalty) == "Penalty(alpha=0.1)"
    assert model.n_components == 3
    assert assign(model, momentum=0.25).solver.momentum == 0.25


def test_nested_names_are_set_on_texts_and_objects():
    nade = NADE().set_params(solver__schedule="constant", n_components=5)
    assert nade.solver.schedule == "constant"
    nade.set_params(solver__beta_2=0.9, column_types__n_mixtures=2)
    assert repr(nade.solver) == "Adam(beta_2=0.9, schedule='constant')"
    assert (nade.column_types.kinds, nade.column_types.n_mixtures) == ("auto", 2)
    nade.set_params(solver="sgd", solver__momentum=0.1)
    assert repr(nade.solver) == "SGD(momentum=0.1)"
    rbm = BernoulliRBM().set_params(penalty__alpha=0.1, gradient__n_chains=3)
    assert (rbm.penalty.alpha, rbm.gradient.n_chains) == (0.1, 3)
    with pytest.raises(ValueError, match="Invalid parameter 'momentum'"):
        NADE().set_params(solver__momentum=0.1)
    with pytest.raises(ValueError, match="gradient='ratio-matching' has no detail 'n_"):
        BernoulliRBM(gradient="ratio-matching").set_params(gradient__n_steps=2)
    with pytest.raises(TypeError, match=r"^CD.__init__\(\) got an unexpected"):
        CD(n_chains=3)


def test_searches_name_details():
    X = np.random.default_rng(0).normal(size=(30, 2))
    nade = NADE(3, n_iter=1, batch_size=10, random_state=0)
    grid = {"solver__schedule": ["linear", "constant"], "learning_rate": [0.1]}
    search = GridSearchCV(nade, grid, cv=2).fit(X)
    assert search.best_params_["solver__schedule"] in ("linear", "constant")
    assert nade.solver == "adam"


def test_groups_are_cloned_printed_and_pickled():
    model = NADE(solver=Adam(clip_norm=1.0), column_types=Columns(n_mixtures=2))
    for other in clone(model), pickle.loads(pickle.dumps(model)):
        assert repr(other) == repr(model)
        assert other.solver is not model.solver
    assert "clip_norm=1.0" in repr(model)
    assert "Columns" in model._repr_html_()
    assert model.get_params()["solver__clip_norm"] == 1.0


def test_booleans_are_no_numbers_and_numpy_numbers_are():
    X = np.zeros((4, 2))
    with pytest.raises(InvalidParameterError, match="'beta_1' parameter of Adam"):
        NADE(solver=Adam(beta_1=True)).fit(X)
    nade = NADE(2, n_iter=1, solver=Adam(clip_norm=np.float32(0.5))).fit(X)
    assert type(nade._options.clip_norm) is float


def test_details_say_their_defaults():
    assert '``schedule="cooldown"``' in BernoulliRBM.__doc__
    assert ":class:`~skdgm.options.SGD`" in BernoulliRBM.__doc__
    assert "``alpha=0.0``" in BernoulliRBM.__doc__
    assert Penalty().get_params()["alpha"] == "auto"


def test_groups_tell_fits_apart():
    models = [VAE(objective=ELBO()), VAE(objective=IWAE()), VAE(), VAE(solver=SGD())]
    models += [DBN(solver=(SGD(momentum=own), "adam")) for own in (0.1, 0.2)]
    for model in models:
        model.n_iter_ = 0
    facts = [repr(fingerprint(model)["options"]) for model in models]
    assert len(set(facts)) == len(models)
    assert fingerprint(models[0])["options"]["objective"] == "elbo"


def test_groups_of_earlier_versions():
    state = Penalty(alpha=0.1).__getstate__() | {"l2": "auto"}
    del state["max_norm"]
    other = Penalty()
    other.__setstate__(state)
    assert other.get_params() == Penalty(alpha=0.1).get_params()
    with pytest.raises(OlderFileError, match=r"with l2=0\.1: fit the model again"):
        Penalty().__setstate__(state | {"l2": 0.1})


@pytest.mark.parametrize(
    ("cls", "keyword", "hint"),
    [
        (skdgm.EoNADE, "schedule", "a detail of 'solver', solver=Adam(schedule=...)"),
        (skdgm.EoNADE, "max_iter", "did you mean 'n_iter'?"),
        (skdgm.BernoulliRBM, "l2", "a detail of 'penalty', penalty=Penalty(alpha=...)"),
        (skdgm.StackedAutoencoder, "layer", "did you mean 'layer_type'?"),
        (skdgm.VAE, "latent_dim", "did you mean 'n_components'?"),
        (skdgm.DBN, "hiden_layer_sizes", "did you mean 'hidden_layer_sizes'?"),
        (skdgm.DBN, "n_components", "did you mean 'hidden_layer_sizes'?"),
        (
            skdgm.GAN,
            "n_discriminator_steps",
            "discriminator=Discriminator(n_steps=...)",
        ),
        (skdgm.options.Adam, "beta1", "did you mean 'beta_1'?"),
        (skdgm.GenerativeImputer, "estimater", "did you mean 'estimator'?"),
        (skdgm.NADE, "zzz", "argument 'zzz'"),
    ],
)
def test_keywords_that_a_class_lacks_name_the_option_that_is_meant(cls, keyword, hint):
    with pytest.raises(TypeError, match=re.escape(hint)) as raised:
        cls(**{keyword: 1})
    start = f"{cls.__name__}.__init__() got an unexpected keyword argument"
    assert str(raised.value).startswith(f"{start} {keyword!r}")


def test_set_params_names_the_option_that_is_meant():
    for cls, name, hint in (
        (skdgm.DBN, "n_components", "n_components: did you mean 'hidden_layer_sizes'?"),
        (skdgm.EoNADE, "clip_norm", "clip_norm: it is a detail of 'solver'"),
    ):
        with pytest.raises(ValueError, match=f"Invalid parameter '{name}'.*{hint}"):
            cls().set_params(**{name: 1})
    with pytest.raises(ValueError, match=r"Invalid parameter 'zzz'.*\]\.$"):
        skdgm.NADE().set_params(zzz=1)


def test_signatures_are_those_of_constructors():
    class Own(BernoulliRBM):
        def __init__(self, n_components=3, *, other=1):
            super().__init__(n_components)
            self.other = other

    assert str(inspect.signature(Own)) == "(n_components=3, *, other=1)"
    assert Own(other=2).other == 2
    with pytest.raises(TypeError, match="keyword argument 'n_iter'"):
        Own(n_iter=2)
    assert "n_iter" in inspect.signature(BernoulliRBM).parameters
