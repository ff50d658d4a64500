r"""U-Nets, from images to images, conditional on further features.

.. math:: h_0 = f(C_0 x + V_0 s), \quad h_k = f(C_k h_{k-1} + V_k s), \qquad
   u_K = h_K + g(h_K, s), \quad u_{k-1} = f(M_k (h_{k-1} + D_k u_k) + U_k s)

The first convolution C keeps the size of images, and the others halve it. Transposed
convolutions D double it again; skip connections add the images of the same size from
the way down [1]_, and convolutions M mix both. In each layer, biases of maps depend on
the features s. Optional dense layers g act on the smallest images.

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
from skdgm.nets.constrained import join_columns
from skdgm.nets.images import maps
from skdgm.nets.layers import Net
from skdgm.nets.primitives import columns
from skdgm.utils.images import halvings

# Side of filters, and number of weights of a filter for each map below.
_SIDE = 3
AREA = _SIDE**2


class _Nets(NamedTuple):
    """Number of inputs of an image, and the layers of a U-Net. Layers on the way
    ``down`` are pairs of a convolution and the biases of its maps; layers on the way
    ``up`` also have a transposed convolution, which comes first."""

    n_numbers: int
    down: tuple
    dense: tuple
    up: tuple
    last: Net
    activation: Net


def unet(shape, n_beside, sizes, hidden, activation, n_maps):
    """U-Net from an image of shape (height, width, maps) and ``n_beside`` features to
    an image of the same height and width with ``n_maps``. ``sizes`` are the numbers of
    maps at each resolution, the largest first; ``hidden`` are the numbers of units of
    dense layers."""
    down, halved = [], halvings(shape[:2], len(sizes) - 1)
    shapes = [(*size, n) for size, n in zip(halved, sizes)]
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
    nets = _Nets(
        n_numbers=prod(shape),
        down=tuple(down),
        dense=tuple(dense),
        up=tuple(up),
        last=last,
        activation=layers.activation(activation),
    )
    return Net(
        partial(_begin, nets, n_beside), partial(_apply, nets), partial(_along, nets)
    )


def _begin(nets, n_beside, rng, n_inputs, dtype):
    n, params, dense = nets.n_numbers, [], []

    def drawn(net, n_below):
        n_above, net_params, _ = net.init(rng, n_below, dtype)
        return n_above, net_params

    for net, biases in nets.down:
        n, W = drawn(net, n)
        params.append((W, drawn(biases, n_beside)[1]))
    n_smallest, n = n, n + n_beside
    for net in nets.dense:
        n, net_params = drawn(net, n)
        dense.append(net_params)
    n = n_smallest
    up = []
    for back, net, biases in nets.up:
        n, D = drawn(back, n)
        up.append((D, drawn(net, n)[1], drawn(biases, n_beside)[1]))
    n, last = drawn(nets.last, n)
    return n, ((*params,), (*dense,), (*up,), last), ()


def _apply(nets, params, statistics, x, rng=None, train=False):
    return _outputs(nets, params, x, None)[0], statistics


def _along(nets, params, statistics, x, dx, rng=None, train=False):
    return _outputs(nets, params, x, dx)


def _outputs(unet, params, x, dx):
    """Outputs, and their derivatives along a direction dx of the inputs, or None."""
    n, (down, dense, up, last) = unet.n_numbers, params
    image, features = (
        _range((x, dx), 0, n),
        _range((x, dx), n, x.shape[1]),
    )

    def mapped(nets, layer, image):
        z, s = _of(nets[0], layer[0], image), _of(nets[1], layer[1], features)
        moved = [None if a is None else _biased(a, b) for a, b in zip(z, s)]
        return _of(unet.activation, (), moved)

    levels = []
    for nets, layer in zip(unet.down, down, strict=True):
        image = mapped(nets, layer, image)
        levels.append(image)
    if dense:
        h = [None if a is None else join_columns(a, b) for a, b in zip(image, features)]
        for net, layer in zip(unet.dense, dense, strict=True):
            h = _of(net, layer, h)
        image = _sum(image, h)
    for (back, *nets), layer, level in zip(unet.up, up, levels[-2::-1], strict=True):
        image = mapped(nets, layer[1:], _sum(level, _of(back, layer[0], image)))
    return _of(unet.last, last, image)


def _range(pair, start, stop):
    return [None if array is None else columns(array, start, stop) for array in pair]


def _of(net, params, pair):
    """Outputs of a net, and their derivatives along a direction, or None."""
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
