"""Small faults that can be planted in a module: one change each of a comparison, an operator, a constant, a return.

Ours rather than a package's: mutmut and cosmic-ray would be a dependency for four pure modules, and start an
interpreter or rewrite the module for each fault.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_TWINS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Fault:
    """`what` says the change in words, `function` is the dotted name around it, "" at the level of the module."""

    line: int
    function: str
    what: str
    plant: Callable[[], None]


def faults(tree: ast.Module) -> list[Fault]:
    """Each fault that can be planted in the tree, in a fixed order. `plant` changes this very tree."""
    return list(_in_body(tree, ""))


def planted(source: str, number: int) -> ast.Module:
    """The module with one fault."""
    tree = ast.parse(source)
    faults(tree)[number].plant()
    return ast.fix_missing_locations(tree)


def _in_body(node: ast.AST, function: str) -> Iterator[Fault]:
    """Depth first. What is only type or documentation is left alone."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        children = value if isinstance(value, list) else [value]
        for place, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_documentation(child):
                continue
            for fault in _at(child, node, name, place if isinstance(value, list) else None):
                yield Fault(getattr(child, "lineno", 0), function, fault[0], fault[1])
            inner = function
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = f"{function}.{child.name}".strip(".")
            yield from _in_body(child, inner)


def _is_documentation(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Import | ast.ImportFrom)


_Change = tuple[str, Callable[[], None]]


def _at(node: ast.AST, parent: ast.AST, field: str, place: int | None) -> Iterator[_Change]:
    def put(other: ast.AST) -> Callable[[], None]:
        def change() -> None:
            if place is None:
                setattr(parent, field, other)
            else:
                getattr(parent, field)[place] = other

        return change

    match node:
        case ast.Compare():
            for number, operator in enumerate(node.ops):
                other = _COMPARISONS[type(operator)]
                yield f"{_name(operator)} for {_name(other())}", _set(node.ops, number, other())
        case ast.BinOp() if type(node.op) in _OPERATORS:
            other_op = _OPERATORS[type(node.op)]
            yield f"{_name(node.op)} for {_name(other_op())}", _set(vars(node), "op", other_op())
        case ast.BoolOp():
            other_bool = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield f"{_name(node.op)} for {_name(other_bool)}", _set(vars(node), "op", other_bool)
        case ast.UnaryOp() if isinstance(node.op, ast.Not | ast.USub):
            yield f"{_name(node.op)} left out", put(node.operand)
        case ast.Constant():
            yield from _of_constant(node)
        case ast.Return() if node.value is not None and not _is_none(node.value):
            yield "nothing returned", _set(vars(node), "value", ast.Constant(None))
        case ast.Raise() | ast.AugAssign() | ast.Expr() | ast.Continue() | ast.Break():
            yield f"{type(node).__name__} left out", put(ast.copy_location(ast.Pass(), node))
        case ast.Name() if node.id in _TWINS and isinstance(node.ctx, ast.Load):
            yield f"{node.id} for {_TWINS[node.id]}", _set(vars(node), "id", _TWINS[node.id])
        case ast.Call() if len(node.args) > 1 and ast.dump(node.args[0]) != ast.dump(node.args[1]):
            yield "two arguments swapped", _set(vars(node), "args", [node.args[1], node.args[0], *node.args[2:]])
    if _is_condition(node, parent, field) and isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript):
        yield "condition turned round", put(ast.copy_location(ast.UnaryOp(ast.Not(), node), node))


def _of_constant(node: ast.Constant) -> Iterator[_Change]:
    match node.value:
        case bool():
            yield f"{node.value} for {not node.value}", _set(vars(node), "value", not node.value)
        case int():
            yield f"{node.value} for {node.value + 1}", _set(vars(node), "value", node.value + 1)
        case str() if node.value:
            yield f"{node.value!r} changed", _set(vars(node), "value", f"XX{node.value}")


def _is_condition(node: ast.AST, parent: ast.AST, field: str) -> bool:
    return (field == "test" and isinstance(parent, ast.If | ast.IfExp | ast.While)) or (
        field == "ifs" and isinstance(parent, ast.comprehension)
    )


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _name(operator: ast.AST) -> str:
    return type(operator).__name__


def _set(where: list | dict, key: int | str, value: object) -> Callable[[], None]:  # type: ignore[type-arg]
    def change() -> None:
        where[key] = value  # type: ignore[call-overload]

    return change
