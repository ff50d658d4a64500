"""Ctrl-C where it does no harm.

Python raises KeyboardInterrupt in the main thread between almost any two instructions:
after a lock was acquired and before the ``try`` that releases it, too. What must be
done as a whole is done in :class:`Held`.
"""

import signal
import threading


class Held:
    """Context at whose end a Ctrl-C is raised that came meanwhile; a second one is
    raised at once.

    It works in the main thread, the only one that Ctrl-C interrupts, and where Python
    handles Ctrl-C; elsewhere it does nothing. Being within another one is all the same.
    """

    def __init__(self):
        self.before, self.came = None, False

    def __enter__(self):
        if threading.get_ident() == threading.main_thread().ident:
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler) and getattr(handler, "__func__", 0) is not Held._note:
                # No interrupt comes once this call has returned.
                self.before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error):
        if self.before is None:
            return
        signal.signal(signal.SIGINT, self.before)
        handler, self.before = self.before, None
        if self.came:
            self.came = False
            handler(signal.SIGINT, None)

    def lifted(self):
        """Context inside of this one in which Ctrl-C is raised at once again."""
        return _Lifted(self)

    def _note(self, number, frame):
        if self.came:
            self.before(number, frame)
        self.came = True


class _Lifted:
    """The opposite."""

    def __init__(self, held):
        self.held = held

    def __enter__(self):
        self.held.__exit__()

    def __exit__(self, *error):
        self.held.__enter__()
