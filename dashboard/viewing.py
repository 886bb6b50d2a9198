"""Who is looking, and at which creator. The only place where the dashboard learns a person's scope."""

from dataclasses import dataclass, replace
from uuid import UUID
from weakref import WeakKeyDictionary

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.access import Scope
from core.errors import NotAllowed, NotFound, NotSignedIn
from core.identity.sessions import choose
from core.insights.viewing import Glance, glance
from core.language import supported
from core.workspaces.service import WorkspaceView, open_scope

CHOICE = "creator"
"""The query parameter, and the session's key, that name the creator looked at."""
ALL = "all"
"""Stands in for an id where every creator is looked at together."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person at the keyboard, and what they look at.

    `scope` holds one workspace when one is chosen, else all of theirs; `workspace` is the chosen one. `time_zone` is
    the person's own; a creator's days and months are those of `workspace.time_zone`. `currency` is that of the
    chosen workspace, else of the first one.
    """

    user_id: UUID
    display_name: str
    language: str
    time_zone: str
    currency: str
    scope: Scope
    workspaces: tuple[WorkspaceView, ...]
    workspace: WorkspaceView | None
    is_staff: bool

    @property
    def creators(self) -> tuple[WorkspaceView, ...]:
        """Whom they look after. A Demo beside real creators is none; where there is nothing else, it is."""
        return tuple(one for one in self.workspaces if not one.is_demo) or self.workspaces

    @property
    def creator(self) -> WorkspaceView:
        """The one creator looked at. Raises NotAllowed when none is chosen."""
        if self.workspace is None:
            raise NotAllowed("access.choose_creator")
        return self.workspace


# Entries live as long as the one script run that they are keyed by: nothing about a person outlasts a rerun.
_THIS_RUN: WeakKeyDictionary[object, tuple[Scope, Glance] | Exception] = WeakKeyDictionary()


def viewer() -> Viewer:
    """The viewer of this rerun, narrowed to the creator they chose.

    Raises NotSignedIn without a valid sign-in, NotFound when the address names a creator who is not on their list.
    """
    whole = anyone()
    wish = _wish()
    if wish == ALL:
        return whole
    if wish is None:
        chosen = _usual(whole, _known()[1].last_chosen)
        return whole if chosen is None else _narrowed(whole, chosen)
    return _narrowed(whole, _as_id(wish))


def anyone() -> Viewer:
    """The viewer with everything of theirs in view, whatever was chosen. Raises NotSignedIn."""
    scope, seen = _known()
    currency = seen.workspaces[0].currency if seen.workspaces else "USD"
    return Viewer(
        scope.user_id,
        seen.display_name,
        supported(seen.language),
        seen.time_zone,
        currency,
        scope,
        seen.workspaces,
        None,
        scope.is_staff,
    )


def language() -> str:
    """The viewer's language; the browser's where the viewer cannot be known, since that too must be said in words."""
    try:
        return supported(_known()[1].language)
    except Exception:
        return supported(st.context.locale)


def time_zone() -> str:
    return _known()[1].time_zone


def look_at(workspace_id: UUID | None) -> None:
    """Choose a creator, or all of them with None: in this tab, in its address, and for the next visit."""
    choice = ALL if workspace_id is None else str(workspace_id)
    st.session_state[CHOICE] = choice
    st.query_params[CHOICE] = choice
    if (web_session_id := _signed_in()[1]) is not None:
        choose(web_session_id, workspace_id)


def forget_choice() -> None:
    """Back to what is shown without a choice, as when the chosen creator is gone."""
    st.session_state.pop(CHOICE, None)
    st.query_params.pop(CHOICE, None)


def look_again() -> None:
    """Ask anew who this is: for after a write of this same rerun that changed it."""
    _THIS_RUN.pop(_run(), None)


def _known() -> tuple[Scope, Glance]:
    """Asked once a run; a failure is kept too, so that a database that is away is not waited for at every word."""
    run = _run()
    if run not in _THIS_RUN:
        try:
            user_id, web_session_id = _signed_in()
            scope = open_scope(user_id, web_session_id)
            _THIS_RUN[run] = (scope, glance(scope, web_session_id))
        except Exception as error:
            _THIS_RUN[run] = error
    known = _THIS_RUN[run]
    if isinstance(known, Exception):
        raise known
    return known


def _run() -> object:
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        raise NotSignedIn("identity.sign_in_again")
    return context.parallel_coordinator  # the one object that Streamlit makes anew for each run, fragments' runs too


def _signed_in() -> tuple[UUID, UUID | None]:
    """The person and their session, as the gate vouches for them; browsers cannot set either."""
    claims = st.user.to_dict()
    try:
        return UUID(str(claims["sub"])), UUID(str(claims["sid"])) if "sid" in claims else None
    except (KeyError, ValueError):
        raise NotSignedIn("identity.sign_in_again") from None


def _wish() -> str | None:
    """The address wins, so that a link shows what it names; then what this tab chose."""
    if (asked := st.query_params.get(CHOICE)) is not None:
        st.session_state[CHOICE] = asked
        return asked
    chosen: str | None = st.session_state.get(CHOICE)
    return chosen


def _usual(whole: Viewer, last_chosen: UUID | None) -> UUID | None:
    """Without a wish: the one looked at last, else the only one; somebody with several sees all of them."""
    if last_chosen in whole.scope.workspace_ids:
        return last_chosen
    return whole.creators[0].id if len(whole.creators) == 1 else None


def _narrowed(whole: Viewer, workspace_id: UUID) -> Viewer:
    scope = whole.scope.narrowed_to(workspace_id)
    workspace = next(one for one in whole.workspaces if one.id == workspace_id)
    return replace(whole, scope=scope, workspace=workspace, currency=workspace.currency)


def _as_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("access.unknown_creator") from None
