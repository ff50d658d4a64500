"""Samples as images."""

from functools import wraps

import numpy as np
import pytest

from skdgm import DBNClassifier
from skdgm.options import Pretraining
from skdgm.plotting import SamplesDisplay


def shown(artists):
    """Images, a row each."""
    return np.stack([np.ma.getdata(artist.get_array()).ravel() for artist in artists])


def test_samples_are_those_of_the_estimator(rbm):
    options = {"init": "noise", "n_steps": 7}
    display = SamplesDisplay.from_estimator(
        rbm, n_samples=12, random_state=0, **options
    )
    expected = rbm.sample(12, 0, **options)
    np.testing.assert_array_equal(display.samples, expected)
    np.testing.assert_array_equal(shown(display.images_), expected)
    assert display.neighbor_images_ is None
    assert {artist.get_clim() for artist in display.images_} == {(0, 1)}


def test_defaults(rbm, clf, X):
    assert len(SamplesDisplay.from_estimator(rbm).images_) == 100
    assert len(SamplesDisplay.from_estimator(rbm, X=X).images_) == 50
    assert len(SamplesDisplay.from_estimator(clf, y=clf.classes_).images_) == 20


@pytest.mark.parametrize("y", [[[0], [0, 1]], [[0, 1]], []], ids=str)
def test_classes_are_checked(y, clf):
    with pytest.raises(ValueError, match="y must be a list of classes"):
        SamplesDisplay.from_estimator(clf, y=y)


def test_nearest_rows(rbm, X):
    display = SamplesDisplay.from_estimator(rbm, n_samples=8, random_state=0, X=X)
    distance = ((display.samples[:, None] - X) ** 2).sum(axis=2)
    found = ((display.samples - display.neighbors) ** 2).sum(axis=1)
    np.testing.assert_array_equal(found, distance.min(axis=1))
    np.testing.assert_array_equal(shown(display.neighbor_images_), display.neighbors)
    for sample, neighbor in zip(display.images_, display.neighbor_images_):
        assert sample.get_extent()[:2] == neighbor.get_extent()[:2]
        assert sample.get_extent()[2] < neighbor.get_extent()[3]
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["samples", "nearest"]


@pytest.mark.parametrize("near", [False, True])
def test_a_row_for_each_class(clf, X, near):
    X = X if near else None
    display = SamplesDisplay.from_estimator(
        clf, n_samples=3, random_state=0, y=["yes", "no"], X=X
    )
    expected = clf.sample(6, 0, y=["yes"] * 3 + ["no"] * 3)
    np.testing.assert_array_equal(display.samples, expected)
    tops = np.array([artist.get_extent()[3] for artist in display.images_])
    assert len(set(tops[:3])) == len(set(tops[3:])) == 1
    assert tops[0] < tops[3]
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == (["yes", "nearest", "no", "nearest"] if near else ["yes", "no"])


@pytest.mark.parametrize("near", [False, True])
def test_classes_may_have_several_rows(clf, X, near):
    options = {"n_samples": 4, "n_columns": 2, "random_state": 0}
    display = SamplesDisplay.from_estimator(
        clf, y=["yes", "no"], X=X if near else None, **options
    )
    lefts, tops = np.array([a.get_extent() for a in display.images_])[:, [0, 3]].T
    assert len(set(lefts)) == 2
    assert len(set(tops)) == 4
    below = ["nearest"] * near
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels == ["yes", *below, "", *below, "no", *below, "", *below]
    # Without n_columns there is one row for each class.
    display.plot()
    assert len({a.get_extent()[3] for a in display.images_}) == 2


def test_rows_of_one_class_only(clf, X):
    options = {"n_samples": 4, "y": ["yes", "no"]}
    for n_columns in 3, 8:
        with pytest.raises(ValueError, match=f"n_columns={n_columns} does not divide"):
            SamplesDisplay.from_estimator(clf, n_columns=n_columns, **options)
    with pytest.raises(ValueError, match="n_columns == 0"):
        SamplesDisplay.from_estimator(clf, n_columns=0, **options)
    with pytest.raises(ValueError, match="2 labels for 3 samples"):
        SamplesDisplay(X[:3], labels=["a", "b"]).plot()


def test_one_class(clf):
    display = SamplesDisplay.from_estimator(clf, y="no")
    assert display.labels == ["no"]
    assert len(display.images_) == 10


def test_means(rbm):
    options = {"n_samples": 5, "random_state": 0}
    display = SamplesDisplay.from_estimator(rbm, means=True, **options)
    expected = rbm.inverse_transform(rbm.transform(rbm.sample(5, 0)))
    np.testing.assert_array_equal(shown(display.images_), expected)


def test_means_of_a_net_are_those_of_what_draws(X):
    clf = DBNClassifier(
        (6, 4), pretrain=Pretraining(n_iter=2), n_iter=2, random_state=0
    )
    clf.fit(X, X[:, 0])
    display = SamplesDisplay.from_estimator(
        clf, n_samples=5, random_state=0, means=True
    )
    dbn = clf.dbn_
    expected = dbn.inverse_transform(dbn.transform(dbn.sample(5, 0)))
    np.testing.assert_array_equal(display.samples, expected)


def test_classes_of_what_has_none(rbm):
    with pytest.raises(TypeError, match="whose sample has y.*BernoulliRBM has not"):
        SamplesDisplay.from_estimator(rbm, y=[0, 1])


def test_bad_options(rbm, clf, X):
    with pytest.raises(ValueError, match="n_samples"):
        SamplesDisplay.from_estimator(rbm, n_samples=0)
    with pytest.raises(ValueError, match="n_samples"):
        SamplesDisplay.from_estimator(clf, n_samples=0, y=clf.classes_)
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        SamplesDisplay.from_estimator(rbm, nonsense=1)
    with pytest.raises(ValueError, match="features"):
        SamplesDisplay.from_estimator(rbm, X=X[:, :4])
    with pytest.raises(ValueError, match=r"image_shape=\(2, 2\)"):
        SamplesDisplay.from_estimator(rbm, image_shape=(2, 2))


def test_classes_are_asked_for(clf, monkeypatch):
    """Whatever a model of hardly any weights makes of them."""
    asked, sample = [], type(clf).sample

    @wraps(sample)
    def noted(self, *given, **options):
        asked.append(options)
        return sample(self, *given, **options)

    monkeypatch.setattr(type(clf), "sample", noted)
    SamplesDisplay.from_estimator(clf, n_samples=2, y=["no", "yes"], random_state=0)
    assert [list(own["y"]) for own in asked] == [["no", "no", "yes", "yes"]]
