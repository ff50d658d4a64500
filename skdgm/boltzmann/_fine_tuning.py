r"""Fine-tuning of a deep Boltzmann machine as a feed-forward network.

.. math:: h^1 = \sigma(c_1 + W^{1 \top} v + W^2 q^2), \qquad h^l = \sigma(c_l +
   W^{l \top} h^{l - 1}), \qquad p(y \mid v) = \operatorname{softmax}_y(d + U^\top h^L)

where :math:`q^2` are the means of the second hidden layer, which the machine infers by
mean field without the label. They are further inputs of the network, which stay fixed
[1]_ [2]_. The network starts from the machine's weights and is then trained on its own.

References
----------
.. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
.. [2] Goodfellow, Bengio and Courville (2016). Deep Learning, figure 20.4. MIT Press.
"""

from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.base import report
from skdgm.energies import Params, layered, plain
from skdgm.inference import mean_field
from skdgm.nets import (
    Layer,
    NetState,
    Tuner,
    check_dropout,
    fine_tune,
    forward,
    softmax_cross_entropy,
)
from skdgm.training import Verbose, labelled
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.warn import warn

_ACTIVATION = "logistic"


class Shown:
    """Inputs of the network; means inferred beside the data are computed once.

    Parameters
    ----------
    rows : Rows
    index : ndarray of int
        Rows that can be asked for.
    of_rows : callable
        ``of_rows(v)`` returns the data, with missing entries filled, and beside them
        the inferred means.
    """

    def __init__(self, rows, index, of_rows):
        self.rows, self.place = rows, np.empty(rows.shape[0], dtype=int)
        self.place[index] = np.arange(len(index))
        # Complete data are not kept, but read again each time they are needed.
        self.n_read = rows.shape[1] if rows.complete else 0
        parts = [
            of_rows(rows.present(index[part]))[:, self.n_read :].copy()
            for part in rows.blocks(len(index))
        ]
        self.kept = np.concatenate(parts)

    def __call__(self, index):
        kept = self.kept[self.place[index]]
        if not self.n_read:
            return kept
        return np.concatenate([self.rows.take(index), kept], axis=1)


class FineTuningMixin:
    """Tuned network, for a deep :class:`~skdgm.boltzmann._machine.Machine` with a
    label."""

    _parameter_constraints: dict = {
        "fine_tune": [StrOptions({"backprop"}), None],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left"), tuple],
        "fine_tune_solver": [StrOptions({"sgd", "adam"})],
        "fine_tune_batch_size": [Interval(Integral, 1, None, closed="left")],
        "fine_tune_momentum": [Interval(Real, 0, 1, closed="left")],
        "fine_tune_max_norm": [Interval(Real, 0, None, closed="neither"), None],
    }

    def _check_options(self):
        super()._check_options()
        check_dropout(self._options.dropout)

    def _finish(self, table):
        table = labelled(table)
        if self.fine_tune is None or not len(table.index):
            return
        rows, of_rows = table.rows, self._shown(self._params_for(table.rows))
        hooks = []
        if self.verbose:
            name = f"{self._name}, net"
            hooks.append(Verbose(name, "log probability of labels"))
        with one_blas_thread():
            inputs = Shown(rows, table.index, of_rows)
            targets = np.eye(len(self.classes_), dtype=bool)[rows.labels]
            given = inputs, targets, softmax_cross_entropy, self._seed
            tuner = Tuner(self._tuning, *given)
            tuned = fine_tune(
                tuner,
                table,
                tuner.resume(NetState(self._unfolded())),
                range(self._options.max_iter),
                n_epochs=self._options.max_iter,
                hooks=hooks,
                early_stopping=self.early_stopping,
            )
        vars(self).update(
            net_coefs_=[layer.W for layer in tuned.state.params],
            net_intercepts_=[layer.b for layer in tuned.state.params],
            net_loss_curve_=tuned.losses,
            net_validation_curve_=tuned.validation,
        )
        self._report_tuned(tuned)

    @property
    def _tuning(self):
        """Training options of the network."""
        asked = self._options
        return SimpleNamespace(
            activation=_ACTIVATION,
            solver=asked.fine_tune_solver,
            learning_rate_init=asked.learning_rate_init,
            schedule=asked.schedule,
            power_t=asked.power_t,
            momentum=asked.fine_tune_momentum,
            alpha=asked.alpha,
            batch_size=asked.fine_tune_batch_size,
            dropout=asked.dropout,
            max_norm=asked.fine_tune_max_norm,
            validation_fraction=asked.validation_fraction,
            n_iter_no_change=asked.n_iter_no_change,
            tol=asked.tol,
        )

    def _unfolded(self):
        """Layers of the network that computes a mean-field sweep from below."""
        (own, *biases), (W, *above) = plain(self._params())
        # Statistics are linear in the visible values, which the network takes instead.
        (visible, *_) = self._energy().units
        W = visible.statistic(own, W.T).T
        if len(above) > 1:
            W = np.concatenate([W, above[0].T])
        return tuple(
            Layer(np.array(W, order="C"), np.array(b))
            for W, b in zip([W, *above], biases, strict=True)
        )

    def _shown(self, params):
        """Function from rows to inputs of the network."""
        *units, _ = self._energy().units
        energy = layered([[unit] for unit in units])
        params = Params(params.units[:-1], params.couplings[:-1])
        budget = self._budget

        def of_rows(v):
            x, clamp = self._present(v)
            means, _ = mean_field(energy, params, x[:-1], clamp[:-1], **budget)
            # The data, and the second hidden layer where there is one.
            return np.concatenate([np.asarray(part) for part in means[0:3:2]], axis=1)

        return of_rows

    def _logits(self, rows):
        if not hasattr(self, "net_coefs_"):
            return super()._logits(rows)
        shown = self._shown(self._params_for(rows))
        net = tuple(map(Layer, self.net_coefs_, self.net_intercepts_))

        def of_rows(v):
            return forward(net, shown(v), _ACTIVATION).astype(np.float64)

        return self._blockwise(of_rows, rows, of_rows)

    def _forget(self):
        super()._forget()
        # A network is of no use without the machine that it was initialised from.
        for name in ("coefs", "intercepts", "loss_curve", "validation_curve"):
            vars(self).pop(f"net_{name}_", None)

    def _report_tuned(self, tuned):
        """Raise or warn where fine-tuning did not end well."""
        name = f"the net of {self._name}"
        remedy = f"Lower learning_rate_init (now {self._options.learning_rate_init:g})."
        report(tuned, self._options.max_iter, name, remedy)
        if tuned.useless:
            warn(f"Training made {name} worse. {remedy}", ConvergenceWarning)
