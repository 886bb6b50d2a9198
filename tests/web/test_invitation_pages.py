"""An invitation's link over HTTP: read by whoever holds it, used by whom it was sent to."""

from itertools import count

import httpx2
import pytest

from core.access import Role
from core.billing import seats
from core.workspaces import invitations, team
from core.workspaces.service import open_scope
from tests.people import Made, make_person
from tests.web.serving import PASSWORD, Served
from tests.workspaces.conftest import subscribe, token_to

PAGE = "/account/invitation"
_NUMBERS = count()


@pytest.fixture
def agency(alone: Served) -> Made:
    with alone.doors():
        mara = make_person(f"Mara {next(_NUMBERS)}", Role.MANAGER, creators=2)
        subscribe(mara)
    return mara


@pytest.fixture
def invited() -> str:
    return f"invited{next(_NUMBERS)}@example.com"


def link(alone: Served, agency: Made, email: str, role: Role = Role.MANAGER) -> str:
    with alone.doors():
        seats.invite(agency.scope, email, role, agency.workspace_ids[:1])
        return token_to(email)


def test_somebody_new_reads_it_signs_up_and_comes_in(alone: Served, agency: Made, invited: str) -> None:
    token = link(alone, agency, invited)
    with alone.client() as visitor:
        shown = visitor.get(PAGE, params={"token": token})
        assert shown.status_code == 200
        assert all(word in shown.text for word in (invited, "a manager", "Mara"))
        assert 'method="post"' not in shown.text
        fields = {"email": invited, "password": PASSWORD, "display_name": "Ines", "next": f"{PAGE}?token={token}"}
        came = visitor.post("/account/sign-up", data=fields)
        assert came.headers["location"] == f"{PAGE}?token={token}"
        assert "Accept" in visitor.get(came.headers["location"]).text
        accepted = visitor.post(PAGE, data={"token": token})
        assert (accepted.status_code, accepted.headers["location"]) == (303, "/")
        assert visitor.post(PAGE, data={"token": token}).status_code == 404


def test_another_person_is_told_whose_it_is(alone: Served, agency: Made, invited: str) -> None:
    token = link(alone, agency, invited)
    other = f"other{next(_NUMBERS)}@example.com"
    with alone.client(alone.sign_up(other)) as visitor:
        for answer in (visitor.get(PAGE, params={"token": token}), visitor.post(PAGE, data={"token": token})):
            assert answer.status_code == 403
            assert f"sent to {invited}" in answer.text
    with alone.doors():
        assert invitations.offer(token).email == invited


def test_what_is_no_good_answers_alike(alone: Served, agency: Made, invited: str, visitor: httpx2.Client) -> None:
    spent = link(alone, agency, invited)
    with alone.doors():
        (waiting,) = invitations.invitations(agency.scope)
        invitations.revoke_invitation(agency.scope, waiting.id)
    answers = []
    for token in (spent, "x" * len(spent)):
        answer = visitor.get(PAGE, params={"token": token})
        answers.append((answer.status_code, answer.text.replace(token, "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def test_accepting_needs_somebody_signed_in(alone: Served, agency: Made, invited: str, visitor: httpx2.Client) -> None:
    answer = visitor.post(PAGE, data={"token": link(alone, agency, invited)})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/account/sign-in")


def test_it_speaks_french(alone: Served, agency: Made, invited: str, visitor: httpx2.Client) -> None:
    token = link(alone, agency, invited, Role.ANALYST)
    answer = visitor.get(PAGE, params={"token": token, "lang": "fr"})
    assert "Vous seriez analyste" in answer.text


def test_the_accepted_role_holds(alone: Served, agency: Made, invited: str) -> None:
    token, session = link(alone, agency, invited, Role.ANALYST), alone.sign_up(invited)
    with alone.client(session) as visitor:
        assert visitor.post(PAGE, data={"token": token}).status_code == 303
    with alone.doors():
        (member,) = [one for one in team.members(agency.scope) if one.email == invited]
        assert set(member.access.values()) == {Role.ANALYST}
        assert open_scope(member.user_id).roles[agency.workspace_ids[0]] is Role.ANALYST
