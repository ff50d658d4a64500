"""Ctrl-C at every instruction, one after the other."""

import contextlib
import itertools
import signal
import sys

# A call that hangs ends after so many seconds.
PATIENCE = 5


class Pressed:
    """Context in which Ctrl-C is pressed before the n-th instruction, or the n-th line,
    of some code.

    Python itself looks for signals less often; what is right at every instruction is
    right where it looks.

    Parameters
    ----------
    n : int
    among : callable
        ``among(code)`` says of a code object whether it counts.
    event : {"opcode", "line"}
    times : int, default=1
        How often it is pressed there.
    """

    def __init__(self, n, among, event="opcode", times=1):
        self.left, self.among, self.event = n, among, event
        self.times = times

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)
        return bool(error[0]) and issubclass(error[0], KeyboardInterrupt)

    def _call(self, frame, event, argument):
        if not self.among(frame.f_code):
            return None
        frame.f_trace_opcodes = self.event == "opcode"
        return self._step

    def _step(self, frame, event, argument):
        if event == self.event:
            self.left -= 1
            if self.left == 0:
                for _ in range(self.times):
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


def at_every_instruction(call, *modules, times=1):
    """Call something again and again, Ctrl-C being pressed one instruction of some
    modules later each time; yields after each time until there are no more."""
    files = {module.__file__ for module in modules} | {contextlib.__file__}
    among = lambda code: code.co_filename in files  # noqa: E731
    yield from _everywhere(call, among, "opcode", times)


def at_every_line(call, *functions):
    """The same with lines, of functions with these names."""
    yield from _everywhere(call, lambda code: code.co_name in functions, "line")


def _everywhere(call, among, event, times=1):
    for n in itertools.count(1):
        with no_hanging(), Pressed(n, among, event, times) as pressed:
            call()
        yield n
        if pressed.left > 0:
            return
