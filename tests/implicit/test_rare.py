"""Rare categories are one for generators, and told apart by their frequencies."""

import itertools

import numpy as np
import pandas as pd
import pytest

from skdgm import GAN, GMMN, BiGAN, GANClassifier, InfoGAN
from skdgm.options import Columns
from skdgm.utils.random import stream
from tests.numerical import assert_means
from tests.options import grouped

RNG = np.random.default_rng(0)
# Categories "a" and "b", and four that are rare, of which "f" is the rarest.
SHARES = dict(zip("abcdef", (0.5, 0.3, 0.08, 0.06, 0.04, 0.02)))
CITY = RNG.choice(list(SHARES), 800, p=list(SHARES.values()))
BIT = RNG.random(800) < np.where(CITY == "a", 0.9, 0.2)
FRAME = pd.DataFrame({"city": CITY, "bit": BIT})
TINY = {"hidden_layer_sizes": (16,), "n_components": 4, "random_state": 0}
TINY |= {"column_types": "mixed", "n_iter": 30, "n_draws": 500}
RARE = {"min_frequency": 0.1, "handle_unknown": "infrequent_if_exist"}
MODELS = [(GAN, {}), (GMMN, {}), (GMMN, {"autoencoder_layer_sizes": (8, 3)})]


@pytest.fixture(scope="module", params=MODELS, ids=["GAN", "GMMN", "autoencoder"])
def model(request):
    cls, options = request.param
    return grouped(cls, **TINY | RARE | options).fit(FRAME)


@pytest.mark.exhaustive
def test_nets_see_rare_categories_as_one(model):
    assert model.density_.emission.n_inputs == 3 + 1
    assert model.column_types_["city"].rare == list("cdef")
    assert model.transform(FRAME[:5]).shape[0] == 5


@pytest.mark.exhaustive
def test_probabilities_add_up_to_one(model):
    pairs = list(itertools.product([*"abcdef", "?"], [False, True]))
    rows = pd.DataFrame(pairs, columns=["city", "bit"])
    p = np.exp(model.score_samples(rows))
    np.testing.assert_allclose(p.sum(), 1, rtol=1e-6)
    # Rare ones have the shares of the rows, whatever the bit, and an unknown one that
    # of a category which was seen once.
    counts = FRAME["city"].value_counts()
    weight = np.append(counts[list("cdef")], 1)
    of_rare = p.reshape(7, 2)[2:]
    expected = np.tile(weight[:, None] / weight.sum(), 2)
    np.testing.assert_allclose(of_rare / of_rare.sum(axis=0), expected, rtol=1e-6)


@pytest.mark.exhaustive(default=["GMMN"])
def test_draws_have_the_shares_of_rare_categories(model):
    drawn = model.sample(6000, random_state=0)["city"].to_numpy()
    rare = drawn[np.isin(drawn, list("cdef"))]
    assert len(rare) > 300
    counts = FRAME["city"].value_counts()
    for name in "cdef":
        assert_means(rare == name, counts[name] / counts[list("cdef")].sum(), 4)
    holes = pd.DataFrame({"city": [None] * 4000, "bit": [False] * 4000})
    holes["city"] = holes["city"].astype(FRAME["city"].dtype)
    filled = model.impute(holes, method="sample", random_state=0)["city"].to_numpy()
    assert np.isin(list("cdef"), filled).all()
    assert (model.impute(holes[:3])["city"].isin(list("ab"))).all()


@pytest.mark.exhaustive(default=["GMMN"])
def test_most_probable_rare_categories_are_the_most_frequent_ones(model):
    Z = np.random.default_rng(1).normal(size=(400, 4))
    found = set(model.generate(Z)["city"])
    assert found <= {"a", "b", "c"}


@pytest.mark.parametrize("cls", [GAN, GMMN])
def test_unknown_categories(cls):
    rows = pd.DataFrame({"city": ["?"], "bit": [True]})
    how = TINY | {"n_iter": 2, "min_frequency": 0.1}
    with pytest.raises(ValueError, match=r"\?"):
        grouped(cls, **how, handle_unknown="error").fit(FRAME).score_samples(rows)
    ignoring = grouped(cls, **how, handle_unknown="ignore").fit(FRAME)
    missing = rows.assign(city=pd.Series([None], dtype=FRAME["city"].dtype))
    found = [ignoring.score_samples(part)[0] for part in (rows, missing)]
    np.testing.assert_allclose(*found)


def test_codes_of_an_array_have_rare_ones():
    codes = np.column_stack([RNG.choice(4, 300, p=[0.6, 0.3, 0.06, 0.04]), BIT[:300]])
    how = TINY | {"column_types": Columns("categorical", max_categories=2), "n_iter": 2}
    gan = GAN(**how).fit(codes)
    assert gan.density_.emission.n_inputs == 2 + 2
    assert set(np.unique(gan.sample(2000, random_state=0)[:, 0])) == {0, 1, 2, 3}
    grid = np.array(list(itertools.product(range(4), range(2))))
    np.testing.assert_allclose(np.exp(gan.score_samples(grid)).sum(), 1, rtol=1e-6)


@pytest.mark.parametrize("cls", [BiGAN, InfoGAN, GANClassifier])
def test_variants_take_rare_categories_as_one(cls):
    y = BIT.astype(int) if cls is GANClassifier else None
    model = grouped(cls, **TINY | RARE | {"n_iter": 2}).fit(FRAME, y)
    assert model.density_.emission.n_inputs == 3 + 1
    pairs = list(itertools.product([*"abcdef", "?"], [False, True]))
    rows = pd.DataFrame(pairs, columns=["city", "bit"])
    p = np.exp(model.density_.log_prob(rows))
    np.testing.assert_allclose(p.sum(), 1, rtol=1e-6)
    drawn = model.sample(3000, random_state=0)["city"]
    assert drawn.isin(list("abcdef")).all()
    if cls is GANClassifier:
        found = model.predict_proba(rows)
        # All rare ones are alike for the net.
        assert np.ptp(found[4::2], axis=0).max() < 1e-6
    if cls is BiGAN:
        again = model.reconstruct(rows.iloc[:12])
        assert again["city"].isin(list("abc")).all()


@pytest.mark.parametrize("rng", [None, stream(0)])
def test_values_without_a_stream_are_the_most_probable_rare_ones(rng):
    # Rare ones come first by name, and last for the net.
    names = CITY.astype(object)
    names[CITY == "a"], names[CITY == "b"] = "y", "z"
    frame = FRAME.assign(city=names)
    gan = grouped(GAN, **TINY | RARE | {"n_iter": 1}).fit(frame)
    emission, rows = gan.density_.emission, gan._rows(frame).take(np.arange(800))
    streams = None if rng is None else rng.rows(800)
    found = emission.values(emission.inputs(rows)[0], streams)[:, 0]
    codes = {name: rows[names == name, 0][0] for name in "yzcdef"}
    for name in "yz":
        assert (found[names == name] == codes[name]).all()
    rare = found[np.isin(names, list("cdef"))]
    expected = {codes["c"]} if rng is None else {codes[name] for name in "cdef"}
    assert set(rare) == expected
