"""Settings that must stand before anything is imported."""

import os
import signal
import threading

# scikit-learn's checks with array API dispatch are skipped without it.
os.environ["SCIPY_ARRAY_API"] = "1"

# Pictures need no screen.
os.environ["MPLBACKEND"] = "Agg"

# Shells that start jobs in the background have them ignore Ctrl-C, which tests press.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
