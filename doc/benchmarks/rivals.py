"""Other common ways to train an RBM by PCD-1."""

import numpy as np
from numba import njit


def numpy_loop(X, n_hidden, batch_size, rate, seed=0):
    """One epoch with NumPy's matrix products: our own path without kernels."""
    rng = np.random.default_rng(seed)
    n_visible, dtype = X.shape[1], X.dtype
    W = rng.normal(0, 0.01, (n_visible, n_hidden)).astype(dtype)
    b, c = np.zeros(n_visible, dtype), np.zeros(n_hidden, dtype)
    h = np.zeros((batch_size, n_hidden), dtype)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def draw(p):
        return (rng.random(p.shape, dtype=dtype) < p).astype(dtype)

    order = rng.permutation(len(X))
    for rows in np.array_split(order, -(-len(X) // batch_size)):
        data = X[rows]
        mean = sigmoid(data @ W + c)
        v = draw(sigmoid(h @ W.T + b))
        mean_model = sigmoid(v @ W + c)
        h = draw(mean_model)
        W += rate * (data.T @ mean / len(data) - v.T @ mean_model / len(v))
        b += rate * (data.mean(axis=0) - v.mean(axis=0))
        c += rate * (mean.mean(axis=0) - mean_model.mean(axis=0))
    return W


@njit(fastmath=True, cache=True)
def numba_loop(X, n_hidden, batch_size, rate, seed=0):
    """One epoch with plain compiled loops, as in packages that use Numba."""
    np.random.seed(seed)
    n_visible = X.shape[1]
    W = (np.random.normal(0, 0.01, (n_visible, n_hidden))).astype(X.dtype)
    b, c = np.zeros(n_visible, X.dtype), np.zeros(n_hidden, X.dtype)
    h = np.zeros((batch_size, n_hidden), X.dtype)
    one = X.dtype.type(1)
    for start in range(0, len(X) - batch_size + 1, batch_size):
        data = X[start : start + batch_size]
        mean = np.dot(data, W)
        v = np.dot(h, W.T)
        for r in range(batch_size):
            for j in range(n_hidden):
                mean[r, j] = one / (one + np.exp(-mean[r, j] - c[j]))
            for i in range(n_visible):
                p = one / (one + np.exp(-v[r, i] - b[i]))
                v[r, i] = np.random.random() < p
        mean_model = np.dot(v, W)
        for r in range(batch_size):
            for j in range(n_hidden):
                p = one / (one + np.exp(-mean_model[r, j] - c[j]))
                mean_model[r, j] = p
                h[r, j] = np.random.random() < p
        W += rate / batch_size * (np.dot(data.T, mean) - np.dot(v.T, mean_model))
        for i in range(n_visible):
            b[i] += rate / batch_size * (data[:, i].sum() - v[:, i].sum())
        for j in range(n_hidden):
            c[j] += rate / batch_size * (mean[:, j].sum() - mean_model[:, j].sum())
    return W


def rbms_loop(X, n_hidden, batch_size, rate, seed=0):
    """One epoch with the package rbms (PyPI), in PyTorch, its gradient not centered."""
    import torch
    from rbms.bernoulli_bernoulli.classes import BBRBM
    from rbms.training.pcd import fit_batch_pcd

    torch.manual_seed(seed)
    data = torch.from_numpy(X)
    W = torch.randn(X.shape[1], n_hidden, dtype=data.dtype) * 0.01
    params = BBRBM(
        W, torch.zeros(X.shape[1], dtype=W.dtype), torch.zeros(n_hidden, dtype=W.dtype)
    )
    params.init_grad()
    chains = params.init_chains(batch_size)
    optimizer = torch.optim.SGD(params.parameters(), lr=rate, maximize=True)
    weights = torch.ones(len(data), 1, dtype=W.dtype)
    with torch.no_grad():
        for rows in torch.split(torch.randperm(len(data)), batch_size):
            optimizer.zero_grad(set_to_none=False)
            batch = data[rows], weights[rows]
            chains, _ = fit_batch_pcd(batch, chains, params, 1, 1.0, centered=False)
            optimizer.step()
    return params
