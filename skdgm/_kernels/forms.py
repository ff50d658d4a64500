"""The other forms in which a matrix of weights is kept."""

from skdgm._kernels.jit import kernel


@kernel
def transpose(W, Wt, low, high, left, right):
    """Write a part of W into Wt, eight rows at a time."""
    while low + 8 <= high:
        a, b, c, d = W[low], W[low + 1], W[low + 2], W[low + 3]
        e, f, g, h = W[low + 4], W[low + 5], W[low + 6], W[low + 7]
        for j in range(left, right):
            w = Wt[j, low : low + 8]
            w[0], w[1], w[2], w[3] = a[j], b[j], c[j], d[j]
            w[4], w[5], w[6], w[7] = e[j], f[j], g[j], h[j]
        low += 8
    for i in range(low, high):
        for j in range(left, right):
            Wt[j, i] = W[i, j]


@kernel
def add_pairs(W, low, high, left, right, n_units):
    """Write the sums of pairs of rows, in some columns."""
    for i in range(low, high - 1, 2):
        a, b, both = W[i], W[i + 1], W[n_units + i // 2]
        for j in range(left, right):
            both[j] = a[j] + b[j]
