"""Systems that lack calls of Linux: what stands in doc/stability.rst."""

import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing, os, platform
import joblib  # Which asks the system for more, as other packages do.

for name in "fork", "forkpty", "register_at_fork", "sysconf", "sched_getaffinity":
    delattr(os, name)
platform.libc_ver = lambda *_: ("", "")

import numpy as np
import skdgm
from skdgm.utils.counts import physical

X = (np.random.default_rng(0).random((300, 12)) < 0.4).astype("f")


def answers(path):
    model = skdgm.load(path)
    return model.score_samples(X), model.sample(5, random_state=0)


if __name__ == "__main__":
    assert physical() is None
    for name, kind in ("rbm", skdgm.BernoulliRBM), ("net", skdgm.VAE):
        skdgm.save(kind(n_iter=2, random_state=0).fit(X), name)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for path in "rbm", "net":
            for own, theirs in zip(answers(path), pool.apply(answers, [path])):
                np.testing.assert_array_equal(own, theirs)
"""


@pytest.mark.exhaustive
def test_without_fork_sysconf_and_the_gnu_c_library(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    command = [sys.executable, "-W", "error", path.name]
    asked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
