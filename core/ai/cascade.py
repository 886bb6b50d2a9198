"""Draft on the model that the task needs, check, repair once, ask the larger model once, and say what is still wrong.

What a draft must be is cheap to check and dear to buy: so the small model writes first, and only a check that failed
buys more. Every call goes through the same gate, so none is made that the budget has no room for.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

from core.ai.chain import Attempt, Gate, Restarted, Run
from core.ai.protocol import AIError, Delta, ErrorKind, Request, Result, Usage
from core.ai.providers import Choice
from core.ai.routing import Route

Check = Callable[[Result], tuple[str, ...]]
"""The names of the checks that an answer fails; none for a good one. A name is shown as `content.check_<name>`."""
MENDABLE = frozenset({ErrorKind.INVALID_OUTPUT, ErrorKind.TRUNCATED})
"""Answers that are none, and that the same request may well get another time."""
REPAIR_SHARE = 0.5
"""Of what is left of the deadline, for a repair that an escalation can follow."""


@dataclass(slots=True)
class Outcome:
    """The best answer there was, the checks that it fails, and every call on the way, in order."""

    result: Result
    route: Route
    failed: tuple[str, ...]
    was_repaired: bool = False
    was_escalated: bool = False
    error: AIError | None = None
    """Why `result` is none to be shown, as long as nothing better came."""


@dataclass(slots=True)
class Cascade:
    """One request on its way. `attempts` is complete whenever `stream` or `complete` has ended, however it ended.

    `failed_first` are the checks that the first draft failed.
    """

    choice: Choice
    request: Request
    check: Check
    gate: Gate
    seconds: float
    explained: Mapping[str, str] = field(default_factory=dict)
    """What a failed check means, for the model."""
    attempts: list[Attempt] = field(default_factory=list)
    failed_first: tuple[str, ...] = ()

    def stream(self) -> Generator[Delta | Restarted | Outcome]:
        """Deltas, perhaps Restarted and more Deltas, last the Outcome. Raises AIError when nothing at all came."""
        yield from self._run(whole=False)

    def complete(self) -> Outcome:
        """The same at once: what typed answers are asked for with."""
        *_, outcome = self._run(whole=True)
        if not isinstance(outcome, Outcome):
            raise TypeError(type(outcome))
        return outcome

    def _run(self, *, whole: bool) -> Generator[Delta | Restarted | Outcome]:
        began = self.choice.chain.clock()
        best = yield from self._first(whole=whole)
        self.failed_first = best.failed
        if best.failed:
            left = self._left(began) * (REPAIR_SHARE if self.choice.larger else 1)
            best = yield from self._again(best, self.choice, self._repair(best), left, "repair", whole=whole)
            best.was_repaired = True
        if best.failed and self.choice.larger:
            left = self._left(began)
            best = yield from self._again(best, self.choice.larger, self.request, left, "escalation", whole=whole)
            best.was_escalated = True
        if best.error is not None:
            raise best.error
        yield best

    def _first(self, *, whole: bool) -> Generator[Delta | Restarted, None, Outcome]:
        """The first draft. One that broke off or has another shape is a draft that fails, and can be written again."""
        try:
            for piece in self._pieces(self.choice, self.request, self.seconds, "draft", whole=whole):
                if isinstance(piece, Result):
                    return Outcome(piece, self._route(self.choice, piece), self.check(piece))
                yield piece
        except AIError as problem:
            if problem.kind not in MENDABLE:
                raise
            first = self.choice.chain.deployments[0]
            broken = Result(problem.partial, problem.usage or Usage(), first.provider.name, first.model, None, None)
            return Outcome(broken, self.choice.routes[0], (problem.kind,), error=problem)
        raise TypeError("a run ended without its result")

    def _again(
        self, best: Outcome, choice: Choice, request: Request, seconds: float, purpose: str, *, whole: bool
    ) -> Generator[Delta | Restarted | Outcome, None, Outcome]:
        """Another try; the better of the two. What fails on the way leaves the draft that is there."""
        if seconds <= 0:
            return best
        shown = False
        try:
            pieces = self._pieces(choice, request, seconds, purpose, whole=whole)
            result: Result | None = None
            for piece in pieces:
                if isinstance(piece, Result):
                    result = piece
                elif not shown:
                    shown = True
                    yield Restarted()
                    yield piece
                else:
                    yield piece
        except AIError:
            result = None
        better = None if result is None else self._better(best, choice, result)
        if better is None and shown:
            yield Restarted()
            if best.error is None:
                yield Delta(best.result.text)
        return better or best

    def _better(self, best: Outcome, choice: Choice, result: Result) -> Outcome | None:
        failed = self.check(result)
        if best.error is None and len(failed) >= len(best.failed):
            return None
        return replace(best, result=result, route=self._route(choice, result), failed=failed, error=None)

    def _pieces(
        self, choice: Choice, request: Request, seconds: float, purpose: str, *, whole: bool
    ) -> Generator[Delta | Restarted | Result]:
        tier = choice.routes[0].tier
        run: Run = choice.chain.run(request, seconds, gate=self.gate, purpose=purpose, tier=tier)
        try:
            if whole:
                yield run.complete()
            else:
                with closing(run.stream()) as pieces:
                    yield from pieces
        finally:
            self.attempts += run.attempts

    def _repair(self, best: Outcome) -> Request:
        """The same request, with the draft and what is wrong with it. The draft is data as everything else there."""
        if best.error is not None:
            return self.request
        wrong = "; ".join(self.explained.get(name, name.replace("_", " ")) for name in dict.fromkeys(best.failed))
        told = (
            f"<draft>\n{_unmarked(best.result.text)}\n</draft>\nWhat is wrong with the draft: {wrong}. Write it again."
        )
        return replace(self.request, user=f"{self.request.user}\n{told}")

    def _route(self, choice: Choice, result: Result) -> Route:
        served = ((one, route) for one, route in zip(choice.chain.deployments, choice.routes, strict=True))
        found = (route for one, route in served if (one.provider.name, one.model) == (result.provider, result.model))
        return next(found, choice.routes[0])

    def _left(self, began: float) -> float:
        return self.seconds - (self.choice.chain.clock() - began)


def _unmarked(text: str) -> str:
    """Without the signs that marks are made of, so that no draft ends its block."""
    return text.replace("<", "‹").replace(">", "›")
