import logging

import numba
import numpy as np
import pytest

from skdgm.training import Verbose, hooks


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_what_is_compiled_is_told_of_once(caplog, capsys, monkeypatch):
    monkeypatch.setattr(hooks._listener, "last", -np.inf)
    caplog.set_level(logging.INFO, "skdgm")

    def ours(x):
        return x + 1

    def others(x):
        return x + 1

    ours.__module__ = "skdgm._kernels.ours"
    numba.njit(others)(1)
    assert not caplog.records
    compiled = numba.njit(ours)
    compiled(1)
    # One that comes when it has begun hears of it, too.
    hook = Verbose("Somebody", "likelihood")
    compiled(1.0)
    compiled(1)
    compiled(np.float32(1))
    assert [record.getMessage() for record in caplog.records] == [hooks.MESSAGE]
    out, err = capsys.readouterr()
    assert not out
    assert err == f"[Somebody] {hooks.MESSAGE}\n"
    del hook
    monkeypatch.setattr(hooks._listener, "last", -np.inf)
    compiled(1j)
    assert not capsys.readouterr().err
    assert len(caplog.records) == 2
