r"""Joint refinement of all layers by contrastive wake-sleep (up-down algorithm).

The recognition distribution Q and the generative distribution P of directed layers are
untied. In the wake phase, Q draws states upwards from the data, and P is trained to
generate them. The top-level machine is trained by contrastive divergence from these
states. In the sleep phase, P draws states downwards from the ends of the top-level
chains, and Q is trained to recognize them [1]_:

.. math:: \Delta_P = \frac{\partial}{\partial\theta} \log P(x \mid h), \quad h \sim Q,
   \qquad \Delta_Q = \frac{\partial}{\partial\phi} \log Q(h \mid x), \quad x \sim P

References
----------
.. [1] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief nets.
   Neural Computation.
"""

from typing import NamedTuple

from sklearn.base import clone

from skdgm.base.groups import assign
from skdgm.base.parts import model_of, options_of, state_of, with_state
from skdgm.belief._bound import terms
from skdgm.belief._directed import ascent, descent
from skdgm.boltzmann.learning.objective import EnergyObjective
from skdgm.boltzmann.learning.phases import DataChains
from skdgm.boltzmann.learning.state import InitialData, TrainState
from skdgm.boltzmann.structure.visible import reach_of
from skdgm.distributions import Bernoulli
from skdgm.energies import plain
from skdgm.optim import sgd
from skdgm.training import Batch, Objective, monitored_rows
from skdgm.utils.random import PROBE, stream
from skdgm.utils.threading.parallel import learning

# Increase of the loss, in nats per unit, that counts as divergence.
_DIVERGED = 2.0


class UpDownState(NamedTuple):
    """Training states of Q and P for each directed layer, from the bottom up, and of
    the top level."""

    recognition: tuple
    generative: tuple
    top: TrainState


class SleepChains(DataChains):
    """Chains whose final states are stored for the sleep phase."""

    def ended(self, state, chains, info):
        return state._replace(phase=chains.x)


class UpDownObjective(Objective):
    """Objective of joint refinement: a bound on the mean log-likelihood.

    ``layers`` are :class:`Directed` layers from the bottom up without the top-level
    machine. ``machines`` are all fitted machines, whose penalties remain in force. Rows
    are in units of the lowest machine.
    """

    quantity = "bound"

    def __init__(self, run, *, layers, machines):
        options = run.options
        rule = {"learning_rate": options.refine_learning_rate, "schedule": "linear"}
        rule |= {"n_steps": options.refine_steps, "gradient": "cd", "momentum": 0.0}
        rule |= {"solver": "sgd", "centering": None, "sparsity_target": None}
        rule["batch_size"] = options_of(machines[0]).batch_size
        of_machines = [
            options_of(assign(clone(machine), **rule)) for machine in machines
        ]
        super().__init__(run._replace(options=of_machines[0]))
        self.layers, self.machines = layers, machines

        def trainer(number, energy, kind=EnergyObjective, moments=(None, None)):
            density = machines[number].density_
            domain, columns = density.domain, density.columns
            initial_data = InitialData(
                missing_values=domain.fill(columns),
                moments=moments,
                nonzero_share=0.0,
                max_magnitudes={} if number else reach_of(domain, columns),
            )
            layer_run = run._replace(
                options=of_machines[number], seed=run.seed + number
            )
            return kind(layer_run, energy=energy, initial_data=initial_data)

        self.to_generate = [trainer(n, layer.energy) for n, layer in enumerate(layers)]
        self.to_recognize = [trainer(n, part.frozen()) for n, part in enumerate(layers)]
        top, kind = machines[-1].density_, model_of(machines[-1]).objective_class
        self.top = trainer(len(layers), top.energy, kind, top.moments)
        self.top.phase = SleepChains(self.top)
        self.lowest = self.to_generate[0]
        gray = isinstance(layers[0].units[0], Bernoulli) and not run.rows.binary
        self.resampling = gray and self.options.resample
        # Q is trained on means if the data are means.
        self.recognizes_means = gray and not self.options.resample

    def start(self):
        """Training state with the parameters of the fitted layers."""
        recognition = [TrainState(q.recognition, (), ()) for q in self.layers]
        generative = [TrainState(p.generative, (), ()) for p in self.layers]
        top = state_of(self.machines[-1])
        return self.resume(UpDownState(recognition, generative, top))

    def resume(self, state):
        """Training state with new optimizer states, except for the top level."""

        def begin(trainer, state_of_layer):
            params = trainer.for_kernels(state_of_layer.params)
            return TrainState(params, sgd.init(params), ())

        return UpDownState(
            tuple(map(begin, self.to_recognize, state.recognition)),
            tuple(map(begin, self.to_generate, state.generative)),
            self.top.resume(state.top),
        )

    def draw(self, table, number):
        return self.lowest.batches(table, number)

    def step(self, state, batch, clock):
        rng = self.stream(clock)
        layers = self.untied(state)
        bits = rng.fold(0) if self.resampling else None
        x, clamped = self.filled(layers, batch.v, bits)
        rng = rng.rows(len(x))
        states = ascent(layers, x, rng.fold(1))
        with learning():
            for number, layer in enumerate(layers):
                below, above = states[number : number + 2]
                known = True if number else clamped
                grad = layer.wake(below, above, known, rng.fold(2, number))
                self.to_generate[number].ascend(state.generative[number], grad, clock)
        top = self.top.step(state.top, Batch(states[-1], batch.given), clock)
        fantasies, mean = descent(layers, top.phase[0], rng.fold(3))
        if self.recognizes_means:
            fantasies[0] = mean
        with learning():
            for number, layer in enumerate(layers):
                below, above = fantasies[number : number + 2]
                grad = layer.sleep(below, above)
                self.to_recognize[number].ascend(state.recognition[number], grad, clock)
        return state._replace(top=top._replace(phase=()))

    def watch(self, table, held_out, state):
        return BoundWatch(self, table, state)

    def untied(self, state, form=lambda params: params):
        """Directed layers with the current parameters, converted by ``form``."""
        return [
            layer._replace(recognition=form(q.params), generative=form(p.params))
            for layer, q, p in zip(self.layers, state.recognition, state.generative)
        ]

    def fitted(self, state):
        """Machines of a training state, and pairs of recognition and generative
        Params."""
        top = with_state(self.machines[-1], state.top)
        layers = self.untied(state, plain)
        return [*self.machines[:-1], top], [tuple(layer[1:]) for layer in layers]

    def filled(self, layers, v, rng=None):
        """Impute missing entries of rows by mean field, and draw bits from gray values
        if ``rng`` is given. Returns the rows, (n_rows, n_visible), and the mask of
        observed entries, or True."""
        x, clamp = self.lowest.clamp_rows(Batch(v), rng)
        if clamp[0] is True:
            return x[0], True
        return layers[0].means(x, clamp)[0], clamp[0]


class BoundWatch:
    """Minus the mean bound of a sample of training rows and their known labels.

    A pseudo-likelihood replaces the top-level machine's log probability.
    """

    MEMORY = ("limit",)

    def __init__(self, objective, table, state):
        self.objective, self.rows = objective, table.rows
        self.monitored = monitored_rows(table, stream(objective.seed, PROBE))
        n_units = sum(unit.size for layer in objective.layers for unit in layer.units)
        self.limit = self(state)[0] + _DIVERGED * n_units

    def __call__(self, state):
        """Loss in nats per row, and None for held-out rows."""
        objective, labels = self.objective, self.rows.accompanying(self.monitored)
        layers, rng = objective.untied(state), stream(objective.seed, PROBE)
        x, clamped = objective.filled(layers, self.rows.present(self.monitored))

        def log_top(h, rng):
            batch = Batch(h, labels)
            return objective.top.pseudo_likelihood(rng, state.top.params, batch)

        row_terms = terms(layers, x, clamped, log_top, rng.rows(len(x)), 1)
        return -row_terms.bound().mean(), None

    def is_useless(self, loss):
        """Return False: refinement starts from trained layers."""
        return False
