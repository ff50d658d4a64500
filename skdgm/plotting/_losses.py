"""Loss curves recorded during a fit, grouped by the kind of loss."""

from typing import NamedTuple

# Axis labels of losses by the quantity that an estimator monitors.
_LOSSES = {
    "log-likelihood": "minus log-likelihood\n(nats a row)",
    "bound": "minus lower bound on\nlog-likelihood (nats a row)",
    "pseudo-likelihood": "minus pseudo-likelihood\n(nats a row)",
    "log probability of labels": "minus log probability\nof labels (nats a row)",
    "minus half the squared error": "half the squared error\nof standardised targets",
}
_PAIRS = "minus log-likelihood given\nthe layer above (nats a row)"
_BOUND = "minus bound (nats a row)"


class Curves(NamedTuple):
    """Loss curves of one kind.

    Parameters
    ----------
    title : str
        Name of the model or of the part of it that was trained.
    loss : str
        Label of the loss axis.
    curves : dict
        For each name a pair of sequences, the losses of training rows and of held-out
        rows per epoch. The latter may be empty.
    """

    title: str
    loss: str
    curves: dict

    @property
    def n_epochs(self):
        """Number of epochs of the longest curve."""
        parts = [part for pair in self.curves.values() for part in pair]
        return max(map(len, parts), default=0)


def losses_of(estimator):
    """List of Curves of an estimator's losses, in the order of training."""
    name, groups = type(estimator).__name__, []
    if hasattr(estimator, "dbn_"):
        groups += losses_of(estimator.dbn_)
    if hasattr(estimator, "loss_curves_"):
        groups += _of_stack(name, estimator)
    pairs = enumerate(getattr(estimator, "pretrain_loss_curves_", ()))
    pairs = {f"layer {number}": (curve, ()) for number, curve in pairs}
    groups.append(Curves(f"{name}, pre-trained", _PAIRS, pairs))
    for title, prefix in (name, ""), (f"{name}, net", "net_"):
        curves = [
            getattr(estimator, f"{prefix}{kind}_curve_", ())
            for kind in ("loss", "validation")
        ]
        groups.append(Curves(title, _loss_of(estimator), {"training": curves}))
    return groups


def _of_stack(name, stack):
    """Curves of a belief network: of its layers, and of refining all of them."""
    kinds, machines = {}, stack.layers_
    for number, machine in enumerate(machines):
        # A top-level machine with a label has another loss than the layers below.
        layers = kinds.setdefault(_loss_of(machine), {})
        layers[f"layer {number}"] = machine.loss_curve_, machine.validation_curve_
    refined = [(curve, ()) for curve in stack.loss_curves_[len(machines) :]]
    return [
        *(Curves(f"{name}, layer by layer", *kind) for kind in kinds.items()),
        Curves(f"{name}, refined", _BOUND, dict(zip(["training"], refined))),
    ]


def _loss_of(estimator):
    """Axis label of an estimator's loss."""
    return _LOSSES.get(getattr(estimator, "_quantity", None), "loss")
