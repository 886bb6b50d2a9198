"""The browsers in which a person is signed in: looking at them, and ending them."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from core import audit
from core.access import Permission, Scope
from core.errors import NotFound
from core.identity.models import WebSession
from core.identity.sessions import IDLE
from core.use_case import use_case

# The first that fits names it: most browsers also claim to be the ones before them.
_BROWSERS = (
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"\b(?:OPR|Opera)\b")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS|Chromium)/")),
    ("Safari", re.compile(r"\bSafari/")),
)
_SYSTEMS = (
    ("iOS", re.compile(r"\b(?:iPhone|iPad|iPod)\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("macOS", re.compile(r"\bMac(?:intosh| OS X)\b")),
    ("Linux", re.compile(r"\bLinux\b")),
)


@dataclass(frozen=True, slots=True)
class Device:
    """One signed-in browser. `browser` and `system` are proper names, None where the browser does not tell."""

    id: UUID
    address: str
    browser: str | None
    system: str | None
    created_at: datetime
    last_seen_at: datetime
    remembered: bool
    is_this: bool


@use_case(Permission.OWN_PROFILE)
def my_sessions(session: Session, scope: Scope) -> tuple[Device, ...]:
    """The person's sessions that still let somebody in: this one first, then the last seen first."""
    found = session.scalars(
        select(WebSession)
        .where(WebSession.user_id == scope.user_id, *_OPEN)
        .order_by(WebSession.id != scope.session_id, WebSession.last_seen_at.desc(), WebSession.id)
    )
    return tuple(
        Device(
            one.id,
            one.address,
            *named(one.agent),
            one.created_at,
            one.last_seen_at,
            one.remembered,
            one.id == scope.session_id,
        )
        for one in found
    )


@use_case(Permission.OWN_PROFILE)
def end_session(session: Session, scope: Scope, session_id: UUID) -> None:
    """Sign one browser out. Raises NotFound for a session that is over, unknown or somebody else's."""
    if not _end(session, scope, WebSession.id == session_id):
        raise NotFound("access.not_found")


@use_case(Permission.OWN_PROFILE)
def end_other_sessions(session: Session, scope: Scope) -> int:
    """Sign every other browser out. Returns how many there were."""
    return _end(session, scope, WebSession.id.is_distinct_from(scope.session_id))


def named(agent: str) -> tuple[str | None, str | None]:
    """The browser and the operating system that a User-Agent header speaks of. Pure."""
    return _first(_BROWSERS, agent), _first(_SYSTEMS, agent)


def _first(kinds: tuple[tuple[str, re.Pattern[str]], ...], agent: str) -> str | None:
    return next((name for name, pattern in kinds if pattern.search(agent)), None)


def _end(session: Session, scope: Scope, which: ColumnElement[bool]) -> int:
    ended = session.execute(
        update(WebSession)
        .where(which, WebSession.user_id == scope.user_id, *_OPEN)
        .values(revoked_at=func.now())
        .returning(WebSession.agent)
    ).scalars()
    agents = [" · ".join(filter(None, named(agent))) for agent in ended]
    for agent in agents:
        audit.record_of_person(session, scope.user_id, "session_ended", agent, session_id=scope.session_id)
    return len(agents)


_OPEN = (
    WebSession.revoked_at.is_(None),
    WebSession.expires_at > func.now(),
    or_(WebSession.remembered, WebSession.last_seen_at > func.now() - IDLE),
)
