"""Columns of real numbers, scaled to [0, 1], that a model takes for bits."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.preprocessing import minmax_scale

from skdgm import DBM, DBN, VAE, BernoulliRBM, DBMClassifier, DBNClassifier, EoNADE
from skdgm.exceptions import RealColumnsWarning
from skdgm.options import Pretraining
from skdgm.utils.domains import bernoulli_rows
from tests.suites import FLOAT32

TABLES = {
    "iris": load_iris().data,
    "wine": load_wine().data,
    "cancer": load_breast_cancer().data,
    "normal": np.random.RandomState(0).normal(size=(3000, 30)),
    "uniform": np.random.RandomState(0).rand(5000, 3),
}
DIGITS = load_digits().data
RANDOM = np.random.RandomState(1)
SPACE = np.linspace(-3, 3, 16)
# Gray images of a common scale, with pixels that are seldom black or white.
FACES = 0.5 + 0.4 * np.sin(RANDOM.rand(400, 1) * 3 + SPACE) * RANDOM.rand(400, 16)
SOUND = {
    "bits": RANDOM.rand(100, 5) < 0.3,
    "gray digits": DIGITS / 16,
    "scaled digits": minmax_scale(DIGITS),
    "faces": (FACES - FACES.min()) / (FACES.max() - FACES.min()),
    "probabilities": minmax_scale(RANDOM.beta(0.5, 0.5, (1000, 4))),
    "unscaled": RANDOM.rand(1000, 4),
    "constant": np.full((50, 3), 0.5),
    "few levels": minmax_scale(RANDOM.randint(3, size=(200, 4)).astype(float)),
    "few rows": minmax_scale(load_iris().data[:3]),
    "rare": sp.random_array((300, 20), density=0.1, rng=2).tocsr(),
    "nothing seen": np.full((4, 2), np.nan),
}


def read(estimator, X, **options):
    return bernoulli_rows(estimator, X, **{"reset": True, "fitting": True} | options)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("convert", [np.asarray, FLOAT32, sp.csr_array])
def test_scaled_tables_are_warned_of(name, convert):
    X = minmax_scale(TABLES[name])
    with pytest.warns(RealColumnsWarning, match='column_types="gaussian"'):
        read(DBNClassifier(), convert(X))
    # Neither in later fits nor by a fitted model.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = BernoulliRBM()
        fitted.n_features_in_ = X.shape[1]
        read(fitted, convert(X), reset=False)
        read(fitted, convert(X), fitting=False)


@pytest.mark.parametrize("name", SOUND)
def test_images_probabilities_and_bits_are_not(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(BernoulliRBM(), SOUND[name])


def test_columns_are_named_and_gaps_do_not_matter():
    pd = pytest.importorskip("pandas")
    X = minmax_scale(TABLES["iris"])
    X[::7, 1] = np.nan
    frame = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])
    with pytest.warns(RealColumnsWarning, match=r"columns \['sl', 'sw', 'pl'\]"):
        read(BernoulliRBM(), frame)
    with pytest.warns(RealColumnsWarning, match="and 20 more are near"):
        read(BernoulliRBM(), minmax_scale(TABLES["normal"]))


@pytest.mark.parametrize(
    ("estimator", "remedy"),
    [
        (BernoulliRBM(2, n_iter=1), "such as GaussianRBM"),
        (DBN((2, 2), n_iter=1), 'column_types="gaussian" if'),
        (DBN(layers=[("bottom", BernoulliRBM(2, n_iter=1))]), "such as GaussianRBM"),
        (
            DBNClassifier((2, 2), pretrain=Pretraining(n_iter=1), n_iter=1),
            'column_types="gaussian"',
        ),
        pytest.param(
            DBMClassifier(DBM((2, 2), n_iter=1), n_iter=1),
            'column_types="gaussian"',
            marks=pytest.mark.exhaustive,
        ),
        (EoNADE((2, 2), n_iter=1), 'column_types="mixed" if a DataFrame'),
        (VAE(2, n_iter=1), 'column_types="mixed" if a DataFrame'),
    ],
)
def test_estimators_warn_once_and_say_what_to_do(estimator, remedy):
    X, y = minmax_scale(TABLES["iris"]), load_iris().target
    if "column_types" in estimator.get_params(deep=False):
        estimator.set_params(column_types="bernoulli")
    with pytest.warns(RealColumnsWarning, match=remedy) as record:
        estimator.fit(X, y)
    ours = [r for r in record if issubclass(r.category, RealColumnsWarning)]
    assert len(ours) == 1
    assert ours[0].filename == __file__
