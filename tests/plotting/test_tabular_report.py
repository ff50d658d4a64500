"""Reports on synthetic rows."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skdgm import GaussianRBM
from skdgm.metrics import tabular_report
from skdgm.plotting import TabularReportDisplay
from skdgm.plotting.tabular_report import _shares


def table(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    names = {"a": x, "b": x + rng.normal(size=n), "a name that is long": x > 0}
    return pd.DataFrame(names | {"town": rng.choice(list("xyz"), n)})


@pytest.fixture(scope="module")
def frames():
    return [table(60, seed) for seed in range(3)]


def test_all_parts(frames):
    report = tabular_report(*frames, random_state=0)
    display = TabularReportDisplay.from_report(report)
    assert display.report is report
    widths = [bar.get_width() for bar in display.shapes_]
    np.testing.assert_allclose(widths, report.columns["score"])
    scores = np.asarray(display.trends_.get_array())
    np.testing.assert_allclose(np.diag(scores), report.columns["score"])
    np.testing.assert_allclose(scores[np.triu_indices(4, 1)], report.pairs["score"])
    np.testing.assert_array_equal(scores, scores.T)
    for name, line in display.distances_.items():
        np.testing.assert_allclose(line.get_xdata(), report.distances[name])
    for name, shown in display.disclosure_.items():
        np.testing.assert_allclose(shown[0].get_xdata(), report.disclosure[name])
    labels = [text.get_text() for text in display.axes_[0].get_yticklabels()]
    assert labels == ["a", "b", "a name that is lo…", "town"]
    assert len(display.axes_) == 4
    display.figure_.canvas.draw()


def test_without_held_out_rows(frames):
    display = TabularReportDisplay.from_frames(*frames[:2], random_state=0)
    assert len(display.axes_) == 3
    assert display.disclosure_ == {}
    assert list(display.distances_) == ["train"]
    assert display.report.n_rows == {"real": 60, "synthetic": 60}
    display.figure_.canvas.draw()


def test_of_an_estimator():
    X = np.random.default_rng(0).normal(size=(80, 3))
    model = GaussianRBM(2, n_iter=1, random_state=0).fit(X[:40])
    options = {"n_samples": 30, "target": "x0", "random_state": 0}
    display = TabularReportDisplay.from_estimator(model, X[:40], X[40:], **options)
    assert display.report.n_rows == {"real": 40, "synthetic": 30, "holdout": 40}
    assert display.report.utility["target"] == "x0"
    drawn = model.sample(30, random_state=0)
    report = tabular_report(X[:40], drawn, X[40:], target="x0", random_state=0)
    assert repr(display.report) == repr(report)
    figure, axes = plt.subplots(2, 2)
    again = TabularReportDisplay.from_report(display.report, ax=axes)
    assert again.figure_ is figure
    with pytest.raises(ValueError, match="draws on 4 axes, but ax has 1"):
        again.plot(plt.figure().add_subplot())


def test_bars_of_shares_are_their_intervals():
    rng, parts = np.random.default_rng(0), {}
    low, share, high = np.sort(rng.random((3, 2, 4)), axis=0)
    for k, name in enumerate(("train", "held_out")):
        parts |= {name: share[k], f"{name}_lower": low[k], f"{name}_upper": high[k]}
    found = _shares(plt.subplots()[1], parts | {"column": list("abcd")})
    for k, (name, shift) in enumerate({"train": -0.15, "held_out": 0.15}.items()):
        line, _, (bars,) = found[name]
        np.testing.assert_allclose(line.get_xdata(), share[k])
        np.testing.assert_allclose(line.get_ydata(), np.arange(4) + shift)
        ends = np.array(bars.get_segments())[:, :, 0]
        np.testing.assert_allclose(ends, np.stack([low[k], high[k]], axis=1))
    plt.close("all")


def test_scores_have_the_colors_of_0_to_1(frames):
    display = TabularReportDisplay.from_frames(*frames[:2], random_state=0)
    assert display.trends_.get_clim() == (0, 1)
    assert display.trends_.get_cmap().name == "viridis"
    plt.close("all")
