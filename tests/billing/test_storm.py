"""Whoever dies, whenever: nothing is lost, nothing happens twice, and the webhook answers again soon."""

import os
import random
import sys
from pathlib import Path

import pytest

from core.settings import settings
from tests.billing.storm import LEASE, Storm
from tests.peers.stripe_server import StripeServer

KILLS = int(os.environ.get("STORM_KILLS", "300"))


@pytest.fixture(autouse=True)
def short_leases(committed: str, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_LEASE_SECONDS", str(LEASE))
    settings.cache_clear()


def test_a_short_storm_changes_nothing(stripe: StripeServer, tmp_path: Path):
    with Storm(stripe, tmp_path, random.Random(4), workers=1) as storm:
        storm.sparse(8)
        storm.dense(15)
        storm.slow(2)
    assert storm.toll.wrong == []
    assert storm.toll.kills > 0


@pytest.mark.heavy
def test_three_hundred_kills_change_nothing(stripe: StripeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with Storm(stripe, tmp_path, random.Random()) as storm:
        while storm.toll.kills < KILLS:
            storm.sparse()
            storm.dense()
            storm.slow()
            with capsys.disabled():
                sys.stdout.write(f"\n{storm.toll}")
    assert storm.toll.wrong == []
    assert storm.toll.slowest_next_200 <= 5
