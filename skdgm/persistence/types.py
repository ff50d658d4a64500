"""The classes of which a model file may have objects.

The list is closed: a file names a class, and only a name on the list is imported.
"""

from importlib import import_module

from skdgm.exceptions import UnknownTypeError

_ESTIMATORS = {
    "skdgm.anomaly": ("DensityOutlierDetector",),
    "skdgm.adversarial.bigan": ("BiGAN",),
    "skdgm.adversarial.gan": ("GAN",),
    "skdgm.adversarial.infogan": ("InfoGAN",),
    "skdgm.adversarial.lapgan": ("LAPGAN",),
    "skdgm.adversarial.stack_gan": ("StackGAN",),
    "skdgm.adversarial.gan_classifier": ("GANClassifier",),
    "skdgm.autoencoder.vae": ("VAE",),
    "skdgm.autoregressive.eonade": ("EoNADE",),
    "skdgm.autoregressive.fvbn": ("FVBN",),
    "skdgm.autoregressive.made": ("MADE",),
    "skdgm.autoregressive.nade": ("NADE",),
    "skdgm.autoregressive.neural_autoregressive": ("NeuralAutoregressive",),
    "skdgm.autoregressive.rnade": ("RNADE",),
    "skdgm.belief.conv_dbn": ("ConvDBN",),
    "skdgm.belief.conv_dbn_classifier": ("ConvDBNClassifier",),
    "skdgm.belief.dbn": ("DBN",),
    "skdgm.belief.dbn_classifier": ("DBNClassifier",),
    "skdgm.belief.dbn_regressor": ("DBNRegressor",),
    "skdgm.belief.generative_dbn_classifier": ("GenerativeDBNClassifier",),
    "skdgm.boltzmann.boltzmann_machine": ("BoltzmannMachine",),
    "skdgm.boltzmann.conv_dbm": ("ConvDBM",),
    "skdgm.boltzmann.conv_rbm": ("ConvRBM",),
    "skdgm.boltzmann.dbm": ("DBM",),
    "skdgm.boltzmann.dbm_classifier": ("DBMClassifier",),
    "skdgm.boltzmann.gaussian_rbm": ("GaussianRBM",),
    "skdgm.boltzmann.rbm": ("BernoulliRBM",),
    "skdgm.boltzmann.rbm_classifier": ("RBMClassifier",),
    "skdgm.boltzmann.replicated_softmax": ("ReplicatedSoftmax",),
    "skdgm.boltzmann.unit_rbm": ("RBM",),
    "skdgm.constraints.constrained_table": ("ConstrainedTable",),
    "skdgm.directed.bidirectional_helmholtz_machine": (
        "BidirectionalHelmholtzMachine",
    ),
    "skdgm.directed.helmholtz_machine": ("HelmholtzMachine",),
    "skdgm.directed.sigmoid_belief_network": ("SigmoidBeliefNetwork",),
    "skdgm.imputation.generative_imputer": ("GenerativeImputer",),
    "skdgm.moment_matching.gmmn": ("GMMN",),
    "skdgm.preprocessing.bernoulli_binarizer": ("BernoulliBinarizer",),
    "skdgm.preprocessing.dequantizer": ("Dequantizer",),
    "skdgm.supervised.generator_net": ("GeneratorNet",),
}
# NamedTuples among the attributes of fitted estimators.
_RECORDS = {
    "skdgm.adversarial._players": ("GameState", "Player"),
    "skdgm.adversarial._stages": ("StagesState",),
    "skdgm.autoregressive._normal": ("Moments",),
    "skdgm.autoregressive._orderless": ("Params",),
    "skdgm.belief._outputs": ("Classes", "Labels", "Numbers"),
    "skdgm.constraints._plan": ("Plan",),
    "skdgm.constraints._steps": ("Joint", "Numbered", "Remainder", "Total"),
    "skdgm.constraints.relations": ("Inequality", "Sum"),
    "skdgm.constraints.rules": ("FixedCombinations", "Range", "Unique"),
    "skdgm.data.codes": ("Codes",),
    "skdgm.data.clocks": ("Clock",),
    "skdgm.data.columns": ("Columns",),
    "skdgm.data.foreign": ("Schema",),
    "skdgm.data.frames": ("Codec",),
    "skdgm.data.kinds": ("Mixed",),
    "skdgm.data.rare": ("Groups", "Rare"),
    "skdgm.data.scales": ("Levels", "Scores"),
    "skdgm.data.units": ("UnitFacts",),
    "skdgm.directed._gibbs": ("Chains",),
    "skdgm.directed._way": ("Kept", "Learned"),
    "skdgm.distributions.gaussian": ("Normal",),
    "skdgm.energies.params": ("Params",),
    "skdgm.gradients.reinforce": ("Optimal", "Running"),
    "skdgm.latent.hierarchy": ("Params", "Statistics"),
    "skdgm.moment_matching._matching": ("MatchState", "Part"),
    "skdgm.nets.constrained": ("Tied",),
    "skdgm.nets.feed_forward": ("Layer",),
    "skdgm.nets.layers": ("Moments", "Scales"),
    "skdgm.nets.objective": ("NetState",),
    "skdgm.nets.parts": ("Part",),
    "skdgm.optim.optimisers": ("AdamState", "RMSPropState"),
    "skdgm.optim.refinements": ("Mean",),
    "skdgm.supervised._attributes": ("Attributes",),
    "skdgm.supervised._density": ("Known",),
}


def _names(places):
    return {f"{home}.{name}": home for home, names in places.items() for name in names}


ESTIMATORS, RECORDS = _names(_ESTIMATORS), _names(_RECORDS)
# Types to trust where skops.io.load reads an estimator of ours: data, and our classes.
TRUSTED_TYPES = tuple(sorted([*ESTIMATORS, *RECORDS, "types.SimpleNamespace"]))


def name_of(cls):
    """Name of a class in files."""
    return f"{cls.__module__}.{cls.__qualname__}"


def class_of(name, known):
    """Import a class on a list, by its name in files.

    Parameters
    ----------
    name : str
    known : {ESTIMATORS, RECORDS}

    Returns
    -------
    cls : type

    Raises
    ------
    UnknownTypeError
        The list does not have the name.
    """
    if name not in known:
        what = "estimator" if known is ESTIMATORS else "record"
        raise UnknownTypeError(
            f"The file asks for the {what} {name!r}, which is none of this version of "
            "skdgm: it was made by another program, or by another version."
        )
    return getattr(import_module(known[name]), name.rsplit(".")[-1])
