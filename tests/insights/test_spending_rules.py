"""The month's budget, the sample and the tiers: who sets them, what is refused, and what stays on record."""

from decimal import Decimal

import pytest
from sqlalchemy import Connection

from core.access import Role
from core.ai.requests import tier_in
from core.ai.routing import Tier, table
from core.ai.service import MOST_DOLLARS, money, reset_tiers, set_budget, set_shadow, set_tier, tiers
from core.audit import entries
from core.db import transaction
from core.errors import BadInput, NotAllowed
from tests.people import Made, make_person
from tests.workspaces.conftest import hire, subscribe


def deeds(made: Made) -> list[str]:
    return [one.deed for one in entries(made.scope) if one.deed.startswith("ai_")]


def test_a_budget_is_exact_and_can_be_taken_away(ada: Made) -> None:
    set_budget(ada.scope, Decimal("12.34"))
    assert money(ada.scope).work.budget.monthly == 12_340_000_000
    set_budget(ada.scope, None)
    assert money(ada.scope).work.budget.monthly is None
    assert deeds(ada) == ["ai_budget_set", "ai_budget_set"]


def test_the_budget_and_the_sample_leave_each_other_alone(ada: Made) -> None:
    set_budget(ada.scope, Decimal(3))
    set_shadow(ada.scope, 7, Decimal("0.50"))
    set_budget(ada.scope, Decimal(4))
    now = money(ada.scope).work.budget
    assert (now.monthly, now.shadow_per_mille, now.shadow_monthly) == (4_000_000_000, 7, 500_000_000)


@pytest.mark.parametrize("amount", ["-0.01", "0.001", str(MOST_DOLLARS + 1), "NaN", "Infinity"])
def test_an_amount_that_is_none_is_refused(ada: Made, amount: str) -> None:
    with pytest.raises(BadInput):
        set_budget(ada.scope, Decimal(amount))
    with pytest.raises(BadInput):
        set_shadow(ada.scope, 1, Decimal(amount))
    assert money(ada.scope).work.budget.monthly is None


@pytest.mark.parametrize("per_mille", [-1, 21])
def test_no_more_than_two_per_cent_are_sampled(ada: Made, per_mille: int) -> None:
    with pytest.raises(BadInput):
        set_shadow(ada.scope, per_mille, Decimal(1))


def test_the_budget_is_the_accounts_and_its_owners(ada: Made, bob: Made) -> None:
    set_budget(ada.scope, Decimal(5))
    assert money(bob.scope).work.budget.monthly is None
    subscribe(ada)
    hired = hire(ada, bob, Role.MANAGER, (ada.workspace_id,)).narrowed_to(ada.workspace_id)
    assert money(hired).work.budget.monthly == 5_000_000_000
    with pytest.raises(NotAllowed):
        set_budget(hired, Decimal(6))
    set_tier(hired, "post", "large")


def test_an_agencys_creators_share_it(database: Connection) -> None:
    mara = make_person("Mara", Role.MANAGER, creators=2)
    one, other = (mara.scope.narrowed_to(workspace_id) for workspace_id in mara.workspace_ids)
    set_budget(one, Decimal(9))
    assert money(other).work.budget.monthly == 9_000_000_000
    set_tier(one, "post", "large")
    assert not any(task.chosen for task in tiers(other))


def test_a_tier_is_the_workspaces_until_it_is_reset(ada: Made, bob: Made) -> None:
    set_tier(ada.scope, "caption", "large")
    set_tier(ada.scope, "plan", "small")
    assert {one.task: one.tier for one in tiers(ada.scope) if one.chosen} == {"caption": Tier.LARGE, "plan": Tier.SMALL}
    with transaction(ada.scope) as session:
        assert tier_in(session, ada.workspace_id, "caption") is Tier.LARGE
    assert not any(one.chosen for one in tiers(bob.scope))
    set_tier(ada.scope, "caption", "small")
    assert [one.task for one in tiers(ada.scope) if one.chosen] == ["plan"]
    reset_tiers(ada.scope)
    assert not any(one.chosen for one in tiers(ada.scope))
    assert sorted(deeds(ada)) == ["ai_tier_reset", "ai_tier_reset", "ai_tier_set", "ai_tier_set"]


def test_the_table_is_shown_whole_with_what_is_critical(ada: Made) -> None:
    shown = tiers(ada.scope)
    assert [one.task for one in shown] == list(table().tiers)
    assert {one.task for one in shown if one.is_critical} == table().critical


@pytest.mark.parametrize(("task", "tier"), [("unheard-of", "small"), ("post", "huge"), ("post", "")])
def test_a_task_or_tier_that_there_is_not(ada: Made, task: str, tier: str) -> None:
    with pytest.raises(BadInput):
        set_tier(ada.scope, task, tier)
