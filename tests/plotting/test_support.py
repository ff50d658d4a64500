"""What all displays have in common."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from skdgm import BernoulliRBM
from skdgm.plotting import (
    ChainDisplay,
    ComponentsDisplay,
    LearningCurveDisplay,
    LikelihoodBracketDisplay,
    ManifoldDisplay,
    MarginalsDisplay,
    ReconstructionDisplay,
    SamplesDisplay,
    TabularReportDisplay,
)

# What each display takes, made of rows of bits.
DISPLAYS = {
    ChainDisplay: lambda X: (),
    LikelihoodBracketDisplay: lambda X: (),
    ComponentsDisplay: lambda X: (),
    LearningCurveDisplay: lambda X: (),
    ManifoldDisplay: lambda X: (),
    MarginalsDisplay: lambda X: (X[:, :1],),
    ReconstructionDisplay: lambda X: (np.where(np.arange(9) < 4, X, np.nan),),
    SamplesDisplay: lambda X: (),
    TabularReportDisplay: lambda X: (X,),
}
every = pytest.mark.parametrize("cls", DISPLAYS)


@every
def test_unfitted(cls, X):
    with pytest.raises(NotFittedError, match="BernoulliRBM instance is not fitted"):
        cls.from_estimator(BernoulliRBM(), *DISPLAYS[cls](X))


@every
def test_estimators_that_lack_what_is_shown(cls, X):
    scaler = StandardScaler().fit(X)
    error, message = TypeError, f"{cls.__name__} needs .*StandardScaler has not"
    if cls is ManifoldDisplay:
        error, message = ValueError, "two features, but this StandardScaler has 9"
    if cls in (ChainDisplay, LikelihoodBracketDisplay):
        message = f"{cls.__name__} is for models with .*StandardScaler has none"
    with pytest.raises(error, match=message):
        cls.from_estimator(scaler, *DISPLAYS[cls](X))


@every
def test_no_estimator_at_all(cls, X):
    with pytest.raises(TypeError, match="rbm is not an estimator instance"):
        cls.from_estimator("rbm", *DISPLAYS[cls](X))


@every
def test_without_matplotlib(cls, X, two, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    message = rf"{cls.__name__} requires matplotlib: pip install 'matplotlib>=3.8'"
    with pytest.raises(ImportError, match=message):
        cls.from_estimator(two, *DISPLAYS[cls](X))


NOT_SHOWN = [
    (lambda: ChainDisplay(0.5), TypeError, "diagnostics of .* must be a ChainDiag"),
    (lambda: LikelihoodBracketDisplay("Z"), TypeError, "bracket .* must be a Bracket"),
    (lambda: TabularReportDisplay(("a", "b")), TypeError, "must be a TabularReport"),
    (lambda: LearningCurveDisplay([]), TypeError, "groups .* list of one tuple or"),
    (lambda: LearningCurveDisplay((2, 3)), TypeError, "Each of groups .*; got 2"),
    (lambda: LearningCurveDisplay([("a", "b", "c")]), TypeError, "Each of groups"),
    (lambda: ManifoldDisplay(ROWS, (0, 1, 0, 1), "ab"), ValueError, "limits must be"),
    (lambda: ManifoldDisplay(ROWS, [[0], 1], "ab"), ValueError, "limits must be"),
    (lambda: ManifoldDisplay(ROWS, (0, np.inf), "ab"), ValueError, "finite numbers"),
    (lambda: ManifoldDisplay(ROWS, (0, 1), 3), ValueError, "names must be"),
    (lambda: ManifoldDisplay(ROWS[:3], (0, 1), ["a", "b"]), ValueError, "a square"),
    (lambda: MarginalsDisplay(ROWS, ROWS, names=[]), ValueError, "all 4 columns; got"),
    (lambda: MarginalsDisplay(ROWS, ROWS, names=len), ValueError, "all 4 columns"),
    (lambda: MarginalsDisplay(ROWS, ROWS, names=[[], [1]]), ValueError, "all 4 col"),
    (
        lambda: MarginalsDisplay(1e308 * ROWS, ROWS),
        ValueError,
        "'x0' of X has",
    ),
    (lambda: SamplesDisplay(ROWS, labels=ROWS), ValueError, "labels must be a list"),
    (lambda: SamplesDisplay(ROWS, labels=[[0], [0, 1]]), ValueError, "labels must be"),
    (lambda: SamplesDisplay(row for row in ROWS), TypeError, "generator"),
    (lambda: SamplesDisplay([[0, 1], [2]]), ValueError, "inhomogeneous"),
    (lambda: SamplesDisplay(ROWS / [0.0, 1, 1, 1]), ValueError, "infinity"),
    (lambda: ReconstructionDisplay(ROWS, 3), TypeError, "sequence or array-like"),
    (lambda: ComponentsDisplay("ab"), ValueError, "the table has none"),
]
ROWS = np.array([[1.0, 1, 0, 1], [1, 0, 0, 1], [1, 1, 1, 0], [1, 0, 1, 0]])


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("make, error, told", NOT_SHOWN, ids=range(len(NOT_SHOWN)))
def test_what_is_shown_is_checked(make, error, told):
    with pytest.raises(error, match=told):
        make().plot()


def test_labels_of_samples_may_be_an_array():
    display = SamplesDisplay(ROWS, labels=np.array(["a", "b"])).plot()
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == ["a", "b"]


@pytest.mark.parametrize(
    "cls, name",
    [
        (ChainDisplay, "trace_kw"),
        (ComponentsDisplay, "im_kw"),
        (LearningCurveDisplay, "line_kw"),
        (ManifoldDisplay, "im_kw"),
        (MarginalsDisplay, "data_kw"),
        (MarginalsDisplay, "samples_kw"),
        (ReconstructionDisplay, "im_kw"),
        (SamplesDisplay, "im_kw"),
    ],
)
def test_arguments_that_matplotlib_does_not_take(cls, name, X, two):
    if cls is MarginalsDisplay:
        two = BernoulliRBM(2, n_iter=1).fit(X[:, :1])
    for look in {"no_such_look": 1}, {"alpha": "x"}:
        told = f"cannot draw {cls.__name__} with .*{name}"
        with pytest.raises(ValueError, match=told):
            cls.from_estimator(two, *DISPLAYS[cls](X), **{name: look})


@pytest.mark.exhaustive(default=["Curve", "Marginals"])
@every
def test_axes_that_are_given(cls, X, two):
    if cls is MarginalsDisplay:
        two = BernoulliRBM(2, n_iter=1).fit(X[:, :1])
    n_axes = {ChainDisplay: 2, TabularReportDisplay: 3}.get(cls, 1)
    figure, ax = plt.subplots(n_axes)
    display = cls.from_estimator(two, *DISPLAYS[cls](X), ax=ax)
    assert isinstance(display, cls)
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    assert all(axes.has_data() for axes in np.ravel(ax))
    assert display.plot() is display
    assert display.figure_ is not figure
    message = f"{cls.__name__} draws on {n_axes} axes, .* has 4"
    with pytest.raises(ValueError, match=message):
        display.plot(plt.subplots(4)[1])


@pytest.mark.exhaustive
@pytest.mark.parametrize("module", ["skdgm", "skdgm.plotting"])
def test_matplotlib_is_not_imported_before_it_is_used(module):
    code = f"import sys, {module}; print('matplotlib' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"
