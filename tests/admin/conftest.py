"""Staff, and whom they look after."""

import pytest
from sqlalchemy import Connection, func, update

from core.access import Role, Scope
from core.db import transaction
from core.identity.sessions import open_session, session_of
from core.workspaces.models import StaffVisit
from core.workspaces.service import open_scope
from tests.billing.conftest import stripe
from tests.pages.conftest import open_page
from tests.people import Made, make_person

__all__ = ["open_page", "stripe"]


@pytest.fixture
def staff(database: Connection) -> Made:
    return make_person("Stefan", Role.ADMIN)


@pytest.fixture
def agency(database: Connection) -> Made:
    """Runs three creators."""
    return make_person("Mara", Role.MANAGER, creators=3)


@pytest.fixture
def proved(staff: Made) -> Scope:
    """Staff who have just shown who they are."""
    return prove(staff)


def prove(made: Made) -> Scope:
    """The person in a browser that they have just signed in."""
    live = session_of(open_session(made.user_id))
    assert live is not None
    return open_scope(made.user_id, live.id)


def run_out(made: Made) -> None:
    """Time passes: the visits of this member of staff are over."""
    with transaction(made.scope, as_staff=True) as session:
        session.execute(update(StaffVisit).values(expires_at=func.now()))
