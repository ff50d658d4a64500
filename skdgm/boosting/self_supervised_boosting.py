r"""Self-supervised boosting: a density by classifiers that tell rows from its draws.

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
from skdgm.base import steady
from skdgm.base.frames import form_of, framed
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
from skdgm.typing import ArrayOrFrame, Data, Seed, Target
from skdgm.utils.counts import count_rows
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.weighted import choose
from skdgm.utils.wrapped import seed

# Purposes of random numbers.
_SPLIT, _ROUNDS, _LAST = range(3)
# Rounds after which there are new draws, by which the likelihood is estimated.
_EACH = 5


@steady
class SelfSupervisedBoosting(MetaEstimator):
    r"""Density of a model, corrected by classifiers that tell rows from its draws.

    .. math::

        p(x) = \frac{1}{Z} \, p_0(x) \, e^{F(x)}, \qquad
        F(x) = \sum_t \alpha_t f_t(x), \qquad
        f_t(x) = \log \frac{q_t(\text{data} \mid x)}{q_t(\text{model} \mid x)}

    A classifier learns to distinguish the rows from draws of the density so far [1]_.
    The log odds of the best classifier are log p of the data minus that of the model.
    They are added to the log density, with the weight :math:`\alpha_t` that maximises
    the log-likelihood of held-out rows; then the next classifier learns from draws of
    the new density, until none raises the log-likelihood:

    .. math:: \max_\alpha \; \mathbb{E}_\text{data} [\alpha f_t]
        - \log \mathbb{E}_{p_{t-1}} e^{\alpha f_t}

    with draws that the classifier did not learn from. The first density :math:`p_0` is
    any that has draws, and classifiers need only odds, so that trees and neighbours
    serve, too. Draws are weighted, resampled and moved by Metropolis steps while F is
    raised from 0, which also estimates the constant Z.

    Parameters
    ----------
    estimator
        Density to begin with: a model with ``fit``, ``score_samples`` and ``sample``,
        of skdgm or of scikit-learn, or a fitted one wrapped in ``FrozenEstimator``.
        Draws should be exact, as of autoregressive models, flows, mixtures and
        ``KernelDensity``. If None, a normal distribution, ``FVBN("gaussian")``, or of
        rows of 0 and 1 ``FVBN("bernoulli")``.
    classifier
        Classifier of rows and draws, with ``predict_proba`` or ``decision_function``.
        If None, a ``DecisionTreeClassifier`` of depth 3 and at least 10 rows a leaf.
    n_iter
        Most rounds, with a classifier each.
    learning_rate
        Factor of the best weight :math:`\alpha_t`.
    n_particles
        Number of draws: the classifier learns from one half, with the option
        ``classifier`` from no more than there are rows; the other half is for its
        weight.
    n_steps
        Moves of each draw after resampling.
    validation_fraction
        Share of held-out rows, which determine weights. The density is fitted to all
        rows at the end.
    n_iter_no_change
        Rounds in a row without a gain after which to stop.
    tol
        Least gain of a round, in nats a row.
    verbose
        Whether to print a line for each round.
    random_state : int, RandomState instance or None
        Source of draws, of held-out rows, and of seeds of models without one.

    Attributes
    ----------
    estimator_ : object
        The density :math:`p_0`, fitted to all rows.
    classifiers_ : list of object
        The classifiers, whose class 1 are rows of data.
    weights_ : ndarray of shape (n_classifiers,)
        Weight :math:`\alpha_t` of the log odds of each.
    log_Z_ : float
        Log of the constant Z, estimated by annealing draws of :math:`p_0`, and a
        further draw where F is highest, so that it is rather too high than too low.
    log_Z_se_ : float
        Its standard error, from eight populations and the share of the further draw.
    validation_scores_ : list of float
        Mean log-likelihood of the held-out rows, in nats, of :math:`p_0`, after every
        fifth round and after the last, by new draws. Classifiers after the best of
        these are dropped.
    n_iter_ : int
        Number of rounds.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if X has any that are all strings.

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
        """Fit the density, then one classifier after the other.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least two rows.
        y : None
            Passed on to the density's ``fit``.
        **fit_params
            Arguments of the density's ``fit``; with metadata routing enabled, arguments
            that it requests. ``sample_weight`` also weights rows of classifiers.

        Returns
        -------
        self : SelfSupervisedBoosting

        Raises
        ------
        ValueError
            The density is 0 at some rows, or not a number; its draws have no seed; it
            was fitted to other columns; the classifier is none, or has no odds.
        """
        return self._fit(X, y, fit_params)

    def _learn(self, X, y, fit_params):
        frame, dtypes = X, [np.float64, np.float32]
        X = validate_data(self, X, dtype=dtypes, ensure_min_samples=2)
        self._form = form_of(frame) if hasattr(self, "feature_names_in_") else None
        model = self._begin(X) if self.estimator is None else clone(self.estimator)
        self._check(model)
        rng = check_random_state(self.random_state)
        seed(model, rng)
        numbers = stream(rng.randint(MAX_SEED))
        weight = weight_of(fit_params, X)
        order = numbers.fold(_SPLIT).generator().permutation(np.flatnonzero(weight))
        n_held = max(1, round(self.validation_fraction * len(order)))
        train, held_out = order[n_held:], order[:n_held]
        if not len(train):
            raise ValueError("At least two rows must have a weight above 0.")
        train_params = _check_method_params(X, fit_params, indices=train)
        target = None if y is None else _safe_indexing(y, train)
        base = clone(model).fit(X[train], target, **train_params)
        share = weight[train] / weight[train].sum()
        held_out_share = weight[held_out] / weight[held_out].sum()
        rows = SplitRows(X, train, held_out, share, held_out_share)
        self._extent = self.n_particles, self.n_steps
        terms = self._boost(base, rows, numbers, rng)
        self.estimator_ = model.fit(X, y, **fit_params)
        self.classifiers_ = [classifier for classifier, _ in terms]
        self.weights_ = np.array([weight for _, weight in terms], dtype=np.float64)
        last, tilted = numbers.fold(_LAST).generator(), self._tilted()
        _, log_Z, se = tilted.annealed(self.n_particles, last)
        unseen = tilted.tilt(X[order]).max() - np.log(self.n_particles)
        self.log_Z_, self.log_Z_se_ = with_unseen(log_Z, se, unseen)

    def _check(self, model):
        """Raise ValueError for a model or a classifier that lacks a method."""
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
        kind = self.classifier
        if kind is not None and not (hasattr(kind, "fit") and is_classifier(kind)):
            raise ValueError(
                f"{type(kind).__name__} is no classifier: take one with "
                f"{' or '.join(ODDS)}."
            )

    def _boost(self, base, rows, numbers, rng):
        """Terms of F: classifiers and their weights."""
        terms, most = [], self.n_particles
        tilted = Tilted(base, terms, self.n_steps)
        log_base = np.asarray(tilted.base.score_samples(rows.X), dtype=np.float64)
        used = np.concatenate([rows.train, rows.held_out])
        if not np.isfinite(log_base[used]).all():
            raise ValueError(
                f"The density to begin with is 0, or no number, at "
                f"{(~np.isfinite(log_base)).sum()} of {len(log_base)} rows: take a "
                "smoother one."
            )
        tilt, idle = np.zeros(len(rows.X)), 0
        self.validation_scores_, best, drawn = [], (-np.inf, 0), None
        for number in range(self.n_iter + 1):
            self.n_iter_ = number
            generator = numbers.fold(_ROUNDS, number).generator()
            ends = number == self.n_iter or idle == self.n_iter_no_change
            if number % _EACH == 0 or ends:
                drawn, log_drawn, se = tilted.annealed(most, generator)
                unseen = tilt[used].max() - np.log(most)
                log_Z, _ = with_unseen(log_drawn, se, unseen)
                score = float(rows.mean(log_base + tilt)) - log_Z
                self.validation_scores_.append(score)
                best = max(best, (score, -len(terms)))
                self._print(number, f"held-out log-likelihood = {score:.4g}")
                ratio = tilt - log_drawn
            if ends:
                break
            classifier, rest = self._fitted(rows, drawn.rows, generator, rng)
            odds, of_draws = (log_odds(classifier, X) for X in (rows.X, drawn.rows))
            weight, gain = best_weight(
                rows.mean(odds), of_draws[rest], odds[used], ratio[used]
            )
            self._print(number + 1, f"gain = {gain:.3g}")
            idle = idle + 1 if gain <= self.tol else 0
            if not idle:
                weight *= self.learning_rate
                terms.append((classifier, weight))
                log_mean = logsumexp(weight * of_draws) - np.log(len(of_draws))
                tilt, ratio = tilt + weight * odds, ratio + weight * odds - log_mean
                drawn = drawn._replace(tilt=drawn.tilt + weight * of_draws)
                drawn = resampled(generator, drawn, weight * of_draws)
                drawn = tilted.step(generator, drawn, 1.0, n_groups=1)
        return terms[: -best[1]]

    def _fitted(self, rows, drawn, generator, rng):
        """A classifier fitted to rows and some of the draws, and an index of others."""
        half = len(drawn) // 2
        order = generator.permutation(len(drawn))
        n_rows = min(half, len(rows.train))
        picked = choose(np.log(rows.weight), n_rows, drawn_from(generator))
        index = rows.train[picked]
        # Margins need balanced classes, and trees all draws.
        first = order[: half if self.classifier is None else n_rows]
        rest = order[half:]
        X = np.concatenate([rows.X[index], drawn[first]])
        y = np.repeat([1, 0], [n_rows, len(first)])
        # Smaller leaves overfit.
        classifier = DecisionTreeClassifier(max_depth=3, min_samples_leaf=10)
        if self.classifier is not None:
            classifier = clone(self.classifier)
        seed(classifier, rng)
        return classifier.fit(X, y), rest

    def _default(self):
        return FVBN("gaussian")

    def _begin(self, X):
        """The default density of such rows."""
        return FVBN("bernoulli") if np.isin(X, (0, 1)).all() else self._default()

    def _print(self, number, text):
        """Print a line, by option."""
        if self.verbose:
            print(f"[{type(self).__name__}] Round {number}, {text}")

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
        """Draw rows from the density, by annealing draws of the first one.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other draws at each call.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if the model was fitted to one with names. Rows are among
            ``n_particles`` draws, or ``n_samples`` if more; a few may occur more than
            once, as draws are resampled.
        """
        check_is_fitted(self)
        n_samples = count_rows(n_samples, self.n_features_in_)
        rng = check_random_state(random_state)
        generator = stream(rng.randint(MAX_SEED)).generator()
        n = max(n_samples, self._extent[0])
        drawn, *_ = self._tilted().annealed(n, generator)
        return framed(self, drawn.rows[:n_samples])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Classifiers see the rows, too.
        for name in ("sparse", "categorical", "string", "allow_nan"):
            setattr(tags.input_tags, name, False)
        return tags
