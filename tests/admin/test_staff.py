"""What staff do to people, and what of it the owners read."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import Connection, select, text, update

from core.access import Permission, Role, Scope
from core.audit import NO_ACCOUNT, Entry, entries, own_entries
from core.billing import grants
from core.billing.grants import LONGEST, grant_plan, revoke_grant
from core.billing.plans import PlanName
from core.db import transaction
from core.errors import BadInput, Conflict, NotAllowed, NotFound, NotSignedIn
from core.identity.models import RefreshToken, User
from core.identity.sessions import is_alive, open_session, session_of
from core.insights.people import find_accounts, find_users
from core.workspaces.service import open_scope
from core.workspaces.staff import disable_user, enable_user, make_staff, unmake_staff
from tests.people import Made, make_person

WHY = "asked for by the owner in ticket 4711"


def _refresh_tokens(made: Made) -> list[bool]:
    """For each of the person's tokens whether it is revoked."""
    with transaction(None) as session:
        held = session.scalars(select(RefreshToken).where(RefreshToken.user_id == made.user_id))
        return [one.revoked_at is not None for one in held]


def _give_refresh_token(made: Made) -> None:
    with transaction(None) as session:
        expires = text("now() + interval '1 day'")
        session.add(RefreshToken(user_id=made.user_id, family=uuid4(), token_hash=uuid4().bytes, expires_at=expires))


def _deeds(found: tuple[Entry, ...]) -> list[str]:
    return [one.deed for one in found]


def test_somebody_disabled_is_out_at_once_everywhere(staff: Made, ada: Made) -> None:
    live = session_of(open_session(ada.user_id))
    assert live is not None
    _give_refresh_token(ada)
    disable_user(staff.scope, ada.user_id, WHY)
    assert not is_alive(live.id)
    assert _refresh_tokens(ada) == [True]
    with pytest.raises(NotSignedIn):
        open_scope(ada.user_id)
    enable_user(staff.scope, ada.user_id, "it was cleared up on the phone")
    assert open_scope(ada.user_id).workspace_ids == {ada.workspace_id}
    assert not is_alive(live.id), "an old session does not come back to life"


def test_disabling_is_read_by_the_owner_of_each_account_concerned(staff: Made, ada: Made, bob: Made) -> None:
    disable_user(staff.scope, ada.user_id, WHY)
    disable_user(staff.scope, ada.user_id, WHY)
    enable_user(staff.scope, ada.user_id, WHY)
    enable_user(staff.scope, ada.user_id, WHY)
    enabled, disabled = entries(ada.scope)
    assert (disabled.deed, enabled.deed) == ("user_disabled", "user_enabled")
    assert (disabled.user_id, disabled.subject, disabled.reason) == (staff.user_id, "Ada", WHY)
    assert disabled.before == {"disabled": False}
    assert disabled.after == {"disabled": True, "user": str(ada.user_id)}
    assert entries(bob.scope) == ()


def test_disabling_somebody_without_an_account_is_on_record_too(staff: Made) -> None:
    other = make_person("Sonja", Role.ADMIN)
    disable_user(staff.scope, other.user_id, WHY)
    assert _deeds(own_entries(staff.scope)) == ["user_disabled"]


def test_nobody_disables_themselves_nor_the_last_of_staff(staff: Made, database: Connection) -> None:
    with pytest.raises(Conflict, match="yourself"):
        disable_user(staff.scope, staff.user_id, WHY)
    other = make_person("Sonja", Role.ADMIN)
    # Sonja's page was opened before she was put out: her scope is a moment old.
    database.execute(update(User).where(User.id == other.user_id).values(disabled_at=User.created_at))
    with pytest.raises(Conflict, match="last member of staff"):
        disable_user(other.scope, staff.user_id, WHY)
    assert open_scope(staff.user_id).is_staff


@pytest.mark.parametrize("reason", ["", " " * 20, "too short", "x" * 501, "a reason with \x00 in it"])
def test_every_deed_takes_a_reason(staff: Made, ada: Made, reason: str) -> None:
    deeds: tuple[Callable[[], object], ...] = (
        lambda: disable_user(staff.scope, ada.user_id, reason),
        lambda: enable_user(staff.scope, ada.user_id, reason),
        lambda: grant_plan(staff.scope, ada.account_id, PlanName.PRO, days=30, reason=reason),
        lambda: revoke_grant(staff.scope, ada.account_id, uuid4(), reason),
    )
    for deed in deeds:
        with pytest.raises(BadInput, match="10 to 500"):
            deed()
    assert entries(ada.scope) == ()


def test_what_does_not_exist_is_not_found(staff: Made, ada: Made) -> None:
    deeds: tuple[Callable[[], object], ...] = (
        lambda: disable_user(staff.scope, uuid4(), WHY),
        lambda: disable_user(staff.scope, NO_ACCOUNT, WHY),
        lambda: enable_user(staff.scope, ada.account_id, WHY),
        lambda: grant_plan(staff.scope, ada.user_id, PlanName.PRO, days=30, reason=WHY),
        lambda: revoke_grant(staff.scope, ada.account_id, uuid4(), WHY),
    )
    for deed in deeds:
        with pytest.raises(NotFound):
            deed()


def test_a_plan_is_given_and_taken_back_and_the_owner_reads_both(staff: Made, ada: Made, bob: Made) -> None:
    given = grant_plan(staff.scope, ada.account_id, PlanName.PRO, days=30, reason=WHY)
    assert 29 <= (given.ends_at - given.starts_at).days <= 30
    better = grant_plan(staff.scope, ada.account_id, PlanName.ENTERPRISE, days=1, reason=WHY)
    (seen,) = find_accounts(staff.scope, str(ada.account_id)).accounts
    assert seen.grants == (better,), "one given plan stands in for the other"
    revoke_grant(staff.scope, ada.account_id, better.id, "the month is over")
    with pytest.raises(Conflict):
        revoke_grant(staff.scope, ada.account_id, better.id, "the month is over")
    revoked, second, first = entries(ada.scope)
    assert _deeds((first, second, revoked)) == ["plan_granted", "plan_granted", "grant_revoked"]
    assert first.before is None
    assert first.after == {"plan": "pro", "until": given.ends_at.isoformat()}
    assert second.before == first.after
    assert revoked.before == second.after == {"plan": "enterprise", "until": better.ends_at.isoformat()}
    assert entries(bob.scope) == ()


@pytest.mark.parametrize(
    ("plan", "days"), [(PlanName.FREE, 30), (PlanName.PRO, 0), (PlanName.PRO, -1), (PlanName.PRO, LONGEST + 1)]
)
def test_a_plan_is_given_for_a_time(staff: Made, ada: Made, plan: PlanName, days: int) -> None:
    with pytest.raises(BadInput):
        grant_plan(staff.scope, ada.account_id, plan, days=days, reason=WHY)


def test_nobody_gives_themselves_a_plan(ada: Made) -> None:
    with pytest.raises(NotAllowed):
        grant_plan(ada.scope, ada.account_id, PlanName.PRO, days=30, reason=WHY)
    with transaction(ada.scope) as session:
        row = grants.PlanGrant(
            account_id=ada.account_id,
            plan="pro",
            reason=WHY,
            granted_by=ada.user_id,
            ends_at=text("now() + interval '1 day'"),
        )
        session.add(row)
        with pytest.raises(Exception, match="row-level security"):
            session.flush()
        session.rollback()


def test_the_first_of_staff_is_made_at_the_command_line(ada: Made) -> None:
    live = session_of(open_session(ada.user_id))
    assert live is not None
    assert make_staff(f"  {ada.email.upper()} ")
    assert open_scope(ada.user_id).is_staff
    assert not is_alive(live.id), "a change of privilege takes a new session"
    assert not make_staff(ada.email)
    assert unmake_staff(ada.email)
    assert not open_scope(ada.user_id).is_staff
    assert _deeds(own_entries(ada.scope)) == ["staff_unmade", "staff_made"]
    for nobody in ("nobody@example.com", "", "\x00", "%"):
        with pytest.raises(NotFound, match="Nobody has signed up"):
            make_staff(nobody)


def test_only_staff_may(ada: Made, agency: Made) -> None:
    deeds: tuple[Callable[[Scope], object], ...] = (
        lambda scope: disable_user(scope, agency.user_id, WHY),
        lambda scope: enable_user(scope, agency.user_id, WHY),
        lambda scope: grant_plan(scope, ada.account_id, PlanName.PRO, days=1, reason=WHY),
        lambda scope: revoke_grant(scope, ada.account_id, uuid4(), WHY),
        lambda scope: find_accounts(scope, "a"),
        lambda scope: find_users(scope, "a"),
    )
    for made in (ada, agency):
        for deed in deeds:
            with pytest.raises(NotAllowed):
                deed(made.scope)
        assert not any(made.scope.may(one) for one in (Permission.FIND_PEOPLE, Permission.SEE_OPERATIONS))
