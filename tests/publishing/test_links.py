"""A client's link: its door, and the page behind it at the wire."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import count
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import text

from core.access import Role, Scope
from core.content.assets import archive_asset
from core.content.kinds import AssetStatus
from core.db import transaction
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.publishing import approving, links, planning, states
from core.publishing.approving import Decision, Rule
from tests.people import Made, make_person
from tests.publishing.conftest import NOON, TOMORROW, edited, in_state, state, with_picture
from tests.web.serving import Serve, Served

S = AssetStatus
PAGE = "/approve"
_NUMBERS = count()


def token_of(made: links.NewLink) -> str:
    return parse_qs(urlsplit(made.url).query)["token"][0]


def link_to(scope: Scope, asset_id: UUID, **more: object) -> str:
    return token_of(links.make_link(scope, asset_id, version=1, client_name="Acme", **more))  # type: ignore[arg-type]


def expire(scope: Scope, asset_id: UUID) -> None:
    with transaction(scope) as session:
        past = "UPDATE approval_links SET expires_at = now() - interval '1 second' WHERE asset_id = :id"
        session.execute(text(past), {"id": asset_id})


# --- the doors -----------------------------------------------------------------------------------------------------


def test_a_client_approves_once(scope: Scope, deeds: Callable[[Scope], list[str]]) -> None:
    asset_id = in_state(scope, S.IN_REVIEW)
    token = link_to(scope, asset_id)
    asked = links.offer(token)
    assert (asked.creator, asked.client_name, asked.platform, asked.body) == (
        "Ada",
        "Acme",
        "Instagram",
        "The sea, at last",
    )
    links.decide(token, Decision.APPROVED)
    assert state(scope, asset_id) is S.APPROVED
    with pytest.raises(NotFound):
        links.decide(token, Decision.APPROVED)
    (one,) = approving.decisions(scope, asset_id)
    assert (one.name, one.by_link, one.decision) == ("Acme", True, Decision.APPROVED)
    assert {"approval_link_made", "client_approval_given", "text_approved"} <= set(deeds(scope))


@pytest.mark.parametrize("begin", [S.IN_REVIEW, S.APPROVED, S.SCHEDULED])
def test_a_client_asks_for_changes(scope: Scope, begin: AssetStatus) -> None:
    asset_id = in_state(scope, S.IN_REVIEW)
    token = link_to(scope, asset_id)
    if begin is not S.IN_REVIEW:
        approving.approve(scope, asset_id, version=1)
    if begin is S.SCHEDULED:
        planning.schedule(scope, asset_id, version=1, day=TOMORROW, clock=NOON)
        assert links.offer(token).scheduled_at is not None
    with pytest.raises(BadInput):
        links.decide(token, Decision.CHANGES_ASKED, " ")
    links.decide(token, Decision.CHANGES_ASKED, "shorter")
    assert state(scope, asset_id) is S.DRAFT
    assert planning.entry(scope, asset_id).at is None


def test_clients_together_are_one_person(scope: Scope) -> None:
    approving.save_rule(scope, Rule(2))
    asset_id = in_state(scope, S.DRAFT)
    states.submit(scope, asset_id, version=1)
    first, second = link_to(scope, asset_id), link_to(scope, asset_id)
    links.decide(first, Decision.APPROVED)
    links.decide(second, Decision.APPROVED)
    assert state(scope, asset_id) is S.IN_REVIEW
    assert approving.approve(scope, asset_id, version=1) is S.APPROVED


def test_an_author_who_may_not_approve_makes_no_link_either(scope: Scope) -> None:
    approving.save_rule(scope, Rule(1, author_may_approve=False))
    asset_id = in_state(scope, S.IN_REVIEW)
    with pytest.raises(NotAllowed):
        link_to(scope, asset_id)


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 31}, {"client_name": " "}, {"client_name": "x" * 121}])
def test_a_link_that_cannot_be(scope: Scope, wrong: dict[str, object]) -> None:
    given = {"client_name": "Acme", "days": 30} | wrong
    with pytest.raises(BadInput):
        links.make_link(scope, in_state(scope, S.IN_REVIEW), version=1, **given)  # type: ignore[arg-type]


def test_it_lasts_thirty_days_at_most(scope: Scope) -> None:
    made = links.make_link(scope, in_state(scope, S.IN_REVIEW), version=1, client_name="Acme", days=30)
    assert made.expires_at <= datetime.now(UTC) + timedelta(days=30)


def test_the_secret_is_kept_nowhere(scope: Scope) -> None:
    asset_id = in_state(scope, S.IN_REVIEW)
    token = link_to(scope, asset_id)
    with transaction(scope) as session:
        for table in ("approval_links", "tenant_pointers", "audit_log"):
            kept = session.execute(text(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")).scalar_one()
            assert token not in kept
            assert token.encode().hex() not in kept


def test_every_link_that_is_no_good_is_refused_alike(scope: Scope) -> None:
    ids = [in_state(scope, S.IN_REVIEW) for _ in range(3)]
    tokens = [link_to(scope, one) for one in ids]
    expire(scope, ids[0])
    links.revoke_link(scope, links.links_of(scope, ids[1])[0].id)
    links.decide(tokens[2], Decision.APPROVED)
    for token in (*tokens, "", "x" * 43, "\x00", "\ud800"):
        for deed in (
            lambda token=token: links.offer(token),
            lambda token=token: links.decide(token, Decision.APPROVED),
        ):
            with pytest.raises(NotFound) as refused:
                deed()
            assert refused.value.code == "approve.bad_link"


def test_a_text_that_changed_or_went_says_so_and_nothing_of_itself(scope: Scope) -> None:
    gone = [in_state(scope, S.IN_REVIEW) for _ in range(4)]
    tokens = [link_to(scope, one) for one in gone]
    edited(scope, gone[0], "Another sea")
    states.back_to_draft(scope, gone[1])
    archive_asset(scope, gone[2])
    approving.approve(scope, gone[3], version=1)
    states.mark_published(scope, gone[3], version=1)
    for token in tokens:
        for deed in (
            lambda token=token: links.offer(token),
            lambda token=token: links.decide(token, Decision.APPROVED),
        ):
            with pytest.raises(Conflict) as refused:
                deed()
            assert refused.value.code == "approve.changed"


def test_only_the_team_takes_a_link_back(ada: Made, bob: Made) -> None:
    asset_id = in_state(ada.scope, S.IN_REVIEW)
    token = link_to(ada.scope, asset_id)
    (waiting,) = links.links_of(ada.scope, asset_id)
    for other in (waiting.id, uuid4()):
        with pytest.raises(NotFound):
            links.revoke_link(bob.scope, other)
    assert links.links_of(bob.scope, asset_id) == ()
    assert links.offer(token).creator == "Ada"
    links.revoke_link(ada.scope, waiting.id)
    assert not links.links_of(ada.scope, asset_id)[0].is_waiting(datetime.now(UTC))
    with pytest.raises(NotFound):
        links.revoke_link(ada.scope, waiting.id)


def test_so_many_may_wait(scope: Scope) -> None:
    asset_id = in_state(scope, S.IN_REVIEW)
    for _ in range(links.MOST_WAITING):
        link_to(scope, asset_id)
    with pytest.raises(Conflict):
        link_to(scope, asset_id)
    links.revoke_link(scope, links.links_of(scope, asset_id)[0].id)
    link_to(scope, asset_id)


def test_a_link_of_an_account_that_the_creator_left_opens_nothing(ada: Made, bob: Made) -> None:
    token = link_to(ada.scope, in_state(ada.scope, S.IN_REVIEW))
    with transaction(ada.scope) as session:
        session.execute(
            text("UPDATE tenant_pointers SET account_id = :other WHERE kind = 'approval'"), {"other": bob.account_id}
        )
    with pytest.raises(NotFound):
        links.offer(token)


# --- the page at the wire ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(serve: Serve) -> Served:
    return serve(target="core.sidecar.app:app", worker=False)


@pytest.fixture
def zoe(house: Served) -> Made:
    with house.doors():
        return make_person(f"Zoe {next(_NUMBERS)}", Role.CREATOR, time_zone="Europe/Paris")


@pytest.fixture
def asked(house: Served, zoe: Made) -> tuple[UUID, str]:
    with house.doors():
        asset_id = in_state(zoe.scope, S.IN_REVIEW, body="<b>The sea</b> & I")
        with_picture(zoe.scope, asset_id, "a hat on a chair")
        return asset_id, link_to(zoe.scope, asset_id)


def said(answer: httpx2.Response) -> str:
    return unescape(answer.text)


def test_reading_changes_nothing_and_shows_what_is_asked(house: Served, zoe: Made, asked: tuple[UUID, str]) -> None:
    asset_id, token = asked
    with house.client() as visitor:
        for _ in range(2):
            shown = visitor.get(PAGE, params={"token": token})
            assert shown.status_code == 200
    assert all(one in said(shown) for one in ("Zoe", "Acme", "Instagram", "a hat on a chair", "No time is set yet"))
    assert "&lt;b&gt;The sea&lt;/b&gt; &amp; I" in shown.text
    assert "<b>The sea" not in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "same-origin"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    with house.doors():
        assert state(zoe.scope, asset_id) is S.IN_REVIEW


def test_the_planned_time_is_told_in_the_creators_zone(house: Served, zoe: Made, asked: tuple[UUID, str]) -> None:
    asset_id, token = asked
    with house.doors():
        with_picture(zoe.scope, asset_id, "")
        approving.approve(zoe.scope, asset_id, version=1)
        planning.schedule(zoe.scope, asset_id, version=1, day=TOMORROW, clock=NOON)
    with house.client() as visitor:
        shown = said(visitor.get(PAGE, params={"token": token, "lang": "fr"}))
    assert "(Europe/Paris)" in shown
    assert "12:00" in shown
    assert "Votre approbation" in shown


@pytest.mark.parametrize(("decision", "after"), [("approved", S.APPROVED), ("changes_asked", S.DRAFT)])
def test_a_client_decides_and_the_link_is_used(
    house: Served, zoe: Made, asked: tuple[UUID, str], decision: str, after: AssetStatus
) -> None:
    asset_id, token = asked
    fields = {"token": token, "decision": decision, "note": "a little shorter", "lang": "fr"}
    with house.client() as visitor:
        answer = visitor.post(PAGE, data=fields)
        assert answer.status_code == 200
        assert "Merci" in said(answer)
        assert visitor.post(PAGE, data=fields).status_code == 404
        assert visitor.get(PAGE, params={"token": token}).status_code == 404
    with house.doors():
        assert state(zoe.scope, asset_id) is after
        (one,) = approving.decisions(zoe.scope, asset_id)
        assert one.note == "a little shorter"


@pytest.mark.parametrize("fields", [{"decision": "changes_asked"}, {"decision": "published"}, {}])
def test_what_can_be_said_better_is_asked_again(
    house: Served, zoe: Made, asked: tuple[UUID, str], fields: dict[str, str]
) -> None:
    asset_id, token = asked
    with house.client() as visitor:
        answer = visitor.post(PAGE, data={"token": token, **fields})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'name="decision"' in answer.text
    with house.doors():
        assert state(zoe.scope, asset_id) is S.IN_REVIEW


def test_what_is_no_good_answers_alike_and_shows_no_form(house: Served, zoe: Made) -> None:
    with house.doors():
        ids = [in_state(zoe.scope, S.IN_REVIEW) for _ in range(3)]
        tokens = [link_to(zoe.scope, one) for one in ids]
        expire(zoe.scope, ids[0])
        links.revoke_link(zoe.scope, links.links_of(zoe.scope, ids[1])[0].id)
        links.decide(tokens[2], Decision.APPROVED)
    answers = set()
    with house.client() as visitor:
        for token in (*tokens, "x" * 43):
            for answer in (
                visitor.get(PAGE, params={"token": token}),
                visitor.post(PAGE, data={"token": token, "decision": "approved"}),
            ):
                answers.add((answer.status_code, re.sub(re.escape(token), "", answer.text)))
    ((status, body),) = answers
    assert status == 404
    assert "<form" not in body
    assert "The sea" not in body


def test_a_changed_text_says_so_and_shows_nothing_of_it(house: Served, zoe: Made, asked: tuple[UUID, str]) -> None:
    asset_id, token = asked
    with house.doors():
        edited(zoe.scope, asset_id, "Another sea")
    with house.client() as visitor:
        shown = visitor.get(PAGE, params={"token": token})
        answer = visitor.post(PAGE, data={"token": token, "decision": "approved"})
    for one in (shown, answer):
        assert one.status_code == 409
        assert "has changed since" in one.text
        assert "sea" not in one.text
        assert "<form" not in one.text


def test_a_form_of_another_site_is_refused(house: Served, zoe: Made, asked: tuple[UUID, str]) -> None:
    asset_id, token = asked
    fields = {"token": token, "decision": "approved"}
    with house.client() as visitor:
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            assert visitor.post(PAGE, data=fields, headers=headers).status_code == 403
    with house.doors():
        assert state(zoe.scope, asset_id) is S.IN_REVIEW


def test_so_many_visits_and_then_a_pause(serve: Serve) -> None:
    alone = serve(target="core.sidecar.app:app", worker=False)
    with alone.client() as visitor:
        statuses = [visitor.get(PAGE, params={"token": str(n)}).status_code for n in range(250)]
    assert statuses[0] == 404
    assert statuses[-1] == 429
