r"""Joint refinement of all layers by contrastive wake-sleep, also called up-down.

Recognition and generative weights of the directed layers are untied. In the wake phase,
states are drawn upwards from data by Q, and P learns to generate them. The top-level
machine learns by contrastive divergence from there. In the sleep phase, states are
drawn downwards by P from the ends of its chains, and Q learns to recognise them [1]_:

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

from skdgm.belief._bound import terms
from skdgm.belief._directed import ascent, descent
from skdgm.boltzmann._state import TrainState
from skdgm.boltzmann._trainer import Trainer
from skdgm.distributions import Bernoulli
from skdgm.energies import plain
from skdgm.optim import sgd
from skdgm.training import Batch
from skdgm.utils.parallel import learning
from skdgm.utils.purposes import PROBE, STEP
from skdgm.utils.random import stream

_PROBE_ROWS = 250
# In nats per unit: a loss this much above the initial one is divergence.
_DIVERGED = 2.0


class State(NamedTuple):
    """Training states of each directed layer's Q and P, and of the top level.

    Parameters
    ----------
    recognition, generative : tuple of TrainState
        From the bottom up.
    top : TrainState
    """

    recognition: tuple
    generative: tuple
    top: TrainState


class UpDown:
    """Trainer of all layers together: draws batches and takes steps.

    Parameters
    ----------
    layers : list of Directed
        From the bottom up.
    machines : list of estimators
        Fitted machines of the layers and of the top level; their penalties remain in
        force.
    table : Table
        Training rows, as the lowest machine sees them.
    seed : int
    before : int
        Number of epochs of refinement already done.
    rate : float
        Learning rate at the start.
    n_steps : int or tuple of int
        Number of Gibbs steps in the top-level machine.
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
        # Q learns from means if the data that it will recognise are means.
        self.recognises_means = grey and not recipes[0].resample
        index = np.linspace(0, len(table.index) - 1, _PROBE_ROWS).astype(int)
        self.probe = table.index[np.unique(index)]

    def start(self):
        """Initial training state.

        Returns
        -------
        state : State
        """

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
        """Update all parameters once, from a batch of rows.

        Parameters
        ----------
        state : State
            Its parameters are changed in place.
        batch : Batch
            Rows, NaN where missing, and their labels if there are any.
        clock : Clock

        Returns
        -------
        state : State
        """
        rng = stream(self.seed, STEP, self.before + clock.epoch, clock.batch)
        layers = self.untied(state)
        bits = rng.fold(0) if self.resampling else None
        x, clamped = self._complete(layers, batch.v, bits)
        rng = rng.rows(len(x))
        states = ascent(layers, x, rng.fold(1))
        with learning():
            for number, layer in enumerate(layers):
                pair, known = states[number : number + 2], True if number else clamped
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
        """Directed layers with the current parameters.

        Parameters
        ----------
        state : State
        form : callable, optional
            Conversion of the parameters.

        Returns
        -------
        layers : list of Directed
        """
        return [
            layer._replace(recognition=form(q.params), generative=form(p.params))
            for layer, q, p in zip(self.layers, state.recognition, state.generative)
        ]

    def ways(self, state):
        """Current parameters of the directed layers.

        Parameters
        ----------
        state : State

        Returns
        -------
        ways : list of (Params, Params)
            Recognition and generative parameters of each layer.
        """
        return [tuple(layer[1:]) for layer in self.untied(state, plain)]

    def measure(self, state):
        """Minus the mean bound of some training rows and of their labels, where known.

        The top-level machine's log probability is replaced by a pseudo-likelihood.

        Parameters
        ----------
        state : State

        Returns
        -------
        loss : float
            In nats per row.
        validation : None
        """
        layers, rng = self.untied(state), stream(self.seed, PROBE)
        x, clamped = self._complete(layers, self.table.rows.present(self.probe))
        labels = self.table.rows.labels
        labels = None if labels is None else labels[self.probe]

        def log_top(h, rng):
            batch = Batch(h, labels)
            return self.top.pseudo_likelihood(rng, state.top.params, batch)

        drawn = terms(layers, x, clamped, log_top, rng.rows(len(x)), 1)
        return -drawn.bound().mean(), None

    def limit(self, state):
        """Loss above which training has diverged.

        Parameters
        ----------
        state : State
            State at the start of training.

        Returns
        -------
        limit : float
        """
        n_units = sum(unit.size for layer in self.layers for unit in layer.units)
        return self.measure(state)[0] + _DIVERGED * n_units

    def _complete(self, layers, v, rng=None):
        """Rows with missing entries filled by mean field, and their observed mask."""
        x, clamp = self.lowest.present(Batch(v), rng)
        if clamp[0] is True:
            return x[0], True
        return layers[0].means(x, clamp)[0], clamp[0]
