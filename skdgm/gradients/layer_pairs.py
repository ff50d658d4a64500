r"""Contrastive divergence for two layers that will be part of a deeper machine.

An inner layer of a deep Boltzmann machine has inputs from the layers below and above.
While it is pre-trained with one of these only, the input from that one counts twice, in
place of the input from the other [1]_:

.. math:: p(h_j = 1 \mid v) = \sigma(c_j + 2 \, v^\top W_{:j}), \qquad
   p(v_i = 1 \mid h) = \sigma(b_i + W_{i:} h)

for the two bottom layers, reversed for the two top layers, and both doubled between.
Then the machine takes W as it is. To multiply the input by :math:`g` is to go to the
point :math:`\beta = g` of a path that begins with the layer without couplings.

References
----------
.. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

from skdgm.energies import Path
from skdgm.gradients.contrastive import Phases, complete, with_last_means
from skdgm.samplers import gibbs

_DATA, _MODEL = 1, 2


def layer_pair(rng, energy, params, x, clamp, n_steps, gains):
    """Both phases, with chains that start at the data and inputs multiplied by gains.

    Other parameters and returns are those of :func:`~skdgm.gradients.cd`.

    Parameters
    ----------
    gains : sequence of float
        For each block the factor of its input from its neighbours.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)

    def draw(rng, state, colour):
        blocks = energy.colours[colour]
        for gain in sorted({gains[block] for block in blocks}):
            path = Path(params.units, params.dtype.type(gain))
            options = {"colours": (colour,), "path": path}
            later = tuple(
                True if block in blocks and gains[block] != gain else None
                for block in range(len(gains))
            )
            if any(later):
                options["clamp"] = later
            run = rng.fold(colour), energy, params, state, 1
            state, info = gibbs.run(*run, **options)
        return state, info

    rows = rng.fold(_DATA).rows(len(x[0]))
    chains, info = draw(rows, gibbs.State(x), 1)
    data = with_last_means(energy, x, info)
    rows = rng.fold(_MODEL).rows(len(x[0]))
    for number in range(n_steps):
        for colour in (0, 1):
            chains, info = draw(rows.fold(number), chains, colour)
    return Phases(data, with_last_means(energy, chains.x, info)), chains
