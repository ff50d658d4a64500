import pytest

from skdgm import DBN, Autoencoder, BernoulliRBM, StackedAutoencoder
from skdgm.utils.words import with_article


def test_articles():
    names = "Autoencoder", "EoNADE", "ndarray", "int", "VAE", "'dict'"
    found = [with_article(name).split()[0] for name in names]
    assert found == ["an", "an", "an", "an", "a", "a"]


def test_layers_are_named_with_their_articles():
    with pytest.raises(ValueError, match=r"or an Autoencoder; got BernoulliRBM"):
        StackedAutoencoder(layers=[("first", BernoulliRBM(2))]).fit([[0, 1], [1, 0]])
    with pytest.raises(ValueError, match="must be a BernoulliRBM"):
        DBN(layers=[("first", Autoencoder(2))]).fit([[0, 1], [1, 0]])
