"""Whom somebody looks after, by what is on their list."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import Connection

from core.access import Role
from core.workspaces.service import WorkspaceView, my_workspaces
from dashboard.navigation import open_to
from dashboard.viewing import Viewer
from tests.people import make_person


@pytest.mark.parametrize(
    ("demos", "after", "has_creators_page"),
    [
        ((False, False), 2, True),
        ((False, True), 1, False),
        ((True, True), 2, True),
        ((True,), 1, False),
        ((), 0, False),
    ],
    ids=str,
)
def test_a_demo_counts_where_there_is_nothing_else(
    database: Connection, demos: tuple[bool, ...], after: int, has_creators_page: bool
) -> None:
    made = make_person("Mara", Role.MANAGER, creators=1)
    (one,) = my_workspaces(made.scope)
    listed: tuple[WorkspaceView, ...] = tuple(replace(one, id=uuid4(), is_demo=is_demo) for is_demo in demos)
    viewer = Viewer(made.user_id, "Mara", "en", "UTC", "USD", made.scope, listed, None, is_staff=False)
    assert len(viewer.creators) == after
    assert ("creators" in {page.name for page in open_to(viewer)}) is has_creators_page
