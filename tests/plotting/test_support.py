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
    with pytest.raises(NotFittedError):
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
    with pytest.raises(TypeError):
        cls.from_estimator("rbm", *DISPLAYS[cls](X))


@every
def test_without_matplotlib(cls, X, two, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    message = rf"{cls.__name__} requires matplotlib: pip install skdgm\[plot\]"
    with pytest.raises(ImportError, match=message):
        cls.from_estimator(two, *DISPLAYS[cls](X))


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
