"""Settings that must stand before anything is imported."""

import os

# scikit-learn's checks with array API dispatch are skipped without it.
os.environ["SCIPY_ARRAY_API"] = "1"

# Pictures need no screen.
os.environ["MPLBACKEND"] = "Agg"
