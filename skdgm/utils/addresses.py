"""Addresses of random streams, where several modules draw from the stream of one seed.

A stream is folded by tags, each for a purpose (see :mod:`skdgm.utils.random`). Tags
below 100 are a module's own: of a step, of a layer, of a draw. Purposes that lie beside
these have the tags of this register. Two that have the same tag never meet: a model is
of one family, and a stream of a fit is none of a density.
"""

# Of the seed of an estimator, beside the purposes of ``utils.random``.
TUNING = range(2**16, 2**16 + 5)  # Of fine-tuning: init, shuffle, step, probe, split.
ORDERS, DEGREES, FLOW_ORDERS = range(2**17, 2**17 + 3)
FLOW_MIXTURE = range(2**17 + 3, 2**17 + 5)  # Start, fill.
FLOW_DRAWS = 2**17 + 5
REFINEMENT = 102  # Of a stack, beside its layers.
SHARD = 200

# Of a step of learning, beside its numbers.
CONDITIONAL_LEARNING = range(2**20, 2**20 + 2)  # Missing entries, draws of these.
LABEL_LEARNING = range(2**20, 2**20 + 2)  # Draws of labels, missing entries.
SAMPLING_FREE = range(2**20 + 2, 2**20 + 6)  # Draws, chains, missing entries, bits.
SWAPS = 10**6  # Of parallel tempering, plus the number of the step.
ORDERLESS = range(100, 104)  # Seen columns, dropout, the choice of an order, events.
GAME_OUTPUT = 100
HIDDEN_NOISE = 130
RECURRENT_DROPOUT = 400
GEOMETRIC = range(300, 305)  # Top layer, descent, data, guesses, others.
IMPLICIT_HELD_OUT = 102
SITES = range(100, 102)  # Of the phase of the data, of both phases.
CORRUPTION = range(120, 122)  # Where, and by what.
LABELLED_ROWS = range(160, 162)  # Unknown labels, labels.

# Of log Z.
BRACKET = range(100, 105)  # Temperatures, up, down, bootstrap, probable states.
BRACKET_WITHOUT_MEANS = 110
PILOT = 2**8

# Of draws of rows, and of what is missing of them.
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
ENSEMBLE = range(200, 203)  # Each member, the choice of one, later rounds.
LATENT_STEPS = range(210, 215)  # Noise, resampling, choice, data, grey bits.
POOL = range(300, 304)  # Draws, those that are kept, the choice, the order.
MACHINE_STEPS = 303, 305, 306  # Chains of learning, filling, rare categories.
GEOMETRIC_DENSITY = range(400, 404)  # Data, choice, others, moves.
# Start, probe, step, clamp, raise, bound, noise, turn, show; and picking of particles.
DIFFUSION = range(400, 409)
DIFFUSION_GUIDED = 400, 403, 404, 408, 409
SPIKE_SLAB = range(500, 504)  # Spikes, slabs, columns, choice.
SPIKE_SLAB_GIBBS = range(510, 512)  # Spikes, slabs.
GAPS = range(600, 604)  # Resampling, steps, choice, those that go on.
TIME_STEPS = 620  # Begun series.
SERIES = 610, 611  # Gaps, draws.
ROW_PARTICLES = 2**16
