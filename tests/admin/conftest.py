"""Staff, and whom they look after."""

import pytest
from sqlalchemy import Connection

from core.access import Role
from tests.people import Made, make_person


@pytest.fixture
def staff(database: Connection) -> Made:
    return make_person("Stefan", Role.ADMIN)


@pytest.fixture
def agency(database: Connection) -> Made:
    """Runs three creators."""
    return make_person("Mara", Role.MANAGER, creators=3)
