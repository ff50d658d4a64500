"""Processes forked from a test."""

import os
import signal
import warnings

# A child that hangs is ended after so many seconds.
PATIENCE = 10


def in_child(call):
    """How a call ends in a forked process: 0 if well."""
    with warnings.catch_warnings():
        # That the process has several threads is what is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        signal.alarm(PATIENCE)
        status = 1
        try:
            call()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
