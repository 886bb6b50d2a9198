"""Money is held back before a call, at the price of the model that bills, and nothing passes the budget."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.access import Role, Scope
from core.ai import budget
from core.ai.allowance import month_of
from core.ai.budget import WORK, Standing, gate_for, hold, settle, standing, worst_case
from core.ai.chain import Attempt, Deployment
from core.ai.models import AiBudget
from core.ai.protocol import Request, Usage
from core.db import transaction
from tests.ai.test_chain import Clock, Scripted
from tests.people import Made, make_person

ASKED = Request("system", "user", 1_000)


def set_budget(account_id: UUID, monthly: int | None, shadow: int = 0) -> None:
    with transaction(Scope.for_account(account_id)) as session:
        session.merge(AiBudget(account_id=account_id, monthly_nano=monthly, shadow_monthly_nano=shadow))


def deployment(model: str, provider: str = "openai") -> Deployment:
    return Deployment(Scripted(Clock(), [], provider), model)


def attempt(usage: Usage | None, model: str = "gpt-6-luna", provider: str = "openai") -> Attempt:
    return Attempt(provider, model, None, "ok", usage, 1.0)


def sums(scope: Scope) -> tuple[int, int]:
    found = standing(scope)
    return found.spent, found.reserved


def test_what_is_held_is_given_back_and_what_was_spent_counts(ada: Made) -> None:
    set_budget(ada.account_id, 1_000)
    held = hold(ada.scope, 600)
    assert held is not None
    assert sums(ada.scope) == (0, 600)
    assert hold(ada.scope, 401) is None
    settle(ada.scope, held, 250)
    assert sums(ada.scope) == (250, 0)
    settle(ada.scope, held, 250)
    assert sums(ada.scope) == (250, 0)
    assert hold(ada.scope, 750) is not None


def test_forty_at_once_on_money_for_ten_are_ten(committed: None) -> None:
    made = make_person("Ada", Role.CREATOR)
    set_budget(made.account_id, 10_000)
    with ThreadPoolExecutor(16) as pool:
        held = list(pool.map(lambda _: hold(made.scope, 1_000), range(40)))
    assert sum(one is not None for one in held) == 10
    assert sums(made.scope) == (0, 10_000)


def test_without_a_budget_spending_is_counted_and_not_limited(ada: Made) -> None:
    held = hold(ada.scope, 10**15)
    assert held is not None
    settle(ada.scope, held, 7)
    assert sums(ada.scope) == (7, 0)


def test_another_account_pays_for_itself(ada: Made, bob: Made) -> None:
    set_budget(ada.account_id, 0)
    assert hold(ada.scope, 1) is None
    assert hold(bob.scope, 1) is not None


def test_a_hold_of_a_dead_worker_is_released_by_the_next(ada: Made) -> None:
    set_budget(ada.account_id, 1_000)
    assert hold(ada.scope, 1_000) is not None
    assert hold(ada.scope, 1) is None
    with transaction(ada.scope) as session:
        _age(session)
    assert hold(ada.scope, 1_000) is not None
    assert sums(ada.scope) == (0, 1_000)


def _age(session: Session) -> None:
    session.execute(text("UPDATE ai_reservations SET until = now() - interval '1 second'"))


def test_the_price_is_that_of_the_model_that_bills(ada: Made) -> None:
    small, large = worst_case(deployment("gpt-6-luna"), ASKED), worst_case(deployment("gpt-6.1-sol"), ASKED)
    assert small is not None
    assert large is not None
    assert large > 10 * small
    set_budget(ada.account_id, small)
    gate = gate_for(ada.scope)
    assert gate(deployment("gpt-6.1-sol"), ASKED) is None
    assert gate(deployment("gpt-6-luna"), ASKED) is not None


def test_a_model_without_a_price_is_not_called_on_a_budget(ada: Made) -> None:
    gate = gate_for(ada.scope)
    assert worst_case(deployment("unheard-of"), ASKED) is None
    assert gate(deployment("unheard-of"), ASKED) is not None
    set_budget(ada.account_id, 10**12)
    assert gate(deployment("unheard-of"), ASKED) is None
    assert gate(deployment("my-own", "compatible"), ASKED) is not None


@pytest.mark.parametrize(
    ("usage", "spent"),
    [
        (Usage(input=1_000, output=100), 1_000 * 100 + 100 * 500),
        (Usage(), 0),
        (None, worst_case(deployment("gpt-6-luna"), ASKED)),
    ],
    ids=["counted", "nothing billed", "nobody knows"],
)
def test_a_call_is_settled_at_what_it_cost(ada: Made, usage: Usage | None, spent: int) -> None:
    let_through = gate_for(ada.scope)(deployment("gpt-6-luna"), ASKED)
    assert let_through is not None
    let_through(attempt(usage))
    assert sums(ada.scope) == (spent, 0)


def test_what_a_server_of_ones_own_costs_is_not_counted(ada: Made) -> None:
    let_through = gate_for(ada.scope)(deployment("mine", "compatible"), ASKED)
    assert let_through is not None
    let_through(attempt(Usage(input=5), "mine", "compatible"))
    assert sums(ada.scope) == (0, 0)


def test_a_shadow_spends_its_own_budget(ada: Made) -> None:
    set_budget(ada.account_id, 1_000, shadow=50)
    assert hold(ada.scope, 51, budget.SHADOW) is None
    assert hold(ada.scope, 50, budget.SHADOW) is not None
    assert hold(ada.scope, 1_000, WORK) is not None


@pytest.mark.parametrize(
    ("monthly", "spent", "per_cent"),
    [(None, 500, 0), (0, 0, 100), (1_000, 799, 79), (1_000, 800, 80), (1_000, 999, 99)],
)
def test_per_cent_of_the_budget(monthly: int | None, spent: int, per_cent: int) -> None:
    month = month_of(datetime.now(UTC))
    assert Standing(budget.Budget(monthly), month, spent, 0).per_cent == per_cent
