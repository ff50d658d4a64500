"""The register of addresses of random streams."""

import ast
from pathlib import Path

import pytest

import skdgm
from skdgm.utils import addresses

ROOT = Path(skdgm.__file__).parent


def tags(tree):
    """Names of a module's own numbers, and those that streams are folded by."""
    numbers, folded = {}, set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            if isinstance(node.value, ast.Call | ast.Tuple):
                names = [getattr(own, "id", "") for own in node.targets[0].elts]
                try:
                    found = eval(ast.unparse(node.value), {"range": range})
                except NameError:
                    continue
                numbers |= dict(zip(names, found))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                numbers[node.targets[0].id] = eval(ast.unparse(node.value), {})
            except Exception:
                continue
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "fold":
            folded |= {own.id for own in node.args if isinstance(own, ast.Name)}
    return numbers, folded


def test_tags_beside_those_of_a_module_are_in_the_register():
    for path in ROOT.rglob("*.py"):
        numbers, folded = tags(ast.parse(path.read_text()))
        for name in folded & numbers.keys():
            assert numbers[name] < 100, f"{path}: {name} = {numbers[name]}"


@pytest.mark.parametrize(
    "groups",
    [
        "TUNING ORDERS DEGREES FLOW_ORDERS FLOW_MIXTURE FLOW_DRAWS REFINEMENT SHARD",
        "BRACKET BRACKET_WITHOUT_MEANS",
        "SPIKE_SLAB SPIKE_SLAB_GIBBS GAPS",
        "LATENT_STEPS MACHINE_STEPS RECURRENT_DROPOUT GAPS SERIES",
        "CONDITIONAL_LEARNING SAMPLING_FREE SWAPS",
        "ENSEMBLE POOL ROW_PARTICLES ORDERLESS",
    ],
)
def test_purposes_of_one_stream_have_tags_of_their_own(groups):
    numbers = []
    for name in groups.split():
        value = getattr(addresses, name)
        numbers += [value] if isinstance(value, int) else list(value)
    assert len(set(numbers)) == len(numbers)
