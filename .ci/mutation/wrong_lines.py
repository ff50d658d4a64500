"""Wrong lines of the package: every single change to a line that could be a mistake.

A change is to one node of a file's syntax tree: another sign or comparison, another
constant, a term or an update left out, two arguments in each other's place. Text that
users read, type hints, statements that raise or warn, and the numbers by which a module
is tuned (``_RIDGE = 1e-6``) are left alone.
"""

import ast
import random
from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

SIGNS = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*"}
COMPARISONS = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
# Functions whose calls only speak to the user.
SPEAKING = {"warn", "warning", "print", "with_article"}
# Functions of two arguments whose order does not matter.
EITHER_WAY = {"maximum", "minimum", "max", "min", "array_equal", "logaddexp", "hypot"}
KINDS = "sign", "comparison", "constant", "left out", "arguments", "update", "logic"


class WrongLine(NamedTuple):
    """One change: the text from ``start`` to ``stop`` of a file is replaced."""

    path: str
    number: int
    kind: str
    start: int
    stop: int
    replacement: str

    def applied(self, text):
        """The file's text with the change."""
        return text[: self.start] + self.replacement + text[self.stop :]

    def lines(self, text):
        """The line before and after the change, without indents."""
        changed = self.applied(text)
        begin = text.rfind("\n", 0, self.start) + 1
        before = text[begin : _end_of_line(text, self.stop)]
        after = changed[
            begin : _end_of_line(changed, self.start + len(self.replacement))
        ]
        return tuple(" ".join(line.split()) for line in (before, after))


def _end_of_line(text, place):
    end = text.find("\n", place)
    return len(text) if end < 0 else end


class _Finder(ast.NodeVisitor):
    """Collects the changes to one file."""

    def __init__(self, path, text):
        self.path, self.text, self.found = path, text, []
        self._starts = [0]
        for line in text.encode().splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._is_ascii = text.isascii()

    def _place(self, number, column):
        """The index into the text of a place that ast gives in bytes."""
        place = self._starts[number - 1] + column
        return place if self._is_ascii else len(self.text.encode()[:place].decode())

    def _span(self, node):
        start = self._place(node.lineno, node.col_offset)
        return start, self._place(node.end_lineno, node.end_col_offset)

    def _source(self, node):
        start, stop = self._span(node)
        return self.text[start:stop]

    def _add(self, node, kind, replacement, span=None):
        start, stop = span or self._span(node)
        self.found.append(
            WrongLine(self.path, node.lineno, kind, start, stop, replacement)
        )

    def _between(self, left, right, symbols):
        """The span of an operator between two nodes."""
        start, stop = self._span(left)[1], self._span(right)[0]
        gap = self.text[start:stop]
        for symbol in symbols:
            if gap.count(symbol) == 1:
                place = start + gap.index(symbol)
                return place, place + len(symbol)
        return None

    # What is left alone.

    def visit_Raise(self, node):
        pass

    def visit_Import(self, node):
        pass

    visit_ImportFrom = visit_Global = visit_JoinedStr = visit_Import

    def visit_arguments(self, node):
        for default in [*node.defaults, *filter(None, node.kw_defaults)]:
            self.visit(default)

    def visit_FunctionDef(self, node):
        if node.name in ("__repr__", "__dir__"):
            return
        self.visit(node.args)
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node):
        if node.value:
            self.visit(node.value)

    def visit_Expr(self, node):
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_If(self, node):
        if not any(
            isinstance(part, ast.Name) and part.id == "TYPE_CHECKING"
            for part in ast.walk(node.test)
        ):
            self.generic_visit(node)

    # What is changed.

    def visit_BinOp(self, node):
        is_text = any(
            isinstance(side, ast.JoinedStr)
            or (isinstance(side, ast.Constant) and isinstance(side.value, str))
            for side in (node.left, node.right)
        )
        if not is_text:
            self._change_operation(node)
        self.generic_visit(node)

    def _change_operation(self, node):
        symbol = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
        if type(node.op) in SIGNS:
            span = self._between(node.left, node.right, [symbol[type(node.op)]])
            if span:
                self._add(node, "sign", SIGNS[type(node.op)], span)
        if type(node.op) in (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow):
            self._add(node, "left out", f"({self._source(node.left)})")
        if type(node.op) in (ast.Add, ast.Mult):
            self._add(node, "left out", f"({self._source(node.right)})")

    def visit_UnaryOp(self, node):
        if isinstance(node.op, ast.USub | ast.Not | ast.Invert):
            kind = "sign" if isinstance(node.op, ast.USub) else "logic"
            self._add(node, kind, f"({self._source(node.operand)})")
        self.generic_visit(node)

    def visit_Compare(self, node):
        sides = [node.left, *node.comparators]
        for left, op, right in zip(sides, node.ops, node.comparators):
            symbols = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
            symbols |= {ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is"}
            symbols |= {ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in"}
            span = self._between(left, right, [symbols[type(op)]])
            if span:
                self._add(node, "comparison", COMPARISONS[type(op)], span)
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            span = self._between(left, right, [f" {word} ", word])
            if span:
                replacement = self.text[slice(*span)].replace(word, other)
                self._add(node, "logic", replacement, span)
        self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, bool):
            self._add(node, "constant", str(not node.value))
        elif isinstance(node.value, int):
            self._add(node, "constant", str(node.value + 1))
        elif isinstance(node.value, float):
            self._add(node, "constant", repr(2 * node.value or 1.0))

    def visit_Call(self, node):
        function = node.func
        name = getattr(function, "attr", getattr(function, "id", ""))
        if name in SPEAKING:
            return
        plain = [one for one in node.args if not isinstance(one, ast.Starred)]
        if name not in {"isinstance", "getattr", "hasattr", *EITHER_WAY}:
            for first, second in pairwise(plain):
                texts = self._source(first), self._source(second)
                if texts[0] != texts[1]:
                    start, stop = self._span(first)[0], self._span(second)[1]
                    gap = self.text[self._span(first)[1] : self._span(second)[0]]
                    swapped = texts[1] + gap + texts[0]
                    self._add(node, "arguments", swapped, (start, stop))
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        self._add(node, "update", "pass")
        self.generic_visit(node)

    def visit_Assign(self, node):
        names = [getattr(target, "id", "") for target in node.targets]
        if isinstance(node.value, ast.Constant) and all(map(str.isupper, names)):
            return
        if all(isinstance(target, ast.Subscript) for target in node.targets):
            self._add(node, "update", "pass")
        self.generic_visit(node)


def wrong_lines_of(root, path):
    """All changes to one file, those that still are Python."""
    text = (root / path).read_text()
    finder = _Finder(str(path), text)
    finder.visit(ast.parse(text))
    return finder.found


def folder_of(path):
    """The folder of the package (or the module at its top) that a file belongs to."""
    return path.split("/")[1].removesuffix(".py")


def draw(root, paths, seed):
    """Changes in an order drawn by a seed: of each folder in turn, and of each kind."""
    generator = random.Random(seed)
    by_folder = defaultdict(lambda: defaultdict(list))
    for path in sorted(paths):
        for line in wrong_lines_of(root, path):
            by_folder[folder_of(line.path)][line.kind].append(line)
    queues = {}
    for folder, by_kind in sorted(by_folder.items()):
        for lines in by_kind.values():
            generator.shuffle(lines)
        queues[folder] = _in_turn(by_kind, generator)
    while queues:
        for folder in list(queues):
            line = next(queues[folder], None)
            if line is None:
                del queues[folder]
            else:
                yield line


def _in_turn(by_kind, generator):
    """Lines of all kinds in turn, in an order of the kinds that is drawn."""
    kinds = sorted(by_kind)
    generator.shuffle(kinds)
    while any(by_kind.values()):
        for kind in kinds:
            if by_kind[kind]:
                yield by_kind[kind].pop()
