"""Posteriors of the ten tasks of sbibm, by flows in rounds, and by a default flow.

    pip download sbibm==1.1.0 --no-deps; unzip sbibm-1.1.0*.whl -d FOLDER
    git clone https://github.com/sbi-benchmark/results RESULTS
    python doc/benchmarks/posteriors.py --data FOLDER --published RESULTS --cache FILE

The wheel contains ten observations of each task, and 10,000 draws from each reference
posterior. Its dependencies are not needed. The score is the published classifier
two-sample test (C2ST): the accuracy of a net that separates 10,000 draws from reference
draws, in five-fold cross-validation (0.5 is best). Results are appended to FILE, so
that an interrupted run continues; ``--shown`` prints FILE. The published results are
of the same observations. ``--methods rounds flow`` measures the default flow, too.
``--rival`` is a Python with the package sbi, whose default neural posterior estimation
is then measured, too, from other simulations, on tasks with uniform priors.
"""

import argparse
import csv
import json
import subprocess
import time
import warnings
from collections import defaultdict
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _machine import describe
from _torch_files import load
from scipy.integrate import odeint
from scipy.stats import lognorm, multivariate_normal, norm, uniform
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neural_network import MLPClassifier

from skdgm import ABC

# Published files (Lueckmann et al. 2021). The mixture was run again, after sbibm 1.1.0
# had corrected the task.
MIXTURE = "gaussian_mixture"
FILES = {
    "benchmarking_sbi/results/main_paper.csv": lambda name: name != MIXTURE,
    "gaussian_mixture_rerun/results/gaussian_mixture_rerun.csv": MIXTURE.__eq__,
}
SIZES = {"10³": 1000, "10⁴": 10_000, "10⁵": 100_000}
# Keys of a result in the cache.
KEYS = "observation", "n", "task", "method"
N_DRAWS, N_SPIKES, N_LAGS = 10_000, 100, 9
# Options of each method, and largest number of summaries of a neural likelihood.
OPTIONS = {"rounds": {"method": "likelihood", "n_rounds": 4}, "flow": {}}
MOST_SUMMARIES = 20
STIMULUS = np.random.RandomState(42).randn(N_SPIKES)
LAGGED = [np.r_[np.zeros(j), STIMULUS[: N_SPIKES - j]] for j in range(N_LAGS)]
DESIGN = np.column_stack([np.ones(N_SPIKES), *LAGGED])


def smooth_filter():
    """Prior of an offset and of a filter with small second differences."""
    differences = np.eye(N_LAGS) - np.eye(N_LAGS, k=-1)
    root = differences @ differences + np.diag(np.arange(N_LAGS) / N_LAGS) ** 0.5
    precision = np.zeros((1 + N_LAGS, 1 + N_LAGS))
    precision[0, 0], precision[1:, 1:] = 0.5, root.T @ root
    return multivariate_normal(np.zeros(1 + N_LAGS), np.linalg.inv(precision))


def noisy(theta, rng):
    return rng.normal(theta, 0.1**0.5)[None]


def mixture(theta, rng):
    return rng.normal(theta, rng.choice([1.0, 0.1]))[None]


def two_moons(theta, rng):
    angle, radius = rng.uniform(-np.pi / 2, np.pi / 2), rng.normal(0.1, 0.01)
    moon = np.array([np.cos(angle) * radius + 0.25, np.sin(angle) * radius])
    shift = -np.abs(theta.sum()), theta[1] - theta[0]
    return (moon + np.array(shift) / 2**0.5)[None]


def slcp(theta, rng):
    a, b, r = theta[2] ** 2, theta[3] ** 2, np.tanh(theta[4])
    z = rng.normal(size=(4, 2))
    x = theta[0] + a * z[:, 0]
    y = theta[1] + b * (r * z[:, 0] + np.sqrt(1 - r**2) * z[:, 1])
    return np.column_stack([x, y]).reshape(1, -1)


def distracted(theta, rng, *, centers, roots, order):
    """SLCP among draws from a mixture of t distributions with two degrees of
    freedom."""
    k = rng.integers(len(centers))
    noise = roots[k] @ rng.normal(size=len(order) - 8)
    noise = centers[k] + noise / np.sqrt(rng.chisquare(2) / 2)
    return np.concatenate([slcp(theta, rng).ravel(), noise])[order][None]


def spikes(theta, rng):
    probability = 1 / (1 + np.exp(-DESIGN @ theta))
    return (rng.random(N_SPIKES) < probability).astype(float)[None]


def spike_summary(theta, rng):
    """Number of spikes and the sum of their stimuli at each lag."""
    return spikes(theta, rng) @ DESIGN


def epidemic(theta, rng):
    def change(u, _):
        infections, recoveries = theta[0] * u[0] * u[1] / 1e6, theta[1] * u[1]
        return [-infections, infections - recoveries, recoveries]

    infected = odeint(change, [1e6 - 1, 1, 0], np.arange(161.0))[::17, 1]
    return rng.binomial(1000, np.clip(infected / 1e6, 0, 1)).astype(float)[None]


def predators(theta, rng):
    def change(u, _):
        a, b, c, d = theta
        return [a * u[0] - b * u[0] * u[1], -c * u[1] + d * u[0] * u[1]]

    animals = odeint(change, [30.0, 1.0], np.arange(201) / 10, mxstep=5000)
    animals = np.clip(animals[::21].T.ravel(), 1e-10, 1e4)
    return np.exp(rng.normal(np.log(animals), 0.1))[None]


def lognormals(*pairs):
    """Log-normal priors with the given means and deviations of logarithms."""
    return [lognorm(deviation, scale=np.exp(mean)) for mean, deviation in pairs]


TASKS = {
    "gaussian_linear": (noisy, [norm(0, 0.1**0.5)] * 10),
    "gaussian_linear_uniform": (noisy, [uniform(-1, 2)] * 10),
    "gaussian_mixture": (mixture, [uniform(-10, 20)] * 2),
    "two_moons": (two_moons, [uniform(-1, 2)] * 2),
    "slcp": (slcp, [uniform(-3, 6)] * 5),
    "slcp_distractors": (distracted, [uniform(-3, 6)] * 5),
    "bernoulli_glm": (spike_summary, smooth_filter()),
    "bernoulli_glm_raw": (spikes, smooth_filter()),
    "sir": (epidemic, lognormals((np.log(0.4), 0.5), (np.log(0.125), 0.2))),
    "lotka_volterra": (predators, lognormals(*[(-0.125, 0.5), (-3, 0.5)] * 2)),
}


def task_of(folder, name):
    """Simulator and priors of a task."""
    simulator, priors = TASKS[name]
    if name == "slcp_distractors":
        files = folder / "sbibm/tasks/slcp/files"
        parts = load(files / "gmm.torch")._component_distribution.base_dist
        simulator = partial(
            simulator,
            centers=parts.loc,
            roots=parts._unbroadcasted_scale_tril,
            order=load(files / "permutation_idx.torch"),
        )
    return simulator, priors


def observed(folder, name, number):
    """An observation, (1, n), and draws from its reference posterior."""
    base, _, kind = name.partition("_raw" if "raw" in name else "_distractors")
    kind = name.removeprefix(base)
    path = folder / f"sbibm/tasks/{base}/files/num_observation_{number}"
    x = np.loadtxt(path / f"observation{kind}.csv", delimiter=",", skiprows=1)
    draws = path / "reference_posterior_samples.csv.bz2"
    return x.reshape(1, -1), np.loadtxt(draws, delimiter=",", skiprows=1)


def c2st(draws, reference):
    """Cross-validated accuracy of a classifier of draws and reference draws."""
    rows = np.concatenate([reference, draws])
    rows = (rows - reference.mean(axis=0)) / reference.std(axis=0, ddof=1)
    rows = rows.astype(np.float32)  # As in sbibm.
    size = 10 * rows.shape[1]
    net = MLPClassifier((size, size), max_iter=10_000, random_state=1)
    folds = KFold(5, shuffle=True, random_state=1)
    y = np.repeat([0, 1], [len(reference), len(draws)])
    return cross_val_score(net, rows, y, cv=folds).mean()


def by_flow(method, folder, name, n, number):
    """Draws of a flow, and CPU seconds of simulations, fit and draws."""
    simulator, priors = task_of(folder, name)
    X, _ = observed(folder, name, number)
    options = {"method": "flow"} | OPTIONS[method]
    if X.size > MOST_SUMMARIES:
        options["method"] = "flow"
    start = time.process_time()
    abc = ABC(simulator, priors, n_simulations=n, random_state=number, **options)
    draws = abc.fit(X).sample(N_DRAWS, random_state=number)
    return draws, time.process_time() - start


def by_rival(python, folder, name, n, number):
    """Draws of sbi with default options, and CPU seconds of fit and draws."""
    simulator, priors = task_of(folder, name)
    rng = np.random.default_rng(number)
    low, high = np.transpose([prior.support() for prior in priors])
    theta = rng.uniform(low, high, (n, len(low)))
    x = np.concatenate([simulator(row, rng) for row in theta])
    X = observed(folder, name, number)[0]
    with TemporaryDirectory() as place:
        files = Path(place, "simulations.npz"), Path(place, "draws.npz")
        np.savez(files[0], theta=theta, x=x, observed=X, low=low, high=high)
        script = Path(__file__).with_name("posteriors_rival.py")
        subprocess.run([python, script, *files], check=True, capture_output=True)
        result = np.load(files[1])
        return result["draws"], float(result["seconds"])


def lines(cache):
    """Results in ``cache``."""
    return [json.loads(line) for line in cache.open()] if cache.exists() else []


def published(folder):
    """Published scores by number of simulations, task, method and observation."""
    scores = defaultdict(lambda: defaultdict(dict))
    for path, is_kept in FILES.items():
        with (folder / path).open() as file:
            for row in filter(lambda row: is_kept(row["task"]), csv.DictReader(file)):
                by_method = scores[SIZES[row["num_simulations"]], row["task"]]
                number = int(row["num_observation"])
                by_method[row["algorithm"]][number] = float(row["C2ST"])
    return scores


def printed(results, rivals):
    """Print mean scores of tasks by number of simulations, and of sbi."""
    scores = defaultdict(dict)
    for line in results:
        key = line["method"], line["n"], line["task"]
        scores[key][line["observation"]] = line["c2st"], line["s"]
    for kind in OPTIONS:
        print(f"\n{kind}\n\n| simulations | task | observations | C2ST | ", end="")
        print("NPE | best of eight | | s |\n" + 8 * "|---" + "|")
        wins = dict.fromkeys(SIZES.values(), 0)
        for (method, n, name), by_number in sorted(scores.items()):
            if method == kind:
                score, seconds = np.mean(list(by_number.values()), axis=0)
                by_method = rivals[n, name]
                best = min(by_method, key=lambda m: np.mean([*by_method[m].values()]))
                pairs = [
                    [by_method[rival][number] for number in by_number]
                    for rival in ("NPE", best)
                ]
                values = score, *np.mean(pairs, axis=1)
                own, npe, least = (
                    f"**{v:.3f}**" if v == min(values) else f"{v:.3f}" for v in values
                )
                cells = [n, name, len(by_number), own, npe, least, best]
                print(f"| {' | '.join(map(str, cells))} | {seconds:.1f} |")
                wins[n] += int(score < min(values[1:]))
        print(f"\nBest of all: {wins}")
    print("\n| simulations | task | observations | C2ST | sbi | s | sbi, s |")
    print("|---|---|---|---|---|---|---|")
    for (method, n, name), by_number in sorted(scores.items()):
        own = scores.get(("flow", n, name), {})
        shared = sorted(by_number.keys() & own.keys())
        if method == "sbi" and shared:
            pairs = [[by[number] for number in shared] for by in (own, by_number)]
            score, seconds = np.mean(pairs, axis=1).T
            cells = [*(f"{v:.3f}" for v in score), *(f"{v:.1f}" for v in seconds)]
            print(f"| {n} | {name} | {len(shared)} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--published", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    sizes = list(SIZES.values())
    parser.add_argument(
        "--simulations", type=int, nargs="+", default=sizes[:2], choices=sizes
    )
    parser.add_argument("--observations", type=int, nargs="+", default=range(1, 11))
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=TASKS)
    parser.add_argument(
        "--methods", nargs="*", default=["rounds"], choices=list(OPTIONS)
    )
    parser.add_argument("--rival", metavar="PYTHON")
    parser.add_argument("--shown", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    methods = {name: partial(by_flow, name) for name in options.methods}
    if options.rival:
        methods["sbi"] = partial(by_rival, options.rival)
    done = {tuple(map(line.get, KEYS)) for line in lines(options.cache)}
    numbers, sizes = options.observations, options.simulations
    for key in product(numbers, sizes, options.tasks, methods):
        number, n, name, method = key
        if options.shown or key in done:
            continue
        draws, seconds = methods[method](options.data, name, n, number)
        score = c2st(draws, observed(options.data, name, number)[1])
        line = dict(zip(KEYS, key)) | {"c2st": score, "s": seconds}
        with options.cache.open("a") as file:
            file.write(json.dumps(line) + "\n")
    print(describe())
    kept = [line for line in lines(options.cache) if line["observation"] in numbers]
    printed(kept, published(options.published))


if __name__ == "__main__":
    main()
