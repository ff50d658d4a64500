r"""Self-supervised boosting: a density corrected by classifiers of data and samples.

.. math:: p_t(x) \propto p_{t-1}(x) \, e^{\alpha_t f_t(x)}
"""

from typing import Annotated, Any, Self

import numpy as np
from scipy.special import logsumexp
from sklearn.base import _fit_context, clone, is_classifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import (
    _check_method_params,
    check_is_fitted,
    validate_data,
)

from skdgm.autoregressive import FVBN
from skdgm.base import reads_one_fit
from skdgm.base.frames import as_frame, frame_format
from skdgm.base.meta import MetaEstimator, weight_of
from skdgm.base.options import (
    KW_ONLY,
    Count,
    Fraction,
    NotNegative,
    Positive,
    RandomState,
    Several,
    Verbose,
)
from skdgm.boosting._rows import SplitRows, best_weight, with_unseen
from skdgm.boosting._tilted import (
    ODDS,
    Tilted,
    drawn_from,
    has_seed,
    log_odds,
    resampled,
    unfrozen,
)
from skdgm.data import RealColumns
from skdgm.data.auto import top_of_gray
from skdgm.data.inputs import explained
from skdgm.typing import ArrayOrFrame, Data, Seed, Target
from skdgm.utils.counts import count_rows
from skdgm.utils.progress import ProgressTable
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.weighted import choose
from skdgm.utils.wrapped import capabilities_of, seed

# Purposes of random numbers.
_SPLIT, _ROUNDS, _LAST = range(3)
# Rounds between new annealed draws, which estimate the likelihood.
_ROUNDS_BETWEEN_DRAWS = 5


@reads_one_fit
class SelfSupervisedBoosting(MetaEstimator):
    r"""Density of a base model, corrected by classifiers of data versus its samples.

    .. math::

        p(x) = \frac{1}{Z} \, p_0(x) \, e^{F(x)}, \qquad
        F(x) = \sum_t \alpha_t f_t(x), \qquad
        f_t(x) = \log \frac{q_t(\text{data} \mid x)}{q_t(\text{model} \mid x)}

    In each round, a classifier learns to distinguish data from samples of the current
    density [1]_. The log odds of an optimal classifier are the log ratio of the data
    density to the model density. The log odds are added to the log density with the
    weight :math:`\alpha_t` that maximizes the log-likelihood of held-out rows. Rounds
    end when no classifier increases this log-likelihood:

    .. math:: \max_\alpha \; \mathbb{E}_\text{data} [\alpha f_t]
        - \log \mathbb{E}_{p_{t-1}} e^{\alpha f_t}

    where the second expectation is over draws that did not train the classifier. The
    base density :math:`p_0` only needs to be sampled and evaluated, and classifiers
    only need odds, so trees and nearest neighbors are suitable. Sequential Monte Carlo
    from :math:`p_0` draws samples and estimates the constant Z.

    Parameters
    ----------
    estimator
        Base density: a model of skdgm or scikit-learn with ``fit``, ``score_samples``
        and ``sample``, or a fitted model wrapped in ``FrozenEstimator``. It should
        sample exactly, like autoregressive models, flows, mixtures and
        ``KernelDensity``. If None, an :class:`~skdgm.FVBN`, which is a normal
        distribution unless all columns are bits. Columns of whole numbers are
        "numeric", except for gray levels.
    classifier
        Classifier with ``predict_proba`` or ``decision_function``. If None, a
        ``DecisionTreeClassifier`` of depth 3 with at least 10 rows in each leaf.
    n_iter
        Maximum number of rounds; each round fits one classifier.
    learning_rate
        Shrinkage: factor of the optimal weight :math:`\alpha_t`.
    n_particles
        Number of draws. One half trains the classifier, and the other half determines
        its weight. If ``classifier`` is set, classes are balanced: the number of draws
        that train it is at most the number of training rows.
    n_steps
        Metropolis moves of each draw after resampling.
    validation_fraction
        Share of held-out rows, which determine the weights. At the end, the base
        density is fitted again to all rows.
    n_iter_no_change
        Number of consecutive rounds without improvement after which to stop.
    tol
        Minimum improvement of a round, in nats per row.
    verbose
        Whether to print a table of rounds, with at most one line a second: the
        log-likelihood of held-out rows when it was last estimated, the gain of the
        classifier before its weight is shrunk, and times.
    random_state : int, RandomState instance or None
        Source of draws, of the split into training and held-out rows, and of seeds for
        models without ``random_state``.

    Attributes
    ----------
    estimator_ : object
        The base density :math:`p_0`, fitted to all rows.
    classifiers_ : list of object
        The fitted classifiers; class 1 is data, class 0 is samples.
    weights_ : ndarray of shape (n_classifiers,)
        Weight :math:`\alpha_t` of the log odds of each classifier.
    log_Z_ : float
        Log of the constant Z, estimated by annealing from :math:`p_0`. The row with the
        highest F counts as one more draw, so that the estimate tends to be too high
        rather than too low.
    log_Z_se_ : float
        Standard error of ``log_Z_``, from eight populations.
    density_kind_ : {"estimate"}
        Kind of ``score_samples``, in which Z is estimated.
    validation_scores_ : list of float
        Mean log-likelihood of the held-out rows, in nats, initially, after every fifth
        round, and after the last round. Classifiers added after the best score are
        dropped.
    n_iter_ : int
        Number of rounds.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has any that are all strings.

    See Also
    --------
    GAN : Discriminator and generator, trained jointly.
    skdgm.metrics.classifier_two_sample_test : Test of a model by a classifier of data
        versus its samples.

    References
    ----------
    .. [1] Welling, Zemel and Hinton (2002). Self supervised boosting. NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm import SelfSupervisedBoosting
    >>> rng = np.random.default_rng(0)
    >>> X = rng.choice([-2.0, 2.0], (500, 1)) + 0.5 * rng.normal(size=(500, 1))
    >>> model = SelfSupervisedBoosting(n_iter=10, random_state=0).fit(X)
    >>> bool(model.score(X) > model.estimator_.score(X) + 0.3)
    True
    >>> model.sample(3, random_state=0).shape
    (3, 1)
    """

    estimator: (
        Annotated[object, HasMethods(["fit", "score_samples", "sample"])] | None
    ) = None
    classifier: Annotated[object, HasMethods(["fit"])] | None = None
    _: KW_ONLY
    n_iter: Count = 50
    learning_rate: Positive = 0.5
    n_particles: Several = 4000
    n_steps: Count = 3
    validation_fraction: Fraction = 0.2
    n_iter_no_change: Count = 5
    tol: NotNegative = 1e-3
    verbose: Verbose = 0
    random_state: RandomState = None

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Data, y: Target = None, **fit_params: Any) -> Self:
        """Fit the base density, then one classifier after another.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least two rows.
        y : None
            Passed on to ``fit`` of the base density.
        **fit_params
            Arguments of ``fit`` of the base density; with metadata routing enabled, the
            arguments that it requests. ``sample_weight`` also weights the rows for
            classifiers.

        Returns
        -------
        self : SelfSupervisedBoosting

        Raises
        ------
        ValueError
            The base density is 0 or NaN at some rows, has no seed, or was fitted to
            other columns; or ``classifier`` is not a classifier, or returns no odds.
        """
        return self._fit(X, y, fit_params)

    def _learn(self, X, y, fit_params):
        frame, dtypes = X, [np.float64, np.float32]
        with explained(self, X, RealColumns()):
            X = validate_data(self, X, dtype=dtypes, ensure_min_samples=2)
        self._frame_format = (
            frame_format(frame) if hasattr(self, "feature_names_in_") else None
        )
        weight = weight_of(fit_params, X)
        model = self.estimator
        model = self._begin(X[weight > 0]) if model is None else clone(model)
        self._check(model)
        rng = check_random_state(self.random_state)
        seed(model, rng)
        numbers = stream(rng.randint(MAX_SEED))
        order = numbers.fold(_SPLIT).generator().permutation(np.flatnonzero(weight))
        n_held = max(1, round(self.validation_fraction * len(order)))
        train, held_out = order[n_held:], order[:n_held]
        if not len(train):
            raise ValueError("At least two rows must have a weight above 0.")
        train_params = _check_method_params(X, fit_params, indices=train)
        target = None if y is None else _safe_indexing(y, train)
        base = clone(model).fit(X[train], target, **train_params)
        train_share = weight[train] / weight[train].sum()
        held_out_share = weight[held_out] / weight[held_out].sum()
        rows = SplitRows(X, train, held_out, train_share, held_out_share)
        self._extent = self.n_particles, self.n_steps
        terms = self._boost(base, rows, numbers, rng)
        self.estimator_ = model.fit(X, y, **fit_params)
        self.classifiers_ = [classifier for classifier, _ in terms]
        self.weights_ = np.array([weight for _, weight in terms], dtype=np.float64)
        generator, tilted = numbers.fold(_LAST).generator(), self._tilted()
        _, log_Z, se = tilted.annealed(self.n_particles, generator)
        unseen = tilted.tilt(X[order]).max() - np.log(self.n_particles)
        self.log_Z_, self.log_Z_se_ = with_unseen(log_Z, se, unseen)

    @property
    def density_kind_(self) -> str:
        """Kind of ``score_samples``: "estimate", or "reconstruction" as of the base."""
        check_is_fitted(self)
        kind = capabilities_of(unfrozen(self.estimator_))["log_prob"]["complete"]
        return kind if kind == "reconstruction" else "estimate"

    def _check(self, model):
        """Raise ValueError if the model or the classifier lacks a method."""
        if not has_seed(model):
            raise ValueError(
                f"Draws of {type(model).__name__} have no random_state, neither as an "
                "argument of sample nor as a parameter."
            )
        names = getattr(unfrozen(model), "feature_names_in_", None)
        expected = getattr(self, "feature_names_in_", None)
        if not (names is None or expected is None) and list(names) != list(expected):
            raise ValueError(
                "The feature names should match those of the fitted estimator, "
                f"{', '.join(names)}, in this order."
            )
        judge = self.classifier
        if judge is not None and not (hasattr(judge, "fit") and is_classifier(judge)):
            raise ValueError(
                f"{type(judge).__name__} is no classifier: take one with "
                f"{' or '.join(ODDS)}."
            )

    def _boost(self, base, rows, numbers, rng):
        """Run the rounds, and return the terms of F: pairs of a classifier and its
        weight."""
        terms, n_draws = [], self.n_particles
        tilted = Tilted(base, terms, self.n_steps)
        log_base = np.asarray(tilted.base.score_samples(rows.X), dtype=np.float64)
        used = np.concatenate([rows.train, rows.held_out])
        if not np.isfinite(log_base[used]).all():
            raise ValueError(
                f"The density to begin with is 0, or no number, at "
                f"{(~np.isfinite(log_base)).sum()} of {len(log_base)} rows: take a "
                "smoother one."
            )
        tilt, n_idle = np.zeros(len(rows.X)), 0
        self.validation_scores_, best, drawn = [], (-np.inf, 0), None
        table, gain = ProgressTable(type(self).__name__, "round", self.n_iter), 0.0
        table.begin()
        for number in range(self.n_iter + 1):
            self.n_iter_ = number
            generator = numbers.fold(_ROUNDS, number).generator()
            is_last = number == self.n_iter or n_idle == self.n_iter_no_change
            if number % _ROUNDS_BETWEEN_DRAWS == 0 or is_last:
                drawn, log_mean_of_draws, se = tilted.annealed(n_draws, generator)
                unseen = tilt[used].max() - np.log(n_draws)
                log_Z, _ = with_unseen(log_mean_of_draws, se, unseen)
                score = float(rows.mean(log_base + tilt)) - log_Z
                self.validation_scores_.append(score)
                best = max(best, (score, -len(terms)))
                ratio = tilt - log_mean_of_draws
            if self.verbose:
                # The log-likelihood is that of the last scored round.
                cells = {"held out": f"{score:.4g}", "gain": f"{gain:.3g}"}
                table.add(number, cells)
            if is_last:
                break
            classifier, unused = self._fitted(rows, drawn.rows, generator, rng)
            odds, of_draws = (log_odds(classifier, X) for X in (rows.X, drawn.rows))
            weight, gain = best_weight(
                rows.mean(odds), of_draws[unused], odds[used], ratio[used]
            )
            n_idle = n_idle + 1 if gain <= self.tol else 0
            if not n_idle:
                weight *= self.learning_rate
                terms.append((classifier, weight))
                log_mean = logsumexp(weight * of_draws) - np.log(len(of_draws))
                tilt, ratio = tilt + weight * odds, ratio + weight * odds - log_mean
                drawn = drawn._replace(tilt=drawn.tilt + weight * of_draws)
                drawn = resampled(generator, drawn, weight * of_draws)
                drawn = tilted.step(generator, drawn, 1.0, n_groups=1)
        table.finish()
        return terms[: -best[1]]

    def _fitted(self, rows, drawn, generator, rng):
        """Fit a classifier to rows and a part of the draws; return it and the index of
        the other draws."""
        half = len(drawn) // 2
        order = generator.permutation(len(drawn))
        n_rows = min(half, len(rows.train))
        picked = choose(np.log(rows.weight), n_rows, drawn_from(generator))
        index = rows.train[picked]
        # Margins need balanced classes, and trees all draws.
        train = order[: half if self.classifier is None else n_rows]
        unused = order[half:]
        X = np.concatenate([rows.X[index], drawn[train]])
        y = np.repeat([1, 0], [n_rows, len(train)])
        # Smaller leaves overfit.
        classifier = DecisionTreeClassifier(max_depth=3, min_samples_leaf=10)
        if self.classifier is not None:
            classifier = clone(self.classifier)
        seed(classifier, rng)
        return classifier.fit(X, y), unused

    def _default(self):
        return FVBN("gaussian")

    def _begin(self, X):
        """Default base density for these rows."""
        if np.isin(X, (0, 1)).all():
            return FVBN("bernoulli")
        whole = (np.rint(X) == X).all(axis=0)
        if not whole.any() or top_of_gray(X, X.min(), X.max()) is not None:
            return self._default()
        return FVBN(tuple("numeric" if own else "gaussian" for own in whole))

    def _tilted(self):
        terms = list(zip(self.classifiers_, self.weights_))
        return Tilted(self.estimator_, terms, self._extent[1])

    def score_samples(self, X: Data) -> np.ndarray:
        r"""Log-likelihood of each row.

        .. math:: \log p_0(x) + \sum_t \alpha_t f_t(x) - \log Z

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            In nats, with ``log_Z_`` for log Z.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        rows = self._tilted().measured(X)
        return rows.log_base + rows.tilt - self.log_Z_

    def score(self, X: Data, y: Target = None) -> float:
        """Mean log-likelihood of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        log_likelihood : float
            In nats per row.
        """
        return float(self.score_samples(X).mean())

    def sample(self, n_samples: int = 1, random_state: Seed = None) -> ArrayOrFrame:
        """Draw rows from the density, by sequential Monte Carlo from the base density.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator, so that each call returns new draws.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if the model was fitted to a DataFrame with names. Rows are
            taken from at least ``n_particles`` resampled draws, so a few may repeat.
        """
        check_is_fitted(self)
        n_samples = count_rows(n_samples, self.n_features_in_)
        rng = check_random_state(random_state)
        generator = stream(rng.randint(MAX_SEED)).generator()
        n = max(n_samples, self._extent[0])
        drawn, *_ = self._tilted().annealed(n, generator)
        return as_frame(self, drawn.rows[:n_samples])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Classifiers see the rows, too.
        for name in ("sparse", "categorical", "string", "allow_nan"):
            setattr(tags.input_tags, name, False)
        return tags
