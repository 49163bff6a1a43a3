"""Expressions over named numbers, as people write them: ``fast < slow``, ``sharpe * sqrt(trades)``.

What is read is arithmetic, comparisons, ``and or not``, ``x if y else z`` and the functions below, nothing else; there
is no way from an expression to anything but the numbers it is given. It is compiled once and evaluated many times.
"""

import ast
import math
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import CodeType
from typing import Any

from cambist.domain.errors import BadInput

MOST_CHARACTERS = 500
MOST_DEPTH = 40
"""Parts within parts."""


def _power(base: float, exponent: float) -> float:
    return math.pow(base, exponent)  # of floats: neither endless whole numbers nor complex ones


def _round(number: float, digits: float = 0.0) -> float:
    return round(number, int(digits))


_FUNCTIONS: dict[str, tuple[Callable[..., float], int, int]] = {
    "min": (min, 2, 20),
    "max": (max, 2, 20),
    "abs": (abs, 1, 1),
    "sqrt": (math.sqrt, 1, 1),
    "log": (math.log, 1, 1),
    "exp": (math.exp, 1, 1),
    "round": (_round, 1, 2),
}
"""What may be called, and with how few and how many arguments."""

# within an expression they have names that no number can have, so that a parameter may be called ``min``
_SCOPE: dict[str, Any] = {"__builtins__": {}, "**()": _power}
_SCOPE |= {f"{name}()": function for name, (function, _, _) in _FUNCTIONS.items()}

_PARTS = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Mod,
    ast.Pow,
    ast.UAdd,
    ast.USub,
    ast.Not,
    ast.And,
    ast.Or,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.Load,
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; call it with the numbers that it names."""

    text: str
    names: frozenset[str]
    """What it asks for."""
    _code: CodeType = field(repr=False, compare=False)

    def __call__(self, numbers: Mapping[str, float]) -> float:
        """Return its value; true is 1, false is 0, and what has no value (a division by zero) is NaN.

        Raises `KeyError` where a number that it names is missing.
        """
        given = {name: float(numbers[name]) for name in self.names}
        try:
            return float(eval(self._code, _SCOPE, given))
        except (ArithmeticError, ValueError):
            return math.nan


def read(text: str, known: Collection[str], *, field: str) -> Expression:
    """Return ``text`` compiled; it may use the names ``known``.

    Raises `BadInput` that names ``field``, the text, and the place of what will not do.
    """
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        raise BadInput(field, f"{text[:40]}…", "expression.long", most=MOST_CHARACTERS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python, about text that is refused below in better words
            tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise BadInput(field, text, "expression.syntax", column=error.offset or 1) from None
    except (ValueError, MemoryError, RecursionError):
        raise BadInput(field, text, "expression.syntax", column=1) from None
    reader = _Reader(field, text, known)
    safe = ast.fix_missing_locations(reader.visit(tree))
    return Expression(text, frozenset(reader.names), compile(safe, "<expression>", "eval"))


class _Reader(ast.NodeTransformer):
    """Goes through a parsed text and lets pass only what is allowed."""

    def __init__(self, field: str, text: str, known: Collection[str]) -> None:
        self.field, self.text, self.known = field, text, known
        self.names: set[str] = set()
        self.depth = 0

    def visit(self, node: ast.AST) -> Any:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise BadInput(self.field, self.text, "expression.deep", most=MOST_DEPTH)
        visited = super().visit(node)
        self.depth -= 1
        return visited

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, _PARTS):
            raise self._bad(node, "expression.part", functions=", ".join(_FUNCTIONS))
        return super().generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, int | float):
            raise self._bad(node, "expression.part", functions=", ".join(_FUNCTIONS))
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in self.known:
            near = get_close_matches(node.id, self.known, 3) or sorted(self.known)[:12]
            raise self._bad(node, "expression.name", near=", ".join(near) or "-")
        self.names.add(node.id)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS or node.keywords:
            raise self._bad(node, "expression.part", functions=", ".join(_FUNCTIONS))
        _, fewest, most = _FUNCTIONS[name]
        if not fewest <= len(node.args) <= most:
            raise self._bad(node, "expression.arguments", name=name, fewest=fewest, most=most)
        return ast.Call(ast.Name(f"{name}()", ast.Load()), [self.visit(part) for part in node.args], [])

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("**()", ast.Load()), [node.left, node.right], [])
        return node

    def _bad(self, node: ast.AST, remedy: str, **params: object) -> BadInput:
        part = ast.get_source_segment(self.text, node) or type(node).__name__
        column = getattr(node, "col_offset", 0) + 1
        return BadInput(self.field, self.text, remedy, part=part, column=column, **params)
