"""5,000 fans, six kinds, at the wire: nothing unfilled, nothing invented, nobody twice, six calls a language."""

import re
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import Connection, Row, text

from core.access import Scope
from core.jobs.runner import run_once
from core.messages.kinds import Kind
from core.messages.opting import Rule, save_rule
from core.messages.service import campaign, plan_campaign
from tests.messages.answers import GOOD, HOSTILE, INJECTIONS
from tests.messages.fans import answer, brief, bring_in, names
from tests.peers.model_server import ModelServer

LIES = [one for texts in HOSTILE.values() for one in texts] + list(INJECTIONS)
_ALL = text(
    "SELECT m.fan_id, m.body, c.kind, f.name, min(t.occurred_at) AS since, "
    "(array_agg(t.kind ORDER BY t.occurred_at DESC, t.id DESC) "
    " FILTER (WHERE t.kind IN ('message', 'post', 'stream', 'custom')))[1] AS last "
    "FROM messages m JOIN message_campaigns c ON c.id = m.campaign_id JOIN fans f ON f.id = m.fan_id "
    "JOIN transactions t ON t.fan_id = f.id GROUP BY m.id, m.fan_id, m.body, c.kind, f.name"
)
_ITEM = {
    "en": {"message": "the message you unlocked", "post": "the post you unlocked", "custom": "your custom request"},
    "fr": {
        "message": "le message que tu as ouvert",
        "post": "la publication que tu as ouverte",
        "custom": "ta demande sur mesure",
    },
}
_LASTING = {
    "en": r"\b(?:a|over \w+|[\w-]+) (?:days?|months?|years?)\b",
    "fr": r"(?:un|plus de \w+|plus d’un|[\w-]+) (?:jours?|mois|ans?)\b",
}
_PRICE = {"en": "$15.00", "fr": "15,00\u00a0$US"}


@pytest.mark.parametrize(("language", "fans"), [("en", 5000), ("fr", 600)])
def test_every_fan_gets_what_is_theirs_and_nothing_else(
    model: ModelServer, scope: Scope, database: Connection, language: str, fans: int
) -> None:
    bring_in(scope, names(fans))
    save_rule(scope, Rule(days_between=0))
    # In each answer there are lies among the good ones.
    model.play(*(answer(*GOOD[language][kind], *LIES[place::6]) for place, kind in enumerate(Kind)))
    wanted = {kind: plan_campaign(scope, brief(kind, language)) for kind in list(Kind)[:3]}
    for _ in wanted:
        assert run_once()
    wanted |= {kind: plan_campaign(scope, brief(kind, language)) for kind in list(Kind)[3:]}
    for _ in range(3):
        assert run_once()
    assert len(model.seen) <= 6
    assert not any(name in str(asked.body) for asked in model.seen for name in names(40))
    for kind, campaign_id in wanted.items():
        made = campaign(scope, campaign_id)
        assert (made.messages, made.skipped, made.provider) == (fans, {}, "openai"), kind
        assert sum(not one.failed for one in made.templates) == 5
        assert sum(bool(one.failed) for one in made.templates) == len(LIES[list(Kind).index(kind) :: 6])
    _prove(database, scope, language, fans)


def _prove(database: Connection, scope: Scope, language: str, fans: int) -> None:
    """By what is in the tables alone: the product's own checks have no part in it."""
    database.execute(text("SELECT set_config('app.workspace_ids', :id, true)"), {"id": str(scope.workspace_id)})
    rows = database.execute(_ALL).all()
    assert len(rows) == 6 * fans
    per_fan = Counter((row.fan_id, row.body) for row in rows)
    assert max(per_fan.values()) == 1
    per_campaign = Counter((row.kind, row.fan_id) for row in rows)
    assert max(per_campaign.values()) == 1
    assert len({(row.kind, row.body) for row in rows}) == len(rows)
    skeletons = {_skeleton(row, language) for row in rows}
    # Five templates a kind, each with and without its clause: what is left when a fan's own facts are out.
    assert len(skeletons) <= 6 * 5 * 2
    for one in skeletons:
        assert not re.search(r"[\d{}\[\]$€%]", one), one
        assert not any(name in one for name in names(400)), one


def _skeleton(row: Row[Any], language: str) -> str:
    """The text without the facts of this fan's own record and of the offer; a foreign fact would stay in it."""
    name, body, last = row.name, row.body, row.last
    assert body.count(name) == 1
    rest = body.replace(name, "").replace("the beach set", "").replace(_PRICE[language], "")
    for kind, said in _ITEM[language].items():
        assert said not in rest or kind == last, (body, last)
        rest = rest.replace(said, "")
    return re.sub(_LASTING[language], "", rest)
