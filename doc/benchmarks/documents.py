"""Documents: held-out perplexity per word, compared with latent Dirichlet allocation.

    python doc/benchmarks/documents.py --data DATA
    python doc/benchmarks/documents.py --only docstrings synthetic

``docstrings``: real text, the words of docstrings of the functions of NumPy, SciPy and
scikit-learn; ``rcv1``: news of rcv1_sub, whose bits are the words of each story, each
repeated 1 + Poisson(0.5) times; ``synthetic``: documents of latent Dirichlet allocation
with known topics, and hence a known perplexity of the true model. The tables have
perplexities per word of held-out documents and the CPU time of a fit. For latent
Dirichlet allocation there are two: an upper bound, by its method, and an estimate by
importance sampling with the mean topics.
"""

import argparse
import inspect
import time
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from scipy.special import gammaln, logsumexp
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer

from skdgm import ReplicatedSoftmax


def sampled_perplexity(topics, alpha, mean, X, seed=0, n_draws=500):
    """Perplexity of known topics by importance sampling of a document's shares of them,
    from Dirichlet distributions of given means."""
    rng, total = np.random.default_rng(seed), 0.0
    for x, of_topics in zip(X, mean):
        q = of_topics * (alpha.sum() + x.sum())
        shares = np.maximum(rng.dirichlet(q, n_draws), 1e-300)
        words = np.flatnonzero(x)
        log_p = np.log(shares @ topics[:, words]) @ x[words]
        log_w = np.log(shares) @ (alpha - q)
        log_w += gammaln(alpha.sum()) - gammaln(alpha).sum()
        log_w -= gammaln(q.sum()) - gammaln(q).sum()
        total += logsumexp(log_p + log_w) - np.log(n_draws)
    return np.exp(-total / X.sum())


def compare(X, V, sizes, gradients):
    """Print perplexities of both models."""
    found = X.sum(axis=1).mean(), V.sum(axis=1).min(), V.sum(axis=1).max()
    print(f"{len(X)} training documents of {found[0]:.0f} words on average, ", end="")
    print(
        f"{len(V)} held-out documents of {found[1]:.0f} to {found[2]:.0f} words; ",
        end="",
    )
    print(f"{X.shape[1]} words in the vocabulary.\n")
    print("| model | held-out perplexity | bound | of training documents | fit s |")
    print("|---|---|---|---|---|")
    p = (X.sum(axis=0) + 1) / (X.sum() + X.shape[1])
    both = [np.exp(-(rows @ np.log(p)).sum() / rows.sum()) for rows in (V, X)]
    print(f"| shares of the words | {both[0]:.1f} | | {both[1]:.1f} | |")
    for size in sizes:
        lda = LatentDirichletAllocation(size, random_state=0)
        seconds = timed(lda, X)
        topics = lda.components_ / lda.components_.sum(axis=1, keepdims=True)
        alpha = np.full(size, 1 / size)
        held, seen = (
            sampled_perplexity(topics, alpha, lda.transform(rows), rows)
            for rows in (V, X[: len(V)])
        )
        print(
            f"| LatentDirichletAllocation({size}) | {held:.1f} | "
            f"{lda.perplexity(V):.1f} | {seen:.1f} | {seconds:.1f} |",
            flush=True,
        )
        for gradient in gradients:
            model = ReplicatedSoftmax(size, gradient=gradient, random_state=0)
            seconds = timed(model, X)
            held, seen = model.perplexity(V), model.perplexity(X[: len(V)])
            print(
                f'| ReplicatedSoftmax({size}), "{gradient}" | {held:.1f} | | '
                f"{seen:.1f} | {seconds:.1f} |",
                flush=True,
            )


def timed(model, X):
    """Fit, and return the CPU time."""
    start = time.process_time()
    model.fit(X)
    return time.process_time() - start


def split(X, seed=0, share=0.2, most=4000):
    """Rows with words, in two parts."""
    X = X[X.sum(axis=1) > 0]
    X = X[np.random.default_rng(seed).permutation(len(X))][:most]
    n = int(share * len(X))
    return X[n:], X[:n]


def docstrings(args):
    """Words of docstrings."""
    import numpy
    import scipy.linalg
    import scipy.optimize
    import scipy.signal
    import scipy.sparse
    import scipy.special
    import scipy.stats
    import sklearn.cluster
    import sklearn.decomposition
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.metrics
    import sklearn.preprocessing

    packages = [numpy, numpy.linalg, numpy.random, numpy.fft, numpy.ma]
    packages += [getattr(scipy, name) for name in ("linalg", "optimize", "signal")]
    packages += [getattr(scipy, name) for name in ("sparse", "special", "stats")]
    names = [
        "cluster",
        "decomposition",
        "ensemble",
        "linear_model",
        "metrics",
        "preprocessing",
    ]
    packages += [getattr(sklearn, name) for name in names]
    texts = {
        inspect.getdoc(value) for p in packages for _, value in inspect.getmembers(p)
    }
    texts = sorted(text for text in texts if text and len(text) > 200)
    words = CountVectorizer(
        max_features=500, min_df=10, stop_words="english", token_pattern="[a-z]{3,}"
    )
    compare(*split(words.fit_transform(texts).toarray()), (10, 50), args.gradients)


def rcv1(args):
    """Bits of rcv1_sub, repeated."""
    X = load(args.data, "rcv1_sub")["train"].astype(int)
    X = X[np.random.default_rng(1).permutation(len(X))[:4000]]
    X = X * (1 + np.random.default_rng(0).poisson(0.5, X.shape))
    compare(*split(X), (10, 50), args.gradients)


def synthetic(args):
    """Documents of known topics."""
    rng = np.random.default_rng(0)
    topics, alpha = rng.dirichlet(np.full(200, 0.05), 10), np.full(10, 0.1)
    shares = rng.dirichlet(alpha, 2000)
    lengths = rng.integers(20, 80, len(shares))
    X = np.array([rng.multinomial(n, p) for n, p in zip(lengths, shares @ topics)])
    V, T = X[:400], shares[:400]
    T = (T * V.sum(axis=1, keepdims=True) + alpha) / (V.sum(axis=1) + 1)[:, None]
    true = sampled_perplexity(topics, alpha, T, V, n_draws=5000)
    print(f"The true model has the held-out perplexity {true:.1f}. ", end="")
    compare(X[400:], V, (10, 50), args.gradients)


PARTS = {"docstrings": docstrings, "rcv1": rcv1, "synthetic": synthetic}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--gradients", nargs="+", default=["tempering"])
    args = parser.parse_args()
    print(describe())
    for name in args.only:
        print(f"\n## {name}\n", flush=True)
        PARTS[name](args)


if __name__ == "__main__":
    main()
