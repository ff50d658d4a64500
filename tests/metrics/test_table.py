import sys

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skdgm import (
    FVBN,
    GSN,
    MADE,
    RNNNADE,
    VAE,
    Autoencoder,
    EoNADE,
    GaussianRBM,
    SelfSupervisedBoosting,
)
from skdgm.anomaly import DensityOutlierDetector
from skdgm.metrics import (
    free_energy_gap,
    likelihood_table,
    log_density,
    measure,
)
from skdgm.metrics.density import log_abs_det
from skdgm.preprocessing import BernoulliBinarizer
from tests.metrics.models import fitted

X = load_iris().data
SCALERS = [StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler()]


def mixture():
    return GaussianMixture(2, random_state=0, reg_covar=0)


def test_families_side_by_side():
    pytest.importorskip("pandas")
    rbm = GaussianRBM(4, n_iter=20, random_state=0).fit(X)
    gm = mixture().fit(X)
    pipe = make_pipeline(StandardScaler(), mixture()).fit(X)
    table = likelihood_table({"rbm": rbm, "gm": gm, "scaled": pipe}, X)
    assert list(table.index) == ["rbm", "gm", "scaled"]
    np.testing.assert_allclose(table["nats"]["rbm"], rbm.score(X))
    np.testing.assert_allclose(table["nats"]["gm"], gm.score(X))
    # The density of a mixture of full covariances does not mind the scale.
    np.testing.assert_allclose(table["nats"]["scaled"], gm.score(X), rtol=1e-3)
    np.testing.assert_allclose(table["bits_per_dim"], -table["nats"] / (4 * np.log(2)))
    se = rbm.score_samples(X).std(ddof=1) / np.sqrt(len(X))
    assert table["se_rows"]["rbm"] == pytest.approx(se)
    assert set(table["kind"]) == {"exact"}
    assert set(table["measure"]) == {"density"}


def test_models_without_a_partition_function_say_what_they_know():
    pytest.importorskip("pandas")
    nets = {
        "vae": VAE(2, (4,), column_types="gaussian", n_iter=2, random_state=0),
        "normal": FVBN(column_types="gaussian", random_state=0),
        "ensemble": EoNADE((4,), column_types="gaussian", n_iter=2, random_state=0),
    }
    table = likelihood_table({name: net.fit(X) for name, net in nets.items()}, X)
    assert list(table["kind"]) == ["lower bound", "exact", "estimate"]
    assert table["upper"]["vae"] == np.inf
    np.testing.assert_array_equal(table["upper"][1:], table["nats"][1:])
    np.testing.assert_allclose(table["nats"]["normal"], nets["normal"].score(X))


def test_estimates_have_ends():
    rbm, rows = fitted("rbm")
    dbn, _ = fitted("dbn")
    table = likelihood_table([rbm, dbn, rbm], rows, max_bits=0, n_betas=100)
    assert list(table.index) == ["BernoulliRBM-1", "DBN", "BernoulliRBM-2"]
    assert (table["lower"] < table["nats"]).all()
    assert (table["nats"] < table["upper"]).all()
    assert set(table["kind"]) == {"estimate"}


def test_pipelines_have_ends_in_the_units_of_data():
    pipe = make_pipeline(MinMaxScaler(), GaussianRBM(4, n_iter=20, random_state=0)).fit(
        X
    )
    table = likelihood_table([pipe], X, max_bits=0, n_betas=300)
    nats = log_density(pipe, X).mean()
    assert table["lower"].iloc[0] < nats + 0.1
    assert table["upper"].iloc[0] > nats - 0.1
    assert table["nats"].iloc[0] == pytest.approx(nats, abs=0.1)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"typo": 1}, "'typo'.*n_chains"),
        ({"options": 1}, "'options'"),
        ({"confidence": 2}, "confidence"),
        ({"confidence": "a"}, "confidence"),
        ({"confidence": np.nan}, "confidence"),
    ],
)
def test_options_are_checked_whatever_the_models(options, what):
    net = FVBN(column_types="gaussian", random_state=0).fit(X)
    with pytest.raises((TypeError, ValueError), match=what):
        likelihood_table([net], X, **options)


def test_options_of_brackets_are_taken_whatever_the_models():
    net = FVBN(column_types="gaussian", random_state=0).fit(X)
    found = likelihood_table([net], X, n_chains=3, n_draws=5, confidence=0.5)
    assert found.equals(likelihood_table([net], X))


def test_without_pandas_there_are_lists(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    rbm, rows = fitted("rbm")
    table = likelihood_table([("mine", rbm)], rows)
    assert table.model == ["mine"]
    assert table["nats"] == [pytest.approx(rbm.score(rows))]


def test_densities_and_probabilities_are_not_compared():
    rbm, rows = fitted("rbm")
    real, _ = fitted("real")
    assert (measure(rbm), measure(real)) == ("probability", "density")
    assert measure(make_pipeline(MinMaxScaler(), rbm)) == "probability"
    assert measure(KernelDensity()) == "density"
    with pytest.raises(ValueError, match="BernoulliRBM gives a probability, Gaussian"):
        likelihood_table([rbm, real], rows)


def test_mixed_columns_without_real_ones_have_probabilities():
    pd = pytest.importorskip("pandas")
    rbm, rows = fitted("rbm")
    frame = pd.DataFrame(rows == 1, columns=list("abcdef"))
    bits, real = (
        MADE((3,), column_types="mixed", n_iter=1, random_state=0).fit(given)
        for given in (frame, frame.assign(x=np.arange(len(rows)) / 7))
    )
    assert (measure(bits), measure(real)) == ("probability", "density")
    table = likelihood_table([bits, rbm.fit(frame)], frame)
    assert set(table["measure"]) == {"probability"}


def test_what_has_no_likelihood_is_named():
    with pytest.raises(TypeError, match="score_samples.*KernelDensity.*MinMaxScaler"):
        likelihood_table([MinMaxScaler().fit(X)], X)
    with pytest.raises(ValueError, match="at least one"):
        likelihood_table([], X)


@pytest.mark.parametrize("scaler", SCALERS, ids=lambda scaler: type(scaler).__name__)
def test_units_are_those_of_the_data(scaler):
    pipe = make_pipeline(scaler, mixture())
    found = log_density(pipe.fit(X), X)
    tenth = log_density(pipe.fit(0.1 * X), 0.1 * X)
    np.testing.assert_allclose(tenth - found, 4 * np.log(10), atol=1e-6)
    # By the definition: what the density is of a line through a row.
    direct = mixture().fit(scaler.fit_transform(X))
    T = scaler.transform(np.vstack([X[:1], X[:1] + 1.0]))
    slope = np.log(np.abs(T[1] - T[0])).sum()
    expected = direct.score_samples(T[:1])[0] + slope
    assert log_density(pipe.fit(X), X[:1])[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("scaler", [None, StandardScaler(), MinMaxScaler()])
def test_constant_columns_keep_units(scaler):
    """By powers of two, so that no digit of scaled rows changes. Without a scaler the
    machine's random numbers, keyed by what is in the rows, do."""
    wide = np.column_stack([X, np.full(len(X), 3.0)])
    pipe = make_pipeline(scaler, GaussianRBM(4, n_iter=10, random_state=0))
    found = log_density(pipe.fit(wide), wide)
    shrunk = log_density(pipe.fit(wide / 8), wide / 8)
    tolerance = 0.1 if scaler is None else 1e-6
    np.testing.assert_allclose(shrunk - found, 5 * np.log(8), atol=tolerance)


def test_constant_columns_that_vary_by_rounding():
    wide = np.column_stack([X, np.full(len(X), 3.0)])
    scaler = StandardScaler().fit(wide)
    pipe = make_pipeline(scaler, KernelDensity().fit(scaler.transform(wide)))
    expected = log_density(pipe, wide)
    scaler.var_[-1] = 1e-34
    np.testing.assert_array_equal(log_density(pipe, wide), expected)


@pytest.mark.parametrize(
    "step",
    [
        PowerTransformer(),
        PowerTransformer(standardize=False),
        PowerTransformer("box-cox"),
        PCA(),
        PCA(whiten=True),
        StandardScaler(),
    ],
    ids=str,
)
def test_determinants_are_those_of_differences(step):
    data = X - 3.5 * (getattr(step, "method", "") == "yeo-johnson")
    pipe = make_pipeline(step, mixture()).fit(data)
    T, tiny = pipe[0].transform, 1e-5 * np.eye(4)
    for row in data[::30]:
        jacobian = (T(row + tiny) - T(row - tiny)) / 2e-5
        expected = pipe.score_samples([row])[0] + np.linalg.slogdet(jacobian)[1]
        assert log_density(pipe, [row])[0] == pytest.approx(expected, abs=1e-6)


def test_missing_values_of_powers():
    row = X[:1].copy()
    step = PowerTransformer().fit(X)
    parts = [
        log_abs_det(step, np.where(np.arange(4) == i, row, np.nan)) for i in range(4)
    ]
    np.testing.assert_allclose(sum(parts), log_abs_det(step, row))


@pytest.mark.filterwarnings("error")
def test_what_a_step_refuses_is_refused_by_it():
    pipe = make_pipeline(PowerTransformer("box-cox"), mixture()).fit(X)
    with pytest.raises(ValueError, match="strictly positive"):
        log_density(pipe, -X)


def test_sparse_rows():
    holes = X * (np.arange(4) != 2)
    holes[::3, 1] = np.nan
    rbm = GaussianRBM(4, n_iter=3, random_state=0)
    pipe = make_pipeline(MaxAbsScaler(), rbm).fit(holes)
    found = log_density(pipe, sp.csr_array(holes))
    np.testing.assert_allclose(found, log_density(pipe, holes))


def test_dependent_columns_cannot_be_whitened():
    wide = np.column_stack([X, X.sum(axis=1)])
    pipe = make_pipeline(PCA(whiten=True), mixture()).fit(wide)
    with pytest.raises(ValueError, match="linearly dependent.*Drop"):
        log_density(pipe, wide)


def test_missing_values_have_no_units():
    holes = X.copy()
    holes[::3, 1] = np.nan
    rbm = GaussianRBM(4, n_iter=10, random_state=0)
    pipe = make_pipeline(StandardScaler(), rbm)
    found = log_density(pipe.fit(holes), holes)
    shrunk = log_density(pipe.fit(holes / 8), holes / 8)
    expected = np.where(np.isnan(holes[:, 1]), 3, 4) * np.log(8)
    np.testing.assert_allclose(shrunk - found, expected, atol=1e-6)


def test_outlier_detectors_are_their_densities():
    rbm, rows = fitted("rbm")
    detector = DensityOutlierDetector(FrozenEstimator(rbm)).fit(rows)
    pipe = make_pipeline(MinMaxScaler(), FrozenEstimator(rbm)).fit(9 * rows)
    inside = DensityOutlierDetector(FrozenEstimator(pipe)).fit(9 * rows)
    outside = make_pipeline(MinMaxScaler(), detector).fit(9 * rows)
    assert measure(DensityOutlierDetector(rbm)) == "probability"
    assert measure(DensityOutlierDetector()) == "density"
    for wrapped, given in ((detector, rows), (outside, 9 * rows), (inside, 9 * rows)):
        assert measure(wrapped) == "probability"
        found = log_density(wrapped, given)
        np.testing.assert_allclose(found, rbm.score_samples(rows))
    for given in (rows, np.where(rows == 1, 0.8, rows)):
        table = likelihood_table([detector, rbm], given)
        one, two = table.to_numpy(object)
        np.testing.assert_array_equal(one, two)
    # So are those of real columns, in the units of the data.
    pipe = make_pipeline(StandardScaler(), mixture())
    inside = DensityOutlierDetector(pipe).fit(X)
    expected = log_density(inside.estimator_, X)
    np.testing.assert_allclose(log_density(inside, X), expected)


def test_binarizers_inside_outlier_detectors_are_found():
    rbm, rows = fitted("rbm")
    pipe = make_pipeline(BernoulliBinarizer(), rbm).fit(rows)
    detector = DensityOutlierDetector(FrozenEstimator(pipe)).fit(rows)
    with pytest.raises(ValueError, match="BernoulliRBM has rows as given"):
        likelihood_table([detector, rbm], 0.8 * rows)


def test_probabilities_have_none():
    rbm, rows = fitted("rbm")
    pipe = make_pipeline(MinMaxScaler(), rbm).fit(5 * rows)
    np.testing.assert_allclose(
        log_density(pipe, 5 * rows), pipe[-1].score_samples(rows)
    )


def test_nothing_in_between():
    gm = mixture().fit(X)
    np.testing.assert_array_equal(log_density(gm, X), gm.score_samples(X))
    pipe = make_pipeline("passthrough", StandardScaler(with_std=False), mixture())
    pipe.fit(X)
    np.testing.assert_allclose(log_density(pipe, X), pipe.score_samples(X))


@pytest.mark.parametrize(
    "step",
    [
        PCA(2),
        QuantileTransformer(n_quantiles=10),
        MinMaxScaler(clip=True),
        MaxAbsScaler(clip=True),
    ],
    ids=str,
)
def test_steps_without_a_determinant_are_named(step):
    pipe = make_pipeline(step, mixture()).fit(X)
    with pytest.raises(TypeError, match=f"{type(step).__name__}.*StandardScaler"):
        log_density(pipe, X)


def test_free_energy_gap():
    rbm, rows = fitted("rbm")
    gap = free_energy_gap(rbm, rows[:30], rows[30:])
    train, valid = rbm.score(rows[:30]), rbm.score(rows[30:])
    assert gap == pytest.approx(train - valid)
    with pytest.raises(TypeError, match="free_energy.*DBN has none"):
        free_energy_gap(fitted("dbn")[0], rows, rows)


def test_no_unit_decides_which_model_is_better():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"few": rng.integers(0, 4, 300) * 1.0})
    frame["many"] = np.where(rng.random(300) < 0.3, 0, rng.normal(size=300))
    told = "'few' have a density by one of .* a probability"
    for unit in (1, 1e-6):
        table = frame * unit
        models = {
            kinds: FVBN(column_types=kinds, random_state=0).fit(table)
            for kinds in ("mixed", "gaussian")
        }
        with pytest.raises(ValueError, match=told):
            likelihood_table(models, table)
        models["gaussian"] = GaussianMixture(random_state=0, reg_covar=0).fit(table)
        with pytest.raises(ValueError, match=told):
            likelihood_table(models, table)
        # An atom, too, though both are densities.
        atoms = FVBN(column_types="mixed").fit(table)
        normal = FVBN(column_types={"many": "gaussian"}).fit(table)
        with pytest.raises(ValueError, match="'many' have a density"):
            likelihood_table([atoms, normal], table)
        apart = table[table["many"] != 0]
        assert len(likelihood_table([atoms, normal], apart)) == 2


def test_sequences_have_densities_of_their_own():
    sequences = [X[:5, :2], X[5:12, :2]]
    model = RNNNADE(2, "gaussian", n_recurrent=2, n_iter=1, random_state=0)
    found = log_density(model.fit(sequences), sequences)
    for own, expected in zip(found, model.score_samples(sequences), strict=True):
        np.testing.assert_array_equal(own, expected)


@pytest.mark.parametrize("model", [Autoencoder(2, n_iter=1), GSN((4,), n_iter=1)])
def test_scores_of_reconstructions_are_no_likelihoods(model):
    bits = (X.mean(axis=0) < X).astype(float)
    models = {"rival": FVBN(n_iter=1).fit(bits), "code": make_pipeline(model.fit(bits))}
    message = "code scores a row given its reconstruction"
    with pytest.raises(ValueError, match=message):
        likelihood_table(models, bits)
    search = GridSearchCV(model, {"n_iter": [1]}, cv=2).fit(bits)
    boosted = SelfSupervisedBoosting(FrozenEstimator(model), n_iter=1, random_state=0)
    for wrapped in (search, boosted.fit(bits)):
        with pytest.raises(ValueError, match=message):
            likelihood_table(models | {"code": wrapped}, bits)
