"""Options of recurrent nets with latent units."""

from typing import Annotated, Literal

from skdgm.base.groups import OptionGroup
from skdgm.base.options import KW_ONLY, Auto, Count, Details, Doc


class SequenceBound(OptionGroup):
    """Bound on the likelihood of sequences as an objective.

    Parameters
    ----------
    kind
        "elbo", the evidence lower bound; "iwae", the importance-weighted bound of whole
        sequences; or "fivo", the bound by a particle filter, which resamples particles
        if few of them have most of the weight [1]_.
    n_importance : {"auto"}, int or None, default="auto"
        Number of particles of each sequence in training. None: 1 for "elbo", otherwise
        5. "elbo" averages over them.

    See Also
    --------
    IWAE : Importance-weighted bound of rows.
    skdgm.VRNN : Model that takes the option.

    References
    ----------
    .. [1] Maddison, Lawson, Tucker, Heess, Norouzi, Mnih, Doucet and Teh (2017).
       Filtering variational objectives. NeurIPS.

    Examples
    --------
    >>> from skdgm import VRNN
    >>> from skdgm.options import SequenceBound
    >>> VRNN(objective=SequenceBound("fivo", n_importance=10))
    VRNN(objective=SequenceBound(n_importance=10))
    """

    VALUE = "kind"

    kind: Literal["elbo", "iwae", "fivo"] = "fivo"
    _: KW_ONLY
    n_importance: Count | Auto | None = "auto"


class SequenceBoundDetails(Details):
    """Details of a bound on the likelihood of sequences."""

    n_importance: Count | None = None


SequenceObjectives = Annotated[
    Literal["elbo", "iwae", "fivo"] | SequenceBound,
    SequenceBoundDetails,
    Doc("""
        Bound that is maximized: the evidence lower bound; the importance-weighted bound
        of whole sequences; or the bound by a particle filter, whose gradient leaves out
        the choice of the particles that are resampled.
    """),
]
