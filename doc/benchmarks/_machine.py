"""Description of the machine and versions for the tables of benchmarks."""

import os
import platform

import numpy
import scipy
import sklearn

import skdgm


def describe():
    """Return one line with processor cores and versions."""
    versions = ", ".join(
        f"{module.__name__} {module.__version__}"
        for module in (skdgm, sklearn, numpy, scipy)
    )
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}"
    )
