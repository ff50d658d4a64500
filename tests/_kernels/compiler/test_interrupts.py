"""Ctrl-C while a kernel is compiled is not lost."""

import signal
from contextlib import suppress

import pytest
from numba.core.dispatcher import Dispatcher

from skdgm._kernels.compiler.jit import kernel


@pytest.mark.skipif(not hasattr(kernel(lambda x: x), "part"), reason="no compilation")
@pytest.mark.parametrize("fails", [False, True])
def test_ctrl_c_within_what_llvm_calls_is_raised_after_it(fails, monkeypatch):
    after = []

    def compiled(self, sig):
        # As Python does with errors in callbacks of ctypes.
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        after.append(sig)
        if fails:
            raise TypeError("no kernel")

    monkeypatch.setattr(Dispatcher, "compile", compiled)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        kernel(lambda x: x).compile("sig")
    assert after == ["sig"]
    assert signal.getsignal(signal.SIGINT) is before
