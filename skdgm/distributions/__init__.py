"""Distributions of units in energies, and of columns given outputs of a net."""

from skdgm.distributions.bernoulli import Bernoulli, BernoulliOutput, draw, draw_bits
from skdgm.distributions.binomial import Binomial
from skdgm.distributions.categorical import (
    CategoricalOutput,
    OrdinalOutput,
    Softmax,
    check_range,
    one_hot,
    pick,
)
from skdgm.distributions.columns.gapped import ABSENT, GappedOutput
from skdgm.distributions.columns.grouped import GroupedOutput
from skdgm.distributions.columns.mixed import (
    MixedOutput,
    column_slices,
    decoder_output,
    places_of,
)
from skdgm.distributions.columns.mixture import Mixture, MixtureOutput, standard_mixture
from skdgm.distributions.columns.numeric import NumericOutput
from skdgm.distributions.columns.truncated import Truncated
from skdgm.distributions.columns.within import Event, draw_within, relative_probability
from skdgm.distributions.columnwise import Columnwise
from skdgm.distributions.gaussian import Gaussian, Normal, NormalOutput
from skdgm.distributions.interval import Interval
from skdgm.distributions.multinomial import Multinomial, draw_words
from skdgm.distributions.normal_units import Rectified, UnitNormal
from skdgm.distributions.poisson import Poisson, draw_counts
from skdgm.distributions.pooled import Pooled
from skdgm.distributions.roles import Biased, Output, Unit
from skdgm.distributions.selected import Selected
from skdgm.distributions.sites import Sites

__all__ = [
    "ABSENT",
    "Bernoulli",
    "BernoulliOutput",
    "Biased",
    "Binomial",
    "CategoricalOutput",
    "Columnwise",
    "Event",
    "GappedOutput",
    "Gaussian",
    "GroupedOutput",
    "Interval",
    "MixedOutput",
    "Mixture",
    "MixtureOutput",
    "Multinomial",
    "Normal",
    "NormalOutput",
    "NumericOutput",
    "OrdinalOutput",
    "Output",
    "Poisson",
    "Pooled",
    "Rectified",
    "Selected",
    "Sites",
    "Softmax",
    "Truncated",
    "Unit",
    "UnitNormal",
    "check_range",
    "column_slices",
    "decoder_output",
    "draw",
    "draw_bits",
    "draw_counts",
    "draw_within",
    "draw_words",
    "one_hot",
    "pick",
    "places_of",
    "relative_probability",
    "standard_mixture",
]
