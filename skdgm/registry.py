"""Registry of estimators: the module of each, by its name, which is also its tag in
files.

A new estimator needs one row here. The lazy names of :mod:`skdgm`, the types that
:func:`skdgm.load` can create, and the loops of tests and documentation follow from it.
"""

# Models, ordered by family.
MODELS = {
    "BiGAN": "adversarial.bigan",
    "GAN": "adversarial.gan",
    "GANClassifier": "adversarial.gan_classifier",
    "InfoGAN": "adversarial.infogan",
    "LAPGAN": "adversarial.lapgan",
    "StackGAN": "adversarial.stack_gan",
    "Autoencoder": "autoencoder.autoencoder",
    "ContractiveAutoencoder": "autoencoder.contractive_autoencoder",
    "DenoisingAutoencoder": "autoencoder.denoising_autoencoder",
    "DRAW": "autoencoder.draw",
    "PredictabilityMinimization": "autoencoder.predictability_minimization",
    "StackedAutoencoder": "autoencoder.stacked_autoencoder",
    "StackedAutoencoderClassifier": "autoencoder.stacked_autoencoder_classifier",
    "StackedAutoencoderRegressor": "autoencoder.stacked_autoencoder_regressor",
    "GSN": "autoencoder.gsn",
    "GSNClassifier": "autoencoder.gsn_classifier",
    "VAE": "autoencoder.vae",
    "EoNADE": "autoregressive.eonade",
    "FVBN": "autoregressive.fvbn",
    "MADE": "autoregressive.made",
    "NADE": "autoregressive.nade",
    "NeuralAutoregressive": "autoregressive.neural_autoregressive",
    "RNADE": "autoregressive.rnade",
    "ConvDBN": "belief.conv_dbn",
    "ConvDBNClassifier": "belief.conv_dbn_classifier",
    "DBN": "belief.dbn",
    "DBNClassifier": "belief.dbn_classifier",
    "DBNRegressor": "belief.dbn_regressor",
    "GenerativeDBNClassifier": "belief.generative_dbn_classifier",
    "BoltzmannMachine": "boltzmann.boltzmann_machine",
    "ConditionalRBM": "boltzmann.conditional_rbm",
    "ConvDBM": "boltzmann.conv_dbm",
    "ConvRBM": "boltzmann.conv_rbm",
    "DBM": "boltzmann.dbm",
    "DBMClassifier": "boltzmann.dbm_classifier",
    "GatedRBM": "boltzmann.gated_rbm",
    "GaussianRBM": "boltzmann.gaussian_rbm",
    "MeanCovarianceRBM": "boltzmann.mean_covariance_rbm",
    "MeanProductOfT": "boltzmann.mean_product_of_t",
    "SpikeSlabRBM": "boltzmann.spike_slab_rbm",
    "BernoulliRBM": "boltzmann.bernoulli_rbm",
    "RBMClassifier": "boltzmann.rbm_classifier",
    "ReplicatedSoftmax": "boltzmann.replicated_softmax",
    "RBM": "boltzmann.rbm",
    "BidirectionalHelmholtzMachine": "directed.bidirectional_helmholtz_machine",
    "HelmholtzMachine": "directed.helmholtz_machine",
    "S3C": "directed.s3c",
    "SigmoidBeliefNetwork": "directed.sigmoid_belief_network",
    "Flow": "flows.flow",
    "Diffusion": "diffusion.diffusion",
    "GMMN": "moment_matching.gmmn",
    "RNNRBM": "recurrent.rnn_rbm",
    "RTRBM": "recurrent.rtrbm",
    "RNNNADE": "recurrent.rnn_nade",
    "VRNN": "recurrent.vrnn",
    "GeneratorNet": "supervised.generator_net",
}
# Meta-estimators of a model or a simulator, and transformers of rows.
TOOLS = {
    "ABC": "abc.abc",
    "BernoulliBinarizer": "preprocessing.bernoulli_binarizer",
    "ConstrainedTable": "constraints.constrained_table",
    "DensityOutlierDetector": "anomaly.detector",
    "Dequantizer": "preprocessing.dequantizer",
    "GenerativeImputer": "imputation.generative_imputer",
    "SelfSupervisedBoosting": "boosting.self_supervised_boosting",
}
# Groups of options in ``skdgm.options``.
GROUPS = {
    "Adam": "base.solvers",
    "RMSprop": "base.solvers",
    "SGD": "base.solvers",
    "Columns": "base.column_group",
    "Convolutions": "base.common_groups",
    "Hybrid": "base.common_groups",
    "Pretraining": "base.common_groups",
    "CD": "boltzmann.groups",
    "FPCD": "boltzmann.groups",
    "PCD": "boltzmann.groups",
    "Tempering": "boltzmann.groups",
    "Filters": "boltzmann.groups",
    "Penalty": "boltzmann.groups",
    "UpDown": "belief._options",
    "ELBO": "autoencoder._options",
    "IWAE": "autoencoder._options",
    "Prior": "autoencoder._options",
    "ContractiveLayer": "autoencoder._stack_options",
    "DenoisingLayer": "autoencoder._stack_options",
    "BeliefObjective": "directed._options",
    "SequenceBound": "recurrent._options",
    "Sequences": "recurrent._estimator",
    "Discriminator": "adversarial._options",
    "GameLoss": "adversarial._options",
    "Information": "adversarial._options",
}
# Estimators that are not names of skdgm itself.
_APART = "BernoulliBinarizer", "Dequantizer"

ESTIMATORS = {**MODELS, **TOOLS}
# Names of skdgm itself, by module.
PUBLIC = {name: home for name, home in ESTIMATORS.items() if name not in _APART}
PUBLIC |= {"load": "persistence", "save": "persistence"}
PUBLIC |= {"card": "metrics.description", "show_versions": "utils.versions"}
# Modules that are attributes of skdgm: those of tools, of estimators, and of roles.
_TOOLS = "callbacks", "constraints", "dask", "datasets", "exceptions", "metrics"
_TOOLS += "options", "persistence", "plotting", "preprocessing", "typing"
_ROLES = "base", "couplings", "data", "distributions", "energies", "gradients"
_ROLES += "implicit", "inference", "latent", "nets", "optim", "partition"
_ROLES += "registry", "samplers", "stacks", "training", "utils"
MODULES = {*_TOOLS, *_ROLES, *(home.partition(".")[0] for home in ESTIMATORS.values())}
