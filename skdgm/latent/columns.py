"""Distribution of the columns of a table given the outputs of a decoder."""

from skdgm.distributions import (
    BernoulliOutput,
    CategoricalOutput,
    MixedOutput,
    NormalOutput,
    standard_mixture,
)


def output_of(columns, asked):
    """Distribution of columns.

    Parameters
    ----------
    columns : tuple
        Their statistics.
    asked : object
        Options ``column_types``, ``variance`` and ``min_variance``.

    Returns
    -------
    output : Output
    """
    sizes, floor = columns.sizes, asked.min_variance
    if asked.column_types == "bernoulli":
        return BernoulliOutput(sizes)
    if asked.column_types == "gaussian":
        return NormalOutput(sizes, asked.variance, floor)
    if not hasattr(columns, "kinds"):
        return CategoricalOutput(sizes)
    normal = standard_mixture(1, "gaussian", floor)
    return MixedOutput(columns.kinds, sizes, normal, columns.scales, columns.gaps)
