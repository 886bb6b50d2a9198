"""Every page there is, and who may open it. A page that is not offered cannot be run, by name or by address."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.access import Permission
from dashboard.viewing import Viewer, anyone
from dashboard.words import t

_FOLDER = Path(__file__).resolve().parent.parent / "pages"


@dataclass(frozen=True, slots=True)
class Page:
    """One script of `pages/`. Without a permission it is open to whoever is signed in.

    `needs_one`: it works on one creator, so one must be chosen before it runs. `several`: it is for those with more
    than one. `anywhere`: it asks itself which account it is about, so the permission in one of them is enough.
    """

    name: str
    title: str
    icon: str
    permission: Permission | None = None
    needs_one: bool = True
    several: bool = False
    anywhere: bool = False

    @property
    def file(self) -> Path:
        return _FOLDER / f"{self.name}.py"


PAGES = (
    Page("home", "frame.home", ":material/home:", needs_one=False),
    Page("creators", "frame.creators", ":material/group:", Permission.VIEW_ANALYTICS, needs_one=False, several=True),
    Page("analytics", "frame.analytics", ":material/monitoring:", Permission.VIEW_ANALYTICS),
    Page("content", "frame.content", ":material/edit_note:", Permission.WRITE_CONTENT),
    Page("messages", "frame.messages", ":material/forum:", Permission.WRITE_CONTENT),
    Page("calendar", "frame.calendar", ":material/calendar_month:", Permission.WRITE_CONTENT, needs_one=False),
    Page("moderation", "frame.moderation", ":material/gavel:", Permission.WRITE_CONTENT),
    Page("onboarding", "frame.onboarding", ":material/checklist:", Permission.EDIT_WORKSPACE),
    Page("billing", "frame.billing", ":material/credit_card:", Permission.VIEW_PLAN, needs_one=False),
    Page("usage", "frame.usage", ":material/toll:", Permission.SEE_AI_COSTS),
    Page("team", "frame.team", ":material/groups:", Permission.MANAGE_TEAM, needs_one=False, anywhere=True),
    Page("settings", "frame.settings", ":material/settings:", needs_one=False),
    Page("audit", "frame.audit", ":material/history:", Permission.VIEW_AUDIT, needs_one=False, anywhere=True),
    Page("admin", "frame.admin", ":material/shield_person:", Permission.FIND_PEOPLE, needs_one=False),
)


def open_to(viewer: Viewer) -> tuple[Page, ...]:
    """The pages that this viewer may open, in the order of the menu."""
    return tuple(page for page in PAGES if _is_for(viewer, page))


def _is_for(viewer: Viewer, page: Page) -> bool:
    if page.several and len(viewer.creators) < 2:
        return False
    if page.permission is None or viewer.scope.may(page.permission):
        return True
    each = (viewer.scope.of_account(one) for one in viewer.scope.account_ids)
    return page.anywhere and any(scope.may(page.permission) for scope in each)


def draw(pages: tuple[Page, ...]) -> tuple[Page, "st.Page"]:
    """Draw the menu; a flat list, since Streamlit's sections are not valid lists to a screen reader.

    Returns the page asked for, and Streamlit's handle that runs it.
    """
    shown = {page: _handle(page) for page in pages}
    current = st.navigation(list(shown.values()))
    return next(page for page, handle in shown.items() if handle is current), current


def link(name: str, label: str) -> None:
    """A link to a page, drawn only for those who may open it."""
    if page := _offered(name):
        st.page_link(_handle(page), label=label, icon=page.icon)


def go(name: str) -> None:
    """Leave this page for another one; nothing after it runs. For those who may not open it nothing happens."""
    if page := _offered(name):
        st.switch_page(_handle(page))


def _offered(name: str) -> Page | None:
    return next((page for page in open_to(anyone()) if page.name == name), None)


def _handle(page: Page) -> "st.Page":
    return st.Page(
        page.file, title=t(page.title), icon=page.icon, url_path=page.name, default=page.name == PAGES[0].name
    )
