"""Staff, and whom they look after."""

import pytest
from sqlalchemy import Connection, func, update

from core.access import Role
from core.db import transaction
from core.workspaces.models import StaffVisit
from tests.pages.conftest import open_page
from tests.people import Made, make_person

__all__ = ["open_page"]


@pytest.fixture
def staff(database: Connection) -> Made:
    return make_person("Stefan", Role.ADMIN)


@pytest.fixture
def agency(database: Connection) -> Made:
    """Runs three creators."""
    return make_person("Mara", Role.MANAGER, creators=3)


def run_out(made: Made) -> None:
    """Time passes: the visits of this member of staff are over."""
    with transaction(made.scope, as_staff=True) as session:
        session.execute(update(StaffVisit).values(expires_at=func.now()))
