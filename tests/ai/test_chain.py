"""One deadline, our own tries, an explicit list, a breaker each. Providers here are scripts; the wire is elsewhere."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from core.ai.chain import Breaker, Chain, Deployment, Restarted
from core.ai.protocol import AIError, Delta, ErrorKind, Request, Result, Usage

ASKED = Request("You write.", "about: the sea", 50, temperature=0.7)
USAGE = Usage(input=10, output=5)


class Clock:
    """Time that passes only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Scripted:
    """Answers each call by the next step: a text, or an error after a few words."""

    clock: Clock
    steps: list[str | AIError]
    name: str = "first"
    takes: float = 1.0
    asked: list[tuple[str, Request, float]] = field(default_factory=list)

    def complete(self, model: str, request: Request, seconds: float) -> Result:
        *_, result = self.stream(model, request, seconds)
        assert isinstance(result, Result)
        return result

    def stream(self, model: str, request: Request, seconds: float) -> Generator[Delta | Result]:
        self.asked.append((model, request, seconds))
        step = self.steps.pop(0)
        self.clock.now += min(self.takes, seconds)
        if isinstance(step, AIError):
            if step.partial:
                yield Delta(step.partial)
            raise step
        yield Delta(step)
        yield Result(step, USAGE, self.name, model, None, "req")


def no(kind: ErrorKind, retry_after: float | None = None, partial: str = "") -> AIError:
    return AIError(kind, retry_after=retry_after, partial=partial)


def outcomes(pieces: Iterator[object]) -> tuple[str, list[object]]:
    heard = list(pieces)
    last = heard[-1]
    assert isinstance(last, Result)
    return last.text, heard


def chain_of(clock: Clock, *providers: Scripted, **more: object) -> Chain:
    deployments = [Deployment(one, f"{one.name}-model", breaker=Breaker(clock=clock)) for one in providers]
    return Chain(deployments, clock=clock, sleep=clock.sleep, **more)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tries(chain: Chain, seconds: float = 60.0) -> tuple[str, Sequence[str], list[object]]:
    run = chain.run(ASKED, seconds)
    text, heard = outcomes(run.stream())
    return text, [attempt.outcome for attempt in run.attempts], heard


@pytest.mark.parametrize("kind", [ErrorKind.UNAVAILABLE, ErrorKind.PROTOCOL, ErrorKind.RATE_LIMITED])
def test_a_passing_failure_is_tried_again_where_it_happened(clock: Clock, kind: ErrorKind) -> None:
    only = Scripted(clock, [no(kind), "sea"])
    assert tries(chain_of(clock, only))[:2] == ("sea", [kind, "ok"])
    assert len(clock.slept) == 1


@pytest.mark.parametrize("kind", [ErrorKind.QUOTA, ErrorKind.AUTH, ErrorKind.TIMEOUT, ErrorKind.REFUSED])
def test_what_will_not_pass_goes_to_the_next_at_once(clock: Clock, kind: ErrorKind) -> None:
    first, second = Scripted(clock, [no(kind)]), Scripted(clock, ["sea"], "second")
    assert tries(chain_of(clock, first, second))[:2] == ("sea", [kind, "ok"])
    assert clock.slept == []


def test_our_own_mistake_goes_nowhere_else(clock: Clock) -> None:
    first, second = Scripted(clock, [no(ErrorKind.BAD_REQUEST)]), Scripted(clock, ["sea"], "second")
    with pytest.raises(AIError) as raised:
        tries(chain_of(clock, first, second))
    assert raised.value.kind is ErrorKind.BAD_REQUEST
    assert second.asked == []


def test_the_wait_that_a_vendor_asks_for_is_kept_when_it_is_the_last(clock: Clock) -> None:
    only = Scripted(clock, [no(ErrorKind.RATE_LIMITED, 3.0), "sea"])
    assert tries(chain_of(clock, only))[0] == "sea"
    assert clock.slept == [3.0]


def test_nobody_waits_while_another_is_ready(clock: Clock) -> None:
    first, second = Scripted(clock, [no(ErrorKind.RATE_LIMITED, 3.0)]), Scripted(clock, ["sea"], "second")
    assert tries(chain_of(clock, first, second))[1] == [ErrorKind.RATE_LIMITED, "ok"]
    assert clock.slept == []


@pytest.mark.parametrize("asked", [11.0, 4_294_967.0])
def test_no_vendor_makes_us_wait_for_long(clock: Clock, asked: float) -> None:
    only = Scripted(clock, [no(ErrorKind.RATE_LIMITED, asked)])
    with pytest.raises(AIError) as raised:
        tries(chain_of(clock, only))
    assert raised.value.retry_after == asked
    assert clock.slept == []


def test_one_deadline_for_all(clock: Clock) -> None:
    first = Scripted(clock, [no(ErrorKind.TIMEOUT)], takes=100)
    second = Scripted(clock, [no(ErrorKind.TIMEOUT)], "second", takes=100)
    with pytest.raises(AIError) as raised:
        tries(chain_of(clock, first, second), seconds=10)
    assert raised.value.kind is ErrorKind.TIMEOUT
    assert [round(seconds, 6) for *_, seconds in first.asked + second.asked] == [6.0, 4.0]
    assert clock.now == pytest.approx(10.0)


def test_a_new_beginning_is_announced(clock: Clock) -> None:
    first = Scripted(clock, [no(ErrorKind.TIMEOUT, partial="once upon")])
    second = Scripted(clock, ["sea"], "second")
    _, _, heard = tries(chain_of(clock, first, second))
    assert heard[:3] == [Delta("once upon"), Restarted(), Delta("sea")]


def test_nothing_is_announced_when_nothing_was_said(clock: Clock) -> None:
    first, second = Scripted(clock, [no(ErrorKind.QUOTA)]), Scripted(clock, ["sea"], "second")
    assert Restarted() not in tries(chain_of(clock, first, second))[2]


def test_a_breaker_rests_then_probes_once(clock: Clock) -> None:
    first = Scripted(clock, [no(ErrorKind.QUOTA)] * 3 + ["better"], takes=0)
    second = Scripted(clock, ["sea"] * 9, "second", takes=0)
    chain = chain_of(clock, first, second)
    for _ in range(3):
        assert tries(chain)[1] == [ErrorKind.QUOTA, "ok"]
    assert tries(chain)[1] == ["skipped", "ok"]
    assert len(first.asked) == 3
    clock.now += 21
    assert tries(chain)[:2] == ("better", ["ok"])


def test_only_one_call_probes(clock: Clock) -> None:
    breaker = Breaker(failures=1, rest=20, clock=clock)
    breaker.failed()
    assert not breaker.lets_through()
    clock.now = 20
    assert breaker.lets_through()
    assert not breaker.lets_through()
    breaker.undecided()
    assert breaker.lets_through()
    breaker.worked()
    assert breaker.lets_through()


def test_a_breaker_rests_as_long_as_it_is_asked_to(clock: Clock) -> None:
    breaker = Breaker(failures=1, rest=20, clock=clock)
    breaker.failed(60)
    clock.now = 59
    assert not breaker.lets_through()
    clock.now = 60
    assert breaker.lets_through()


def test_a_refusal_does_not_make_a_deployment_sick(clock: Clock) -> None:
    only = Scripted(clock, [no(ErrorKind.REFUSED) for _ in range(5)] + ["sea"])
    chain = chain_of(clock, only)
    for _ in range(5):
        with pytest.raises(AIError, match="refused"):
            tries(chain)
    assert tries(chain)[0] == "sea"


def test_every_deployment_resting_is_said(clock: Clock) -> None:
    only = Scripted(clock, [no(ErrorKind.AUTH) for _ in range(3)])
    chain = chain_of(clock, only)
    for _ in range(3):
        with pytest.raises(AIError):
            tries(chain)
    run = chain.run(ASKED, 60)
    with pytest.raises(AIError) as raised:
        list(run.stream())
    assert raised.value.kind is ErrorKind.UNAVAILABLE
    assert [attempt.outcome for attempt in run.attempts] == ["skipped"]
    assert len(only.asked) == 3


def test_leaving_early_is_an_attempt_with_an_estimate(clock: Clock) -> None:
    only = Scripted(clock, ["a long answer about the sea"])
    run = chain_of(clock, only).run(ASKED, 60)
    pieces = run.stream()
    next(pieces)
    pieces.close()
    (attempt,) = run.attempts
    assert attempt.outcome == "cancelled"
    assert attempt.usage is not None
    assert attempt.usage.estimated
    assert attempt.usage.output > 0


def test_a_deployment_fits_the_request_to_its_model(clock: Clock) -> None:
    thinking = Scripted(clock, ["sea"])
    plain = Scripted(clock, ["sea"], "second")
    for deployment in (
        Deployment(thinking, "m", thinking_room=4000),
        Deployment(plain, "m", takes_temperature=True),
    ):
        list(Chain([deployment], clock=clock, sleep=clock.sleep).run(ASKED, 60).stream())
    assert (thinking.asked[0][1].max_output, thinking.asked[0][1].temperature) == (4050, None)
    assert (plain.asked[0][1].max_output, plain.asked[0][1].temperature) == (50, 0.7)


def test_a_whole_answer_goes_the_same_way() -> None:
    clock = Clock()
    first = Scripted(clock, [no(ErrorKind.RATE_LIMITED, retry_after=30)], "first")
    second = Scripted(clock, [no(ErrorKind.UNAVAILABLE), "hello"], "second")
    chain = Chain([Deployment(first, "a"), Deployment(second, "b")], clock=clock, sleep=clock.sleep)
    run = chain.run(ASKED, 30)
    assert run.complete().text == "hello"
    assert [(one.provider, one.outcome) for one in run.attempts] == [
        ("first", "rate_limited"),
        ("second", "unavailable"),
        ("second", "ok"),
    ]


def test_a_whole_answer_that_nobody_gives_is_the_last_error() -> None:
    clock = Clock()
    chain = Chain([Deployment(Scripted(clock, [no(ErrorKind.REFUSED)]), "a")], clock=clock, sleep=clock.sleep)
    run = chain.run(ASKED, 30)
    with pytest.raises(AIError) as wrong:
        run.complete()
    assert wrong.value.kind is ErrorKind.REFUSED
    assert [one.outcome for one in run.attempts] == ["refused"]
