"""Loss of a net whose outputs describe distributions of data."""

import autograd.numpy  # noqa: F401  Registers NumPy arrays with autograd.
from autograd.extend import defvjp_argnums, primitive


@primitive
def nll(out, own, v, output):
    """Negative log-likelihood of rows, in nats, differentiable by outputs and ``own``.

    Parameters
    ----------
    out : ndarray of shape (n_rows * n_each, n_outputs)
        Each row of ``v`` belongs to ``n_each`` consecutive rows.
    own : ndarray or ()
        Parameters of the distribution that are no outputs.
    v : ndarray of shape (n_rows, n_columns)
        NaN where missing.
    output : skdgm.distributions.Output

    Returns
    -------
    loss : ndarray of shape (n_rows * n_each,)
    """
    return output.nll(out, v, own)


def _nll_back(argnums, _, args, kwargs):
    out, own, v, output = args

    def pull(grad):
        grads = output.nll_grad(out, v, grad, own)
        return [grads[argnum] for argnum in argnums]

    return pull


defvjp_argnums(nll, _nll_back)
