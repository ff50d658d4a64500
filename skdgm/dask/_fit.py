"""Data-parallel fits: the public function, and checks of its arguments."""

from importlib.metadata import version

import numpy as np

from skdgm.base import KEPT, Estimator, replacing, rollback
from skdgm.base.fit_steps import (
    current_options_of,
    has_one_objective,
    is_of_series,
)
from skdgm.base.groups import asked_value
from skdgm.base.parts import name_of, options_of
from skdgm.base.series import Series
from skdgm.dask._machine_net import fit_net
from skdgm.dask._parts import shards_of, shards_of_sequences
from skdgm.dask._run import PATIENCE, ShardedRun
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
    r"""Fit an estimator to rows that are distributed over the workers of a Dask
    cluster.

    Rows are divided into shards, each of which stays on one worker with its own Markov
    chains. In a round, all shards start from the same parameters and make updates. The
    changes are averaged, weighted by rows:

    .. math:: \theta \leftarrow \theta + \frac{\sum_s n_s (\theta_s - \theta)}{\sum_s
       n_s}

    where a batch of ``batch_size`` rows is divided among the shards. With
    ``local_steps=1`` and ``solver="sgd"``, a round is one update by the gradient of the
    whole batch. Sums are computed pairwise in the order of the shards, so that the
    result is bitwise identical for any number of workers.

    If a worker is lost, its shards continue on other workers, with new chains and from
    the parameters of the last round. The logger "skdgm" reports this.

    Parameters
    ----------
    estimator : estimator
        A Boltzmann machine; a stack of machines (:class:`~skdgm.DBN`); a stack that is
        fine-tuned as a net (:class:`~skdgm.DBNClassifier`); or a net: an autoregressive
        model, a VAE, a directed net, a GAN or a GMMN. Stacks are trained layer by
        layer. The estimator is fitted in place.
    X : {dask.array.Array, dask.dataframe.DataFrame, ndarray, pandas.DataFrame}
        Rows, of shape (n_samples, n_features), NaN where missing. Models of sequences
        also accept a list of tables in memory; partitions of a Dask collection may
        contain any number of sequences, or parts of one.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Classes or targets, for models that require them.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of rows; for models of sequences also of shape (n_sequences,).
    lengths, groups : array-like, default=None
        Lengths of sequences, or the sequence of each row, as in the estimator's own
        ``fit``. Each sequence belongs to a single shard.
    n_shards : int, default=None
        Number of shards, on which the result depends. By default the number of
        partitions of X, or 8 for an array in memory; at most 8 for sequences. Shards
        whose weights are all 0 are merged with others.
    local_steps : int, default=1
        Number of updates of each shard in a round. More updates save communication, but
        the parameters of the shards drift apart between rounds.
    client : distributed.Client, default=None
        By default the current client.

    Returns
    -------
    estimator : estimator
        Fitted as by its own ``fit``.

    Warns
    -----
    CostWarning
        The fit makes many rounds of few rows.

    Raises
    ------
    ImportError
        dask and distributed are not installed.
    TypeError
        The estimator does not support data-parallel fits.
    ValueError
        There is no client. Partitions of X have unknown sizes or different columns, or
        too few of them end with a sequence for ``n_shards``. An option is for ``fit``
        only (pre-training, joint refinement, callbacks). Or as raised by the
        estimator's own ``fit``.
    RuntimeError
        There is no worker, or a worker has no skdgm or another version.
    DivergenceError
        Training diverged. The estimator keeps its last good parameters.

    Notes
    -----
    A round takes 10 to 20 ms even if it has few rows: use batches of 1,000 rows or
    more, larger than most defaults. More ``local_steps`` save as much time, but the
    batches of the shards are then small.

    With ``early_stopping``, each shard holds out rows. The fit keeps the parameters
    with the lowest mean loss of held-out rows, and the chains of the last round.

    The first shard alone determines the standardization of real columns, like a first
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
    _check(estimator, local_steps, n_shards, (lengths, groups))
    _check_workers(client)
    if is_of_series(estimator):
        length = asked_value(estimator, "sequence_length", None)
        given = Series(X, lengths, groups)
        shards = shards_of_sequences(client, given, sample_weight, n_shards, length)
        y = None
    else:
        shards = shards_of(client, X, y, sample_weight, n_shards)
    with replacing(estimator, KEPT) as new, rollback(new, ()) as before:
        if isinstance(new, StackedNetwork):
            fit_stack(client, new, shards, y, local_steps, before)
        elif isinstance(new, TunedNetwork):
            fit_tuned(client, new, shards, y, sample_weight, local_steps, before)
        else:
            ShardedRun(client, new, shards, y, local_steps).fit(before)
            net = vars(options_of(new)).get("net")
            tuned = net is not None and net.fine_tune is not None
            labeled = with_targets(new, shards) if tuned else []
            if labeled:
                fit_net(client, new, labeled, local_steps)
    return estimator


def _client(client):
    try:
        from distributed import default_client
    except ImportError as error:
        raise ImportError(
            "skdgm.dask needs dask and distributed: pip install dask distributed."
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
    """Raise errors for estimators and options that a data-parallel fit does not
    support."""
    stack = isinstance(estimator, StackedNetwork)
    tuned = isinstance(estimator, TunedNetwork)
    fits_rounds = has_one_objective(estimator) or stack or tuned
    if not (isinstance(estimator, Estimator) and fits_rounds):
        raise TypeError(
            "skdgm.dask fits machines, stacks of them and nets of skdgm, not "
            f"{type(estimator).__name__}."
        )
    estimator._validate_params()
    name = name_of(estimator)
    if stack:
        machines_of(estimator)
    for option, value in (("local_steps", local_steps), ("n_shards", n_shards)):
        is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
        by_default = option == "n_shards" and value is None
        if not by_default and not (is_integer and value >= 1):
            raise ValueError(f"{option} must be a whole number of at least 1: {value}.")
    # Present options, since a machine with a label translates its parameters.
    options = vars(current_options_of(estimator))
    if any(argument is not None for argument in series) and not is_of_series(estimator):
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
    ours = _version()
    if not client.nthreads():
        client.wait_for_workers(1, timeout=PATIENCE)
    try:
        versions = client.run(_version)
    except Exception as error:
        raise RuntimeError(
            f"A worker cannot import skdgm {ours} ({error}): install it on all workers."
        ) from error
    others = {place: found for place, found in versions.items() if found != ours}
    if others:
        raise RuntimeError(
            f"Workers have other versions of skdgm than {ours}: {others}."
        )


def _version():
    return version("skdgm")
