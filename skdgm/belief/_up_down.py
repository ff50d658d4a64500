r"""Learning of all layers together: contrastive wake-sleep, also called up-down.

Recognition and generative weights of the directed layers are untied. Awake, states are
drawn upwards from data by Q, and P learns to generate them; the top machine learns by
contrastive divergence from there; and from where its chains end states are drawn
downwards by P, asleep, and Q learns to recognise them [1]_:

.. math:: \Delta_P = \frac{\partial}{\partial\theta} \log P(x \mid h), \quad h \sim Q,
   \qquad \Delta_Q = \frac{\partial}{\partial\phi} \log Q(h \mid x), \quad x \sim P

References
----------
.. [1] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief nets.
   Neural Computation.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from skdgm.base.purposes import PROBE, STEP
from skdgm.belief._bound import terms
from skdgm.belief._directed import ascent, descent
from skdgm.boltzmann._state import TrainState
from skdgm.boltzmann._trainer import Trainer
from skdgm.energies import plain
from skdgm.optim import sgd
from skdgm.training import Batch
from skdgm.units import Bernoulli
from skdgm.utils.parallel import learning
from skdgm.utils.random import stream

_PROBE_ROWS = 250
# In nats a unit: a loss so much above the first one is divergence.
_DIVERGED = 2.0


class State(NamedTuple):
    """What changes: a training state for each layer's Q and P, and the top's."""

    recognition: tuple
    generative: tuple
    top: TrainState


class UpDown:
    """Draws batches and takes steps.

    Parameters
    ----------
    layers : list of Directed
    machines : list of estimators
        What the layers and the top were learned by; their penalties stay.
    table : Table
        As the lowest machine sees it.
    seed, before : int
        ``before`` is how many epochs of this kind there were already.
    rate : float
        The learning rate at the start.
    n_steps : int or tuple of int
        Gibbs steps in the top machine.
    """

    def __init__(self, layers, machines, table, seed, before, rate, n_steps):
        self.layers, self.machines, self.table = layers, machines, table
        self.seed, self.before = seed, before
        rule = {"learning_rate": rate, "schedule": "linear", "momentum": 0.0}
        rule |= {"solver": "sgd", "gradient": "cd", "n_steps": n_steps}
        rule |= {"centering": None, "sparsity_target": None}
        rule["batch_size"] = machines[0]._options.batch_size
        recipes = [clone(one).set_params(**rule)._options for one in machines]

        def trainer(number, energy, kind=Trainer, moments=(None, None)):
            machine, own = machines[number], seed + number
            fill = machine._domain.fill(machine._columns)
            given = energy, recipes[number], table.rows, own, fill
            return kind(*given, moments, before, density=0.0)

        self.to_generate = [trainer(n, layer.energy) for n, layer in enumerate(layers)]
        self.to_recognise = [trainer(n, part.frozen()) for n, part in enumerate(layers)]
        top, energy = machines[-1], machines[-1]._energy()
        self.top = trainer(len(layers), energy, top._TRAINER, top._moments(energy))
        self.lowest = self.to_generate[0]
        self.draw = partial(self.lowest.draw, table)
        bits = isinstance(layers[0].units[0], Bernoulli)
        grey = bits and not table.rows.binary
        self.resampling = grey and recipes[0].resample
        # What Q is to recognise is of the kind that it gets from data.
        self.recognises_means = grey and not recipes[0].resample
        index = np.linspace(0, len(table.index) - 1, _PROBE_ROWS).astype(int)
        self.probe = table.index[np.unique(index)]

    def start(self):
        """The state at first."""

        def begin(trainer, params):
            params = trainer.for_kernels(params)
            return TrainState(params, sgd.init(params), ())

        _, recognition, generative = zip(*self.layers)
        return State(
            tuple(map(begin, self.to_recognise, recognition)),
            tuple(map(begin, self.to_generate, generative)),
            self.top.resume(self.machines[-1]._state()),
        )

    def step(self, state, batch, clock):
        """One update of everything from a batch of rows."""
        rng = stream(self.seed, STEP, self.before + clock.epoch, clock.batch)
        layers = self.untied(state)
        bits = rng.fold(0) if self.resampling else None
        x, held = self._complete(layers, batch.v, bits)
        rng = rng.rows(len(x))
        states = ascent(layers, x, rng.fold(1))
        with learning():
            for number, layer in enumerate(layers):
                pair, known = states[number : number + 2], True if number else held
                grad = layer.wake(*pair, known, rng.fold(2, number))
                self.to_generate[number].ascend(state.generative[number], grad, clock)
        top = self.top.step(state.top, Batch(states[-1], batch.labels), clock)
        dreams, mean = descent(layers, top.near[0], rng.fold(3))
        if self.recognises_means:
            dreams[0] = mean
        with learning():
            for number, layer in enumerate(layers):
                grad = layer.sleep(*dreams[number : number + 2])
                self.to_recognise[number].ascend(state.recognition[number], grad, clock)
        return state._replace(top=top)

    def untied(self, state, form=lambda params: params):
        """The directed layers now."""
        return [
            layer._replace(recognition=form(q.params), generative=form(p.params))
            for layer, q, p in zip(self.layers, state.recognition, state.generative)
        ]

    def ways(self, state):
        """The parameters of the directed layers, upwards and downwards."""
        return [tuple(layer[1:]) for layer in self.untied(state, plain)]

    def measure(self, state):
        """Minus the bound for some rows, and for their labels where these are known,
        with a pseudo-likelihood at the top."""
        layers, rng = self.untied(state), stream(self.seed, PROBE)
        x, held = self._complete(layers, self.table.rows.present(self.probe))
        labels = self.table.rows.labels
        labels = None if labels is None else labels[self.probe]

        def log_top(h, rng):
            batch = Batch(h, labels)
            return self.top.pseudo_likelihood(rng, state.top.params, batch)

        drawn = terms(layers, x, held, log_top, rng.rows(len(x)), 1)
        return -drawn.bound().mean(), None

    def limit(self, state):
        """A loss above it means that training diverged."""
        n_units = sum(unit.size for layer in self.layers for unit in layer.units)
        return self.measure(state)[0] + _DIVERGED * n_units

    def _complete(self, layers, v, rng=None):
        """Rows with what is missing found by mean field, and what was not."""
        x, clamp = self.lowest.present(Batch(v), rng)
        if clamp[0] is True:
            return x[0], True
        return layers[0].means(x, clamp)[0], clamp[0]
