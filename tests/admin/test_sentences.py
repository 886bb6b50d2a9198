"""Every deed that is recorded anywhere has its sentence, in every language."""

import ast

from core.access import AccountRole
from core.billing.plans import Status
from core.insights.operations import State
from core.language import LANGUAGES
from core.workspaces.models import AccountKind
from dashboard.words import catalogue
from tests.language.sources import trees

RECORDING = {"record": 2, "record_of_person": 2}
"""The functions of `core.audit` that note a deed, and the position of its name."""


_following: list[tuple[str, int]] = []
"""The names that are being followed, each with its module."""


def _recorders(tree: ast.Module) -> dict[str, int]:
    """How this module calls them: by name, or through the module."""
    called: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "core.audit":
            called |= {one.asname or one.name: RECORDING[one.name] for one in node.names if one.name in RECORDING}
        if isinstance(node, ast.ImportFrom) and node.module == "core":
            for one in node.names:
                if one.name == "audit":
                    called |= {f"{one.asname or one.name}.{name}": at for name, at in RECORDING.items()}
    return called


def _deeds() -> dict[str, list[str]]:
    """Where each deed is recorded. A name that is handed on is followed to the literals in its own module."""
    found: dict[str, list[str]] = {}
    for file, tree in trees().items():
        called = _recorders(tree)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            at = called.get(ast.unparse(call.func))
            if at is None:
                continue
            for deed in _literals(call.args[at], tree, call):
                found.setdefault(deed, []).append(f"{file}:{call.lineno}")
    return found


def _literals(name: ast.expr, tree: ast.Module, at: ast.Call | None = None) -> list[str]:
    """What a name can stand for; `at` is the call that it is given to, which says whose parameter it is."""
    if isinstance(name, ast.Constant):
        return [str(name.value)]
    if isinstance(name, ast.IfExp):
        return [*_literals(name.body, tree, at), *_literals(name.orelse, tree, at)]
    if isinstance(name, ast.Name):
        here = (name.id, id(tree))
        if here in _following:  # one function hands on to the next what it was given itself
            return []
        _following.append(here)
        found = [*_looped(name.id, tree), *_handed_on(name.id, tree, at), *_assigned(name.id, tree)]
        _following.pop()
        assert found, f"nothing is ever given to {name.id}"
        return found
    if isinstance(name, ast.Attribute):
        found = _named(name.attr)
        assert found, f"nothing is ever made with {name.attr}="
        return found
    raise AssertionError(f"the deed {ast.unparse(name)} is not written out")


def _named(attribute: str) -> list[str]:
    """The literals that any call gives by that name: what a description of a deed was made with."""
    given = [
        keyword.value
        for tree in trees().values()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == attribute
    ]
    return [
        text
        for value in given
        for one in ([value.body, value.orelse] if isinstance(value, ast.IfExp) else [value])
        for text in ([str(one.value)] if isinstance(one, ast.Constant) else [])
    ]


def _handed_on(parameter: str, tree: ast.Module, within: ast.Call | None) -> list[str]:
    """The literals that calls, in this module and those that import from it, give to a parameter of that name."""
    found = []
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        names = [argument.arg for argument in function.args.args]
        if parameter not in names or (within is not None and within not in ast.walk(function)):
            continue
        at = names.index(parameter)
        for other in trees().values():
            if other is not tree and not _imports(function.name, other):
                continue
            for call in (node for node in ast.walk(other) if isinstance(node, ast.Call)):
                if ast.unparse(call.func).rpartition(".")[2] == function.name and len(call.args) > at:
                    found += _literals(call.args[at], other, call)
    return found


def _imports(name: str, tree: ast.Module) -> bool:
    imported = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return any(one.name == name for node in imported for one in node.names)


def _assigned(variable: str, tree: ast.Module) -> list[str]:
    """The literals that are ever put into a variable of that name."""
    return [
        text
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [variable]
        for text in _literals(node.value, tree)
    ]


def _looped(variable: str, tree: ast.Module) -> list[str]:
    """The literals that a loop over pairs written out gives to its variable of that name."""
    found = []
    for loop in (node for node in ast.walk(tree) if isinstance(node, ast.For)):
        if not isinstance(loop.target, ast.Tuple) or not isinstance(loop.iter, ast.Tuple | ast.List):
            continue
        names = [ast.unparse(one) for one in loop.target.elts]
        if variable in names:
            pairs = [one for one in loop.iter.elts if isinstance(one, ast.Tuple)]
            found += [text for one in pairs for text in _literals(one.elts[names.index(variable)], tree)]
    return found


def test_every_deed_has_its_sentence() -> None:
    deeds = _deeds()
    assert {"staff_visit_began", "staff_visit_ended", "plan_granted", "job_retried", "staff_made"} <= deeds.keys(), (
        "the reading of the code sees what it should"
    )
    missing = {
        (language, deed, *where)
        for language in LANGUAGES
        for deed, where in deeds.items()
        if f"audit.{deed}" not in catalogue().keys(language)
    }
    assert missing == set()


def test_every_state_has_its_word() -> None:
    """The page puts these keys together from what the database holds."""
    keys = {
        *(f"paid_{one}" for one in (*Status, "none")),
        *(f"of_{one}" for one in AccountKind),
        *(f"role_{one}" for one in AccountRole),
        *(f"state_{one}" for one in State),
    }
    assert {f"admin.{key}" for key in keys} - catalogue().keys("en") == set()
