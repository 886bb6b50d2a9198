"""Each page for each kind of person: it opens through the real entry, or it is not there."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection

from core import demo
from core.access import Role
from core.workspaces.service import open_scope
from dashboard.navigation import PAGES
from tests.pages.conftest import EVERYBODYS, OpenPage, assert_no_crash, menu
from tests.people import Made, make_person


@dataclass(frozen=True, slots=True)
class Somebody:
    """A kind of person, and the pages that they may open. `creator` is the one chosen, if any."""

    make: Callable[[], Made]
    may: frozenset[str]
    choose: Callable[[Made], object] = lambda made: None


ALL = frozenset(page.name for page in PAGES)
OWN = ALL - {"admin", "creators"}
"""What somebody may open who owns their account and works on a creator of it."""
SEVERAL = OWN | {"creators"}
PEOPLE = {
    "creator": Somebody(lambda: make_person("Ada", Role.CREATOR), OWN),
    "creator in French": Somebody(lambda: make_person("Zoé", Role.CREATOR, language="fr"), OWN),
    "creator in yen, far east": Somebody(
        lambda: make_person("Yui", Role.CREATOR, time_zone="Asia/Tokyo", currency="JPY"), OWN
    ),
    "creator with a Demo in view": Somebody(
        lambda: make_person("Dana", Role.CREATOR), OWN, lambda made: demo.add_to(made.scope)
    ),
    "manager of several": Somebody(lambda: make_person("Mara", Role.MANAGER, creators=3), SEVERAL),
    "manager, one chosen": Somebody(
        lambda: make_person("Mara", Role.MANAGER, creators=3), SEVERAL, lambda made: made.workspace_ids[1]
    ),
    "manager without a creator": Somebody(
        lambda: make_person("Nina", Role.MANAGER, creators=0), EVERYBODYS | {"audit", "team"}
    ),
    "staff": Somebody(lambda: make_person("Stefan", Role.ADMIN, creators=0), EVERYBODYS | {"admin"}),
}


@pytest.mark.parametrize("page", sorted(ALL))
@pytest.mark.parametrize("who", PEOPLE)
def test_a_page_opens_for_those_who_may(open_page: OpenPage, database: Connection, who: str, page: str) -> None:
    somebody = PEOPLE[who]
    made = somebody.make()
    chosen = somebody.choose(made)
    if page not in somebody.may:
        with pytest.raises(ValueError, match=page):
            open_page(page, made, creator=chosen)
        return
    opened = open_page(page, made, creator=chosen)
    assert_no_crash(opened)
    assert not opened.warning
    assert opened.title
    assert menu(opened) == somebody.may
    again = opened.run()
    assert_no_crash(again)


def test_the_demo_of_the_list_is_really_in_view(database: Connection) -> None:
    somebody = PEOPLE["creator with a Demo in view"]
    made = somebody.make()
    assert somebody.choose(made) in open_scope(made.user_id).workspace_ids


def test_every_page_has_its_script_and_every_script_its_page() -> None:
    assert {page.file for page in PAGES} == {
        file for file in PAGES[0].file.parent.glob("*.py") if file.name != "__init__.py"
    }
