"""Calls a list of deployments, in order, under one deadline: our own retries, and a breaker for each.

The SDKs' own retries are off: they wait for minutes, and repeat what an empty purse refused.
"""

import random
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from core.ai.protocol import AIError, Delta, ErrorKind, Provider, Request, Result, Usage, estimated_usage

SAME_AGAIN = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE, ErrorKind.PROTOCOL})
"""Worth another try where it happened."""
SICK = SAME_AGAIN | {ErrorKind.TIMEOUT, ErrorKind.QUOTA, ErrorKind.AUTH}
"""Says something about the deployment, and counts for its breaker."""
FINAL = frozenset({ErrorKind.BAD_REQUEST})
"""Our own mistake: no other deployment would like it better."""

FIRST_WAIT = 0.25
LONGEST_WAIT = 10.0
WAIT_WITH_A_FALLBACK = 0.5
"""Seconds: nobody waits longer for one deployment while another is ready."""
SHARE_OF_TIME = 0.6
"""Of what is left of the deadline, for a deployment that has others behind it."""


class Breaker:
    """Lets a failing deployment rest: skipped for `rest` seconds after `failures` in a row, then probed by one call."""

    def __init__(self, *, failures: int = 3, rest: float = 20.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = failures
        self._rest = rest
        self._clock = clock
        self._count = 0
        self._until = 0.0
        self._probing = False
        self._lock = threading.Lock()

    def lets_through(self) -> bool:
        with self._lock:
            if self._count < self._failures:
                return True
            if self._clock() < self._until or self._probing:
                return False
            self._probing = True
            return True

    def worked(self) -> None:
        with self._lock:
            self._count = 0
            self._probing = False

    def failed(self, rest: float | None = None) -> None:
        """Count a failure. `rest`: seconds that the vendor asked to be left alone, when longer than ours."""
        with self._lock:
            self._count += 1
            self._probing = False
            self._until = self._clock() + max(self._rest, rest or 0.0)

    def undecided(self) -> None:
        """The call ended without saying anything about the deployment."""
        with self._lock:
            self._probing = False


@dataclass(frozen=True)
class Deployment:
    """One model at one provider. `thinking_room`: tokens allowed on top of the visible answer."""

    provider: Provider
    model: str
    thinking_room: int = 0
    takes_temperature: bool = False
    breaker: Breaker = field(default_factory=Breaker, compare=False)

    def fitted(self, request: Request) -> Request:
        return replace(
            request,
            max_output=request.max_output + self.thinking_room,
            temperature=request.temperature if self.takes_temperature else None,
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call, for the ledger. `outcome`: ok, cancelled, skipped (breaker) or an ErrorKind. `usage` None: unknown."""

    provider: str
    model: str
    served_model: str | None
    outcome: str
    usage: Usage | None
    seconds: float
    status: int | None = None
    request_id: str | None = None
    purpose: str = "draft"
    """draft, repair, escalation, shadow or moderation."""
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Restarted:
    """What has been streamed so far is void: the answer begins again."""


Settle = Callable[[Attempt], None]
Gate = Callable[[Deployment, Request], Settle | None]
"""Asked before each call, with the very model that will bill: what to do with its attempt, or None to forbid it."""


def _open(_deployment: Deployment, _request: Request) -> Settle:
    return lambda _attempt: None


_Call = Callable[[Deployment, Request, float], Generator[Delta | Result]]


def _streamed(deployment: Deployment, request: Request, seconds: float) -> Generator[Delta | Result]:
    return deployment.provider.stream(deployment.model, request, seconds)


def _whole(deployment: Deployment, request: Request, seconds: float) -> Generator[Delta | Result]:
    yield deployment.provider.complete(deployment.model, request, seconds)


class Run:
    """One request on its way through a chain. It is called once.

    `attempts` is complete whenever `stream` or `complete` has ended, however it ended.
    """

    def __init__(
        self, chain: "Chain", request: Request, seconds: float, *, gate: Gate, purpose: str, tier: str | None
    ) -> None:
        self._chain = chain
        self._request = request
        self._deadline = chain.clock() + seconds
        self._gate = gate
        self._purpose = purpose
        self._tier = tier
        self._spoken = False
        self._settle: Settle | None = None
        self.attempts: list[Attempt] = []

    def stream(self) -> Generator[Delta | Restarted | Result]:
        """Deltas, perhaps Restarted and more Deltas, last the Result. Raises the AIError that nothing could mend."""
        yield from self._tried(_streamed)

    def complete(self) -> Result:
        """The whole answer at once. Raises the AIError that nothing could mend."""
        *_, result = self._tried(_whole)
        if not isinstance(result, Result):
            raise AIError(ErrorKind.PROTOCOL, "no result")
        return result

    def _tried(self, call: _Call) -> Generator[Delta | Restarted | Result]:
        last: AIError | None = None
        for position, deployment in enumerate(self._chain.deployments):
            if not deployment.breaker.lets_through():
                self._note(deployment, "skipped", Usage(), 0.0)
                continue
            tries = 0
            while True:
                tries += 1
                try:
                    yield from self._one(call, deployment, self._share(position, last))
                    return
                except AIError as problem:
                    if last is None or problem.kind is not ErrorKind.OVER_BUDGET:
                        last = problem
                    if problem.kind in FINAL:
                        raise
                    if not self._wait_for_another_try(problem, tries, position):
                        break
        raise last or AIError(ErrorKind.UNAVAILABLE, "every deployment is resting")

    def _one(self, call: _Call, deployment: Deployment, seconds: float) -> Generator[Delta | Restarted | Result]:
        if self._spoken:
            self._spoken = False
            yield Restarted()
        request = deployment.fitted(self._request)
        self._settle = self._gate(deployment, request)
        if self._settle is None:
            deployment.breaker.undecided()
            self._note(deployment, str(ErrorKind.OVER_BUDGET), Usage(), 0.0)
            raise AIError(ErrorKind.OVER_BUDGET, "no money left for it")
        started = self._chain.clock()
        said: list[str] = []
        settled = False
        try:
            with closing(call(deployment, request, seconds)) as pieces:
                for piece in pieces:
                    if isinstance(piece, Delta):
                        self._spoken = True
                        said.append(piece.text)
                    else:
                        settled = True
                        deployment.breaker.worked()
                        self._note_result(deployment, piece, self._chain.clock() - started)
                    yield piece
        except AIError as problem:
            settled = True
            self._judge(deployment, problem)
            self._note_error(deployment, problem, self._chain.clock() - started)
            raise
        finally:
            if not settled:
                deployment.breaker.undecided()
                usage = estimated_usage(request, "".join(said)) if said else None
                self._note(deployment, "cancelled", usage, self._chain.clock() - started)

    def _share(self, position: int, last: AIError | None) -> float:
        left = self._deadline - self._chain.clock()
        if left <= 0:
            raise last or AIError(ErrorKind.TIMEOUT, "no time left")
        return left if position == len(self._chain.deployments) - 1 else left * SHARE_OF_TIME

    def _wait_for_another_try(self, problem: AIError, tries: int, position: int) -> bool:
        """Wait and say yes when another try at the same deployment is worth it."""
        if problem.kind not in SAME_AGAIN or tries > self._chain.retries:
            return False
        # Jitter keeps many workers from coming back at the same moment; nothing secret hangs on it.
        pause = FIRST_WAIT * 2 ** (tries - 1) * random.uniform(0.75, 1.25)  # noqa: S311
        wait = pause if problem.retry_after is None else problem.retry_after
        is_last = position == len(self._chain.deployments) - 1
        if wait > (LONGEST_WAIT if is_last else WAIT_WITH_A_FALLBACK):
            return False
        if self._chain.clock() + wait >= self._deadline:
            return False
        self._chain.sleep(wait)
        return True

    def _judge(self, deployment: Deployment, problem: AIError) -> None:
        if problem.kind in SICK:
            deployment.breaker.failed(problem.retry_after)
        else:
            # A refusal or a filter is an answer: the deployment works.
            deployment.breaker.worked()

    def _note_result(self, deployment: Deployment, result: Result, seconds: float) -> None:
        self._note(
            deployment, "ok", result.usage, seconds, served_model=result.served_model, request_id=result.request_id
        )

    def _note_error(self, deployment: Deployment, problem: AIError, seconds: float) -> None:
        self._note(
            deployment,
            problem.kind,
            problem.usage,
            seconds,
            served_model=problem.served_model,
            status=problem.status,
            request_id=problem.request_id,
        )

    def _note(
        self,
        deployment: Deployment,
        outcome: str,
        usage: Usage | None,
        seconds: float,
        *,
        served_model: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        attempt = Attempt(
            deployment.provider.name,
            deployment.model,
            served_model,
            outcome,
            usage,
            seconds,
            status,
            request_id,
            self._purpose,
            self._tier,
        )
        self.attempts.append(attempt)
        settle, self._settle = self._settle, None
        if settle is not None:
            settle(attempt)


class Chain:
    """An explicit list of deployments: nothing that is not on it is ever called."""

    def __init__(
        self,
        deployments: Sequence[Deployment],
        *,
        retries: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.deployments = tuple(deployments)
        self.retries = retries
        self.clock = clock
        self.sleep = sleep

    def run(
        self,
        request: Request,
        seconds: float,
        *,
        gate: Gate = _open,
        purpose: str = "draft",
        tier: str | None = None,
    ) -> Run:
        """Prepare one request; its deadline, for all deployments and tries together, starts now."""
        return Run(self, request, seconds, gate=gate, purpose=purpose, tier=tier)
