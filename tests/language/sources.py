"""What the code says, read from its syntax: the keys that it names, and the texts that it hands to Streamlit."""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import Refusal, sentences
from core.language import Catalogue
from core.settings import ROOT
from dashboard.words import catalogue

CODE = ("core", "dashboard", "pages")
QUOTED = re.compile(r"""["']([a-z_]+\.[a-z0-9_]+)["']""")


@dataclass(frozen=True, slots=True)
class Said:
    """One call that names a sentence: where, which, and the facts given. `has_more`: others come from a mapping."""

    where: str
    catalogue: Catalogue
    key: str
    facts: frozenset[str]
    has_more: bool


@cache
def trees() -> dict[Path, ast.Module]:
    files = (file for folder in CODE for file in sorted((ROOT / folder).rglob("*.py")))
    return {file.relative_to(ROOT): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def refusals() -> set[str]:
    """The names of the refusals: calling one names a sentence of core."""
    found, todo = set(), [Refusal]
    while todo:
        kind = todo.pop()
        found.add(kind.__name__)
        todo.extend(kind.__subclasses__())
    return found


def said() -> Iterator[Said]:
    """Every call that names its sentence in so many words."""
    whose = {"t": catalogue(), **dict.fromkeys(refusals(), sentences())}
    for file, tree in trees().items():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name in whose and call.args and isinstance(call.args[0], ast.Constant):
                given = {keyword.arg for keyword in call.keywords}
                facts = frozenset(fact for fact in given if fact)
                yield Said(f"{file}:{call.lineno}", whose[name], str(call.args[0].value), facts, None in given)


@cache
def constants() -> frozenset[str]:
    """Every string in the code that stands alone, every quoted key of a template, and every name in a data file."""
    found = {
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for template in (ROOT / "core").rglob("*.html"):
        found |= set(QUOTED.findall(template.read_text(encoding="utf-8")))
    for data in (ROOT / "core").rglob("*.toml"):
        if "locales" not in data.parts:
            found |= set(_names(tomllib.loads(data.read_text(encoding="utf-8"))))
    return frozenset(found)


def _names(data: object) -> Iterator[str]:
    """Keys of tables, and short values: what code may make a key of."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _names(value)
    elif isinstance(data, list):
        for value in data:
            yield from _names(value)
    elif isinstance(data, str):
        yield data


@cache
def patterns() -> frozenset[re.Pattern[str]]:
    """Every string with holes, as a pattern with a group for each hole."""
    return frozenset(
        re.compile("".join(_piece(part) for part in node.values))
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and any(isinstance(part, ast.Constant) for part in node.values)
    )


def _piece(part: ast.expr) -> str:
    return re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"([a-z0-9_]+)"


def is_named(text: str, depth: int = 2) -> bool:
    """Whether the code can say `text`: as it stands, or as a string with holes that other strings of it fill."""
    if text in constants():
        return True
    if not depth:
        return False
    matches = (match for pattern in patterns() if (match := pattern.fullmatch(text)))
    return any(all(is_named(hole, depth - 1) for hole in match.groups()) for match in matches)


NOT_WORDS = {"session_state", "query_params", "user", "context", "secrets"}
FIRST_IS_NO_TEXT = {"form", "page_link", "switch_page", "Page", "cache_data", "rerun"}
TEXTS = {"label", "help", "placeholder", "title", "text", "body", "caption", "page_title", "delta_description"}


def shown_texts() -> Iterator[tuple[str, str]]:
    """Every literal that a call on `st` puts before the reader: where, and the text without markup and icons."""
    for file, tree in trees().items():
        if file.parts[0] == "core":
            continue
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            chain = ast.unparse(call.func).split(".")
            if chain[0] != "st" or NOT_WORDS & set(chain):
                continue
            first = [] if chain[-1] in FIRST_IS_NO_TEXT else call.args[:1]
            named = [keyword.value for keyword in call.keywords if keyword.arg in TEXTS]
            for argument in (*first, *named):
                for text in _literals(argument):
                    yield f"{file}:{call.lineno}", re.sub(r"<[^>]*>?|:material/\w+:", "", text)


NO_SCREENS = {"__main__.py", "asgi.py", "compressed.py", "gate.py", "serve.py", "worker.py"}
"""Modules of the dashboard that speak to operators, in logs and on the command line."""


def phrases() -> Iterator[tuple[str, str]]:
    """Every string of two words and more in the code of screens, docstrings aside: where, and without markup."""
    for file, tree in trees().items():
        if file.parts[0] == "core" or file.name in NO_SCREENS:
            continue
        silent = {id(text) for text in _unsaid(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
                text = re.sub(r"<[^>]*>?|:material/\w+:|\{\w+\}", "", node.value)
                if re.search(r"[^\W\d_]{2,}\s+[^\W\d_]{2,}", text):
                    yield f"{file}:{node.lineno}", text


def _unsaid(tree: ast.Module) -> Iterator[ast.expr]:
    """Docstrings, and what is said to the log or to programmers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield node.value
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from node.exc.args
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[0] in ("_log", "log"):
            yield from node.args


def _literals(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))]
    if isinstance(node, ast.IfExp):
        return [*_literals(node.body), *_literals(node.orelse)]
    return []
