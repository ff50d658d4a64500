import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skdgm import DBN, BernoulliRBM, GaussianRBM, RBMClassifier
from skdgm.boltzmann.learning.objective import EnergyObjective
from skdgm.boltzmann.structure.restricted import Restricted
from skdgm.exceptions import DivergenceError, InterruptedFitWarning
from skdgm.options import PCD, UpDown
from tests.options import asked_value, assign, grouped

RNG = np.random.default_rng(0)
DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS, LABELS = DIGITS[:300] / 16, LABELS[:300]
REAL = DIGITS[:, 10:20] * 30 + RNG.normal(size=(300, 10))


def stack(*machines, **options):
    return grouped(
        DBN, layers=[(f"m{n}", m) for n, m in enumerate(machines)], **options
    )


def test_layers_are_machines_that_learned_one_from_the_other():
    dbn = DBN((12, 9), n_iter=(3, 2), feature_layer=-1, random_state=0).fit(DIGITS)
    bottom, top = dbn.layers_
    assert isinstance(bottom, BernoulliRBM)
    assert (bottom.n_iter_, top.n_iter_, dbn.n_iter_) == (3, 2, 5)
    assert [len(curve) for curve in dbn.loss_curves_] == [3, 2]
    assert [W.shape for W in dbn.coefs_] == [(64, 12), (12, 9)]
    assert [W.shape for W in dbn.generative_coefs_] == [(12, 64), (9, 12)]
    assert [len(b) for b in dbn.intercepts_] == [12, 9]
    assert [len(b) for b in dbn.generative_intercepts_] == [64, 12]
    options = {"resample": True, "schedule": "linear"}
    alone = grouped(BernoulliRBM, 12, n_iter=3, **options)
    alone.set_params(random_state=bottom.random_state).fit(DIGITS)
    np.testing.assert_array_equal(bottom.components_, alone.components_)
    H = bottom.transform(DIGITS)
    above = grouped(BernoulliRBM, 9, n_iter=2, **options, centering=top.centering)
    above.set_params(random_state=top.random_state).fit(H)
    # In another order of rows: what they learn is alike, not equal.
    assert abs(above.score(H) - top.score(H)) < 0.5
    np.testing.assert_allclose(dbn.transform(DIGITS), top.transform(H), rtol=1e-6)


def test_any_layer_can_be_read_out():
    dbn = DBN((12, 9, 7), n_iter=2, random_state=0).fit(DIGITS)
    parts = dbn.transform_layers(DIGITS)
    assert [part.shape[1] for part in parts] == [12, 9, 7]
    for layer in (0, 1, 2, -1, -3):
        dbn.set_params(feature_layer=layer)
        np.testing.assert_array_equal(dbn.transform(DIGITS), parts[layer])
        assert len(dbn.get_feature_names_out()) == parts[layer].shape[1]
        back = dbn.inverse_transform(parts[layer])
        assert back.shape == DIGITS.shape
    first = dbn.set_params(feature_layer=0).inverse_transform(parts[0])
    dbn.set_params(feature_layer="all")
    whole = dbn.transform(DIGITS)
    np.testing.assert_array_equal(whole, np.hstack(parts))
    np.testing.assert_array_equal(dbn.inverse_transform(whole), first)
    dbn.set_params(feature_layer=(-1, 0))
    two = dbn.transform(DIGITS)
    np.testing.assert_array_equal(two, np.hstack([parts[2], parts[0]]))
    np.testing.assert_array_equal(dbn.inverse_transform(two), first)
    assert len(dbn.get_feature_names_out()) == 19
    with pytest.raises(ValueError, match="7 columns"):
        dbn.inverse_transform(parts[2])
    with pytest.raises(ValueError, match="feature_layer=3"):
        dbn.set_params(feature_layer=3).transform(DIGITS)


def test_the_way_back_is_in_the_columns_own_units():
    dbn = DBN((30, 20), column_types="gaussian", n_iter=30, random_state=0).fit(REAL)
    back = dbn.inverse_transform(dbn.transform(REAL))
    assert ((back - REAL) ** 2).sum() < 0.8 * ((REAL - REAL.mean(axis=0)) ** 2).sum()


def test_options_are_for_all_or_for_each():
    dbn = DBN(
        (6, 5), n_iter=0, learning_rate=(0.3, 0.2), gradient=PCD(n_steps=((1, 5), 2))
    )
    assign(dbn, momentum=0.4, max_norm=(None, 2.0)).fit(DIGITS)
    bottom, top = dbn.layers_
    assert (bottom.learning_rate, top.learning_rate) == (0.3, 0.2)
    assert (bottom.gradient.n_steps, top.gradient.n_steps) == ((1, 5), 2)
    assert bottom.solver.momentum == top.solver.momentum == 0.4
    assert [asked_value(one, "max_norm") for one in (bottom, top)] == [None, 2.0]


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_defaults_are_those_of_the_machines(visible):
    dbn = DBN((6, 5), column_types=visible, n_iter=0).fit(DIGITS)
    kind = {"bernoulli": BernoulliRBM, "gaussian": GaussianRBM}[visible]
    assert [type(machine) for machine in dbn.layers_] == [kind, BernoulliRBM]
    own = {"n_components", "random_state", "resample", "n_iter", "centering"}
    own.add("schedule")
    for machine in dbn.layers_:
        assert asked_value(machine, "schedule") == "linear"
        expected = type(machine)()
        for name in {*expected.get_params(), *expected._DETAILS} - own:
            assert asked_value(machine, name) == asked_value(expected, name), name


WRONG = [
    (
        {"learning_rate": (0.1,)},
        "learning_rate must be one value, or a tuple with one for each of 2",
    ),
    (
        {"n_steps": (1, 2, 3)},
        "n_steps must be one value, or a tuple with one for each of 2",
    ),
    ({"learning_rate": (0.1, -1)}, "DBN layer 1.*learning_rate"),
    ({"momentum": (2.0, 0.1)}, "DBN layer 0.*momentum"),
    ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must be"),
    ({"hidden_layer_sizes": []}, "hidden_layer_sizes must be"),
    ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (3, 1.5)}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": -1}, "hidden_layer_sizes"),
    ({"layers": []}, "layers must be a list"),
    ({"layers": [BernoulliRBM()]}, "layers must be a list"),
    ({"layers": [("a", BernoulliRBM()), ("a", BernoulliRBM())]}, "not unique"),
    ({"layers": [("column_types", BernoulliRBM())]}, "conflict"),
    ({"layers": [("a", BernoulliRBM()), ("b", GaussianRBM())]}, "'b', above"),
    ({"layers": [("a", LogisticRegression())]}, "'a', at the bottom"),
    ({"layers": [("a", RBMClassifier())]}, "'a', at the bottom"),
    ({"layers": [("a", BernoulliRBM)]}, "'a', at the bottom"),
    ({"layers": [("a", BernoulliRBM(n_iter=-1))]}, "DBN layer 0.*n_iter"),
]


@pytest.mark.parametrize("options, message", WRONG, ids=lambda part: str(part)[:40])
def test_what_is_wrong_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        assign(DBN((6, 5), n_iter=1), **options).fit(DIGITS)


def test_a_stack_made_by_hand():
    machine = GaussianRBM(6, n_iter=2)
    dbn = stack(machine, BernoulliRBM(5, n_iter=3), feature_layer=-1, random_state=0)
    assert dbn.get_params()["m0__n_components"] == 6
    assert dbn.get_params()["m1"] is dbn.layers[1][1]
    assert "m1__n_iter" not in dbn.get_params(deep=False)
    dbn.set_params(m1__n_components=4).fit(REAL)
    assert [layer._n_features_out for layer in dbn.layers_] == [6, 4]
    assert not hasattr(machine, "components_")
    assert clone(dbn).get_params()["m1__n_components"] == 4
    same = DBN((6, 4), column_types="gaussian", n_iter=(2, 3), random_state=0)
    # Of machines an own seed counts.
    one, other = (
        stack(BernoulliRBM(3, n_iter=1, random_state=7), random_state=seed).fit(DIGITS)
        for seed in (0, 1)
    )
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])
    np.testing.assert_allclose(
        same.fit(REAL).coefs_[0], dbn.coefs_[0], rtol=1e-6, atol=1e-9
    )
    dbn.set_params(m1=BernoulliRBM(3, n_iter=1)).fit(REAL)
    assert dbn.transform(REAL).shape == (300, 3)


def test_layers_learn_one_at_a_time():
    dbn = DBN((6, 5), random_state=0)
    with pytest.raises(ValueError, match="layer"):
        dbn.partial_fit(DIGITS, layer=1)
    dbn.partial_fit(DIGITS, layer=0)
    assert dbn.transform(DIGITS).shape == (300, 6)
    first = dbn.coefs_[0]
    dbn.partial_fit(DIGITS, layer=1).partial_fit(DIGITS, layer=1)
    np.testing.assert_array_equal(dbn.coefs_[0], first)
    assert [layer.n_iter_ for layer in dbn.layers_] == [1, 2]
    dbn.partial_fit(DIGITS)
    assert [layer.n_iter_ for layer in dbn.layers_] == [2, 3]
    for layer in (2, -1, 0.5):
        with pytest.raises((ValueError, TypeError), match="layer"):
            dbn.partial_fit(DIGITS, layer=layer)


def test_the_stack_may_not_change_between_fits():
    dbn = DBN((6, 5), n_iter=1, warm_start=True, random_state=0).fit(DIGITS)
    for options, message in (
        ({"hidden_layer_sizes": (6, 4)}, "Layer 1 is to have 4 units, but 5"),
        ({"hidden_layer_sizes": (6,)}, "2 layers, not 1"),
        ({"column_types": "gaussian"}, "Layer 0 was a BernoulliRBM"),
    ):
        changed = assign(clone(dbn).fit(DIGITS), **options)
        for method in (changed.fit, changed.partial_fit):
            with pytest.raises(ValueError, match=message):
                method(DIGITS)
        changed.set_params(warm_start=False).fit(DIGITS)
    with pytest.raises(ValueError, match="features"):
        dbn.fit(DIGITS[:, 1:])
    # But more layers may come, and learn otherwise.
    dbn.set_params(hidden_layer_sizes=(6, 5, 3), learning_rate=0.01).fit(DIGITS)
    assert [layer.n_iter_ for layer in dbn.layers_] == [2, 2, 1]
    assert dbn.layers_[0].learning_rate == 0.01


@pytest.mark.parametrize("samples", [True, False])
def test_layers_above_learn_from_samples_or_from_means(samples):
    dbn = DBN((6, 5), n_iter=1, samples=samples, random_state=0).fit(DIGITS)
    assert dbn.layers_[1].resample == samples


def test_divergence_names_the_layer_and_keeps_the_rest():
    dbn = DBN((8, 6), learning_rate=(0.1, 1e30), n_iter=3, random_state=0)
    with pytest.raises(DivergenceError, match="DBN layer 1 diverged"):
        dbn.fit(DIGITS)
    assert np.isfinite(dbn.score_samples(DIGITS)).all()
    assert len(dbn.layers_) == 2


@pytest.mark.parametrize("n_failures", [1, 3, 4])
def test_a_layer_that_diverges_starts_again_at_half_the_rate(n_failures, monkeypatch):
    rates, fit = [], BernoulliRBM.fit

    def failing(self, X, *arguments):
        if self.n_components == 6:
            rates.append(self.learning_rate)
            if len(rates) <= n_failures:
                raise DivergenceError("Training of it diverged")
        return fit(self, X, *arguments)

    monkeypatch.setattr(BernoulliRBM, "fit", failing)
    dbn = DBN((8, 6), n_iter=1, random_state=0)
    if n_failures > 3:
        with pytest.raises(DivergenceError):
            dbn.fit(DIGITS)
        assert rates == [0.1, 0.05, 0.025, 0.0125]
        return
    dbn.fit(DIGITS)
    assert dbn.layers_[1].learning_rate == rates[-1] == 0.1 / 2**n_failures
    direct = DBN((8, 6), learning_rate=(0.1, rates[-1]), n_iter=1, random_state=0)
    direct.fit(DIGITS)
    np.testing.assert_array_equal(
        dbn.layers_[1].components_, direct.layers_[1].components_
    )


@pytest.mark.filterwarnings("ignore:The precisions of columns")
def test_complementary_columns_of_ones_can_be_learned():
    """Learned precisions of such columns reach their limit, where a rate that serves
    other tables diverges."""
    rng = np.random.default_rng(0)
    ones = (rng.random((500, 2)) < 0.4).astype(float)
    X = np.column_stack([rng.normal(size=(500, 3)), ones, 1 - ones])
    for seed in range(2):
        dbn = DBN((64, 16), random_state=seed).fit(X)
        assert np.isfinite(dbn.transform(X)).all()


def test_an_interrupted_fit_stops_with_its_layer(monkeypatch):
    class Interrupting(EnergyObjective):
        def step(self, *arguments):
            raise KeyboardInterrupt

    monkeypatch.setattr(BernoulliRBM, "_MODEL", Restricted(objective=Interrupting))
    with pytest.warns(InterruptedFitWarning):
        dbn = DBN((8, 6), random_state=0).fit(DIGITS)
    assert len(dbn.layers_) == 1
    monkeypatch.undo()
    dbn.set_params(warm_start=True, n_iter=1).fit(DIGITS)
    assert [layer.n_iter_ for layer in dbn.layers_] == [1, 1]


def test_held_out_rows_are_the_same_for_all_layers():
    dbn = DBN((8, 6), n_iter=3, early_stopping=True, random_state=0).fit(DIGITS)
    for layer in dbn.layers_:
        assert len(layer.validation_curve_) == 3


class Listener:
    """Hears of all tasks, of the machines' too."""

    max_propagation_depth = None

    def __init__(self):
        self.heard = []

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.heard.append((context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context):
        return False


def test_callbacks_hear_of_layers_and_of_their_epochs():
    listener = Listener()
    dbn = DBN((6, 5), n_iter=(2, 1), refine=UpDown(n_iter=1), random_state=0)
    dbn.set_callbacks(listener).fit(DIGITS)
    # A machine's whole fit is the layer's task.
    assert listener.heard == [
        "setup",
        ("fit", 0),
        *[("fit", 0), ("epoch", 0), ("epoch", 1)],
        *[("fit", 1), ("epoch", 0)],
        *[("refine", 2), ("epoch", 0)],
        "teardown",
    ]
    for machine in dbn.layers_:
        assert not hasattr(machine, "_skl_callbacks")


def test_progress_shows_layer_and_epoch(capsys):
    pytest.importorskip("rich")
    DBN((6, 5), n_iter=2).set_callbacks(ProgressBar()).fit(DIGITS)
    shown = capsys.readouterr().out
    for words in (
        "DBN - fit",
        *(f"DBN - layer | BernoulliRBM - fit #{n}" for n in "01"),
    ):
        assert words in shown


def test_verbose_names_the_layer(capsys):
    DBN((6, 5), n_iter=1, refine=UpDown(n_iter=1), verbose=1).fit(DIGITS)
    lines = capsys.readouterr().out.splitlines()
    starts = [
        "[DBN] Columns: 64 ",
        *["[DBN layer 0] "] * 2,
        *["[DBN layer 1] "] * 2,
        *["[DBN refinement] "] * 2,
    ]
    assert all(
        line.startswith(start) for line, start in zip(lines, starts, strict=True)
    )
    assert all(" 1/1 " in line for line in lines[2::2])


@pytest.mark.exhaustive
def test_in_a_pipeline_and_a_search():
    pipeline = make_pipeline(DBN(n_iter=2, random_state=0), LogisticRegression())
    grid = {
        "dbn__hidden_layer_sizes": [(12,), (12, 9)],
        "dbn__learning_rate": [0.05, 0.1],
        "dbn__feature_layer": [-1, "all"],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(DIGITS, LABELS)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_sizes_as_in_a_perceptron():
    for sizes in (7, [7], (7,), np.array([7])):
        dbn = DBN(sizes, n_iter=0).fit(sp.csr_array(DIGITS))
        assert dbn.transform(DIGITS).shape == (300, 7)


@pytest.mark.parametrize("n, epochs", [(20, 200), (3000, 66), (20_000, 20)])
def test_small_tables_are_shown_more_often(n, epochs):
    X = RNG.integers(0, 2, (n, 100)).astype(np.float64)
    dbn = DBN((2, 1), n_iter=("auto", 1), batch_size=1000).fit(X)
    assert [layer.n_iter_ for layer in dbn.layers_] == [epochs, 1]


@pytest.mark.exhaustive
def test_wide_layers_do_not_run_away():
    dbn = DBN((300, 300), n_iter=5, random_state=0).fit(DIGITS)
    assert dbn.layers_[1].centering == "data"
    plain = clone(dbn).set_params(centering=None).fit(DIGITS)
    assert dbn.loss_curves_[1][-1] < plain.loss_curves_[1][-1]
    assert dbn.importance_likelihood(DIGITS).mean() > DIGITS.shape[1] * np.log(0.5)
