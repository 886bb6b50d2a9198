"""`python3 -m core.jobs make-admin` as an operator types it."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.access import Role
from core.audit import own_entries
from core.embedded import Embedded
from core.jobs.command import main
from core.workspaces.service import open_scope
from tests.people import make_person


def test_make_and_unmake(committed: str, repository: Path) -> None:
    ada = make_person("Ada", Role.CREATOR)
    asked = subprocess.run(
        [sys.executable, "-m", "core.jobs", "make-admin", "Ada@Example.com"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "is staff now" in asked.stdout
    assert open_scope(ada.user_id).is_staff
    assert main(["unmake-admin", ada.email]) == 0
    assert not open_scope(ada.user_id).is_staff
    assert [one.deed for one in own_entries(ada.scope)] == ["staff_unmade", "staff_made"]


def test_a_second_time_changes_nothing(committed: str, capsys: pytest.CaptureFixture[str]) -> None:
    ada = make_person("Ada", Role.CREATOR)
    assert [main(["make-admin", ada.email]) for _ in range(2)] == [0, 0]
    assert "already; nothing was changed" in capsys.readouterr().out
    assert len(own_entries(ada.scope)) == 1


def test_an_unknown_e_mail_is_a_clear_sentence(committed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make-admin", "nobody@example.com"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "Nobody has signed up with nobody@example.com. Let them sign up first, then try again.\n"


def test_an_empty_database_is_a_clear_sentence(
    committed: str, server: Embedded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from core.settings import settings

    monkeypatch.setenv("DATABASE_URL", server.url("postgres", "postgres"))
    settings.cache_clear()
    assert main(["make-admin", "nobody@example.com"]) == 1
    assert "Start `python3 -m dashboard` once" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["work", "make-admin", "unmake-admin", "stripe-setup", "reconcile"])
def test_help_names_every_verb_and_what_it_takes(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    for asked in (["--help"], [verb, "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(asked)
        assert ended.value.code == 0
        assert verb in capsys.readouterr().out


def test_asked_wrongly_it_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ([], ["make-admin"], ["make-coffee"]):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2
        assert "usage: python3 -m core.jobs" in capsys.readouterr().err
