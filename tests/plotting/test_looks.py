"""Looks of all displays, beside a list of them: ``looks.json``.

Data are compared elsewhere: this is of sizes, colors, lines, titles and labels, which
no figure of an estimator decides. Whoever changes them looks at the pictures, and
writes the list anew, by

    python -m tests.plotting.test_looks
"""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import colors
from matplotlib.collections import PathCollection
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle, StepPatch

from skdgm import BernoulliRBM, GaussianRBM
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
from tests.options import grouped

LIST = Path(__file__).with_name("looks.json")
X = np.random.default_rng(0).integers(0, 2, (40, 9)).astype(float)
SHOWN = AxesImage, Line2D, PathCollection, Rectangle, StepPatch
EARLY = {"early_stopping": True, "n_iter_no_change": 9, "validation_fraction": 0.3}


def bits(**options):
    return grouped(BernoulliRBM, 2, n_iter=3, random_state=0, **options).fit(X)


def of_marginals(rng):
    frame = pd.DataFrame(
        {"x": rng.normal(size=60), "k": rng.choice(list("abc"), 60), "b": [0, 1] * 30}
    )
    return MarginalsDisplay(frame, frame[::-1]).plot()


def of_reports(rng):
    real, drawn, other = rng.normal(size=(3, 40, 3))
    return TabularReportDisplay.from_frames(real, drawn, other, random_state=0)


CASES = {
    "chain": lambda rng: ChainDisplay.from_estimator(
        bits(), n_draws=10, random_state=0
    ),
    "components": lambda rng: ComponentsDisplay.from_estimator(bits()),
    "curve": lambda rng: LearningCurveDisplay.from_estimator(bits(**EARLY)),
    "bracket": lambda rng: LikelihoodBracketDisplay.from_estimator(
        bits(), max_bits=0, n_chains=20, n_betas=100
    ),
    "manifold": lambda rng: ManifoldDisplay.from_estimator(bits()),
    "marginals": of_marginals,
    "reconstruction": lambda rng: ReconstructionDisplay.from_estimator(
        bits(), np.where(np.arange(9) < 4, X[:5], np.nan)
    ),
    "samples": lambda rng: SamplesDisplay.from_estimator(bits(), random_state=0),
    "report": of_reports,
    "real components": lambda rng: ComponentsDisplay.from_estimator(
        GaussianRBM(3, n_iter=1, random_state=0).fit(rng.normal(size=(30, 9)))
    ),
}


def plain(text):
    """A text without numbers and the labels that matplotlib counts itself."""
    return "" if text.startswith("_") else re.sub(r"-?[0-9.]+", "#", text)


def look(artist):
    """Kind of an artist, and how it is drawn."""
    found = [type(artist).__name__, plain(artist.get_label()), artist.get_visible()]
    found += [artist.get_zorder(), artist.get_alpha()]
    if isinstance(artist, Line2D):
        found += [artist.get_linestyle(), artist.get_linewidth(), artist.get_marker()]
        found.append(colors.to_hex(artist.get_color()))
    elif isinstance(artist, AxesImage):
        found += [artist.get_cmap().name, *np.round(artist.get_extent(), 6).tolist()]
    elif isinstance(artist, PathCollection):
        found += np.round(artist.get_sizes(), 6).tolist()
    else:
        found += [artist.get_linewidth(), artist.get_fill()]
        found.append(colors.to_hex(artist.get_facecolor(), keep_alpha=True))
    return found


def looks(figure):
    """Size of a figure, and looks of its axes: text, spines, scales and artists."""
    found = {"size": np.round(figure.get_size_inches(), 6).tolist(), "axes": []}
    for axes in figure.axes:
        shown = [look(one) for one in axes.get_children() if isinstance(one, SHOWN)]
        text = axes.get_title(), axes.get_xlabel(), axes.get_ylabel()
        legend = axes.get_legend()
        texts = (
            [] if legend is None else [plain(t.get_text()) for t in legend.get_texts()]
        )
        sizes = [axes.title.get_fontsize(), axes.xaxis.label.get_fontsize()]
        sizes += [one.get_fontsize() for one in axes.get_yticklabels()[:1]]
        found["axes"].append(
            {
                "text": [plain(t) for t in text],
                "legend": texts,
                "sizes": np.round(sizes, 6).tolist(),
                "spines": [spine.get_visible() for spine in axes.spines.values()],
                "scales": [axes.get_xscale(), axes.get_yscale()],
                "aspect": str(axes.get_aspect()),
                "artists": sorted({json.dumps(one): None for one in shown}),
            }
        )
    return found


def drawn(name):
    """Looks of a case, whatever ran before."""
    plt.close("all")
    return looks(CASES[name](np.random.default_rng(0)).figure_)


@pytest.mark.parametrize("name", CASES)
def test_looks_are_those_of_the_list(name):
    found = json.loads(json.dumps(drawn(name)))
    assert found == json.loads(LIST.read_text())[name]


if __name__ == "__main__":
    LIST.write_text(json.dumps({name: drawn(name) for name in CASES}, indent=1) + "\n")
