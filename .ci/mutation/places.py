"""The lines of the package that must run for a wrong line to matter."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

from coverage.numbits import nums_to_numbits

ROOT = Path.cwd()


def _numbers(line, text):
    """The first and the last line of a change."""
    return text.count("\n", 0, line.start) + 1, text.count("\n", 0, line.stop) + 1


def _around(line, text, kinds):
    """Nodes of some kinds around a change, from the outermost inwards."""
    first, last = _numbers(line, text)
    return [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, kinds) and node.lineno <= first and last <= node.end_lineno
    ]


def statement_lines(line, text):
    """The lines of the statement that is changed, or of its head if it has a body, as
    bits of one file."""
    statement = _around(line, text, ast.stmt)[-1]
    last = statement.end_lineno
    if getattr(statement, "body", None):
        last = max(statement.lineno, statement.body[0].lineno - 1)
    numbers = {*range(statement.lineno, last + 1), *range(*_numbers(line, text))}
    return {line.path: nums_to_numbits(numbers)}


@cache
def _readers():
    """Where each name stands in the package, as a variable or after a dot."""
    found = defaultdict(lambda: defaultdict(set))
    for path in (ROOT / "skdgm").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Name | ast.Attribute):
                name = node.id if isinstance(node, ast.Name) else node.attr
                if isinstance(node.ctx, ast.Load):
                    found[name][str(path.relative_to(ROOT))].add(node.lineno)
    return found


def lines_that_read(line, text):
    """The lines that use what an import with a change defines, as bits by file: those
    with the names that it sets, the body of a function whose defaults it changes, or
    all of its file."""
    statement = _around(line, text, ast.stmt)[-1]
    numbers = {line.path: range(1, text.count("\n") + 2)}
    if isinstance(statement, ast.FunctionDef):
        numbers = {line.path: range(statement.lineno, statement.end_lineno + 1)}
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = getattr(statement, "targets", None) or [statement.target]
        names = [
            node.id for node in ast.walk(ast.Tuple(targets)) if hasattr(node, "id")
        ]
        read = defaultdict(set)
        for name in names:
            for path, lines in _readers()[name].items():
                read[path] |= lines
        numbers = read or numbers
    return {path: nums_to_numbits(lines) for path, lines in numbers.items()}
