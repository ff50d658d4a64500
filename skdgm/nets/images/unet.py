r"""Nets from images to images, through smaller ones, of what is given beside, too.

.. math:: h_0 = f(C_0 x + V_0 s), \quad h_k = f(C_k h_{k-1} + V_k s), \qquad
   u_K = h_K + g(h_K, s), \quad u_{k-1} = f(M_k (h_{k-1} + D_k u_k) + U_k s)

The first convolution C keeps the size of images, and others halve it; transposed ones D
double it again. Images of each size are added on the way back [1]_, and M mixes both.
Of what is given beside, s, each map has a bias in each of these layers. Dense layers g,
if there are any, see all of the smallest images.

References
----------
.. [1] Ronneberger, Fischer and Brox (2015). U-Net: convolutional networks for
   biomedical image segmentation. MICCAI.
"""

from functools import partial
from itertools import pairwise
from math import prod
from typing import NamedTuple

from skdgm.nets import layers
from skdgm.nets.constrained import beside
from skdgm.nets.images import maps
from skdgm.nets.layers import Net
from skdgm.nets.primitives import columns
from skdgm.utils.images import halvings

# Side of filters, and their number of weights for each map beneath.
_SIDE = 3
AREA = _SIDE**2


class _Parts(NamedTuple):
    """Number of numbers of an image; nets on the way down, each a convolution and the
    biases of its maps; dense layers; those on the way up, a transposed convolution
    before them; and the last convolution."""

    n_numbers: int
    down: tuple
    dense: tuple
    up: tuple
    last: Net
    activation: Net


def unet(shape, n_beside, sizes, hidden, activation, n_maps):
    """Net whose inputs are an image of a shape (height, width, maps) and ``n_beside``
    numbers, and whose outputs are an image of that height and width of ``n_maps``;
    ``sizes`` are the numbers of maps of all sizes, the largest first, and ``hidden``
    those of units of dense layers."""
    found, down = [*halvings(shape[:2], len(sizes) - 1)], []
    shapes = [(*size, n) for size, n in zip(found, sizes)]
    conv = partial(maps.conv, filter=_SIDE, init="he_normal")
    for k, (below, n) in enumerate(zip([shape, *shapes], sizes)):
        down.append((conv(n, stride=2 if k else 1)(below)[0], layers.dense(n)))
    up = []
    for low, above in [*pairwise(shapes)][::-1]:
        back = maps.deconv(low[2], _SIDE, size=low[:2])(above)[0]
        up.append((back, conv(low[2], stride=1)(low)[0], layers.dense(low[2])))
    dense = [layers.dense(n, activation, "he_normal") for n in hidden]
    if dense:
        dense.append(layers.dense(prod(shapes[-1])))
    last = maps.conv(n_maps, _SIDE, 1)(shapes[0])[0]
    parts = prod(shape), (*down,), (*dense,), (*up,), last
    own = _Parts(*parts, layers.activation(activation))
    parts = partial(_begin, own, n_beside), partial(_apply, own), partial(_along, own)
    return Net(*parts)


def _begin(own, n_beside, rng, n_inputs, dtype):
    n, params, dense = own.n_numbers, [], []

    def drawn(net, n_below):
        n_above, found, _ = net.init(rng, n_below, dtype)
        return n_above, found

    for net, biases in own.down:
        n, W = drawn(net, n)
        params.append((W, drawn(biases, n_beside)[1]))
    n_smallest, n = n, n + n_beside
    for net in own.dense:
        n, found = drawn(net, n)
        dense.append(found)
    n = n_smallest
    up = []
    for back, net, biases in own.up:
        n, D = drawn(back, n)
        up.append((D, drawn(net, n)[1], drawn(biases, n_beside)[1]))
    n, last = drawn(own.last, n)
    return n, ((*params,), (*dense,), (*up,), last), ()


def _apply(own, params, statistics, x, rng=None, train=False):
    return _outputs(own, params, x, None)[0], statistics


def _along(own, params, statistics, x, dx, rng=None, train=False):
    return _outputs(own, params, x, dx)


def _outputs(own, params, x, dx):
    """Outputs, and their derivatives along a direction of the inputs, if there is
    one."""
    n, (down, dense, up, last) = own.n_numbers, params
    image, given = _each(columns, (x, dx), 0, n), _each(columns, (x, dx), n, x.shape[1])

    def mapped(nets, layer, image):
        z, s = _of(nets[0], layer[0], image), _of(nets[1], layer[1], given)
        moved = [None if a is None else _biased(a, b) for a, b in zip(z, s)]
        return _of(own.activation, (), moved)

    levels = []
    for nets, layer in zip(own.down, down, strict=True):
        image = mapped(nets, layer, image)
        levels.append(image)
    if dense:
        h = [None if a is None else beside(a, b) for a, b in zip(image, given)]
        for net, layer in zip(own.dense, dense, strict=True):
            h = _of(net, layer, h)
        image = _sum(image, h)
    for (back, *nets), layer, level in zip(own.up, up, levels[-2::-1], strict=True):
        image = mapped(nets, layer[1:], _sum(level, _of(back, layer[0], image)))
    return _of(own.last, last, image)


def _each(function, pair, *how):
    return [None if part is None else function(part, *how) for part in pair]


def _of(net, params, pair):
    """Outputs of a net for inputs, and their derivatives, or None."""
    x, dx = pair
    if dx is None:
        return net.apply(params, (), x)[0], None
    return net.tangent(params, (), x, dx)


def _sum(pair, other):
    return [None if a is None else a + b for a, b in zip(pair, other)]


def _biased(z, biases):
    """Images plus biases of their maps, (n_images, n_maps)."""
    n, m = biases.shape
    return (z.reshape((n, -1, m)) + biases.reshape((n, 1, m))).reshape((n, -1))
