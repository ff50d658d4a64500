"""Register of tags of random streams, for modules that share the stream of one seed.

A stream is folded by tags, one for each purpose (see :mod:`skdgm.utils.random`). Tags
below 100 are local to a module and number its steps, layers or draws. Tags for other
purposes in the same stream are in this register. Two purposes may have the same tag if
they never occur in the same stream: a model belongs to one family, and streams of fits
differ from streams of densities.
"""

# Streams of an estimator's seed, in addition to the purposes in ``utils.random``.
TUNING = range(2**16, 2**16 + 5)  # Fine-tuning: init, shuffle, step, probe, split.
ORDERS, DEGREES, FLOW_ORDERS = range(2**17, 2**17 + 3)
FLOW_MIXTURE = range(2**17 + 3, 2**17 + 5)  # Start, fill.
FLOW_DRAWS = 2**17 + 5
REFINEMENT = 102  # Joint refinement of a stack, in addition to its layers.
SHARD = 200

# Streams of a learning step, in addition to those that are numbered.
CONDITIONAL_LEARNING = range(2**20, 2**20 + 2)  # Missing entries, their draws.
LABEL_LEARNING = range(2**20, 2**20 + 2)  # Draws of labels, missing entries.
SAMPLING_FREE = range(2**20 + 2, 2**20 + 6)  # Draws, chains, missing entries, bits.
SWAPS = 10**6  # Parallel tempering; the number of the step is added.
ORDERLESS = range(100, 104)  # Seen columns, dropout, the choice of an order, events.
GAME_OUTPUT = 100
HIDDEN_NOISE = 130
RECURRENT_DROPOUT = 400
GEOMETRIC = range(300, 305)  # Top layer, descent, data, guesses, others.
IMPLICIT_HELD_OUT = 102
SITES = range(100, 102)  # Positive phase, both phases.
CORRUPTION = range(120, 122)  # Corrupted entries, their values.
LABELED_ROWS = range(160, 162)  # Unknown labels, labels.

# Streams of estimates of log Z.
BRACKET = range(100, 105)  # Temperatures, up, down, bootstrap, probable states.
BRACKET_WITHOUT_MEANS = 110
PILOT = 2**8

# Streams of densities: draws of rows and of missing entries.
SUPERVISED = range(100, 102)  # Data, the choice of a draw.
IMPLICIT = range(102, 106)  # Noise, classes, the choice of a draw, rare categories.
FLOW_COMPONENT = 105
FLOW_DENSITY = 101, 106  # The choice of a draw, noise.
BASE_COMPONENT = 104
GENERATOR = range(100, 102)  # Latent units, emission.
LATENT_DENSITY = 100, 101, 102, 104  # Latent units, layers below, data, filling.
LATENT_WEIGHING = range(103, 106)  # The choice of a draw, adaptation, last round.
LATENT_FILLING = 102, 103, 106  # Data, acceptance, former states.
LATENT_HIERARCHY = 105, 107, 108  # Covariates, top layer, layers below.
LATENT_CONDITIONS = 102, 200  # Data, events.
RECONSTRUCTION_CHAIN = range(110, 113)  # Noise, data, hidden layers.
RECONSTRUCTION = range(140, 142)  # Start, steps.
CHAIN_STEPS = range(201, 203)  # The choice of a draw, dropout.
ENSEMBLE = range(200, 203)  # Members, the choice of a member, later rounds.
LATENT_STEPS = range(210, 215)  # Noise, resampling, choice, data, gray bits.
POOL = range(300, 304)  # Draws, thinning, the choice, the order.
MACHINE_STEPS = 303, 305, 306  # Chains of learning, filling, rare categories.
GEOMETRIC_DENSITY = range(400, 404)  # Data, choice, others, moves.
# Start, probe, step, clamp, raise, bound, noise, turn, show; choice of particles.
DIFFUSION = range(400, 409)
DIFFUSION_GUIDED = 400, 403, 404, 408, 409
SPIKE_SLAB = range(500, 504)  # Spikes, slabs, columns, choice.
SPIKE_SLAB_GIBBS = range(510, 512)  # Spikes, slabs.
GAPS = range(600, 604)  # Resampling, steps, choice, continued particles.
TIME_STEPS = 620  # Begun series.
SERIES = 610, 611  # Gaps, draws.
ROW_PARTICLES = 2**16
