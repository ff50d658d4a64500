"""Versions and settings that a report of a defect needs."""

import platform
import re
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version

from llvmlite.binding import get_host_cpu_name
from threadpoolctl import threadpool_info

from skdgm._kernels.compiler.shares import take
from skdgm.utils.threading.parallel import n_threads

# Libraries that skdgm works with, but that no extra for users installs.
OTHERS = "polars", "skops"


def show_versions() -> None:
    """Print the versions of Python and of dependencies, and the settings of kernels.

    Include this text when you report a defect. It also answers questions about speed:
    whether kernels are compiled, how many threads they use, and in which folder the
    compiled kernels are cached. The modules of dependencies are not imported.

    See Also
    --------
    sklearn.show_versions : The same for scikit-learn.

    Examples
    --------
    >>> import skdgm
    >>> skdgm.show_versions()  # doctest: +ELLIPSIS
    System:
               python: ...
    """
    sections = {
        "System": _system(),
        "Python dependencies": _dependencies(),
        "Kernels": _kernels(),
    }
    pools = [("threadpoolctl info", pool) for pool in threadpool_info()]
    for title, values in [*sections.items(), *pools]:
        print(f"{title}:")
        for name, value in values.items():
            print(f"{name:>17}: {value}")
        print()


def _system():
    """Python and the operating system."""
    return {
        "python": sys.version.replace("\n", " "),
        "executable": sys.executable,
        "machine": platform.platform(),
    }


def _dependencies():
    """Installed version of each dependency, or None."""
    found = {"skdgm": import_module("skdgm").__version__}
    for name in ("pip", *_requirements(), *OTHERS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _requirements():
    """Names of dependencies, and of packages of all extras for users."""
    try:
        lines = requires("skdgm") or ()
    except PackageNotFoundError:  # A folder on the path, without metadata.
        return {}
    own = (line for line in lines if not re.search(r"extra == .(test|doc)\b", line))
    return dict.fromkeys(name for line in own for name in re.findall(r"^[\w-]+", line))


def _kernels():
    """Settings of compiled kernels."""
    # The folder of any one kernel.
    statistics = getattr(take, "stats", None)
    return {
        "compiled": statistics is not None,
        "threads": n_threads(),
        "processor": get_host_cpu_name(),
        "cache": statistics and statistics.cache_path,
    }
