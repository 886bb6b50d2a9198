"""One's own data in one's hands, and an account that is erased thirty days after it was asked for."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text, update

from core.access import Role, Scope
from core.billing import farewell, seats
from core.billing.models import SubscriptionRecord
from core.db import transaction
from core.errors import BadInput, Conflict, NotSignedIn
from core.identity.models import User
from core.identity.proof import ProofNeeded
from core.identity.sessions import is_alive
from core.jobs.runner import run_once
from core.queue import Claimed, Job
from core.workspaces import packs, privacy, team
from core.workspaces.models import Account, Workspace
from core.workspaces.service import open_scope
from tests.people import Made, make_person
from tests.workspaces.conftest import hire, letters_to, signed_in, subscribe, token_to


def proved(made: Made) -> Scope:
    return open_scope(made.user_id, signed_in(made.user_id))


def pass_thirty_days(made: Made) -> None:
    """As if it had been asked for thirty days ago; then the worker comes by."""
    with transaction(None) as session:
        session.execute(
            update(User)
            .where(User.id == made.user_id, User.erase_after.is_not(None))
            .values(erase_after=func.now() - timedelta(seconds=1))
        )
        session.execute(update(Job).where(Job.kind == privacy.ERASE).values(run_at=func.now() - timedelta(seconds=1)))
    while run_once():
        pass


def row_of(made: Made) -> User:
    with transaction(None) as session:
        return session.get_one(User, made.user_id)


def test_everything_about_a_person_is_theirs_to_take(ada: Made) -> None:
    signed_in(ada.user_id)
    packs.request_export(ada.scope)
    while run_once():
        pass
    (view,) = packs.packs(ada.scope)
    pack = zipfile.ZipFile(io.BytesIO(packs.take(ada.scope, view.id).content))
    names = set(pack.namelist())
    assert {"profile.csv", "sessions.csv", "memberships.csv", "own_audit_log.csv", "dictionary.csv"} <= names
    assert f"creators/{ada.workspace_id}/transactions.csv" in names
    assert ada.email in pack.read("profile.csv").decode()
    assert str(ada.workspace_id) in pack.read("memberships.csv").decode()
    everything = b"".join(pack.read(name) for name in names)
    assert b"password_hash" not in everything
    assert b"token_hash" not in everything


def test_deletion_asks_for_a_proof_and_signs_everybody_out(ada: Made) -> None:
    with pytest.raises(ProofNeeded):
        farewell.request_deletion(ada.scope)
    session_id = signed_in(ada.user_id)
    until = farewell.request_deletion(open_scope(ada.user_id, session_id))
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)
    assert not is_alive(session_id)
    assert privacy.erased_on(ada.scope) == until
    (letter,) = letters_to(ada.email)
    assert "/account/restore?token=" in letter
    assert "as long as the law asks" in letter


def test_within_thirty_days_it_is_called_off_by_letter_or_after_signing_in(ada: Made, bob: Made) -> None:
    farewell.request_deletion(proved(ada))
    privacy.restore(token_to(ada.email))
    with pytest.raises(BadInput):
        privacy.restore(token_to(ada.email))
    farewell.request_deletion(proved(bob))
    privacy.call_off_deletion(bob.scope)
    with pytest.raises(BadInput):
        privacy.restore(token_to(bob.email))
    for one in (ada, bob):
        assert privacy.erased_on(one.scope) is None
        pass_thirty_days(one)
        assert open_scope(one.user_id).workspace_ids == {one.workspace_id}


def test_nothing_is_erased_before_its_time(ada: Made) -> None:
    farewell.request_deletion(proved(ada))
    privacy.erase(Claimed(uuid4(), privacy.ERASE, ada.user_id, None, None, {}, 1, uuid4()))
    assert row_of(ada).deleted_at is None


def test_what_says_who_somebody_was_goes_and_what_was_paid_stays(ada: Made) -> None:
    subscribe(ada, "pro_monthly")
    with pytest.raises(Conflict, match="renews"):
        farewell.request_deletion(proved(ada))
    with transaction(ada.scope) as session:
        session.execute(update(SubscriptionRecord).values(cancel_at_period_end=True))
    farewell.request_deletion(proved(ada))
    pass_thirty_days(ada)
    gone = row_of(ada)
    assert gone.deleted_at is not None
    assert (gone.password_hash, gone.avatar_url, gone.display_name) == (None, None, privacy.NOBODY)
    assert ada.email not in gone.email
    assert letters_to(ada.email) == []
    with pytest.raises(NotSignedIn):
        open_scope(ada.user_id)
    with transaction(ada.scope) as session:
        assert session.scalar(select(func.count()).select_from(Workspace)) == 0
        assert session.scalar(select(func.count()).select_from(SubscriptionRecord)) == 1
        assert session.scalar(select(Account.name)) == privacy.NOBODY
        for table in ("memberships", "account_members", "web_sessions", "email_tokens", "packs"):
            left = session.execute(text(f"SELECT count(*) FROM {table} WHERE user_id = '{ada.user_id}'"))
            assert left.scalar_one() == 0, table
    again = make_person("Ada", Role.CREATOR)
    assert again.email == ada.email


def test_an_owner_hands_over_first(agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    with transaction(Scope.for_account(agency.account_id)) as session:
        session.execute(update(SubscriptionRecord).values(cancel_at_period_end=True))
    with pytest.raises(Conflict, match="Hand it over"):
        farewell.request_deletion(proved(agency))
    team.hand_over_ownership(proved(agency), bob.user_id)
    farewell.request_deletion(proved(agency))
    pass_thirty_days(agency)
    assert row_of(agency).deleted_at is not None
    bobs = open_scope(bob.user_id)
    assert bobs.workspace_ids == {bob.workspace_id, *agency.workspace_ids}
    assert [one.name for one in team.members(bobs.of_account(agency.account_id))] == ["Bob"]


def test_whoever_is_about_to_be_erased_invites_nobody(agency: Made) -> None:
    with transaction(Scope.for_account(agency.account_id)) as session:
        session.execute(update(SubscriptionRecord).values(cancel_at_period_end=True))
    seats.invite(agency.scope, "before@example.com", Role.MANAGER, agency.workspace_ids)
    farewell.request_deletion(proved(agency))
    with pytest.raises(Conflict, match="Keep it first"):
        seats.invite(agency.scope, "after@example.com", Role.MANAGER, agency.workspace_ids)
    with transaction(Scope.for_account(agency.account_id)) as session:
        waiting = text("SELECT count(*) FROM invitations WHERE revoked_at IS NULL")
        assert session.execute(waiting).scalar_one() == 0


def test_a_neighbour_is_untouched(ada: Made, bob: Made) -> None:
    farewell.request_deletion(proved(ada))
    pass_thirty_days(ada)
    assert open_scope(bob.user_id).workspace_ids == {bob.workspace_id}
