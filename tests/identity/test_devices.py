"""The list of signed-in browsers, and ending them one by one or all but this one."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from core.access import Scope
from core.audit import own_entries
from core.errors import NotFound
from core.identity.devices import Device, end_other_sessions, end_session, my_sessions, named
from core.identity.sessions import is_alive, open_session, session_of
from tests.people import Made

CHROME_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36"
)
AGENTS = [
    (CHROME_MAC, ("Chrome", "macOS")),
    (CHROME_MAC + " Edg/141.0.0.0", ("Edge", "macOS")),
    (CHROME_MAC + " OPR/120.0.0.0", ("Opera", "macOS")),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0", ("Firefox", "Windows")),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/26.0 Mobile/15E148 Safari/604.1",
        ("Safari", "iOS"),
    ),
    (
        "Mozilla/5.0 (Linux; Android 15; SM-S938B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 "
        "Chrome/130.0.0.0 Mobile Safari/537.36",
        ("Samsung Internet", "Android"),
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", ("Firefox", "Linux")),
    ("curl/8.5.0", (None, None)),
    ("", (None, None)),
    ("<script>alert(1)</script>" * 50, (None, None)),
]


def browser(made: Made, **more: object) -> tuple[str, UUID]:
    token = open_session(made.user_id, **more)
    found = session_of(token)
    assert found is not None
    return token, found.id


def sitting_at(made: Made, session_id: UUID) -> Scope:
    return replace(made.scope, session_id=session_id)


@pytest.mark.parametrize(("agent", "names"), AGENTS)
def test_a_browser_is_called_by_its_names(agent: str, names: tuple[str | None, str | None]) -> None:
    assert named(agent) == names


def test_a_person_sees_their_own_browsers_this_one_first(ada: Made, bob: Made) -> None:
    _, this = browser(ada, address="192.0.2.1", agent=CHROME_MAC)
    _, other = browser(ada, remembered=True)
    browser(bob)
    first, second = my_sessions(sitting_at(ada, this))
    assert (first.id, first.is_this, first.address, first.browser, first.system) == (
        this,
        True,
        "192.0.2.1",
        "Chrome",
        "macOS",
    )
    assert (second.id, second.is_this, second.remembered, second.browser) == (other, False, True, None)


@pytest.mark.parametrize(
    ("remembered", "change", "shown"),
    [
        (False, "last_seen_at = now() - interval '31 minutes'", False),
        (True, "last_seen_at = now() - interval '31 minutes'", True),
        (True, "expires_at = now()", False),
        (False, "revoked_at = now()", False),
    ],
)
def test_only_browsers_that_are_still_in_are_listed(
    ada: Made, database: Connection, remembered: bool, change: str, shown: bool
) -> None:
    _, session_id = browser(ada, remembered=remembered)
    database.execute(text(f"UPDATE web_sessions SET {change}"))
    assert bool(my_sessions(ada.scope)) == shown
    assert is_alive(session_id) == shown


def test_ending_one_leaves_the_others(ada: Made) -> None:
    _, this = browser(ada)
    _, other = browser(ada, agent=CHROME_MAC)
    end_session(sitting_at(ada, this), other)
    assert [one.id for one in my_sessions(sitting_at(ada, this))] == [this]
    assert (is_alive(this), is_alive(other)) == (True, False)
    (entry,) = own_entries(ada.scope)
    assert (entry.deed, entry.subject, entry.session_id) == ("session_ended", "Chrome · macOS", this)


def test_ending_all_others_leaves_this_one(ada: Made, bob: Made) -> None:
    _, this = browser(ada)
    others = [browser(ada)[1] for _ in range(3)]
    _, bobs = browser(bob)
    assert end_other_sessions(sitting_at(ada, this)) == 3
    assert is_alive(this)
    assert is_alive(bobs)
    assert not any(is_alive(one) for one in others)
    assert end_other_sessions(sitting_at(ada, this)) == 0


def test_a_strangers_session_answers_as_one_that_never_was(ada: Made, bob: Made) -> None:
    _, bobs = browser(bob)
    answers = []
    for asked in (bobs, UUID(int=7)):
        with pytest.raises(NotFound) as refused:
            end_session(ada.scope, asked)
        answers.append((refused.value.code, refused.value.facts))
    assert answers[0] == answers[1]
    assert is_alive(bobs)


def test_a_session_ends_once(ada: Made) -> None:
    _, other = browser(ada)
    end_session(ada.scope, other)
    with pytest.raises(NotFound):
        end_session(ada.scope, other)
    assert len(own_entries(ada.scope)) == 1


def test_the_list_holds_no_secret(ada: Made) -> None:
    token, _ = browser(ada)
    (one,) = my_sessions(ada.scope)
    assert isinstance(one, Device)
    assert token not in repr(one)
