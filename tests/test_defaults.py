"""Defaults and tags of all that is public, beside a list of them: ``defaults.txt``.

A default is what most users get. Whoever changes one changes the list, by

    python -m tests.test_defaults

and says so in ``doc/whats_new/next``.
"""

import inspect
import re
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

import skdgm

LIST = Path(__file__).with_name("defaults.txt")
MODULES = "metrics", "plotting", "datasets", "persistence", "preprocessing", "callbacks"
MODULES += "abc", "anomaly", "constraints", "dask", "imputation", "diffusion", "flows"
MODULES += "distributions", "energies", "optim", "base", "training"


def offered():
    """Everything that is public, of the package and of its modules."""
    for module in skdgm, *(import_module(f"skdgm.{name}") for name in MODULES):
        for name in module.__all__:
            yield getattr(module, name)


def functions():
    """Public functions, and methods of public classes where they are defined."""
    for thing in offered():
        if inspect.isclass(thing) and issubclass(thing, BaseException | tuple):
            continue
        if inspect.isclass(thing):
            yield thing.__name__, thing
            for name, _ in inspect.getmembers(thing, callable):
                method = inspect.getattr_static(thing, name)
                method = inspect.unwrap(getattr(method, "__func__", method))
                is_public = inspect.isfunction(method) and not name.startswith("_")
                if is_public and method.__module__.startswith("skdgm."):
                    yield f"{method.__module__}.{method.__qualname__}", method
        elif inspect.isfunction(thing):
            yield thing.__name__, thing


def lines():
    """Name and defaults of each function, sorted by name."""
    found = {}
    for name, function in functions():
        parameters = inspect.signature(function).parameters.values()
        given = [p for p in parameters if p.default is not p.empty]
        if given:
            values = ", ".join(f"{p.name}={p.default!r}" for p in given)
            found[name.removeprefix("skdgm.")] = values
    # How many epochs "auto" stands for.
    for thing in filter(inspect.isclass, offered()):
        if details := getattr(thing, "_DETAILS", {}):
            own = sorted(details.items())
            values = [f"{name}={detail.default!r}" for name, detail in own]
            found[f"{thing.__name__} details"] = ", ".join(values)
        for name in dir(thing):
            if name.startswith("_BUDGET"):
                found[f"{thing.__name__}.{name}"] = repr(getattr(thing, name))
        is_base = thing.__module__.startswith("skdgm.base")
        if issubclass(thing, BaseEstimator) and not (is_base or required(thing)):
            found[f"{thing.__name__} tags"] = ", ".join(tags_of(thing()))
    return [f"{name}: {values}" for name, values in sorted(found.items())]


def required(kind):
    """Arguments without a default."""
    parameters = inspect.signature(kind).parameters.values()
    return [
        p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD
    ]


def tags_of(estimator):
    """Tags that are not those of any estimator."""
    own, usual = (flat(get_tags(one)) for one in (estimator, BaseEstimator()))
    for name, value in own.items():
        if value != usual.get(name, False):
            yield f"{name}={value!r}"


def flat(tags):
    """Tags and their parts by name."""
    found = {}
    for field in fields(tags):
        value = getattr(tags, field.name)
        found |= flat(value) if is_dataclass(value) else {field.name: value}
    return found


def test_defaults_are_those_of_the_list():
    assert lines() == LIST.read_text().splitlines()


UPDATES = re.compile(
    r'Number of epochs; "auto": (?:the number for )?([\d,]+) updates'
    r'(?:, or ([\d,]+) of "bernoulli")?, (?:but )?between (\d+) and ([\d,]+)'
)


def test_epochs_are_those_of_docstrings():
    found = 0
    for thing in offered():
        told = UPDATES.search(" ".join((thing.__doc__ or "").split()))
        if not (told and hasattr(thing, "_BUDGET")):
            continue
        found += 1
        usual, bits, least, most = (
            part and int(part.replace(",", "")) for part in told.groups()
        )
        assert thing._BUDGET[:3] == (usual, least, most), thing
        of_bits = getattr(thing, "_BUDGET_BITS", None)
        if of_bits is not None:
            assert of_bits[:3] == (bits, least, most), thing
            for kind, number in ("bernoulli", bits), ("gaussian", usual):
                budget = thing(column_types=kind)._budget
                assert budget.n_updates == number, thing
    assert found > 30


if __name__ == "__main__":
    LIST.write_text("\n".join(lines()) + "\n")
