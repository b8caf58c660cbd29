"""A model's plain functions, rewritten as source that a compiler can turn into straight lanes.

Nothing of the arithmetic changes. Numbers become the kernel's own float type, codes become
small whole numbers, `maths` functions become their compiled twins, and what depends on
parameters alone is lifted out, to be worked out once per person instead of at every step.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields
from types import FunctionType, ModuleType
from typing import Any, cast

import numpy as np

from medtwin.engine.model import Model
from medtwin.engine.structure import Structure, structure
from medtwin.maths import functions
from medtwin.record.codes import Code

lanes = {f: name for name, f in vars(functions).items() if isinstance(f, FunctionType)}
numpy_lanes = {
    np.exp: "exp",
    np.log: "log",
    np.sqrt: "sqrt",
    np.sin: "sin",
    np.cos: "cos",
    np.tanh: "tanh",
    np.power: "power",
    np.where: "where",
    np.minimum: "least",
    np.maximum: "greatest",
    abs: "abs",
    range: "range",
    len: "len",
}
reserved = {
    *("drift", "take", "shown", "noise", "solution", "worked_out", "worked_out_once", "worked"),
    *("np", "T", "W", "Person", "lane", "lanes", "fast", "settings", "huge", "correct", "prange"),
    *(
        "tanh_gap",
        "block",
        "follow",
        "together",
        "one_by_one",
        "njit",
        "namedtuple",
        "next_healthy",
    ),
    *lanes.values(),
}
compiled_lanes: dict[Any, str] = {**lanes, **numpy_lanes}
unplain = (
    *(ast.Dict, ast.Set, ast.List, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    *(ast.Lambda, ast.Try, ast.With, ast.ClassDef, ast.Yield, ast.Await, ast.JoinedStr),
)


class NotPlain(TypeError):
    """A line of a model file does what a compiled lane cannot."""


@dataclass
class Gathered:
    """What was met while rewriting: functions to write too, by name, and codes by number."""

    codes: dict[Code, int]
    helpers: dict[FunctionType, str] = field(default_factory=dict)

    def named(self, function: FunctionType) -> str:
        """A name of its own for a function of the model's, whatever others are called."""
        if function not in self.helpers:
            name, taken = function.__name__, {*reserved, *self.helpers.values()}
            spare = [name, *(f"{name}_{k}" for k in range(len(taken) + 1))]
            self.helpers[function] = next(n for n in spare if n not in taken)
        return self.helpers[function]


def lane_source(model: Model[Any]) -> str:
    """The model's functions as source: `drift`, `worked_out`, `take`, `shown`, and, if any, `noise`
    and `solution`.

    Raises NotPlain where a line uses what lanes do not have.
    """
    met = Gathered({code: number for number, code in enumerate(model.inputs)})
    drift = _plain(model.drift, met, "drift")
    parts = [_lift(drift, "worked_out"), drift]
    if model.solution is not None:
        solution = _plain(model.solution, met, "solution")
        parts += [_lift(solution, "worked_out_once"), solution]
    parts += [_plain(model.take, met, "take"), _plain(model.observe, met, "shown")]
    if model.noise is not None:
        parts.append(_plain(model.noise, met, "noise"))
    done: set[FunctionType] = set()
    while waiting := [f for f in met.helpers if f not in done]:
        done.add(waiting[0])
        parts.insert(0, _plain(waiting[0], met, met.helpers[waiting[0]]))
    return "\n\n".join("@lane\n" + ast.unparse(ast.fix_missing_locations(p)) for p in parts)


def linear_part(model: Model[Any]) -> Structure:
    """Which of the model's states are linear whatever the others do."""
    met = Gathered({code: number for number, code in enumerate(model.inputs)})
    drift = _plain(model.drift, met, "drift")
    return structure(drift, len(model.states), len(model.channels))


def parameter_names(model: Model[Any]) -> tuple[str, ...]:
    """The parameters in their order."""
    return tuple(f.name for f in fields(model.parameters))


def shown_codes(model: Model[Any]) -> tuple[Code, ...]:
    """What the model's sensor shows, in the order of `observe`."""
    told = [getattr(model.parameters(), name) for name in parameter_names(model)]
    p = model.parameters(*[np.array([float(v)]) for v in told])
    return tuple(model.observe(model.start(p), p))


def _plain(function: Callable[..., Any], met: Gathered, name: str) -> ast.FunctionDef:
    tree = _written(function)
    outside = inspect.getclosurevars(inspect.unwrap(function))
    known = {**outside.builtins, **outside.globals, **outside.nonlocals}
    tree = _Plain(known, met, function.__name__).visit(tree)
    tree.name = name
    return tree


def _written(function: Callable[..., Any]) -> ast.FunctionDef:
    """The lines that define the function."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError) as lost:
        raise NotPlain(
            f"the lines of {function!r} cannot be found; define it with def in a file"
        ) from lost
    if not isinstance(tree, ast.FunctionDef):
        raise NotPlain(f"{function!r} is not written with def; write it so, in a file")
    return tree


class _Plain(ast.NodeTransformer):
    """One function, with every name from outside replaced by what it means in a lane."""

    def __init__(self, known: Mapping[str, Any], met: Gathered, where: str) -> None:
        self.known, self.met, self.where = known, met, where

    def refuse(self, node: ast.AST, what: str) -> NotPlain:
        line = getattr(node, "lineno", 0)
        return NotPlain(
            f"line {line} of {self.where}: {what} does not compile; use plain arithmetic and "
            f"the functions of medtwin.maths.functions ({', '.join(lanes.values())})"
        )

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list, node.returns = [], None
        for arg in node.args.args:
            arg.annotation = None
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        body: list[ast.stmt] = []
        for statement in node.body:
            done = self.visit(statement)
            body.extend(done if isinstance(done, list) else [done])
        node.body = body
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, bool):
            return node
        if isinstance(node.value, int | float):
            return _number(float(node.value))
        raise self.refuse(node, repr(node.value))

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        node.value = self.visit(node.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left = self.visit(node.left)
        if isinstance(node.op, ast.Pow):
            return self.raised(node)
        node.right = self.visit(node.right)
        if (
            isinstance(node.op, ast.Sub)
            and _calls(node.left, "tanh")
            and _calls(node.right, "tanh")
        ):
            both = [*cast("ast.Call", node.left).args, *cast("ast.Call", node.right).args]
            return ast.Call(ast.Name("tanh_gap", ast.Load()), both, [])
        return node

    def raised(self, node: ast.BinOp) -> ast.expr:
        """A power: multiplied out where it is whole, a root, or by logarithms."""
        to = _constant(node.right)
        if to is not None and to == int(to):
            node.right = ast.Constant(int(to))
            return node
        if to == 0.5:
            return ast.Call(ast.Name("sqrt", ast.Load()), [node.left], [])
        named = ast.Name("power", ast.Load())
        return ast.Call(named, [node.left, self.visit(node.right)], [])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if node.keywords:
            raise self.refuse(node, "a named argument")
        node.func = self.visit(node.func)
        counts = isinstance(node.func, ast.Name) and node.func.id == "range"
        node.args = node.args if counts else [self.visit(a) for a in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Store) or node.id not in self.known:
            return node
        return self.meaning(node, self.known[node.id])

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id in self.known:
            owner = self.known[node.value.id]
            if isinstance(owner, ModuleType):
                return self.meaning(node, getattr(owner, node.attr))
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        parts: list[ast.expr] = []
        for e in node.elts:
            inner = isinstance(e, ast.Starred) and isinstance(e.value, ast.Tuple)
            parts.extend(e.value.elts if inner else [e])  # type: ignore[union-attr]
        node.elts = [self.visit(e) for e in parts]
        return node

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        if isinstance(node.value, ast.Dict):  # what `observe` shows, in its order
            values = [self.visit(v) for v in node.value.values]
            return ast.Return(ast.Tuple(values, ast.Load()))
        self.generic_visit(node)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, unplain):
            raise self.refuse(node, f"a {type(node).__name__}")
        return super().generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            raise self.refuse(node, "a name without a value")
        return ast.Assign([node.target], self.visit(node.value), lineno=node.lineno)

    def visit_Assign(self, node: ast.Assign) -> Any:
        node.value = self.visit(node.value)
        target = node.targets[0]
        if isinstance(target, ast.Tuple) and isinstance(target.elts[-1], ast.Starred):
            return _unpacked(target, node.value)
        return node

    def meaning(self, node: ast.expr, value: Any) -> ast.expr:
        if isinstance(value, Code):
            number = self.met.codes.setdefault(value, 1000 + len(self.met.codes))
            return ast.Constant(number)
        if isinstance(value, int | float | np.floating):
            return _number(float(value))
        if isinstance(value, Hashable) and value in compiled_lanes:
            return ast.Name(compiled_lanes[value], ast.Load())
        if isinstance(value, FunctionType):
            return ast.Name(self.met.named(value), ast.Load())
        if isinstance(value, tuple) and all(isinstance(v, int | float) for v in value):
            return ast.Tuple([_number(float(v)) for v in value], ast.Load())
        raise self.refuse(node, ast.unparse(node))


def _calls(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _constant(node: ast.expr) -> float | None:
    """The number that is written there, with its sign; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _constant(node.operand)
        return None if inner is None else -inner
    told = node.value if isinstance(node, ast.Constant) else None
    return float(told) if isinstance(told, int | float) else None


def _number(value: float) -> ast.expr:
    return ast.Call(ast.Name("T", ast.Load()), [ast.Constant(value)], [])


def _unpacked(target: ast.Tuple, value: ast.expr) -> list[ast.stmt]:
    """`a, b, *rest = x` in the words that a compiled tuple knows."""
    *first, last = target.elts
    source = ast.unparse(value)
    lines = [f"{ast.unparse(name)} = {source}[{k}]" for k, name in enumerate(first)]
    rest = last.value if isinstance(last, ast.Starred) else last
    lines.append(f"{ast.unparse(rest)} = {source}[{len(first)}:]")
    return ast.parse("\n".join(lines)).body


def _lift(function: ast.FunctionDef, name: str) -> ast.FunctionDef:
    """Take out of a function what depends on parameters alone, into one of this name.

    The function gets one more argument, the tuple of what was worked out.
    """
    person = function.args.args[-1].arg
    lifter = _Lifter(person)
    function.body = [s for s in (lifter.visit(s) for s in function.body) if s is not None]
    names = list(lifter.lifted)
    function.args.args.append(ast.arg("worked"))
    if names:
        given = ast.parse(f"({', '.join(names)},) = worked").body
        function.body = [*given, *function.body]
    lines = [f"    {key} = {ast.unparse(value)}" for key, value in lifter.lifted.items()]
    told = f"({', '.join(names)},)" if names else "(T(0.0),)"
    text = f"def {name}({person}):\n" + "\n".join([*lines, f"    return {told}"])
    return cast("ast.FunctionDef", ast.parse(text).body[0])


class _Lifter(ast.NodeTransformer):
    """Finds the largest expressions of parameters alone, and names them."""

    def __init__(self, person: str) -> None:
        self.person = person
        self.lifted: dict[str, ast.expr] = {}
        self.by_text: dict[str, str] = {}

    def settled(self, node: ast.expr) -> bool:
        """Whether it depends on nothing that changes."""
        called = {id(c.func) for c in ast.walk(node) if isinstance(c, ast.Call)}
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in called]
        return all(n.id == self.person or n.id in self.lifted for n in names)

    def worth(self, node: ast.expr) -> bool:
        work = isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call)
        return work and bool(names_in(node) - {"T"}) and self.settled(node)

    def lift(self, node: ast.expr, name: str = "") -> ast.expr:
        text = ast.unparse(node)
        if text not in self.by_text:
            name = name or f"worked_{len(self.lifted)}"
            self.lifted[name] = node
            self.by_text[text] = name
        return ast.Name(self.by_text[text], ast.Load())

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        target = node.targets[0]
        if isinstance(target, ast.Name) and self.worth(node.value):
            known = self.lift(node.value, target.id)
            if isinstance(known, ast.Name) and known.id == target.id:
                return None
            return ast.Assign([target], known, lineno=node.lineno)
        node.value = self.visit(node.value)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if self.worth(node):
            return self.lift(node)
        if isinstance(node.op, ast.Div) and self.settled(node.right):
            inverse = ast.BinOp(_number(1.0), ast.Div(), node.right)
            factor = self.lift(inverse) if names_in(inverse) - {"T"} else inverse
            return ast.BinOp(self.visit(node.left), ast.Mult(), factor)
        node.left, node.right = self.visit(node.left), self.visit(node.right)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if isinstance(node.func, ast.Name) and node.func.id == "T":
            return node
        if self.worth(node):
            return self.lift(node)
        node.args = [self.visit(a) for a in node.args]
        return node


def names_in(node: ast.AST) -> set[str]:
    """Every name that the expression mentions."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
