r"""Deep Boltzmann machines with labels.

.. math:: E(v, h, y) = -b^\top v - \sum_l c_l^\top h^l - d_y - v^\top W^1 h^1 -
   \sum_{l > 1} h^{l - 1 \top} W^l h^l - h^{L \top} U_{:y}

The label y is a softmax unit above the last hidden layer.
"""

from types import SimpleNamespace
from typing import Literal

from skdgm.base import Classifier
from skdgm.base.attributes import shared
from skdgm.base.column_group import Columns
from skdgm.base.fits import current, current_options
from skdgm.base.options import KW_ONLY
from skdgm.boltzmann._density.deep import DeepDensity
from skdgm.boltzmann.dbm import DBM
from skdgm.boltzmann.learning.fine_tuning import NET, NetEpochs, logits
from skdgm.boltzmann.learning.label_objective import LabeledObjective
from skdgm.boltzmann.learning.objective import PHASES
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.methods import importance_likelihood, sample_of_class
from skdgm.boltzmann.structure.deep import Deep
from skdgm.data.auto import AUTO
from skdgm.nets import check_dropout
from skdgm.nets.options import TuningOptions
from skdgm.training import Budget, labeled


class DBMClassifier(TuningOptions, Classifier, Machine):
    r"""Deep Boltzmann machine as a classifier and a density.

    .. math::

        p(v, h, y) = e^{-E(v, h, y)} / Z,

    .. math::

        E(v, h, y) = -b^\top v - \sum_l
        c_l^\top h^l - d_y - v^\top W^1 h^1 - \sum_{l > 1} h^{l - 1 \top} W^l h^l -
        h^{L \top} U_{:y}

    The machine is first trained on rows and labels jointly, like a :class:`DBM`. Then
    one mean-field sweep is unrolled to a feed-forward network, which is trained by
    back-propagation [1]_ [2]_. The inputs of this network are a row and the means of
    the second hidden layer, inferred without the label; its output is the label.
    Fine-tuning leaves the machine unchanged: samples, scores and imputed values come
    from the machine. With ``fine_tune=None`` the machine itself predicts labels, by
    clamping each label in turn and comparing the mean-field bounds, which are exact
    with one hidden layer. A machine trained with ``gradient="multi-prediction"`` [3]_
    predicts labels by the same number of mean-field sweeps as in training.

    Data are 0, 1 or probabilities of 1 (gray values), or real numbers, according to
    ``dbm``. All methods accept NaN as a missing value. ``partial_fit`` trains only the
    machine, in batches of ``dbm__batch_size`` rows. To train a network afterwards, call
    ``fit`` with ``warm_start=True`` and ``dbm__n_iter=0``.

    Parameters
    ----------
    dbm
        Unfitted machine, whose parameters describe the machine to train, without the
        label, and its training; they can be set as ``dbm__parameter``. It is neither
        fitted nor changed. Its ``random_state``, ``verbose`` and ``warm_start`` are
        ignored in favor of the classifier's own. As in :class:`DBM`,
        ``feature_layer``, ``inference_steps`` and ``inference_tol`` may be changed
        after ``fit``. In pre-training, the label is trained with the last pair of
        layers. With ``dbm__early_stopping``, the criterion is the log probability of
        the labels of held-out rows. None means ``DBM(learning_rate=0.05)``, the default
        DBM with half its learning rate. Its ``n_iter="auto"`` makes 9,600 updates, but
        between 10 and 160 epochs.
    column_types
        Type of the columns: "auto" (read from the data), or a type of :class:`DBM`. A
        type set in ``dbm`` takes precedence.
    unlabeled
        Value of y for rows without a label. The labels of these rows are sampled from
        the machine during training, and :meth:`score` ignores the rows. None means that
        all rows are labeled.
    fine_tune
        If None, no network is trained, and the machine itself predicts labels. The
        parameters below then have no effect, except ``warm_start``, ``verbose`` and
        ``random_state``.
    n_iter
        Number of epochs of fine-tuning. "auto": 1,500 updates, but between 50 and 300
        epochs.
    dropout : float or pair of float
        Probability with which a hidden unit of the network is dropped at each
        presentation of a row. A pair has the probabilities of inputs and of hidden
        units.
    early_stopping
        If True, hold out rows, stop fine-tuning when the log probability of their
        labels no longer increases, and keep the best network.
    tol
        Minimum improvement, in nats per row.
    warm_start
        If True, ``fit`` continues from the machine's parameters and initializes the
        network again.
    verbose
        If not 0, print tables of the epochs of the machine and of the network.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    coefs_, intercepts_ : list of ndarray
        Weights and biases of the machine, except those of the label, as in
        :class:`DBM`.
    label_components_ : ndarray of shape (n_units, n_classes)
        Weights U between the last hidden layer and the label.
    intercept_label_ : ndarray of shape (n_classes,)
        Biases d of the labels.
    net_coefs_, net_intercepts_ : list of ndarray
        Weights and biases of the network, if there is one. In the first weight matrix,
        rows for the data are followed by rows for the second hidden layer.
    net_loss_curve_, net_validation_curve_ : list of float
        Mean negative log probability of the labels of some training rows, and of
        held-out rows, for each epoch of fine-tuning, in nats.
    loss_curve_, validation_curve_ : list of float
        The same for each epoch of the machine, with labels predicted by mean field.
    pretrain_loss_curves_ : list of list of float
        As in :class:`DBM`.
    chains_, h_samples_, swap_rates_
        Training chains and their swap rates, as in :class:`DBM`.
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        For real columns, as in :class:`GaussianRBM`.
    log_Z_, log_Z_se_ : float
        Log partition function, computed at first access, and its standard error.
    density_kind_ : {"lower bound", "estimate"}
        Kind of density that :meth:`score_samples` returns: a lower bound if log Z is
        exact, that is, if the odd or the even layers, including the label, have few
        states.
    n_iter_ : int
        Number of completed epochs of the machine.

    See Also
    --------
    DBM : The machine without a label.
    RBMClassifier : One hidden layer, and exact probabilities of labels.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 8 s of one core, 23 times as
    long as ``MLPClassifier``. Each update has several mean-field steps and Gibbs steps
    of all layers, and fine-tuning follows. An :class:`RBMClassifier` is as accurate, in
    less than a tenth of the time.

    References
    ----------
    .. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
    .. [2] Goodfellow, Bengio and Courville (2016). Deep Learning, figure 20.4. MIT
       Press.
    .. [3] Goodfellow, Mirza, Courville and Bengio (2013). Multi-prediction deep
       Boltzmann machines. NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DBM, DBMClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X /= 16
    >>> clf = DBMClassifier(DBM((64, 64), n_iter=20), random_state=0)
    >>> clf.fit(X[:1200], y[:1200]).score(X[1200:], y[1200:]) > 0.85
    True
    >>> clf.sample(3, y=7, random_state=0).shape
    (3, 64)
    """

    dbm: DBM | None = None
    _: KW_ONLY
    column_types: Literal["auto", "bernoulli", "gaussian"] | Columns = "auto"
    unlabeled: object = None
    fine_tune: Literal["backprop"] | None = "backprop"
    learning_rate = 3e-3
    batch_size = 50
    n_iter_no_change = 5
    tol = 1e-3

    _MODEL, _BUDGET = Deep(DeepDensity, LabeledObjective), Budget(9_600, 10, 160)

    importance_likelihood = importance_likelihood

    @shared(sample_of_class)
    def sample(self): ...

    def _logits(self, rows):
        if not hasattr(self, "net_coefs_"):
            phase = PHASES[self._options.gradient]
            return phase.logits(self.density_, rows, self._options)
        return logits(self.density_, rows, self.net_coefs_, self.net_intercepts_)

    @property
    def _described(self):
        """Estimator whose parameters describe the machine to train."""
        dbm = current(self, "dbm")
        return DBM(learning_rate=0.05) if dbm is None else dbm

    def _current_options(self):
        """Current options of the machine, with those of the network as ``net``."""
        options, of_net = vars(current_options(self._described)), current_options(self)
        if options["column_types"] == AUTO:
            column_options = "column_types", "top"
            options |= {
                name: vars(of_net)[name]
                for name in column_options
                if name in vars(of_net)
            }
        return SimpleNamespace(**options, net=of_net)

    @property
    def _initializes_net(self):
        return self._options.net.fine_tune is not None

    def _current_option(self, name):
        return current(self._described, name)

    def _validate_params(self):
        super()._validate_params()
        self._described._validate_params()

    def _check_options(self):
        try:
            super()._check_options()
        except ValueError as error:
            raise ValueError(f"dbm: {error}") from error
        check_dropout(self._options.net.dropout)

    def _remedy(self):
        return f"In dbm: {super()._remedy()}"

    def _stages(self, table, epochs, fresh, is_fit):
        yield from super()._stages(table, epochs, fresh, is_fit)
        table = labeled(table)
        if is_fit and self._options.net.fine_tune is not None and len(table.index):
            yield NetEpochs(self, table)

    def _forget(self):
        super()._forget()
        # A network is useless without the machine from which it was initialized.
        for name in NET:
            vars(self).pop(name, None)
