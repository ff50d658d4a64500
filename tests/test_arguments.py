"""Calls name their arguments, and signatures are short.

A star before an argument is for a sequence: of a function that takes any number of
arguments, or of a function that the caller chooses.
"""

import ast

from tests.test_architecture import FILES, ROOT, parsed, place

# Functions of other libraries that take any number of arguments.
VARIADIC = {"zip", "union", "update", "product", "result_type", "reshape", "hstack"}
VARIADIC |= {"with_columns", "check_consistent_length", "submit", "partial", "bind"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def variadic_names():
    """Names of functions and classes of skdgm with a star parameter."""
    for path in FILES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                inits = [n for n in node.body if getattr(n, "name", "") == "__init__"]
                if any(init.args.vararg for init in inits):
                    yield node.name
            elif isinstance(node, ast.FunctionDef) and node.args.vararg:
                yield node.name


def starred_calls(node, parameters=frozenset()):
    """Calls with a starred argument below a node of the syntax tree, and the names of
    the parameters of the functions around each."""
    for child in ast.iter_child_nodes(node):
        inner = parameters
        if isinstance(child, FUNCTIONS):
            known = child.args
            known = known.posonlyargs + known.args + known.kwonlyargs
            inner = parameters | {argument.arg for argument in known}
        arguments = child.args if isinstance(child, ast.Call) else ()
        if any(isinstance(argument, ast.Starred) for argument in arguments):
            yield child, inner
        yield from starred_calls(child, inner)


def test_options_are_read_as_attributes():
    """A type checker knows the options of a protocol; only ``base`` reads others."""
    found = []
    for path in FILES:
        for node in ast.walk(parsed(path)) if place(path) != "base" else ():
            is_call = isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr"
            if is_call and "options" in ast.unparse(node.args[0]):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found


def test_stars_are_for_sequences():
    variadic, found = VARIADIC | set(variadic_names()), []
    for path in FILES:
        # Compiled loops build calls from lists of values of LLVM.
        if place(path) == "_kernels":
            continue
        for call, parameters in starred_calls(parsed(path)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            is_parameter = isinstance(call.func, ast.Name) and name in parameters
            is_computed = isinstance(call.func, ast.Call | ast.Subscript)
            if name not in variadic and not (is_parameter or is_computed):
                line = f"{path.relative_to(ROOT)}:{call.lineno}"
                found.append(f"{line} {ast.unparse(call)}")
    assert not found


# Functions with more than seven parameters: public ones, and parts of algorithms.
LONG = {
    "autoencoder/gsn_classifier.py sample",
    "dask/_fit.py fit",
    "gradients/contrastive.py pcd",
    "metrics/brackets.py partition_bracket",
    "metrics/conservative.py raise_log_likelihood",
    "metrics/tabular.py tabular_report",
    "optim/optimizers.py _step_adam",
    "plotting/components.py from_estimator",
    "plotting/marginals.py from_estimator",
    "plotting/samples.py from_estimator",
    "samplers/gibbs.py sweep",
    "training/loop.py optimize",
}


def test_signatures_are_short():
    found = set()
    for path in FILES:
        for node in ast.walk(parsed(path)) if place(path) != "_kernels" else ():
            if isinstance(node, ast.FunctionDef):
                known = node.args
                known = known.posonlyargs + known.args + known.kwonlyargs
                own = [argument for argument in known if argument.arg != "self"]
                own = [argument for argument in own if argument.arg != "cls"]
                if len(own) > 7:
                    found.add(f"{path.relative_to(ROOT)} {node.name}")
    assert found == LONG
