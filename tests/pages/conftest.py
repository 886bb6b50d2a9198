"""Pages opened as a browser opens them: through the real entry, as somebody, on the test's own database."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.settings import ROOT
from dashboard.navigation import PAGES
from dashboard.onboarding import LEFT
from dashboard.words import catalogue
from tests.people import Made

OpenPage = Callable[..., AppTest]
EVERYBODYS = frozenset(page.name for page in PAGES if page.permission is None)
"""The pages of whoever is signed in."""


@pytest.fixture
def open_page(database: Connection) -> OpenPage:
    """`open_page("analytics", ada, creator=workspace_id)` → the page after its first run.

    The script runs in a thread of its own while the test waits, so that both take turns on one connection. Choosing a
    creator goes through the address, as a link does. Each page opened is a session of its own; on a first visit Home
    sends newcomers to the onboarding, which other tests do without.
    """

    def open_it(
        page: str,
        made: Made | UUID | None,
        *,
        creator: object = None,
        locale: str = "en-US",
        web_session: UUID | None = None,
        first_visit: bool = False,
    ) -> AppTest:
        tested = AppTest.from_file(ROOT / "dashboard" / "app.py", default_timeout=30)
        user_id = made.user_id if isinstance(made, Made) else made
        tested.user = {} if user_id is None else {"sub": str(user_id)}
        if web_session is not None:
            tested.user["sid"] = str(web_session)
        tested.context = {"locale": locale}
        if not first_visit:
            tested.session_state[LEFT] = True
        if creator is not None:
            tested.query_params["creator"] = str(creator)
        tested.run()
        if page != "home":
            tested.switch_page(ROOT / "pages" / f"{page}.py")
            if creator is not None:
                tested.query_params["creator"] = str(creator)
            tested.run()
        return tested

    return open_it


def words(tested: AppTest) -> str:
    """All that the page says, for looking for a sentence in it. Backslashes that only guard Markdown are left out."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "success", "toast")
    said = "\n".join(str(one.value) for kind in kinds for one in getattr(tested, kind))
    return re.sub(r"\\(\W)", r"\1", said)


def menu(tested: AppTest) -> set[str]:
    """The names of the pages that this person can be shown."""
    return {Path(info["script_path"]).stem for info in tested._registered_pages.values()}


def assert_no_crash(tested: AppTest) -> None:
    """Neither Streamlit nor the frame met something that it did not expect."""
    assert not tested.exception, [one.message for one in tested.exception]
    reference = catalogue().forms("en", "frame.crash")[0].split("{")[0].strip()
    assert reference not in words(tested)
