"""How much a draft that reckons is to be doubted, by what can be seen in it. Pure.

No length of the prompt and no name of a task tells whether a small model's sums are right; the draft itself does: a
calculation that does not come out, an answer that is no number, a number of the question that was never used, a
sentence that takes back the one before. Weights are those of a logistic regression over GSM8K answers of a small model
(`python3 -m bench routing`, which fits them out of fold to say what they are worth).
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, DivisionByZero, InvalidOperation

_NUMBER = re.compile(r"\$?\d[\d,]*(?:\.\d+)?")
_SUM = re.compile(r"((?:\$?\d[\d,]*(?:\.\d+)?\s*[-+*/x×÷]\s*)+\$?\d[\d,]*(?:\.\d+)?)\s*=\s*\$?(-?\d[\d,]*(?:\.\d+)?)")
_NOTED = re.compile(r"<<([^=<>]+)=([^<>]+)>>")
"""A sum that a model noted down beside its text, as it was taught to."""
_ANSWER = re.compile(r"####\s*(\S.*)")
_WAVERS = re.compile(
    r"\b(?:however|actually|but|mistake|wait|assum\w*|approximately|about|round\w*|cannot|can't|doesn't|not possible"
    r"|unknown|correct\w*|let's|equation|if we)\b",
    re.I,
)
_ADJACENT = Decimal("0.011")
"""How far a stated result may be from the sum: a cent, so that rounding is no error."""

_DEEDS: Mapping[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

WEIGHTS: Mapping[str, float] = {
    "wrong_sums": 0.797,
    "wrong_notes": 1.517,
    "sums": -0.145,
    "no_number": 1.852,
    "broken_number": 3.034,
    "negative": -0.465,
    "copied": -0.133,
    "magnitude": 0.052,
    "question_length": 0.790,
    "unused": 2.032,
    "invented": -0.974,
    "wavers": 0.582,
    "length": 1.232,
    "lines": -0.537,
}
BIAS = -1.829


DOUBTED = 0.55
"""From here on the large model is asked: where its quality is kept to nine tenths for the least money."""


def features(question: str, draft: str) -> dict[str, float]:
    """What speaks for and against a draft, by name. An answer is what a line `#### answer` gives."""
    asked, written = _numbers(question), _numbers(draft)
    answer = _answer(draft)
    value = _decimal(answer)
    return {
        "wrong_sums": float(sum(not _holds(left, right) for left, right in _SUM.findall(_NOTED.sub("", draft)))),
        "wrong_notes": float(any(not _holds(left, right) for left, right in _NOTED.findall(draft))),
        "sums": float(len(_SUM.findall(draft))),
        "no_number": float(value is None),
        "broken_number": float(value is not None and value != value.to_integral_value()),
        "negative": float(value is not None and value < 0),
        "copied": float(value in asked),
        "magnitude": math.log1p(abs(float(value))) if value is not None else 0.0,
        "question_length": len(question) / 300,
        "unused": 1 - sum(number in written for number in asked) / len(asked) if asked else 0.0,
        "invented": len(written - asked) / 10,
        "wavers": float(bool(_WAVERS.search(draft))),
        "length": len(draft) / 500,
        "lines": draft.count("\n") / 10,
    }


def doubt(question: str, draft: str) -> float:
    """The probability that the draft is wrong, from 0 to 1."""
    found = features(question, draft)
    leaning = BIAS + sum(weight * found[name] for name, weight in WEIGHTS.items())
    return 1 / (1 + math.exp(-leaning))


def _numbers(text: str) -> set[Decimal]:
    return {number for found in _NUMBER.findall(text) if (number := _decimal(found)) is not None}


def _answer(draft: str) -> str:
    stated = _ANSWER.findall(draft)
    return stated[-1] if stated else ""


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace("$", "").replace(",", "").strip().rstrip("."))
    except InvalidOperation:
        return None


def _holds(left: str, right: str) -> bool:
    """Whether a sum comes out. One that cannot be reckoned says nothing."""
    stated = _decimal(right)
    plain = left.replace("$", "").replace(",", "").replace("x", "*").replace("×", "*").replace("÷", "/")
    try:
        result = _reckoned(ast.parse(re.sub(r"\b0+(?=\d)", "", plain.strip()), mode="eval").body)
    except (SyntaxError, InvalidOperation, DivisionByZero, KeyError, ValueError):
        return True
    return stated is None or abs(result - stated) <= max(_ADJACENT, abs(result) / 150)


def _reckoned(node: ast.expr) -> Decimal:
    if isinstance(node, ast.BinOp):
        return _DEEDS[type(node.op)](_reckoned(node.left), _reckoned(node.right))
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Decimal(str(node.value))
    raise ValueError(ast.dump(node))
