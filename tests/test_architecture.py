"""The laws of doc/architecture.md, read off the source."""

import ast
import doctest
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
import types
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import skdgm
from skdgm import plotting
from skdgm.base.options import Options
from skdgm.registry import PUBLIC

ROOT = Path(skdgm.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MODULES = sorted(
    module.name for module in pkgutil.walk_packages([str(ROOT)], prefix="skdgm.")
)

# What a folder (or a module at the top) may import, besides itself.
GROUND = {"exceptions", "typing", "utils"}
KERNELS = {"_kernels"}
MODEL = GROUND | {"distributions", "couplings", "energies"}
ALGORITHMS = MODEL | {"samplers", "inference"}
BESIDE = {"gradients", "partition", "optim", "training", "metrics", "nets"}
NETS = GROUND | {"distributions", "optim", "training", "nets"}
LAW = {
    "exceptions": set(),
    "typing": set(),
    "_kernels": set(),
    "utils": KERNELS | {"exceptions"},
    "distributions": KERNELS | GROUND,
    "couplings": KERNELS | GROUND | {"distributions"},
    "energies": MODEL,
    "samplers": KERNELS | MODEL,
    "inference": MODEL | {"samplers"},
    "gradients": ALGORITHMS,
    "partition": KERNELS | ALGORITHMS,
    "optim": KERNELS | GROUND,
    "training": GROUND | {"optim"},
    "metrics": KERNELS | ALGORITHMS | {"partition"},
    "nets": KERNELS | NETS | {"data", "base"},
    "data": GROUND | {"training", "distributions"},
    "base": GROUND | {"training", "data"},
    "boltzmann": KERNELS | ALGORITHMS | BESIDE | {"data", "base"},
    "stacks": NETS | {"data", "base"},
    "belief": ALGORITHMS | BESIDE | {"data", "base", "boltzmann", "stacks"},
    "latent": NETS | {"data", "base"},
    "autoencoder": NETS | {"data", "base", "latent", "stacks"},
    "directed": KERNELS | NETS | {"data", "base", "latent", "gradients"},
    "autoregressive": NETS | {"data", "base"},
    "flows": NETS | {"data", "base", "autoregressive", "latent"},
    "diffusion": NETS | {"data", "base", "autoregressive", "flows", "latent"},
    "recurrent": NETS
    | {"data", "base", "autoregressive", "latent"}
    | {"energies", "samplers", "partition"},
    "implicit": NETS | {"data", "base"},
    "adversarial": NETS | {"data", "base", "implicit"},
    "moment_matching": NETS | {"data", "base", "implicit"},
    "supervised": NETS | {"data", "base"},
    "abc": GROUND | {"base", "flows"},
    "preprocessing": GROUND | {"base"},
    "anomaly": GROUND | {"data", "base"},
    "boosting": GROUND | {"data", "base", "autoregressive", "partition"},
    "imputation": GROUND | {"data", "base", "autoregressive"},
    "constraints": GROUND | {"data", "base", "autoregressive"},
    "persistence": {"exceptions", "registry", "typing", "utils"},
    "callbacks": GROUND | {"persistence"},
    "dask": ALGORITHMS | BESIDE | {"data", "base", "boltzmann", "stacks"},
    "datasets": {"exceptions", "typing"},
    "plotting": KERNELS | ALGORITHMS | BESIDE | {"data", "base", "boltzmann", "belief"},
    "registry": set(),
    "options": {"registry", "utils"},
    "__init__": {"registry"},
}
# Longest file, in lines. It serves the reader: nothing is cut for the sake of it.
MOST_LINES = 500
# What is there for some users only, and imported where it is used.
EXTRAS = {"matplotlib", "pandas", "pyarrow", "dask", "distributed"}


def place(path):
    """The folder or top module that a file belongs to."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


@cache
def parsed(path):
    """The syntax tree of a file."""
    return ast.parse(path.read_text())


def imports(path):
    """The places of skdgm that a file imports."""
    for node in ast.walk(parsed(path)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module]
            if node.module == "skdgm":
                names = [f"skdgm.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] == "skdgm":
                yield name.split(".")[1]


def imported(node):
    """The first module that a statement imports."""
    return node.names[0].name if isinstance(node, ast.Import) else node.module


def named(paths):
    """The paths inside the package, for messages."""
    return [str(path.relative_to(ROOT)) for path in paths]


def statements(nodes, *, extras):
    """Those that import extras, or those that import anything else."""
    for node in nodes:
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        if is_import and (imported(node).split(".")[0] in EXTRAS) == extras:
            yield node


def test_imports_keep_the_law():
    found = {path: set(imports(path)) for path in FILES}
    broken = {
        str(path.relative_to(ROOT)): names - LAW[place(path)] - {place(path)}
        for path, names in found.items()
    }
    assert not {path: names for path, names in broken.items() if names}


def test_only_nets_know_autograd():
    users = [path for path in FILES if "autograd" in path.read_text()]
    assert not named(path for path in users if place(path) != "nets")


def test_the_law_has_no_cycles():
    assert LAW.keys() == {place(path) for path in FILES}
    assert set().union(*LAW.values()) <= LAW.keys()
    others = {home: allowed - {home} for home, allowed in LAW.items()}
    TopologicalSorter(others).prepare()  # CycleError names those on a cycle


def test_imports_stand_at_the_top():
    found = []
    for path in FILES:
        for function in ast.walk(parsed(path)):
            if isinstance(function, ast.FunctionDef):
                inner = statements(ast.walk(function), extras=False)
                found += [f"{path.relative_to(ROOT)}:{n.lineno}" for n in inner]
    assert not found


def test_extras_are_imported_where_they_are_used():
    tops = {path: statements(parsed(path).body, extras=True) for path in FILES}
    assert not named(path for path, found in tops.items() if list(found))


# Methods of named tuples, and names of scikit-learn, Python and Dask.
COMMON_NAMES = {"_replace", "_asdict", "_fields", "_make", "_field_defaults"}
COMMON_NAMES |= {"_parameter_constraints", "_validate_params", "_metadata_request"}
COMMON_NAMES |= {"_get_metadata_request", "_validate_names", "_getframe", "_meta"}
# Files that read private attributes of objects of other libraries, and the reason.
PRIVATE_ATTRIBUTES = {
    "_kernels/compiler/disk.py": "Numba's index of compiled functions on disk",
    "_kernels/compiler/parts.py": "Numba's modules of LLVM, which are linked",
    "metrics/density.py": "the scaler of scikit-learn's PowerTransformer",
    "nets/tape.py": "autograd's values and nodes",
}


def is_private(name):
    """Whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def is_of_itself(node):
    """Whether an object is that of the method, its class or its base class."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def private_attributes(path):
    """Private attributes of other objects that a file reads, sets or deletes."""
    for node in ast.walk(parsed(path)):
        if not isinstance(node, ast.Attribute) or is_of_itself(node.value):
            continue
        if is_private(node.attr) and node.attr not in COMMON_NAMES:
            yield f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}"


def private_imports(path):
    """Private modules and names of other folders that a file imports; all may import
    compiled loops."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("skdgm."):
            home, *inner = node.module.split(".")[1:]
            names = [*inner, *(alias.name for alias in node.names)]
            others = home not in ("_kernels", place(path))
            if others and any(map(is_private, names)):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.module}"


def test_private_names_are_read_by_their_owners():
    found = {}
    for path in FILES:
        lines = list(private_imports(path))
        # Estimators' own attributes are those of `base`, which all of them inherit.
        lines += private_attributes(path) if place(path) != "base" else ()
        found |= {path.relative_to(ROOT).as_posix(): lines} if lines else {}
    assert found.keys() == PRIVATE_ATTRIBUTES.keys(), found


def test_files_keep_their_size():
    sizes = {path: len(path.read_text().splitlines()) for path in FILES}
    assert not named(path for path, size in sizes.items() if size > MOST_LINES)


def undocumented(module):
    """What has no docstring in a module, by name."""
    if not module.__doc__:
        yield module.__name__
    for name, member in vars(module).items():
        if name.startswith("_") or getattr(member, "__module__", "") != module.__name__:
            continue
        is_class = inspect.isclass(member)
        if (is_class or inspect.isfunction(member)) and not member.__doc__:
            yield f"{module.__name__}.{name}"
        for method_name, method in vars(member).items() if is_class else ():
            public = inspect.isfunction(method) and not method_name.startswith("_")
            if public and not inspect.getdoc(method):
                yield f"{module.__name__}.{name}.{method_name}"


def test_every_module_and_function_says_what_it_is():
    modules = map(importlib.import_module, MODULES)
    assert not [name for module in modules for name in undocumented(module)]


# Packages whose names have type hints; and roles, and what a module alone has.
HINTED = (
    *("constraints", "dask", "datasets", "imputation", "metrics"),
    *("persistence", "plotting", "preprocessing"),
)
ROLES = {
    "distributions": ("Unit", "Biased", "Output"),
    "couplings": ("Dense",),
    "energies": ("Energy", "Link", "Params", "Path", "Potential"),
    "samplers": ("Sampler", "State", "Info"),
    "partition": ("AnnealingPath",),
    "boltzmann.learning.phases": ("Phase",),
    "optim.optimizers": ("Optimizer",),
    "training": ("Objective", "Table"),
    "utils.rows": ("Rows",),
    "base": ("Estimator", "Classifier", "Density", "Facts", "Model"),
    "anomaly": ("DensityOutlierDetector",),
    "callbacks": ("Checkpoint",),
}


def public_objects():
    """What users find in the package and its tools, and the roles."""
    yield from (getattr(skdgm, name) for name in PUBLIC)
    for home in HINTED:
        module = importlib.import_module(f"skdgm.{home}")
        yield from (getattr(module, name) for name in module.__all__)
    for home, names in ROLES.items():
        module = importlib.import_module(f"skdgm.{home}")
        yield from (getattr(module, name) for name in names)


def functions_of(member):
    """Functions of ours that an object is, or has as public methods and properties."""
    if not inspect.isclass(member):
        yield inspect.unwrap(member)
        return
    for kind in member.__mro__:
        for name, found in vars(kind).items():
            found = getattr(found, "fn", getattr(found, "__func__", found))
            found = inspect.unwrap(getattr(found, "fget", found))
            ours = inspect.isfunction(found) and kind.__module__.startswith("skdgm.")
            if ours and (name == "__init__" or not name.startswith("_")):
                yield found


def unhinted(function):
    """Names of a function's arguments, or "return", without a type hint."""
    arguments = inspect.signature(function).parameters
    is_method = "." in function.__qualname__ or "self" in arguments
    names = [name for name in arguments if not (is_method and name in ("self", "cls"))]
    names += ["return"] if function.__name__ != "__init__" else []
    return [name for name in names if name not in function.__annotations__]


def test_public_functions_and_roles_have_type_hints():
    members = filter(callable, public_objects())
    found = {function for member in members for function in functions_of(member)}
    # Constructors that options make are known to checkers by PEP 681.
    found = {f for f in found if f.__code__.co_filename.endswith(".py")}
    assert len(found) > 250
    assert not {f.__qualname__: unhinted(f) for f in found if unhinted(f)}


# The most classes of ours in a method resolution order, the class itself included: of
# estimators, of classes that declare options and nothing else, of all others, and in
# all. Each is the number that is there: a class less is a number less here.
MOST_CLASSES = {"estimators": 5, "options": 4, "others": 5, "all": 7}


def classes_of_package():
    """All classes that modules of the package define."""
    for name in MODULES:
        for member in vars(importlib.import_module(name)).values():
            if inspect.isclass(member) and member.__module__ == name:
                yield member


CODE = types.FunctionType, classmethod, staticmethod, property


def declares_options(cls):
    """Whether a class is one of options, without methods besides the constructor."""
    methods = [name for name, member in vars(cls).items() if isinstance(member, CODE)]
    return cls is Options or (
        issubclass(cls, Options) and methods in ([], ["__init__"])
    )


def test_classes_are_composed_not_inherited():
    longest = dict.fromkeys(MOST_CLASSES, 0)
    for cls in classes_of_package():
        ours = [kind for kind in cls.__mro__ if kind.__module__.startswith("skdgm.")]
        estimators = [kind for kind in ours if issubclass(kind, BaseEstimator)]
        options = [kind for kind in ours if declares_options(kind)]
        options = [kind for kind in options if kind not in estimators]
        others = set(ours) - {*estimators, *options}
        if getattr(cls, "_is_protocol", False):  # Types of options, without code.
            continue
        lists = zip(MOST_CLASSES, (estimators, options, others, ours), strict=True)
        for kind, found in lists:
            assert len(found) <= MOST_CLASSES[kind], (cls, kind, found)
            longest[kind] = max(longest[kind], len(found))
    assert longest == MOST_CLASSES


ESTIMATORS = [
    getattr(skdgm, name)
    for name in skdgm.__all__
    if inspect.isclass(getattr(skdgm, name))
]
MODEL_METHODS = {"fit", "partial_fit", "transform", "sample", "score_samples"}
# Of those that are made of a model, or of a simulator.
METHODS = {
    "ABC": {"fit", "sample"},
    "DensityOutlierDetector": {
        *("fit", "predict", "decision_function", "score_samples", "score_features"),
    },
    "GenerativeImputer": {"fit", "transform", "draw", "inverse_transform"},
    "ConstrainedTable": {"fit", "sample", "score_samples", "impute", "acceptance_rate"},
    "SelfSupervisedBoosting": {"fit", "sample", "score_samples", "score"},
}

DISPLAYS = [getattr(plotting, name) for name in plotting.__all__]


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_estimators_are_documented_in_full(cls):
    doc = inspect.getdoc(cls)
    for section in ("Parameters", "Attributes", "See Also", "References", "Examples"):
        assert f"\n{section}\n---" in doc
    assert doc.index(".. math::") < doc.index("\nParameters\n")
    for name in cls._parameter_constraints:
        assert name in doc.split("\nAttributes\n")[0]
    methods = {
        name: method
        for name, method in inspect.getmembers(cls, inspect.isfunction)
        if method.__module__.startswith("skdgm") and not name.startswith("_")
    }
    assert set(methods) >= METHODS.get(cls.__name__, MODEL_METHODS)
    for name, method in methods.items():
        doc = inspect.getdoc(method)
        parameters = list(inspect.signature(method).parameters)[1:]
        assert "\nParameters\n" in doc or not parameters, name
        assert "\nReturns\n" in doc, name
        for parameter in parameters:
            assert parameter in doc, (name, parameter)


@pytest.mark.parametrize("cls", DISPLAYS)
def test_displays_are_documented_in_full(cls):
    doc = inspect.getdoc(cls)
    for section in ("Parameters", "Attributes", "See Also", "Examples"):
        assert f"\n{section}\n---" in doc
    for name in list(inspect.signature(cls).parameters):
        assert name in doc.split("\nAttributes\n")[0]
    for method in (cls.from_estimator, cls.plot):
        doc = inspect.getdoc(method)
        assert "\nParameters\n" in doc
        assert "\nReturns\n" in doc
        names = set(inspect.signature(method).parameters) - {"self"}
        assert all(name in doc for name in names)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_parameter_is_constrained(cls):
    assert issubclass(cls, BaseEstimator)
    assert set(cls._parameter_constraints) == set(cls().get_params())


@pytest.mark.exhaustive(
    default=["data", "distributions", "nets", "samplers", "energies", "latent"]
)
@pytest.mark.parametrize("home", LAW)
def test_examples_run(home):
    for name in MODULES:
        if name.split(".")[1] == home:
            found = doctest.testmod(importlib.import_module(name))
            assert found.failed == 0, name


def run(code, **how):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, **how
    ).stdout


def test_importing_the_package_loads_no_family():
    code = "import sys, skdgm; print([m for m in sys.modules if m[:6] == 'skdgm.'])"
    assert run(code).strip() == "['skdgm.registry']"


@pytest.mark.exhaustive
def test_importing_is_cheap_beyond_the_dependencies():
    # Calls of functions are counted: seconds differ between machines and hours. Modules
    # are those that Python has translated before, as it does where it may write.
    env = dict(os.environ)
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    code = "import sys; from skdgm import *; print(*(m for m in sys.modules))"
    others = [m for m in run(code, env=env).split() if not m.startswith("skdgm")]
    code = f"""
import sys
from importlib import import_module
counts = [0, 0]
def count(frame, event, argument):
    counts[-1] += event == "call"
def without_ours():
    for name in {others}:
        try:
            import_module(name)
        except ImportError:  # a name that a module gave itself
            pass
sys.setprofile(count)
without_ours()
counts = [counts[-1], 0]
from skdgm import *
sys.setprofile(None)
print(*counts)
"""
    theirs, ours = map(int, run(code, env=env).split())
    assert 0 < ours < 0.2 * theirs


def test_unknown_names():
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        skdgm.Nonsense  # noqa: B018
    assert "BernoulliRBM" in dir(skdgm)
