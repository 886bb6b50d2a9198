"""The few ways to the database and to a scope, as the code's syntax shows them."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import core
from core.use_case import DOORS

FOLDERS = ("core", "dashboard", "pages")

ONLY_IN = {
    "transaction": {"core/use_case.py"},
    "own_connection": {"core/use_case.py"},
    "sessions": {"core/own_connection.py"},
    "look_as": {"core/workspaces/service.py"},
    "new_account_id": {"core/workspaces/service.py"},
    "new_workspace_id": {"core/workspaces/service.py"},
}
"""Names of `OPENERS` that let rows be seen, and the modules beside their own that say them."""
OPENERS = frozenset({"core.db", "core.own_connection"})


@pytest.fixture(scope="session")
def trees(repository: Path) -> dict[str, ast.Module]:
    return {
        str(file.relative_to(repository)): ast.parse(file.read_text(encoding="utf-8"))
        for folder in FOLDERS
        for file in sorted((repository / folder).rglob("*.py"))
    }


def _taken_from_openers(tree: ast.Module) -> Iterator[str]:
    """What a module takes from `OPENERS`, imported by name or reached through the module."""
    aliases = set(OPENERS)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in OPENERS:
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module == "core":
            aliases |= {alias.asname or alias.name for alias in node.names if f"core.{alias.name}" in OPENERS}
        if isinstance(node, ast.Import):
            aliases |= {alias.asname for alias in node.names if alias.name in OPENERS and alias.asname}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in aliases:
            yield node.attr


@pytest.mark.parametrize("name", sorted(ONLY_IN))
def test_what_opens_the_database_is_named_only_where_it_may_be(name: str, trees: dict[str, ast.Module]) -> None:
    users = {file for file, tree in trees.items() if name in _taken_from_openers(tree)}
    assert users == ONLY_IN[name]


def test_a_scope_is_made_in_two_places_only(trees: dict[str, ast.Module]) -> None:
    makers = {
        file
        for file, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rsplit(".", 1)[-1] == "Scope"
    }
    assert makers <= {"core/access.py", "core/workspaces/service.py"}


def test_only_the_frame_asks_who_is_there(trees: dict[str, ast.Module]) -> None:
    """Pages get a scope from the viewer; a user's id never comes from a page."""
    askers = {
        file
        for file, tree in trees.items()
        if file.startswith(("dashboard/", "pages/"))
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and ast.unparse(node) == "st.user")
        or (isinstance(node, ast.alias) and node.name == "open_scope")
    }
    assert askers == {"dashboard/viewing.py"}


def test_every_open_door_says_why_it_is_open() -> None:
    for module in walk_packages(core.__path__, "core."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    doors = [door for door in DOORS.values() if door.name.startswith("core.")]
    assert doors
    unexplained = [door.name for door in doors if door.permission is None and len(door.why.split()) < 4]
    assert unexplained == []
