"""Convolutional machines and networks: time of an epoch, nats, features and nets.

    python doc/benchmarks/convolutional.py --data FOLDER
    python doc/benchmarks/convolutional.py --data public --only nats features
    python doc/benchmarks/convolutional.py --data public --only speed --torch RIVAL

``speed``: an epoch of CD-1 of 24 maps of 9 x 9 filters in blocks of 2 x 2, on 1,000
random images of 28 x 28 bits in batches of 10 and of 100, beside the same written in
NumPy with a matrix of patches, and with PyTorch's convolutions, where RIVAL is a folder
of site-packages with it; one thread, CPU seconds, the median of 3 turns.
``nats``: scikit-learn's digits, three quarters to learn from, or 100 of them.
``features``: error of logistic regression on features and pixels, five folds.
``scaled``: the same of logistic regression with its default penalty, on features as
they are and behind a StandardScaler; three folds of digits in their order, 2,000 images
of other sets.
``stacks``: the same of belief networks, as on the page of deep machines, and errors of
nets that start from them. ``mnist``: error of a linear support vector machine on
features of a belief network, by number of labels. ``completion``: root mean square
error of the lower half of held-out images given the upper one. ``digits``: nats of
MNIST's validation rows, by annealed importance sampling from both sides.
"""

import argparse
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC

from skdgm import (
    DBM,
    DBN,
    BernoulliRBM,
    ConvDBM,
    ConvDBN,
    ConvDBNClassifier,
    ConvRBM,
    DBNClassifier,
)
from skdgm.metrics import partition_bracket
from skdgm.options import SGD, Filters
from skdgm.utils.threading.parallel import limit
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import leaves


def plain_epoch(X, W, b, c, size, rate, rng):
    """An epoch of CD-1 with patches of all images in one matrix."""
    view = np.lib.stride_tricks.sliding_window_view

    def up(v):
        patches = view(v.reshape(-1, 28, 28), (9, 9), axis=(1, 2)).reshape(-1, 81)
        eta = (patches @ W + c).reshape(len(v), 10, 2, 10, 2, 24)
        top = np.maximum(eta.max(axis=(2, 4), keepdims=True), 0)
        e = np.exp(eta - top)
        p = e / (e.sum(axis=(2, 4), keepdims=True) + np.exp(-top))
        return patches, p.reshape(-1, 24)

    def draw(p, n):
        blocks = p.reshape(n, 10, 2, 10, 2, 24).transpose(0, 1, 3, 5, 2, 4)
        upto = blocks.reshape(-1, 4).cumsum(axis=1)
        u = rng.random((len(upto), 1), np.float32)
        first = np.concatenate([np.zeros_like(u), upto[:, :-1]], axis=1)
        h = ((u >= first) & (u < upto)).astype(np.float32)
        h = h.reshape(n, 10, 10, 24, 2, 2).transpose(0, 1, 4, 2, 5, 3)
        return h.reshape(n, 400, 24)

    for start in range(0, len(X), size):
        v = X[start : start + size]
        patches, p = up(v)
        back = (draw(p, len(v)) @ W.T).reshape(-1, 20, 20, 9, 9)
        field = np.zeros((len(v), 28, 28), np.float32)
        for i in range(9):
            for j in range(9):
                field[:, i : i + 20, j : j + 20] += back[..., i, j]
        p_v = 1 / (1 + np.exp(-(field.reshape(len(v), -1) + b)))
        v_new = (rng.random(p_v.shape, np.float32) < p_v).astype(np.float32)
        patches_new, p_new = up(v_new)
        W += rate / len(v) * (patches.T @ p - patches_new.T @ p_new)
        b += rate / len(v) * (v - v_new).sum(axis=0)
        c += rate / len(v) * (p - p_new).sum(axis=0)


def torch_epoch(X, W, b, c, size, rate):
    """An epoch of CD-1 with PyTorch's convolutions; parameters are arrays, changed."""
    import torch
    from torch.nn import functional, grad

    torch.set_num_threads(1)
    filters = torch.from_numpy(W.T.reshape(24, 1, 9, 9))
    visible, hidden = torch.from_numpy(b).view(28, 28), torch.from_numpy(c)

    def wide(x):
        return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

    def up(v):
        eta = functional.conv2d(v, filters, hidden)
        top = functional.max_pool2d(eta, 2).clamp_(min=0)
        e = eta.sub_(wide(top)).exp_()
        total = functional.avg_pool2d(e, 2, divisor_override=1) + (-top).exp_()
        return e.div_(wide(total))

    def draw(p):
        blocks = p.view(-1, 24, 10, 2, 10, 2).permute(0, 1, 2, 4, 3, 5).reshape(-1, 4)
        upto, u = blocks.cumsum(1), torch.rand(len(blocks), 1)
        h = ((upto >= u) & (upto - blocks < u)).float()
        h = h.view(-1, 24, 10, 10, 2, 2).permute(0, 1, 2, 4, 3, 5)
        return h.reshape(-1, 24, 20, 20)

    def filters_of(v, p):
        return grad.conv2d_weight(v, filters.shape, p)

    with torch.no_grad():
        for v in torch.split(torch.from_numpy(X).view(-1, 1, 28, 28), size):
            n, p = len(v), up(v)
            field = functional.conv_transpose2d(draw(p), filters) + visible
            v_new = torch.bernoulli(torch.sigmoid(field))
            p_new = up(v_new)
            filters += rate / n * (filters_of(v, p) - filters_of(v_new, p_new))
            visible += rate / n * (v - v_new).sum(dim=(0, 1))
            hidden += rate / n * (p - p_new).sum(dim=(0, 2, 3))


def speed(torch=None):
    """Print seconds of an epoch."""
    rng = np.random.default_rng(0)
    X = (rng.random((1000, 784)) < 0.2).astype(np.float32)
    rivals = {"NumPy": lambda *given: plain_epoch(X, *given, 0.001, rng)}
    if torch is not None:
        sys.path.append(torch)
        rivals["PyTorch"] = lambda *given: torch_epoch(X, *given, 0.001)
    columns = "".join(f" {name} s | ratio |" for name in rivals)
    print(f"| batch | ConvRBM s |{columns}\n{'|---' * (2 + 2 * len(rivals))}|")
    for size in (10, 100):
        options = {"filters": Filters(9, pool_shape=2), "gradient": "cd", "n_iter": 1}
        options |= {"solver": SGD(momentum=0.0), "batch_size": size}
        machine = ConvRBM(24, random_state=0, **options).fit(X)
        W = rng.normal(0, 0.1, (81, 24)).astype(np.float32)
        given = W, np.zeros(784, np.float32), np.full(24, -3, np.float32), size
        turns = {"ConvRBM": partial(machine.partial_fit, X)}
        turns |= {name: partial(one, *given) for name, one in rivals.items()}
        found = {name: [] for name in turns}
        with limit(1), one_blas_thread():
            for _ in range(3):
                for name, turn in turns.items():
                    start = time.process_time()
                    turn()
                    found[name].append(time.process_time() - start)
        ours, *theirs = map(np.median, found.values())
        cells = "".join(f" {one:.2f} | {one / ours:.1f} |" for one in theirs)
        print(f"| {size} | {ours:.2f} |{cells}", flush=True)


def nats():
    """Print nats of held-out digits."""
    X = load_digits().data / 16
    # Bits, drawn once.
    X = (np.random.default_rng(0).random(X.shape) < X).astype(np.float32)
    A, B = train_test_split(X, random_state=0)
    print("| machine | parameters | held-out nats | log Z ± | fit s |")
    print("|---|---|---|---|---|")
    machines = {
        "BernoulliRBM(16)": BernoulliRBM(16),
        "BernoulliRBM(64)": BernoulliRBM(64),
        "ConvRBM()": ConvRBM(),
        "ConvRBM(64)": ConvRBM(64),
        "ConvRBM(64), 5 x 5 in blocks of 2 x 2": ConvRBM(
            64, filters=Filters(shape=5, pool_shape=2)
        ),
        "ConvRBM(64), padding='same'": ConvRBM(64, filters=Filters(padding="same")),
        "ConvRBM(64), filters of 7 x 7": ConvRBM(64, filters=Filters(shape=7)),
        "ConvDBM()": ConvDBM(),
        "ConvDBM((16, 20)), 3 x 3 and 2 x 2, blocks of 2 x 2": ConvDBM(
            (16, 20), filters=Filters(shape=(3, 2), pool_shape=2)
        ),
        "ConvDBM((64, 64)), 7 x 7 and 1 x 1": ConvDBM(
            (64, 64), filters=Filters(shape=(7, 1))
        ),
    }
    for name, machine in machines.items():
        for n, part in (("", A), (", 100 rows", A[:100])):
            machine.set_params(random_state=0, n_iter=20 if n == "" else 280)
            start = time.process_time()
            machine.fit(part)
            seconds = time.process_time() - start
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                found = machine.score(B)
            size = sum(leaf.size for leaf in leaves(machine.density_.params))
            mark = " (warns)" if said else ""
            print(
                f"| {name}{n} | {size} | {found:.2f}{mark} | {machine.log_Z_se_:.3f} | "
                f"{seconds:.1f} |",
                flush=True,
            )


def completion(folder):
    """Print errors of hidden halves of held-out images."""
    digits = train_test_split((load_digits().data / 16).astype("f"), random_state=0)
    tables = [(*digits, (8, 8))]
    for name, shape in (("mnist", (28, 28)), ("frey_faces", (28, 20))):
        data = load(folder, name)
        A, B = (np.float32(data[part][:4000]) for part in ("train", "valid"))
        top = max(A.max(), 1)
        tables.append((A / top, B[:1000] / top, shape))
    columns = "".join(f" {name} | s |" for name in ("digits", "MNIST", "Frey faces"))
    print(f"| model |{columns}\n{'|---' * 7}|")
    for name, model in {
        "means": SimpleImputer(),
        "BernoulliRBM()": BernoulliRBM(),
        "DBM()": DBM(),
        "DBN()": DBN(),
        "ConvRBM()": ConvRBM(),
        "ConvRBM(64)": ConvRBM(64),
        "ConvDBN()": ConvDBN(),
        "ConvDBM()": ConvDBM(),
    }.items():
        cells = []
        for A, B, shape in tables:
            if "image_shape" in model.get_params():
                model.set_params(image_shape=shape)
            if "random_state" in model.get_params():
                model.set_params(random_state=0)
            hidden = np.zeros(shape, bool)
            hidden[shape[0] // 2 :] = True
            hidden = hidden.ravel()
            seen = np.where(hidden, np.nan, B)
            start = time.process_time()
            model.fit(A)
            fill = getattr(model, "impute", model.transform)
            error = (fill(seen)[:, hidden] - B[:, hidden]) ** 2
            cells += [
                f"{error.mean() ** 0.5:.3f}",
                f"{time.process_time() - start:.0f}",
            ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def beside(*machines):
    """Transformers side by side with the pixels."""
    return make_union(FunctionTransformer(), *machines)


def features():
    """Print errors of logistic regression on features."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    print("| features | number | error % |\n|---|---|---|")
    machines = {
        "pixels": FunctionTransformer(),
        "BernoulliRBM(64)": BernoulliRBM(64, random_state=0),
        "BernoulliRBM()": BernoulliRBM(random_state=0),
        "DBN()": DBN(random_state=0),
        "ConvRBM()": ConvRBM(random_state=0),
        "ConvRBM(64)": ConvRBM(64, random_state=0),
        "ConvRBM(64), 5 x 5 in blocks of 2 x 2": ConvRBM(
            64, filters=Filters(shape=5, pool_shape=2), random_state=0
        ),
        "pixels, ConvRBM(64)": beside(ConvRBM(64, random_state=0)),
    }
    for name, machine in machines.items():
        model = make_pipeline(machine, LogisticRegression(C=10, max_iter=2000))
        error = 1 - cross_val_score(model, X, y, cv=folds).mean()
        n = machine.fit(X[:50], y[:50]).transform(X[:2]).shape[1]
        print(f"| {name} | {n} | {100 * error:.2f} |", flush=True)


def scaled(folder):
    """Print errors of logistic regression with its default penalty."""
    digits, y = load_digits(return_X_y=True)
    digits = digits / 16
    parts = [("digits", digits, y, list(StratifiedKFold(3).split(digits, y)))]
    for name in ("usps", "mnist") if str(folder) != "public" else ("mnist",):
        data = load(folder, name)
        rows = np.vstack([data["train"][:2000], data["valid"][:3000]]).astype(float)
        known = np.concatenate([data["train_y"][:2000], data["valid_y"][:3000]])
        rows = (rows - rows.min()) / (rows.max() - rows.min())
        folds = [(np.arange(2000), np.arange(2000, len(rows)))]
        parts.append((name, rows.astype(np.float32), known, folds))
    print("| set | features | error % | scaled, error % |\n|---|---|---|---|")
    for name, X, y, folds in parts:
        for machine in FunctionTransformer(), BernoulliRBM(), ConvRBM():
            errors, n_seeds = [], 1 if isinstance(machine, FunctionTransformer) else 3
            for seed in range(n_seeds):
                if n_seeds > 1:
                    machine.set_params(random_state=seed)
                plain = make_pipeline(machine, LogisticRegression(max_iter=1000))
                behind = make_pipeline(machine, StandardScaler(), plain[-1])
                for model in plain, behind:
                    errors.append(1 - cross_val_score(model, X, y, cv=folds).mean())
            found = 100 * np.reshape(errors, (-1, 2)).mean(axis=0)
            who = "pixels" if n_seeds == 1 else f"{type(machine).__name__}()"
            print(f"| {name} | {who} | {found[0]:.2f} | {found[1]:.2f} |", flush=True)


def stacks():
    """Print errors of features of belief networks, and of nets."""
    X, y = load_digits(return_X_y=True)
    folds = StratifiedKFold(5)
    small = {"filters": Filters(3, padding="same")}
    print("| model | error % | seconds |\n|---|---|---|")
    linear = {
        "DBN()": DBN(random_state=0),
        "ConvDBN()": ConvDBN(random_state=0),
        "ConvDBN(40), 3 x 3, same": ConvDBN(40, **small, random_state=0),
    }
    for pooling in ("probabilistic", "max", "mean"):
        filters = Filters(3, pool_shape=(2, 1), pooling=pooling)
        linear[f"ConvDBN(), 3 x 3, pool_shape=(2, 1), {pooling}"] = ConvDBN(
            filters=filters, random_state=0
        )
    models = {
        f"LogisticRegression of {name}": make_pipeline(model, LogisticRegression())
        for name, model in linear.items()
    }
    models |= {
        "DBNClassifier()": DBNClassifier(random_state=0),
        "ConvDBNClassifier()": ConvDBNClassifier(random_state=0),
        "ConvDBNClassifier(40), 3 x 3, same": ConvDBNClassifier(
            40, **small, random_state=0
        ),
    }
    for name, model in models.items():
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = make_pipeline(MinMaxScaler(clip=True), model)
            error = 1 - cross_val_score(model, X, y, cv=folds).mean()
        seconds = (time.process_time() - start) / 5
        print(f"| {name} | {100 * error:.2f} | {seconds:.0f} |", flush=True)


def error(X, y, held_out, known, some):
    """Error in % of a linear support vector machine that learned some of the rows."""
    machine = LinearSVC(C=0.001, max_iter=300).fit(X[some], y[some])
    return 100 * (1 - machine.score(held_out, known))


def mnist(folder, number=1000):
    """Print errors of a linear support vector machine by number of labels."""
    data = load(folder, "mnist")
    X, y = (data["train"] / 255).astype(np.float32), data["train_y"]
    held_out = (data["valid"] / 255).astype(np.float32)
    filters = Filters((9, 3), pool_shape=(4, 3))
    print("| features | number | s | 1,000 labels, error % | all, error % |")
    print("|---|---|---|---|---|")
    for name, model in {
        "pixels": FunctionTransformer(),
        "ConvDBN((80, 80)), 10,000 rows": ConvDBN((80, 80), n_iter=10, filters=filters),
        "ConvDBN((80, 80)), all rows": ConvDBN((80, 80), n_iter=3, filters=filters),
    }.items():
        start, rows = time.process_time(), X
        if name != "pixels":
            rows = X[:10_000] if "10,000" in name else X
            model.set_params(gradient="cd", random_state=0).fit(rows)
        seconds = time.process_time() - start
        parts = [X[i : i + 5000] for i in range(0, len(rows), 5000)]
        A = np.concatenate(list(map(model.transform, parts)))
        scale = A.std(axis=0).mean()
        A, B = A / scale, model.transform(held_out) / scale
        draws = (np.random.default_rng(seed).permutation(10_000) for seed in range(3))
        given = A, y, B, data["valid_y"]
        few = np.mean([error(*given, rows[:number]) for rows in draws])
        print(
            f"| {name} | {A.shape[1]} | {seconds:.0f} | {few:.2f} | "
            f"{error(*given, np.arange(len(A))):.2f} of {len(A)} |",
            flush=True,
        )


def digits(folder):
    """Print ends of the nats of MNIST's validation rows under ConvRBM."""
    found = load(folder, "binarized_mnist")
    X, V = (found[part].astype(np.float32) for part in ("train", "valid"))
    rbm = ConvRBM(
        32, filters=Filters(pool_shape=1, shape=9), n_iter=15, learning_rate=0.01
    )
    rbm.set_params(batch_size=50, gradient__n_chains=100, random_state=0)
    start = time.process_time()
    rbm.fit(X)
    fitted = time.process_time()
    with warnings.catch_warnings():
        # The sides differ, which the table says.
        warnings.simplefilter("ignore")
        log_Z = partition_bracket(
            rbm, n_chains=50, n_betas=10_000, burn_in=1000, n_steps=200, random_state=0
        )
    mean = -rbm.free_energy(V).mean()
    print("| from, by reverse chains | to, by forward chains | fit s | log Z s |")
    print("|---|---|---|---|")
    print(
        f"| {mean - log_Z.reverse.log_Z:.1f} | {mean - log_Z.forward.log_Z:.1f} | "
        f"{fitted - start:.0f} | {time.process_time() - fitted:.0f} |"
    )


PARTS = {"speed": speed, "nats": nats, "features": features, "stacks": stacks}
PARTS |= {"mnist": mnist, "completion": completion, "digits": digits}
PARTS["scaled"] = scaled

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--data", type=Path, required=True, help="a folder, or public")
    parser.add_argument("--torch", help="site-packages with PyTorch")
    asked = parser.parse_args()
    print(describe())
    for part in asked.only:
        print(f"\n## {part}\n")
        given = {
            key: [asked.data] for key in ("mnist", "completion", "digits", "scaled")
        }
        given["speed"] = [asked.torch]
        PARTS[part](*given.get(part, ()))
