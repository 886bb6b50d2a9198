"""A campaign whose worker dies goes on where it was: nobody twice, nothing asked again."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, text

from core.access import Scope
from core.jobs.runner import run_once
from core.messages import writing
from core.messages.assigning import Assignment
from core.messages.kinds import CampaignStatus, Kind
from core.messages.service import campaign, plan_campaign
from tests.messages.answers import GOOD
from tests.messages.fans import answer, brief, bring_in, names
from tests.peers.model_server import ModelServer


class Killed(BaseException):
    """What a worker that is killed leaves behind is what a transaction that never ends does."""


def test_a_worker_that_dies_while_it_fills_loses_and_doubles_nothing(
    model: ModelServer, scope: Scope, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in(scope, names(30))
    monkeypatch.setattr(writing, "AT_ONCE", 10)
    model.play(answer(*GOOD["en"]["greeting"]), answer(*GOOD["en"]["greeting"]))
    wanted = plan_campaign(scope, brief(Kind.GREETING))
    made, written = [], Assignment.written

    def dies(self: Assignment, *given: object, **more: object) -> object:
        made.append(1)
        if len(made) == 2:
            raise Killed
        return written(self, *given, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as once:
        once.setattr(Assignment, "written", dies)
        with pytest.raises(Killed):
            run_once()
    halfway = campaign(scope, wanted)
    assert (halfway.status, halfway.messages, halfway.fans) == (CampaignStatus.DRAFTING, 10, 30)
    database.execute(text("UPDATE jobs SET lease_until = :then"), {"then": datetime(2020, 1, 1, tzinfo=UTC)})
    assert run_once()
    after = campaign(scope, wanted)
    assert (after.status, after.messages, after.skipped) == (CampaignStatus.READY, 30, {})
    assert len(model.seen) == 1
