"""Data-parallel fits: rounds of updates of shards, and recovery from lost workers."""

from importlib.metadata import version

import numpy as np

from skdgm.base import KEPT, Estimator, replacing, rollback
from skdgm.base.groups import asked_value
from skdgm.base.parts import options_of
from skdgm.dask._machine_net import fit_net
from skdgm.dask._parts import shards_of, shards_of_sequences
from skdgm.dask._run import PATIENCE, Run
from skdgm.dask._shard import is_of_series
from skdgm.dask._stack import fit_stack, machines_of
from skdgm.dask._tuned import fit_tuned, with_targets
from skdgm.stacks import StackedNetwork, TunedNetwork
from skdgm.typing import Any, Data, Target, Weight


def fit(
    estimator: object,
    X: Data,
    y: Target = None,
    sample_weight: Weight = None,
    *,
    lengths: Target = None,
    groups: Target = None,
    n_shards: int | None = None,
    local_steps: int = 1,
    client: Any = None,
) -> Any:
    r"""Fit an estimator to rows that are spread over the workers of a Dask cluster.

    Rows are divided into shards, each of which stays on one worker with Markov chains
    of its own. In a round, each shard makes updates from the same parameters, and the
    changes are averaged, weighted by rows:

    .. math:: \theta \leftarrow \theta + \frac{\sum_s n_s (\theta_s - \theta)}{\sum_s
       n_s}

    where a batch of ``batch_size`` rows is divided among the shards. With
    ``local_steps=1`` and ``solver="sgd"`` a round is one update by the gradient of the
    whole batch. The sums are made pairwise in the order of the shards, so that the
    result is the same bit for bit for any number of workers.

    Where a worker is lost, its shards go on elsewhere, with new chains and from the
    parameters of the last round: a line in the log of "skdgm" says so.

    Parameters
    ----------
    estimator : estimator
        A Boltzmann machine, a stack of them (:class:`~skdgm.DBN`), which is trained
        layer by layer, such a stack that is tuned as a net afterwards
        (:class:`~skdgm.DBNClassifier`), or a net of skdgm: autoregressive, a VAE, a
        directed net, a GAN or a GMMN. It is fitted in place.
    X : {dask.array.Array, dask.dataframe.DataFrame, ndarray, pandas.DataFrame}
        Rows, of shape (n_samples, n_features). NaN where missing. Models of sequences
        take a list of tables in memory, too; partitions of a Dask collection may hold
        any number of sequences, or parts of one.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Classes or targets, for models of these.
    sample_weight : array-like of shape (n_samples,), default=None
        Or (n_sequences,), for models of sequences.
    lengths, groups : array-like, default=None
        Lengths of sequences, or the sequence of each row, as for the estimator's own
        ``fit``: a sequence stays whole, in one shard.
    n_shards : int, default=None
        Number of shards, on which the result depends: by default the number of
        partitions of X, or 8 for an array in memory; of sequences at most 8.
    local_steps : int, default=1
        Number of updates of each shard in a round. More save communication; the
        parameters of different shards then drift apart in between.
    client : distributed.Client, default=None
        By default the current one.

    Returns
    -------
    estimator : estimator
        Fitted as by its own ``fit``.

    Warns
    -----
    CostWarning
        There will be many rounds of few rows.

    Raises
    ------
    ImportError
        dask and distributed are not installed.
    TypeError
        The estimator cannot be fitted in this way.
    ValueError
        There is no client; X has partitions of unknown sizes or different columns, or
        fewer that end with a sequence than there are to be shards; an
        option is one of ``fit`` only (pre-training, joint refinement, callbacks); or as
        raised by the estimator's own ``fit``.
    RuntimeError
        A worker has no skdgm, or another version; or there is no worker.
    DivergenceError
        Training diverged. The last good parameters are kept.

    Notes
    -----
    A round takes 10 to 20 ms, however few rows it has: batches of 1,000 rows or more
    suit a cluster better than the 10 of most defaults. More ``local_steps`` save as
    much, but the batches of each shard are small.

    With ``early_stopping`` each shard holds rows out, and the parameters with their
    lowest mean loss are kept, with the chains of the last round.

    Standardisation of real columns is learned from the first shard alone, as by a first
    call of ``partial_fit``.

    Examples
    --------
    >>> from distributed import Client  # doctest: +SKIP
    >>> import skdgm.dask  # doctest: +SKIP
    >>> rbm = skdgm.BernoulliRBM(64, batch_size=400)  # doctest: +SKIP
    >>> with Client() as client:  # doctest: +SKIP
    ...     skdgm.dask.fit(rbm, X, n_shards=4)
    """
    client = _client(client)
    series = lengths, groups
    _check(estimator, local_steps, n_shards, series)
    _check_workers(client)
    if is_of_series(estimator):
        each = asked_value(estimator, "sequence_length", None)
        given = X, series, sample_weight, n_shards, each
        shards, y = shards_of_sequences(client, *given), None
    else:
        shards = shards_of(client, X, y, sample_weight, n_shards)
    with replacing(estimator, KEPT) as new, rollback(new, ()) as before:
        given = client, new, shards, y, local_steps
        if isinstance(new, StackedNetwork):
            fit_stack(*given, before)
        elif isinstance(new, TunedNetwork):
            given = shards, y, sample_weight, local_steps, before
            fit_tuned(client, new, *given)
        else:
            Run(*given).fit(before)
            net = vars(options_of(new)).get("net")
            tuned = net is not None and net.fine_tune is not None
            own = with_targets(new, shards) if tuned else []
            if own:
                fit_net(client, new, own, local_steps)
    return estimator


def _client(client):
    try:
        from distributed import default_client
    except ImportError as error:
        raise ImportError(
            "skdgm.dask needs dask and distributed: pip install 'skdgm[dask]'."
        ) from error
    if client is not None:
        return client
    try:
        return default_client()
    except ValueError as error:
        raise ValueError(
            "There is no Dask client: make one, as by distributed.Client(), or give "
            "it as client=."
        ) from error


def _check(estimator, local_steps, n_shards, series):
    """Raise errors for what cannot be fitted so."""
    stack = isinstance(estimator, StackedNetwork)
    tuned = isinstance(estimator, TunedNetwork)
    single = hasattr(type(estimator), "_objective") and estimator._SINGLE
    if not isinstance(estimator, Estimator) or not (single or stack or tuned):
        raise TypeError(
            "skdgm.dask fits machines, stacks of them and nets of skdgm, not "
            f"{type(estimator).__name__}."
        )
    estimator._validate_params()
    name = estimator._name
    if stack:
        machines_of(estimator)
    for option, value in (("local_steps", local_steps), ("n_shards", n_shards)):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        by_default = option == "n_shards" and value is None
        if not by_default and (not whole or value < 1):
            raise ValueError(f"{option} must be a whole number of at least 1: {value}.")
    # A machine with a label has the options of the machine that describes it.
    options = vars(estimator._present_options())
    if any(own is not None for own in series) and not is_of_series(estimator):
        raise ValueError(f"lengths and groups are of sequences, which {name} has not.")
    if options.get("pretrain") and not tuned:
        raise ValueError(
            f"pretrain={options['pretrain']!r} is for {name}.fit: on several workers "
            "all layers learn from the first update on."
        )
    if options.get("refine"):
        raise ValueError(
            f"refine={options['refine']!r} is for {name}.fit: on several workers "
            "layers are only trained one by one."
        )
    if getattr(estimator, "_skl_callbacks", None):
        raise ValueError(f"Callbacks are for {name}.fit: unset them.")


def _check_workers(client):
    """Raise RuntimeError unless all workers have this version of skdgm."""
    own = _version()
    if not client.nthreads():
        client.wait_for_workers(1, timeout=PATIENCE)
    try:
        found = client.run(_version)
    except Exception as error:
        raise RuntimeError(
            f"A worker cannot import skdgm {own} ({error}): install it on all workers."
        ) from error
    others = {place: v for place, v in found.items() if v != own}
    if others:
        raise RuntimeError(
            f"Workers have other versions of skdgm than {own}: {others}."
        )


def _version():
    return version("skdgm")
