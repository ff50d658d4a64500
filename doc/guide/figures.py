"""Figures of the user guide: python doc/guide/figures.py [name ...]

Writes doc/guide/images/NAME.png, in some minutes on one core. Pictures of tasks, which
are all of one size, show what the snippets of their pages have computed.
"""

import doctest
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_digits, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdgm import DBM, DBN, FVBN, NADE, RNADE, VAE, BernoulliRBM, GaussianRBM
from skdgm.options import ELBO, PCD, SGD, Columns, Penalty, Pretraining
from skdgm.plotting import ComponentsDisplay, SamplesDisplay

HOME = Path(__file__).parent / "images"
GRAY, y = load_digits(return_X_y=True)
GRAY, GRAY_TEST, y, y_test = train_test_split(
    GRAY / 16, y, test_size=500, random_state=0
)
X, X_TEST = ((part >= 0.5).astype(np.float32) for part in (GRAY, GRAY_TEST))
plt.rcParams |= {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}


def curve(model, data=X):
    """Score of held-out digits after each epoch."""
    monitor = ScoringMonitor(scoring={"nats": lambda m, rows, _: m.score(X_TEST)})
    model.set_callbacks(monitor).fit(data)
    logs = monitor.get_logs().data
    return [entry["nats"] for entry in logs if entry["parent_task_id_path"]]


def panels(axes, groups, make):
    """Draw a panel for each group of options, a line for each option."""
    for ax, (title, options) in zip(axes, groups.items()):
        for name, option in options.items():
            nats = curve(make(**option))
            ax.plot(range(1, 1 + len(nats)), nats, label=name)
        ax.set(title=title, xlabel="epoch")
        ax.legend(loc="lower right", framealpha=0.9)


def rbm_options():
    """Draw likelihoods of small RBMs by their options."""

    def make(**options):
        solver = SGD(schedule="linear")
        rbm = BernoulliRBM(16, n_iter=40, solver=solver, random_state=0)
        return rbm.set_params(**{"learning_rate": 0.1, **options})

    groups = {
        "gradient": {
            "cd, 1 step": {"gradient": "cd"},
            "pcd, 1 step": {},
            "pcd, 5 steps": {"gradient__n_steps": 5},
            "tempering": {"gradient": "tempering"},
        },
        "learning rate": {
            "0.2, constant": {"learning_rate": 0.2, "solver__schedule": "constant"},
            "0.2, linear": {"learning_rate": 0.2},
            "0.05, constant": {"learning_rate": 0.05, "solver__schedule": "constant"},
            "0.05, linear": {"learning_rate": 0.05},
        },
        "chains and start": {
            "10 chains": {"gradient__n_chains": 10},
            "50 chains": {},
            "200 chains": {"gradient__n_chains": 200},
            "50, biases from zero": {"solver__init_biases": "zeros"},
        },
    }
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True)
    panels(axes, groups, make)
    axes[0].set(ylabel="nats, exact", ylim=(-26, -18.5))
    return figure


def density(ax, model, rows):
    """Draw rows and the density that a model gives to the plane."""
    across, up = np.meshgrid(np.linspace(-2.5, 3.5, 160), np.linspace(-2, 2.5, 120))
    grid = np.stack([across.ravel(), up.ravel()], axis=1)
    p = np.exp(model.score_samples(grid)).reshape(across.shape)
    ax.contourf(across, up, p, levels=20, cmap="Blues")
    ax.scatter(*rows[:300].T, s=3, color="tab:orange", alpha=0.6)
    ax.set(xticks=[], yticks=[])


def moons():
    """Two noisy half circles."""
    return make_moons(1000, noise=0.12, random_state=0)[0] * 1.4 - [0.3, 0.2]


def gaussian_rbm():
    """Draw the density of GaussianRBM by hidden units."""
    rows = moons()
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2))
    for ax, size in zip(axes, (2, 8, 20)):
        how = {"min_variance": 0.02, "batch_size": 20}
        model = GaussianRBM(size, n_iter=100, random_state=0, **how).fit(rows)
        density(ax, model, rows)
        ax.set_title(f"{size} hidden units: {model.score(rows):.2f} nats")
    return figure


def autoregressive_options():
    """Draw the density of RNADE by the number of components."""
    rows = moons()
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2))
    for ax, n in zip(axes, (1, 3, 10)):
        model = RNADE(64, n_mixtures=n, n_iter=150, random_state=0).fit(rows)
        density(ax, model, rows)
        name = "component" if n == 1 else "components"
        ax.set_title(f"{n} {name}: {model.score(rows):.2f} nats")
    return figure


def dbm_options():
    """Draw bounds of small DBMs by their options."""

    def make(**options):
        common = {"n_iter": 20, "learning_rate": 0.05, "random_state": 0}
        common |= {"batch_size": 10, "solver": SGD(schedule="linear")}
        return DBM((16, 32), **{**common, **options})

    before = {"pretrain": Pretraining(n_iter=10)}
    groups = {
        "centering and pre-training": {
            "neither": {"centering": None},
            "pre-trained": {"centering": None, **before},
            "centered": {},
            "both": before,
        },
    }
    figure, ax = plt.subplots(figsize=(6, 3.6))
    panels([ax], groups, make)
    ax.set(ylabel="bound in nats", title="")
    return figure


def dbn_options():
    """Draw accuracies of features by layer and by option."""
    epochs = (3, 10, 30)
    figure, ax = plt.subplots(figsize=(6.4, 3.6))
    for resample, style in ((True, "-"), (False, ":")):
        found = {0: [], 1: [], "all": []}
        for n_iter in epochs:
            dbn = DBN(
                (64, 64),
                n_iter=n_iter,
                column_types=Columns(resample=resample),
                random_state=0,
            )
            dbn.fit(GRAY)
            for layer, rates in found.items():
                dbn.set_params(feature_layer=layer)
                linear = LogisticRegression(max_iter=2000).fit(dbn.transform(GRAY), y)
                rates.append(100 * linear.score(dbn.transform(GRAY_TEST), y_test))
        bits = "bits drawn anew" if resample else "gray values"
        names = {0: "first layer", 1: "second layer", "all": "both layers"}
        for (layer, rates), color in zip(found.items(), ("C0", "C1", "C2")):
            label = f"{names[layer]}, {bits}"
            ax.plot(epochs, rates, style, color=color, marker="o", label=label)
    ax.set(xlabel="epochs of each layer", ylabel="% right", xscale="log")
    ax.set_xticks(epochs, epochs)
    ax.minorticks_off()
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def vae_options():
    """Draw the parts of the bound by beta, and bounds by latent units."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6))
    common = {"n_iter": 40, "random_state": 0}
    betas = (0.25, 0.5, 1, 2, 4)
    models = [VAE(16, objective=ELBO(beta=beta), **common).fit(X) for beta in betas]
    parts = np.array([[part.mean() for part in m.elbo(X_TEST)] for m in models])
    axes[0].plot(betas, -parts[:, 1], marker="o", label="reconstruction error")
    axes[0].plot(betas, parts[:, 2], marker="o", label="divergence from the prior")
    axes[0].plot(betas, -parts[:, 0], marker="o", label="their sum")
    axes[0].set(xlabel="beta", ylabel="nats", xscale="log", title="16 latent units")
    axes[0].set_xticks(betas, betas)
    axes[0].minorticks_off()
    sizes = (1, 2, 4, 8, 16, 32)
    models = [VAE(size, **common).fit(X) for size in sizes]
    axes[1].plot(sizes, [m.score(X_TEST) for m in models], marker="o", color="C2")
    axes[1].set(xlabel="latent units", title="bound of held-out digits", xscale="log")
    axes[1].set_xticks(sizes, sizes)
    axes[1].minorticks_off()
    axes[0].set_ylim(-1, 36)
    axes[0].legend(frameon=False, loc="upper center")
    return figure


def landing():
    """Draw what a model does with digits: filters, samples, filled-in halves."""
    options = {"gradient": PCD(n_steps=5), "penalty": Penalty(sparsity_target=0.1)}
    rbm = BernoulliRBM(100, n_iter=150, resample=True, random_state=0, **options)
    rbm.fit(GRAY)
    half = np.where(np.arange(64) < 32, GRAY_TEST[:24], np.nan)
    drawn = rbm.sample(48, 0, init="noise", n_steps=2000)
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.4), layout="constrained")
    how = {"n_components": 48, "n_columns": 8, "ax": axes[0]}
    ComponentsDisplay.from_estimator(rbm, **how)
    means = rbm.inverse_transform(rbm.transform(drawn))
    SamplesDisplay(means).plot(axes[1], n_columns=8)
    shown = np.stack([half, rbm.impute(half)]).reshape(2, 3, 8, 64)
    shown = shown.transpose(1, 0, 2, 3).reshape(-1, 64)
    tiles = np.pad(shown.reshape(6, 8, 8, 8), [(0, 0)] * 2 + [(1, 1)] * 2)
    tiles[:, :, [0, -1]] = tiles[:, :, :, [0, -1]] = -1
    colors = plt.get_cmap("gray").with_extremes(bad="tab:orange", under="0.85")
    tiles = tiles.transpose(0, 2, 1, 3).reshape(60, 80)
    axes[2].imshow(tiles, cmap=colors, vmin=0, vmax=1)
    axes[2].set_yticks(np.arange(4.5, 60, 10), ["given", "filled"] * 3)
    axes[2].set(xticks=[])
    titles = "features learned without labels", "new rows", "missing values filled in"
    for ax, title in zip(axes, titles):
        ax.set_title(title, fontsize=14)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    return figure


def snippets(page):
    """Names that the snippets of a page of the guide define."""
    names = {}
    for example in doctest.DocTestParser().get_examples(
        (Path(__file__).parent / f"{page}.rst").read_text()
    ):
        exec(example.source, names)
    return names


def picture():
    """Figure and axes of a task's picture."""
    return plt.subplots(figsize=(4, 2.5), layout="constrained")


def tiles(ax, images, n_columns):
    """Draw images of digits in a grid, what is missing in orange."""
    framed = np.pad(
        np.reshape(images, (-1, 8, 8)), [(0, 0), (1, 1), (1, 1)], constant_values=-1
    )
    framed = framed.reshape(-1, n_columns, 10, 10).transpose(0, 2, 1, 3)
    colors = plt.get_cmap("gray").with_extremes(bad="tab:orange", under="white")
    ax.imshow(framed.reshape(-1, 10 * n_columns), cmap=colors, vmin=0, vmax=1)
    ax.set_axis_off()


def task_few_labels():
    """Draw accuracies by the number of labels, of pixels and of features."""
    got = snippets("few_labels")
    features, sizes = got["rbm"].transform, (20, 50, 100, 200)
    figure, ax = picture()
    for name, make in (("pixels", np.asarray), ("features", features)):
        rows = make(got["X"]), make(got["X_test"])
        rates = [100 * got["judge"](*rows, n) for n in sizes]
        ax.plot(sizes, rates, marker="o", label=name)
    ax.set(xscale="log", xlabel="labels", ylabel="% right")
    ax.set_xticks(sizes, sizes)
    ax.minorticks_off()
    ax.legend(frameon=False)
    return figure


def task_synthetic():
    """Draw two columns of real rows, and of drawn ones."""
    got = snippets("synthetic_tables")
    figure, ax = picture()
    for name, rows in (("real", got["train"]), ("drawn", got["drawn"])):
        ax.scatter(rows["bmi"], rows["progression"], s=7, alpha=0.6, label=name)
    ax.set(xlabel="body mass index", ylabel="progression")
    ax.legend(frameon=False, handletextpad=0, loc="upper left")
    return figure


def task_missing():
    """Draw a table with holes, and the same table filled in."""
    got = snippets("missing_values")
    columns = ["age", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
    given = got["whole"].mask(got["holes"])[columns]
    rows = given.isna().sum(axis=1).nlargest(14).index
    filled = got["filled"][columns]
    colors = plt.get_cmap("Blues").with_extremes(bad="tab:orange")
    figure, axes = plt.subplots(1, 2, figsize=(4, 2.5), layout="constrained")
    for ax, title, part in zip(axes, ("given", "filled in"), (given, filled)):
        scaled = ((part - given.mean()) / given.std()).loc[rows]
        ax.imshow(scaled, cmap=colors, vmin=-2.5, vmax=2.5, aspect="auto")
        ax.set(title=title, xticks=[], yticks=[])
    return figure


def task_anomalies():
    """Draw log-likelihoods of rows, the least likely ones in red."""
    got = snippets("anomalies")
    nats = np.maximum(got["nats"], np.median(got["nats"]) - 40)
    odd, bins = got["flags"] == -1, np.histogram_bin_edges(nats, 40)
    figure, ax = picture()
    ax.hist([nats[~odd], nats[odd]], bins, color=["C0", "tab:red"], stacked=True)
    ax.set(xlabel="log-likelihood of a row, nats", ylabel="rows")
    return figure


def task_topics():
    """Draw the words of two topics."""
    got = snippets("topics")
    model, words = got["ReplicatedSoftmax"](random_state=0).fit(got["X"]), got["words"]
    figure, axes = plt.subplots(1, 2, figsize=(4, 2.5), layout="constrained")
    for ax, word in zip(axes, ("nearest", "lasso")):
        column = list(words).index(word)
        weights = model.components_[model.components_[:, column].argmax()]
        best = weights.argsort()[-6:]
        ax.barh(words[best], weights[best], color="C0")
        ax.set(xticks=[])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    return figure


def task_images():
    """Draw digits of which half is hidden, and filled in."""
    got = snippets("images")
    chosen = [got["half"][:16], got["filled"][:16]]
    figure, ax = picture()
    tiles(ax, np.stack(chosen).reshape(2, 2, 8, 64).transpose(1, 0, 2, 3), 8)
    return figure


def task_series():
    """Draw the days before, and the futures of the next one."""
    got = snippets("series")
    test = got["test"]["visitors"]
    figure, ax = picture()
    ax.plot(test[24:72], color="black", lw=1)
    prefix = [got["test"][:72]]
    given = {"prefix": prefix, "n_samples": 60, "random_state": 0}
    for part in got["model"].sample_sequences(24, **given):
        ax.plot(range(72, 96), part["visitors"], color="C0", alpha=0.12)
    ax.plot(test[71:96], color="tab:orange", lw=1.5, label="what came")
    ax.set(xlabel="hour", ylabel="visitors")
    ax.legend(frameon=False, loc="upper left")
    return figure


def task_likelihoods():
    """Draw log-likelihoods of held-out digits, of a baseline and of models."""
    models = {
        "FVBN": FVBN(random_state=0),
        "RBM, 16 units": BernoulliRBM(16, n_iter=40, random_state=0),
        "VAE": VAE(random_state=0),
        "NADE": NADE(random_state=0, early_stopping=True),
        "RBM, 100 units": BernoulliRBM(100, n_iter=40, random_state=0),
    }
    nats = {name: model.fit(X).score(X_TEST) for name, model in models.items()}
    names = sorted(nats, key=nats.get)
    figure, ax = picture()
    ax.scatter([nats[name] for name in names], names, color="C0", s=50)
    ax.set(xlabel="nats of a held-out digit")
    ax.grid(axis="y", alpha=0.4)
    return figure


FIGURES = [
    landing,
    task_few_labels,
    task_synthetic,
    task_missing,
    task_anomalies,
    task_topics,
    task_images,
    task_series,
    task_likelihoods,
    rbm_options,
    gaussian_rbm,
    autoregressive_options,
    dbm_options,
    dbn_options,
    vae_options,
]

if __name__ == "__main__":
    HOME.mkdir(exist_ok=True)
    for draw in FIGURES:
        if not sys.argv[1:] or draw.__name__ in sys.argv[1:]:
            figure = draw()
            cut = None if draw.__name__.startswith("task_") else "tight"
            figure.savefig(HOME / f"{draw.__name__}.png", dpi=110, bbox_inches=cut)
            print(f"wrote {draw.__name__}.png", flush=True)
