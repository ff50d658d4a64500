"""Deferral of Ctrl-C to points where it is safe.

Python raises KeyboardInterrupt in the main thread between almost any two instructions,
even between acquiring a lock and the ``try`` that releases it. Code that must not be
interrupted runs within :class:`Held`.
"""

import signal
import threading


class Held:
    """Context manager that defers Ctrl-C to its end; a second Ctrl-C is raised at once.

    It has an effect only in the main thread, the only one that Ctrl-C interrupts, and
    only if Python handles SIGINT. Contexts may be nested: the outermost one defers.
    """

    def __init__(self):
        self.before, self.came = None, None

    def __enter__(self):
        if threading.get_ident() == threading.main_thread().ident:
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler) and getattr(handler, "__func__", 0) is not Held._note:
                # Once this call has returned, a first Ctrl-C only sets a flag.
                self.before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error):
        if self.before is None:
            return
        signal.signal(signal.SIGINT, self.before)
        handler, self.before = self.before, None
        if self.came is not None:
            (frame,), self.came = self.came, None
            handler(signal.SIGINT, frame)

    def lifted(self):
        """Return a context, for use within this one, in which Ctrl-C is not deferred.

        Returns
        -------
        context manager
        """
        return _Lifted(self)

    def _note(self, number, frame):
        if self.came is not None:
            self.before(number, frame)
        self.came = (frame,)


class _Lifted:
    """Context manager that suspends a :class:`Held`."""

    def __init__(self, held):
        self.held = held

    def __enter__(self):
        self.held.__exit__()

    def __exit__(self, *error):
        self.held.__enter__()
