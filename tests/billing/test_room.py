"""How many creators a plan has room for: counted whoever looks, and never one too many."""

import threading
from uuid import uuid4

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from core.access import Permission, Role, Scope
from core.billing import service
from core.billing.plans import PlanName
from core.billing.queries import creators_in
from core.billing.seats import add_creator
from core.db import transaction
from core.errors import NotAllowed, PlanLimit
from core.use_case import use_case
from core.workspaces.models import Workspace
from core.workspaces.service import edit_account, open_scope
from tests.billing.conftest import give_plan
from tests.billing.test_choosing import let_in, session_of
from tests.peers.stripe_server import StripeServer
from tests.people import Made, make_person


def test_the_plan_limits_creators_and_a_larger_one_makes_room(ada: Made, stripe: StripeServer):
    with pytest.raises(PlanLimit) as refused:
        add_creator(ada.scope, "Second")
    assert refused.value.facts == {"count": 1}
    stripe.world.pay(session_of(stripe, service.choose_plan(ada.scope, "pro_monthly")))
    service.refresh(ada.scope)
    for number in range(2, 6):
        add_creator(ada.scope, f"Creator {number}", time_zone="Europe/Paris", currency="EUR")
    with pytest.raises(PlanLimit) as refused:
        add_creator(ada.scope, "Sixth")
    assert refused.value.facts == {"count": 5}
    view = service.plan(ada.scope)
    assert view.creators_used == 5
    stripe.world.cancel(stripe.world.every("subscription")[0]["id"])
    assert service.refresh(ada.scope).entitlement.plan is PlanName.FREE
    assert service.plan(ada.scope).creators_used == 5, "nothing is taken away"


def test_a_given_plan_makes_room_until_it_ends(ada: Made, bob: Made, stripe: StripeServer):
    give_plan(ada, PlanName.ENTERPRISE, days=-1)
    assert service.plan(ada.scope).entitlement.plan is PlanName.FREE
    until = give_plan(ada, PlanName.PRO)
    add_creator(ada.scope, "Second")
    view = service.plan(ada.scope)
    assert (view.entitlement.plan, view.entitlement.granted_until) == (PlanName.PRO, until)
    assert (view.lookup_key, view.may_try) == (None, True)
    assert service.plan(bob.scope).entitlement.plan is PlanName.FREE
    with transaction(bob.scope) as session:
        assert service.entitlement_of(session, ada.account_id).plan is PlanName.FREE


def test_an_agency_counts_all_its_creators_for_whoever_looks(database: Connection, bob: Made, stripe: StripeServer):
    agency = make_person("Mona", Role.MANAGER, creators=3)
    one = agency.scope.narrowed_to(agency.workspace_ids[1])
    let_in(one, bob.user_id)
    guest = open_scope(bob.user_id).narrowed_to(agency.workspace_ids[1])
    assert service.plan(guest).creators_used == service.plan(one).creators_used == 3
    with pytest.raises(PlanLimit):
        add_creator(one, "Fourth")
    with pytest.raises(NotAllowed):
        add_creator(guest, "Fourth")


def test_counting_shows_no_creator_to_those_who_may_not_look(database: Connection, ada: Made, bob: Made):
    agency = make_person("Mona", Role.MANAGER, creators=3)
    one = agency.scope.narrowed_to(agency.workspace_ids[1])
    with transaction(one) as session:
        assert creators_in(session, agency.account_id) == 3
        assert creators_in(session, ada.account_id) == 0
        assert session.scalars(select(Workspace.id)).all() == [agency.workspace_ids[1]]
    with transaction(None) as session:
        assert creators_in(session, agency.account_id) == 0


def test_a_demo_takes_no_place(ada: Made, stripe: StripeServer):
    _mark_demo(ada.scope)
    assert service.plan(ada.scope).creators_used == 0
    made = add_creator(ada.scope, "Real")
    assert open_scope(ada.user_id).roles[made] is Role.CREATOR


@use_case(Permission.EDIT_WORKSPACE)
def _mark_demo(session: Session, scope: Scope) -> None:
    session.get_one(Workspace, scope.workspace_id).is_demo = True


def test_two_who_add_at_once_do_not_both_get_the_last_place(committed: str, stripe: StripeServer):
    ada = make_person("Ada", Role.CREATOR)
    edit_account(ada.scope, goal="grow")
    _mark_demo(ada.scope)
    start = threading.Barrier(4)
    answers: list[object] = []

    def add(name: str) -> None:
        start.wait()
        try:
            answers.append(add_creator(ada.scope, name))
        except PlanLimit as refusal:
            answers.append(refusal.code)

    threads = [threading.Thread(target=add, args=(f"Creator {uuid4().hex[:4]}",)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers.count("billing.creators_full") == 3
