"""Settings that must stand before anything is imported."""

import gc
import os
import signal
import threading

import numpy as np
import pytest

from tests import suites

# scikit-learn's checks with array API dispatch are skipped without it.
os.environ["SCIPY_ARRAY_API"] = "1"

# Pictures need no screen.
os.environ["MPLBACKEND"] = "Agg"

# Modules and cases of tests stay: what looks for garbage would go through them again
# and again while they are collected, and later at times.
gc.disable()

# Shells that start jobs in the background have them ignore Ctrl-C, which tests press.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Which case runs where: tests/suites.py."""
    suites.sort_out(items)


# What tests share, as functions that put it back: generators and estimators of modules
# of tests, by module, and estimators that fixtures of more than one test give.
_OF_MODULES, _OF_FIXTURES = {}, {}


def putting_back(thing):
    """A function that sets a generator or the attributes of an estimator back."""
    if isinstance(thing, np.random.Generator):
        generator, state = thing.bit_generator, thing.bit_generator.state
        return lambda: setattr(generator, "state", state)
    attributes = dict(vars(thing))
    return lambda: vars(thing).update(attributes)


def is_generator(thing):
    return isinstance(thing, np.random.Generator)


def is_shared(thing):
    """Whether a thing is a generator or an estimator, which tests can change."""
    is_estimator = hasattr(thing, "get_params") and not isinstance(thing, type)
    return is_generator(thing) or is_estimator


def put_back(module):
    for function in _OF_MODULES.get(module, ()):
        function()


def pytest_collection_finish(session):
    """Note how things of modules are once all modules are imported."""
    gc.collect()
    gc.freeze()
    gc.enable()
    for module in {item.module for item in session.items}:
        things = filter(is_shared, vars(module).values())
        _OF_MODULES[module] = list(map(putting_back, things))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Put back what tests share: none depends on the tests before it."""
    put_back(item.module)
    for functions in _OF_FIXTURES.values():
        for function in functions:
            function()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef, request):
    """A fixture of several tests draws the same whichever of them comes first, and
    leaves generators of the module to that test as to others."""
    if fixturedef.scope == "function":
        return (yield)
    module = getattr(request, "module", None)
    generators = filter(is_generator, vars(module).values() if module else ())
    before = list(map(putting_back, generators))
    put_back(module)
    value = yield
    for function in before:
        function()
    parts = [*value.values()] if isinstance(value, dict) else value
    parts = parts if isinstance(parts, tuple | list) else (value,)
    _OF_FIXTURES[fixturedef] = list(map(putting_back, filter(is_shared, parts)))
    return value


def pytest_fixture_post_finalizer(fixturedef):
    _OF_FIXTURES.pop(fixturedef, None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each worker a part of the tests that stand together, and in the end a share
    of others': kernels that tests share are compiled once, not by all at a time."""
    if config.option.dist == "load":
        from xdist.scheduler import WorkStealingScheduling

        return WorkStealingScheduling(config, log)
