"""Ctrl-C at every instruction, one after the other."""

import contextlib
import itertools
import signal
import sys

# A call that hangs ends after so many seconds.
PATIENCE = 5


class Pressed:
    """Context in which Ctrl-C is pressed before the n-th instruction of some files.

    Python itself looks for signals less often; what is right at every instruction is
    right where it looks.
    """

    def __init__(self, n, files):
        self.left, self.files = n, files

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)
        return bool(error[0]) and issubclass(error[0], KeyboardInterrupt)

    def _call(self, frame, event, argument):
        if frame.f_code.co_filename not in self.files:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, frame, event, argument):
        if event == "opcode":
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(signal.SIGINT)
        return self._step


@contextlib.contextmanager
def no_hanging():
    """Context that a call that waits forever ends with an error."""

    def give_up(*_):
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def at_every_instruction(call, *modules):
    """Call something again and again, Ctrl-C being pressed one instruction later each
    time; yields after each time until there are no more instructions."""
    files = {module.__file__ for module in modules} | {contextlib.__file__}
    for n in itertools.count(1):
        with no_hanging(), Pressed(n, files) as pressed:
            call()
        yield n
        if pressed.left > 0:
            return
