"""A few drafts are put to the large model as well, after the person has theirs, for a budget of their own."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from uuid import UUID

from sqlalchemy import select, update

from core.ai.models import AiAttempt
from core.ai.service import money, set_budget, set_shadow, set_tier
from core.ai.shadow import MOST_PER_MILLE, is_sampled
from core.ai.spending import usage
from core.billing.revenue import Window
from core.content.briefs import Brief, Length, Task, Tone
from core.content.kinds import GenerationStatus
from core.content.models import Generation
from core.content.platforms import Platform
from core.content.service import dismiss_generation, generation, request_draft
from core.content.shadowing import SHADOW_JOB
from core.db import transaction
from core.jobs.runner import run_once
from core.queue import Job
from tests.peers.model_server import Asked, ModelServer, Turn
from tests.people import Made

SEA = Brief(Task.CAPTION, Platform.ONLYFANS, Tone.WARM, "en", Length.MEDIUM, "my new set by the sea", variants=1)
SMALL, LARGE = "gpt-6-luna", "gpt-6.1-sol"
TODAY = Window(datetime.now(UTC).date(), datetime.now(UTC).date())
_NUMBERS = count(1)


def everything() -> None:
    while run_once():
        pass


def a_draft(made: Made, *, is_of_sample: bool = True) -> UUID:
    """A wish whose id is one of those that the sample takes, or leaves."""
    wish = request_draft(made.scope, SEA)
    its = next(UUID(int=n) for n in _NUMBERS if is_sampled(UUID(int=n), MOST_PER_MILLE) is is_of_sample)
    with transaction(made.scope) as session:
        session.execute(update(Generation).where(Generation.id == wish).values(id=its))
        session.execute(
            update(Job)
            .where(Job.dedupe == f"draft:{wish}")
            .values(dedupe=f"draft:{its}", payload={**_payload(session, wish), "generation_id": str(its)})
        )
    return its


def _payload(session: object, wish: UUID) -> dict[str, str]:
    found: dict[str, str] = session.scalar(select(Job.payload).where(Job.dedupe == f"draft:{wish}"))  # type: ignore[attr-defined]
    return found


def attempts(made: Made, draft_id: UUID) -> list[tuple[int, str, str, str]]:
    with transaction(made.scope) as session:
        found = session.scalars(
            select(AiAttempt)
            .where(AiAttempt.generation_id == draft_id, AiAttempt.purpose != "moderation")
            .order_by(AiAttempt.purpose, AiAttempt.position)
        )
        return [(one.run, one.purpose, one.model, one.outcome) for one in found]


def written(model: ModelServer) -> list[Asked]:
    """The calls for a text: a finished draft is looked at by the vendor's moderation too."""
    return [one for one in model.seen if "messages" in one.body]


def sampled_jobs() -> int:
    with transaction(None) as session:
        return len(session.scalars(select(Job.id).where(Job.kind == SHADOW_JOB)).all())


def switch_on(made: Made, monthly: str = "1.00") -> None:
    set_shadow(made.scope, MOST_PER_MILLE, Decimal(monthly))


def test_off_until_somebody_switches_it_on(ada: Made, model: ModelServer) -> None:
    wish = a_draft(ada)
    everything()
    assert [purpose for _, purpose, _, _ in attempts(ada, wish)] == ["draft"]
    assert len(written(model)) == 1


def test_the_same_request_goes_to_the_large_model_after_the_draft(ada: Made, model: ModelServer) -> None:
    switch_on(ada)
    wish = a_draft(ada)
    assert run_once()
    before = generation(ada.scope, wish)
    assert before.status is GenerationStatus.DONE
    model.play(Turn(text="what nobody is to see"))
    everything()
    assert attempts(ada, wish)[1:] == [(0, "shadow", LARGE, "ok")]
    assert generation(ada.scope, wish) == before
    (asked,) = written(model)
    assert asked.body["model"] == LARGE
    assert "by the sea" in str(asked.body["messages"])
    with transaction(ada.scope) as session:
        assert "nobody is to see" not in str(session.get(Generation, (ada.workspace_id, wish)).__dict__)


def test_the_prompt_is_the_drafts_own(ada: Made, model: ModelServer) -> None:
    switch_on(ada)
    a_draft(ada)
    everything()
    small, large = (one.body for one in written(model))
    assert (small["model"], large["model"]) == (SMALL, LARGE)
    assert small["messages"] == large["messages"]


def test_it_measures_and_is_paid_from_its_own_budget(ada: Made, model: ModelServer) -> None:
    switch_on(ada)
    for _ in range(2):
        a_draft(ada)
        everything()
    found = usage(ada.scope, TODAY)
    assert (found.total.calls, found.shadow.calls) == (2, 2)
    (measured,) = found.measured
    assert (measured.task, measured.cost.count) == ("caption", 2)
    assert measured.tokens is not None
    assert measured.tokens.middle == 1
    now = money(ada.scope)
    assert now.shadow_spent == found.shadow.cost > 0
    assert Decimal(now.work.spent).scaleb(-9) == found.total.cost


def test_a_draft_that_the_sample_leaves_is_left(ada: Made, model: ModelServer) -> None:
    switch_on(ada)
    a_draft(ada, is_of_sample=False)
    everything()
    assert len(written(model)) == 1


def test_no_more_than_its_budget(ada: Made, model: ModelServer) -> None:
    switch_on(ada, "0.01")
    wish = a_draft(ada)
    everything()
    assert attempts(ada, wish)[-1] == (0, "shadow", LARGE, "over_budget")
    assert len(written(model)) == 1
    assert generation(ada.scope, wish).status is GenerationStatus.DONE


def test_without_a_budget_of_its_own_nothing_is_sampled(ada: Made, model: ModelServer) -> None:
    switch_on(ada, "0")
    a_draft(ada)
    everything()
    assert sampled_jobs() == 0


def test_switched_off_meanwhile_it_is_not_asked(ada: Made, model: ModelServer) -> None:
    switch_on(ada)
    a_draft(ada)
    assert run_once()
    set_shadow(ada.scope, 0, Decimal(1))
    everything()
    assert (sampled_jobs(), len(written(model))) == (1, 1)


def test_what_the_large_model_wrote_at_once_says_nothing(ada: Made, model: ModelServer) -> None:
    switch_on(ada)
    set_tier(ada.scope, "caption", "large")
    a_draft(ada)
    everything()
    assert sampled_jobs() == 0


def test_a_template_is_no_sample(ada: Made, model: ModelServer) -> None:
    switch_on(ada)
    set_budget(ada.scope, Decimal(0))
    a_draft(ada)
    everything()
    assert (sampled_jobs(), len(written(model))) == (0, 0)


def test_a_large_model_that_fails_changes_nothing(ada: Made, model: ModelServer) -> None:
    switch_on(ada)
    wish = a_draft(ada)
    assert run_once()
    before = generation(ada.scope, wish)
    model.play(*[Turn(status=500)] * 4)
    everything()
    assert {(purpose, outcome) for _, purpose, _, outcome in attempts(ada, wish)} == {
        ("draft", "ok"),
        ("shadow", "unavailable"),
    }
    assert generation(ada.scope, wish) == before
    assert usage(ada.scope, TODAY).measured == ()


def test_what_became_of_the_draft_stays_that_of_the_draft(ada: Made, model: ModelServer) -> None:
    switch_on(ada)
    wish = a_draft(ada)
    everything()
    dismiss_generation(ada.scope, wish)
    quality = usage(ada.scope, TODAY).quality
    assert (quality.requests, quality.dismissed) == (1, 1)
