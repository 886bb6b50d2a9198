"""What models cost as files over HTTP: for those who may see it, of their own creators."""

from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import pytest

from core.access import Role
from core.ai.protocol import Usage
from tests.insights.ledgers import attempt, kept
from tests.people import Made, make_person
from tests.web.serving import Served

_NUMBERS = count()
TODAY = datetime.now(UTC).date().isoformat()
DAYS = {"first": TODAY, "last": TODAY}


@pytest.fixture
def creator(alone: Served) -> Made:
    with alone.doors():
        made = make_person(f"Odile {next(_NUMBERS)}", Role.CREATOR)
        kept(made.scope, uuid4(), [attempt(Usage(input=100, output=100))])
    return made


def test_each_table_is_handed_to_its_creator(alone: Served, creator: Made) -> None:
    folder = f"/account/ai-costs/{creator.workspace_id}"
    with alone.client(alone.token_for(creator.user_id)) as browser:
        answers = {
            name: browser.get(f"{folder}/{name}.csv", params=DAYS) for name in ("days", "tasks", "models", "people")
        }
        unknown = browser.get(f"{folder}/secrets.csv", params=DAYS)
        backwards = browser.get(f"{folder}/days.csv", params=DAYS | {"first": "2099-01-01"})
        unreadable = browser.get(f"{folder}/days.csv", params={"first": "x"})
        nobodys = browser.get("/account/ai-costs/no-id/days.csv", params=DAYS)
    assert {answer.status_code for answer in answers.values()} == {200}
    assert {answer.headers["content-type"] for answer in answers.values()} == {"text/csv; charset=utf-8"}
    assert {answer.headers["cache-control"] for answer in answers.values()} == {"no-store"}
    assert answers["tasks"].content.decode("utf-8-sig").splitlines()[1].startswith("caption,1,1,100,0,0,100,0,0.00006")
    assert (unknown.status_code, backwards.status_code, unreadable.status_code, nobodys.status_code) == (
        404,
        422,
        422,
        404,
    )


def test_it_is_not_for_another(alone: Served, creator: Made) -> None:
    with alone.doors():
        other = make_person(f"Bruno {next(_NUMBERS)}", Role.CREATOR)
    with alone.client(alone.token_for(other.user_id)) as browser:
        answer = browser.get(f"/account/ai-costs/{creator.workspace_id}/days.csv", params=DAYS)
    assert answer.status_code == 404
    assert "requests" not in answer.text
