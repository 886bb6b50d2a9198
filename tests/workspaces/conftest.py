"""An agency with a team, and what its letters say."""

import re
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, func, select, update
from sqlalchemy.orm import Session

from core.access import Role, Scope
from core.billing import seats
from core.billing.models import SubscriptionRecord
from core.db import transaction
from core.identity.models import WebSession
from core.mail.outbox import Mail
from core.use_case import unscoped
from core.workspaces import invitations
from core.workspaces.service import open_scope
from tests.people import Made, make_person


@unscoped("test data: letters belong to nobody")
def letters_to(session: Session, email: str) -> list[str]:
    """The bodies of the letters that wait for an address, the latest first."""
    found = select(Mail.body).where(Mail.to_address == email).order_by(Mail.id.desc())
    return list(session.scalars(found))


@unscoped("test data: letters belong to nobody")
def kinds_to(session: Session, email: str) -> list[str]:
    return list(session.scalars(select(Mail.kind).where(Mail.to_address == email).order_by(Mail.id)))


def token_to(email: str) -> str:
    """The token in the latest letter that holds one."""
    for body in letters_to(email):
        if found := re.search(r"token=([\w-]+)", body):
            return found.group(1)
    raise LookupError(email)


@unscoped("test data: a browser that has just signed in")
def signed_in(session: Session, user_id: UUID, proved_minutes_ago: int = 0) -> UUID:
    made = WebSession(user_id=user_id, token_hash=uuid4().bytes, expires_at=func.now() + func.make_interval(0, 0, 0, 1))
    session.add(made)
    session.flush()
    ago = func.make_interval(0, 0, 0, 0, 0, proved_minutes_ago)
    session.execute(update(WebSession).where(WebSession.id == made.id).values(proved_at=func.now() - ago))
    return made.id


def hire(owner: Made, person: Made, role: Role, workspace_ids: tuple[UUID, ...]) -> Scope:
    """Let somebody in through an invitation. Returns their scope as it then is."""
    seats.invite(owner.scope.of_account(owner.account_id), person.email, role, workspace_ids)
    invitations.accept(open_scope(person.user_id), token_to(person.email))
    return open_scope(person.user_id)


@pytest.fixture
def agency(database: Connection) -> Made:
    """Mara's, with three creators, on a plan with room for a team."""
    mara = make_person("Mara", Role.MANAGER, creators=3)
    subscribe(mara)
    return mara


def subscribe(owner: Made, lookup_key: str = "enterprise_monthly") -> None:
    with transaction(Scope.for_account(owner.account_id)) as session:
        session.add(
            SubscriptionRecord(
                account_id=owner.account_id,
                stripe_id=f"sub_{owner.account_id.hex}",
                customer_id=f"cus_{owner.account_id.hex}",
                status="active",
                lookup_key=lookup_key,
                quantity=1,
                created=func.now(),
                current_period_start=func.now(),
                current_period_end=func.now() + func.make_interval(0, 1),
                cancel_at_period_end=False,
            )
        )
