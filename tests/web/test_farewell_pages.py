"""Packs and the way back from a deletion, over HTTP."""

import io
import re
import zipfile
from itertools import count
from uuid import UUID, uuid4

import httpx2
import pytest

from core.access import Role
from core.billing import farewell
from core.insights.packing import make
from core.queue import Claimed
from core.workspaces import packs, privacy
from core.workspaces.service import open_scope
from tests.people import Made, make_person
from tests.web.serving import Served
from tests.workspaces.conftest import signed_in, token_to

_NUMBERS = count()


@pytest.fixture
def creator(alone: Served) -> Made:
    with alone.doors():
        return make_person(f"Élise {next(_NUMBERS)}", Role.CREATOR)


def made_pack(alone: Served, creator: Made) -> UUID:
    with alone.doors():
        pack_id = packs.request_pack(creator.scope)
        make(Claimed(uuid4(), packs.MAKE, creator.user_id, None, None, {"pack_id": str(pack_id)}, 1, uuid4()))
    return pack_id


def test_a_pack_is_handed_to_its_person(alone: Served, creator: Made) -> None:
    pack_id = made_pack(alone, creator)
    with alone.client(alone.token_for(creator.user_id)) as browser:
        answer = browser.get(f"/account/packs/{pack_id}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert "workspace.csv" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()


def test_anothers_pack_answers_byte_for_byte_as_one_that_never_was(alone: Served, creator: Made) -> None:
    pack_id, session = made_pack(alone, creator), alone.sign_up(f"stranger{next(_NUMBERS)}@example.com")
    with alone.client(session) as stranger:
        answers = [stranger.get(f"/account/packs/{asked}") for asked in (pack_id, uuid4(), "no-id")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple((k, v) for k, v in answer.headers.items() if k != "date") for answer in answers}) == 1


def test_whoever_is_not_signed_in_is_asked_to(alone: Served, creator: Made, visitor: httpx2.Client) -> None:
    answer = visitor.get(f"/account/packs/{made_pack(alone, creator)}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/account/sign-in")


def test_the_letter_keeps_the_account_once(alone: Served, creator: Made, visitor: httpx2.Client) -> None:
    with alone.doors():
        farewell.request_deletion(open_scope(creator.user_id, signed_in(creator.user_id)))
        token = token_to(creator.email)
    shown = visitor.get("/account/restore", params={"token": token})
    assert shown.status_code == 200
    assert re.search(r"<button[^>]*>Keep my account</button>", shown.text)
    with alone.doors():
        assert privacy.erased_on(creator.scope) is not None
    assert visitor.post("/account/restore", data={"token": token}).status_code == 200
    with alone.doors():
        assert privacy.erased_on(creator.scope) is None
    for answer in (
        visitor.post("/account/restore", data={"token": token}),
        visitor.get("/account/restore", params={"token": "never-was"}),
    ):
        assert answer.status_code == 422
        assert "Keep my account</button>" not in answer.text


MARCH = {"first": "2026-03-01", "last": "2026-03-31"}


def test_revenue_is_handed_to_staff(alone: Served) -> None:
    with alone.doors():
        staff = make_person(f"Stefan {next(_NUMBERS)}", Role.ADMIN)
    with alone.client(alone.token_for(staff.user_id)) as browser:
        answers = {name: browser.get(f"/account/revenue/{name}.csv", params=MARCH) for name in ("movements", "months")}
        unknown = browser.get("/account/revenue/secrets.csv", params=MARCH)
        wrong = [
            browser.get("/account/revenue/months.csv", params=MARCH | changed)
            for changed in ({"first": "2026-04-01"}, {"last": "9999-12-31"}, {"first": "0001-01-01"})
        ]
        unreadable = browser.get("/account/revenue/months.csv", params={"first": "x"})
    assert {answer.status_code for answer in answers.values()} == {200}
    assert {answer.headers["content-type"] for answer in answers.values()} == {"text/csv; charset=utf-8"}
    assert {answer.headers["cache-control"] for answer in answers.values()} == {"no-store"}
    assert "huntaze-2026-03-01-2026-03-31.csv" in answers["months"].headers["content-disposition"]
    headings = {name: answer.content.decode("utf-8-sig").splitlines()[0] for name, answer in answers.items()}
    assert headings == {
        "movements": "at,account_id,kind,currency,amount,mrr,lookup_key",
        "months": "currency,first,start,new,expansion,contraction,churned,reactivated,end",
    }
    assert (unknown.status_code, unreadable.status_code) == (404, 422)
    assert [answer.status_code for answer in wrong] == [422] * 3
    assert "between 2000 and 2099" in wrong[0].text


def test_revenue_is_not_for_those_who_pay_it(alone: Served, creator: Made) -> None:
    with alone.client(alone.token_for(creator.user_id)) as browser:
        answer = browser.get("/account/revenue/months.csv", params=MARCH)
    assert answer.status_code == 403
    assert "currency" not in answer.text
