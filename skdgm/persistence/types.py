"""Classes whose objects may occur in model files, by permanent tags.

The list is closed: a file refers to a class by its tag, and only classes in the list
are imported. A module or class may be renamed, but its tag may not. The tag of an
estimator is its name; that of a group of options is its name after ``options.``, to
distinguish it from records.
"""

from importlib import import_module

from skdgm.exceptions import UnknownTypeError
from skdgm.registry import ESTIMATORS, GROUPS

# Classes with parameters: estimators, and groups of options.
WITH_PARAMS = {f"options.{name}": f"{home}:{name}" for name, home in GROUPS.items()}
WITH_PARAMS |= ESTIMATORS | {
    "anomaly.Surprisal": "anomaly.surprisal:Surprisal",
    "imputation.NormalMixtures": "imputation.normal_mixtures:NormalMixtures",
}

# NamedTuples among the attributes of fitted estimators: their modules, and their names
# if these differ from the tags.
RECORDS = {
    "AdamState": "optim.optimizers",
    "Attributes": "data.attributes",
    "Autoregression": "recurrent._autoregression",
    "Cells": "nets.dequantization",
    "CellColumns": "flows._columns",
    "Chains": "directed._gibbs:BeliefChains",
    "Classes": "stacks.outputs",
    "Clock": "data.clocks:ColumnClock",
    "Codec": "data.frames",
    "CoderParams": "autoencoder._coder",
    "Codes": "data.codes",
    "Columns": "data.columns:ColumnStatistics",
    "CovarianceParams": "energies.covariance",
    "CovarianceState": "boltzmann._covariance.objective",
    "SpikeSlabParams": "energies.spike_slab",
    "PredictabilityMinimizationState": "autoencoder._predictability",
    "FixedCombinations": "constraints.rules",
    "GameState": "adversarial._games.players",
    "Groups": "data.rare",
    "GuessMoments": "nets.predictors:PredictorMoments",
    "Inequality": "constraints.relations",
    "Frame": "diffusion._noise:Whitening",
    "Joint": "constraints._steps",
    "Kept": "directed._method:BeliefStatistics",
    "Known": "data.attributes",
    "Labels": "stacks.outputs",
    "Layer": "nets.feed_forward",
    "Learned": "directed._method:BeliefParams",
    "Levels": "data.scales",
    "LogPartition": "partition.known",
    "MatchState": "moment_matching._matching",
    "Mean": "optim.refinements",
    "Mixed": "data.kinds",
    "Mixture": "nets.bases:NormalMixture",
    "NetState": "nets.objective",
    "Noise": "boltzmann.learning.sampling_free:NoiseState",
    "Normal": "distributions.gaussian",
    "Numbered": "constraints._steps",
    "Numbers": "stacks.outputs",
    "Optimal": "gradients.stochastic.reinforce",
    "Part": "nets.parts",
    "Plan": "constraints._plan",
    "Posterior": "abc._neural:FlowPosterior",
    "abc.Likelihood": "abc._likelihood:LikelihoodPosterior",
    "RMSPropState": "optim.optimizers",
    "Range": "constraints.rules",
    "Rare": "data.rare",
    "Remainder": "constraints._steps",
    "Responses": "data.responses",
    "Running": "gradients.stochastic.reinforce",
    "Scales": "nets.layers",
    "Schema": "data.foreign",
    "Scores": "data.scales",
    "StagesState": "adversarial._games.stages",
    "Statistics": "latent.hierarchy",
    "Steady": "data.sequences:ConstantColumns",
    "Sum": "constraints.relations",
    "Tempered": "boltzmann.learning.phases",
    "Tied": "nets.constrained",
    "TimeSteps": "data.time_steps",
    "Times": "data.time_steps",
    "Tails": "nets.bases",
    "Total": "constraints._computed",
    "Tried": "abc._neural:SimulationSupport",
    "Unique": "constraints.rules",
    "UnitFacts": "data.units",
    "anomaly.Histogram": "anomaly._densities:Histogram",
    "anomaly.FittedSurprisal": "anomaly.surprisal:FittedSurprisal",
    "anomaly.MixtureOfColumns": "anomaly._densities:MixtureOfColumns",
    "anomaly.JointNormal": "anomaly._densities:JointNormal",
    "anomaly.InputScales": "data.input_scales:InputScales",
    "anomaly.Surprise": "anomaly.surprisal:Surprise",
    "autoencoder.Shared": "autoencoder._coder:SharedMaps",
    "autoencoder.Turned": "autoencoder._coder:Turned",
    "autoregressive.Moments": "autoregressive.normal_moments:NormalMoments",
    "autoregressive.Params": "autoregressive._orderless:OrderlessParams",
    "recurrent.Weights": "recurrent._net:RecurrentParams",
    "recurrent.LatentWeights": "recurrent._latent_net:LatentParams",
    "recurrent.Machine": "recurrent._rbm_step:StepMachine",
    "recurrent.TiedWeights": "recurrent._net:TiedParams",
    "recurrent.Shared": "recurrent._nade_step:StepWeights",
    "constraints.Function": "constraints.functions:Function",
    "constraints.Linear": "constraints.relations:Linear",
    "constraints.Lookup": "constraints._computed:Lookup",
    "constraints.Multiple": "constraints._computed:Multiple",
    "constraints.Product": "constraints.relations:Product",
    "constraints.Reader": "constraints.functions:Reader",
    "energies.Params": "energies.params:Params",
    "imputation.FittedMixtures": "imputation.normal_mixtures:FittedMixtures",
    "imputation.Mixture": "imputation._mixture:NormalMixture",
    "latent.Params": "latent.hierarchy:HierarchyParams",
    "nets.Moments": "nets.layers:RunningMoments",
}

# Names of attributes, fields, and values of options in files of earlier versions.
_RENAMED = {
    "_asked": "_fit_options",
    "_far": "_outlier_text",
    "_form": "_frame_format",
    "_grey": "_gray",
    "_reading": "_inferred_types",
    "centre": "center",
    "colours_": "colors_",
    "layer": "layer_type",
    "n_colours": "n_colors",
    "n_colours_": "n_colors_",
    "normalise_signal": "normalize_signal",
    "optimiser": "optimizer",
}
_RENAMED_PENALTIES = {"zero-centred": "zero-centered", "one-centred": "one-centered"}


def current_names(attributes):
    """Attributes of an object in a file, with the names of this version."""
    named = {_RENAMED.get(name, name): value for name, value in attributes.items()}
    if isinstance(penalty := named.get("penalty"), str):
        named["penalty"] = _RENAMED_PENALTIES.get(penalty, penalty)
    return named


def _place(tag, known):
    """Module and name of a class."""
    home, _, name = known[tag].partition(":")
    return f"skdgm.{home}", name or tag


def _names(known):
    return {".".join(_place(tag, known)): tag for tag in known}


_TAGS = {**_names(WITH_PARAMS), **_names(RECORDS)}
# Types to trust when skops.io.load reads an estimator of skdgm.
TRUSTED_TYPES = ("types.SimpleNamespace", "skdgm.utils.plain.Plain")
TRUSTED_TYPES = tuple(sorted([*_TAGS, *TRUSTED_TYPES]))


def name_of(cls):
    """Name of a class, with its module."""
    return f"{cls.__module__}.{cls.__qualname__}"


def tag_of(cls):
    """Tag of a class; None if it is not in the list."""
    return _TAGS.get(name_of(cls))


def class_of(tag, known):
    """Import a class by its tag from a list, WITH_PARAMS or RECORDS; UnknownTypeError
    if the tag is not in the list."""
    if tag not in known:
        kind = "record" if known is RECORDS else "estimator"
        raise UnknownTypeError(
            f"The file asks for the {kind} {tag!r}, which this version of skdgm does "
            "not have: another program, or another version, wrote the file."
        )
    home, name = _place(tag, known)
    return getattr(import_module(home), name)
