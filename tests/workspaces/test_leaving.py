"""A creator leaves an agency: every row goes along, nobody else does, and a pack holds it all."""

import csv
import io
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from core.access import AccountRole, Permission, Role, Scope
from core.ai import allowance
from core.ai.models import UsageCounter
from core.audit import entries, record
from core.billing import seats
from core.billing.keys import create_api_key
from core.content.models import ContentAsset, Generation, VoiceRecord
from core.db import Base, rule_of, transaction
from core.earnings.models import Import
from core.errors import Conflict, NotAllowed, NotFound, PlanLimit
from core.insights.leaving import leave_account
from core.insights.packing import NOT_TAKEN, OF_WORKSPACE, cell
from core.jobs.runner import run_once
from core.queue import Claimed
from core.workspaces import invitations, packs
from core.workspaces.api_keys import scope_of_key
from core.workspaces.models import Membership
from core.workspaces.service import my_accounts, open_scope
from tests.people import Made, make_person
from tests.workspaces.conftest import hire, kinds_to, signed_in, subscribe

WRITTEN = datetime(2025, 5, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Leaver:
    """Cleo is the creator of Mara's first workspace; Bob manages it too."""

    made: Made
    workspace_id: UUID
    scope: Scope


@pytest.fixture
def cleo(agency: Made, bob: Made) -> Leaver:
    made = make_person("Cleo", Role.CREATOR)
    workspace_id = agency.workspace_ids[0]
    hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    scope = hire(agency, made, Role.CREATOR, (workspace_id,))
    fill(scope.narrowed_to(workspace_id), agency.user_id)
    return Leaver(made, workspace_id, scope)


def fill(scope: Scope, other_id: UUID) -> None:
    workspace_id = scope.workspace_id
    own = {"workspace_id": workspace_id}
    with transaction(scope) as session:
        session.add_all(
            [
                VoiceRecord(**own, tone="warm"),
                ContentAsset(
                    **own,
                    type="caption",
                    title='=HYPERLINK("http://x")',
                    body="Hello",
                    platform="instagram",
                    language="en",
                    created_by=scope.user_id,
                ),
                Import(
                    **own,
                    number=1,
                    user_id=other_id,
                    platform="onlyfans",
                    filename="-may.csv",
                    sha256=b"x",
                    mapping={},
                    rows=0,
                    new_rows=0,
                    changed_rows=0,
                    unchanged_rows=0,
                    rejected_rows=0,
                    blank_rows=0,
                    unknown_rows=0,
                ),
                *(
                    Generation(
                        **own,
                        account_id=scope.account_id,
                        user_id=who,
                        brief={"about": about},
                        note=about,
                        task="caption",
                        platform="instagram",
                        language="en",
                        status="queued",
                        reserved_month=allowance.month_of(WRITTEN),
                    )
                    for who, about in ((scope.user_id, "mine"), (other_id, "of another"))
                ),
            ]
        )
        session.flush()
        for _ in range(2):
            assert allowance.take_place(session, scope.account_id, allowance.month_of(WRITTEN), None)
        record(session, scope, "import_undone", "note", workspace_id=workspace_id)


def rows_of(scope: Scope) -> dict[str, int]:
    """How many rows every table of a workspace shows, its memberships and the record aside."""
    tables = [
        table
        for table in Base.metadata.sorted_tables
        if "workspace_id" in table.c and rule_of(table) is not None and table.name not in ("memberships", "audit_log")
    ]
    with transaction(scope) as session:
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def used(account_id: UUID) -> int:
    with transaction(Scope.for_account(account_id)) as session:
        return session.scalar(select(func.sum(UsageCounter.used)).where(UsageCounter.account_id == account_id)) or 0


def test_everything_goes_along_and_the_agency_sees_nothing(agency: Made, bob: Made, cleo: Leaver) -> None:
    before = rows_of(cleo.scope.narrowed_to(cleo.workspace_id))
    assert before["content_assets"] == before["imports"] == before["voices"] == 1
    assert used(agency.account_id) == 2
    account_id = leave_account(cleo.scope, cleo.workspace_id)
    after = open_scope(cleo.made.user_id)
    assert rows_of(after.narrowed_to(cleo.workspace_id)) == before
    assert after.account_of[cleo.workspace_id] == account_id
    assert after.account_roles == {cleo.made.account_id: AccountRole.OWNER, account_id: AccountRole.OWNER}
    assert used(agency.account_id) == 0
    for one in (agency, bob):
        theirs = open_scope(one.user_id)
        assert cleo.workspace_id not in theirs.workspace_ids
        with pytest.raises(NotFound):
            theirs.narrowed_to(cleo.workspace_id)
    with transaction(after) as session:
        assert session.scalar(select(func.count()).where(Membership.workspace_id == cleo.workspace_id)) == 1
    assert kinds_to(cleo.made.email)[-1] == "leaving.receipt"
    assert kinds_to(agency.email)[-1] == "leaving.told"
    with transaction(after) as session:
        status = select(Generation.status).where(Generation.workspace_id == cleo.workspace_id)
        assert set(session.scalars(status)) == {"cancelled"}


def test_both_accounts_have_it_on_record(agency: Made, cleo: Leaver) -> None:
    account_id = leave_account(cleo.scope, cleo.workspace_id)
    left = entries(agency.scope.of_account(agency.account_id))[0]
    came = entries(open_scope(cleo.made.user_id).of_account(account_id))[0]
    assert (left.deed, left.user_id, left.workspace_id) == ("creator_left", cleo.made.user_id, cleo.workspace_id)
    assert (came.deed, came.after) == ("creator_came", left.after)


def test_an_account_of_ones_own_takes_the_workspace_where_its_plan_has_room(cleo: Leaver) -> None:
    with pytest.raises(PlanLimit):
        leave_account(cleo.scope, cleo.workspace_id, cleo.made.account_id)
    assert open_scope(cleo.made.user_id) == cleo.scope
    subscribe(cleo.made, "pro_monthly")
    assert leave_account(cleo.scope, cleo.workspace_id, cleo.made.account_id) == cleo.made.account_id
    assert {one.role for one in my_accounts(open_scope(cleo.made.user_id))} == {AccountRole.OWNER}


def test_who_cannot_leave_and_where_to(agency: Made, bob: Made, cleo: Leaver, ada: Made) -> None:
    with pytest.raises(NotAllowed):
        leave_account(open_scope(bob.user_id), cleo.workspace_id)
    with pytest.raises(Conflict, match="nothing to leave"):
        leave_account(open_scope(ada.user_id), ada.workspace_id)
    with pytest.raises(NotFound):
        leave_account(cleo.scope, cleo.workspace_id, agency.account_id)
    answers = []
    for account_id in (ada.account_id, uuid4()):
        with pytest.raises(NotFound) as refused:
            leave_account(cleo.scope, cleo.workspace_id, account_id)
        answers.append(str(refused.value))
    assert answers[0] == answers[1]
    assert open_scope(cleo.made.user_id) == cleo.scope


def test_a_key_of_the_agency_reaches_the_workspace_no_longer(agency: Made, cleo: Leaver) -> None:
    owner = open_scope(agency.user_id, signed_in(agency.user_id)).of_account(agency.account_id)
    key = create_api_key(owner, "Reports", frozenset({Permission.VIEW_ANALYTICS})).key
    assert scope_of_key(key).workspace_ids == set(agency.workspace_ids)
    leave_account(cleo.scope, cleo.workspace_id)
    assert scope_of_key(key).workspace_ids == set(agency.workspace_ids[1:])


def test_an_invitation_to_the_workspace_loses_it(agency: Made, cleo: Leaver) -> None:
    seats.invite(agency.scope, "a@example.com", Role.MANAGER, agency.workspace_ids)
    seats.invite(agency.scope, "b@example.com", Role.MANAGER, [cleo.workspace_id])
    leave_account(cleo.scope, cleo.workspace_id)
    (kept,) = invitations.invitations(agency.scope.of_account(agency.account_id))
    assert (kept.email, kept.workspace_ids) == ("a@example.com", frozenset(agency.workspace_ids[1:]))


def pack_of(scope: Scope) -> zipfile.ZipFile:
    while run_once():
        pass
    view = packs.packs(scope)[0]
    assert view.is_ready
    return zipfile.ZipFile(io.BytesIO(packs.take(scope, view.id).content))


def table(pack: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(pack.read(name).decode("utf-8-sig"))))


def test_the_pack_holds_every_file_and_says_what_each_column_means(cleo: Leaver) -> None:
    leave_account(cleo.scope, cleo.workspace_id)
    pack = pack_of(open_scope(cleo.made.user_id))
    names = set(pack.namelist())
    assert names == {f"{file.name}.csv" for file in OF_WORKSPACE} | {
        "workspace.csv",
        "dictionary.csv",
        "README.txt",
        "audit_log_before.csv",
    }
    described = {(row["File"], row["Column"]) for row in table(pack, "dictionary.csv")}
    for name in names - {"dictionary.csv", "README.txt", "audit_log_before.csv"}:
        headings = pack.read(name).decode("utf-8-sig").splitlines()[0].split(",")
        assert {(name, heading) for heading in headings} <= described
    (asset,) = table(pack, "assets.csv")
    assert asset["title"] == '\'=HYPERLINK("http://x")'
    (brought,) = table(pack, "imports.csv")
    assert brought["filename"] == "'-may.csv"
    briefs = {row["user_id"]: row["brief"] for row in table(pack, "generations.csv")}
    assert briefs.pop(str(cleo.made.user_id)) == '{"about": "mine"}'
    assert set(briefs.values()) == {""}
    assert {row["note"] for row in table(pack, "generations.csv")} == {"mine", ""}
    assert [row["deed"] for row in table(pack, "audit_log_before.csv")] == ["import_undone"]
    assert [row["deed"] for row in table(pack, "audit_log.csv")]


def test_no_table_of_a_workspace_is_forgotten() -> None:
    taken = {file.model.__tablename__ for file in OF_WORKSPACE} | {model.__tablename__ for model in NOT_TAKEN}
    tables = {table.name for table in Base.metadata.sorted_tables if "workspace_id" in table.c} - {"jobs"}
    assert tables == taken


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1"])
def test_text_that_could_run_is_tamed(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell(-5) == "-5"


def test_a_pack_is_nobody_elses(ada: Made, bob: Made) -> None:
    pack_id = packs.request_pack(ada.scope)
    assert packs.request_pack(ada.scope) == pack_id
    with pytest.raises(NotFound):
        packs.take(ada.scope, pack_id)
    while run_once():
        pass
    assert zipfile.ZipFile(io.BytesIO(packs.take(ada.scope, pack_id).content)).testzip() is None
    answers = []
    for asked in (pack_id, uuid4()):
        with pytest.raises(NotFound) as refused:
            packs.take(bob.scope, asked)
        answers.append(str(refused.value))
    assert answers[0] == answers[1]
    assert packs.packs(bob.scope) == ()


def test_a_pack_goes_after_its_week(ada: Made) -> None:
    pack_id = packs.request_pack(ada.scope)
    while run_once():
        pass
    packs.expire(job_of(ada, pack_id))
    assert packs.packs(ada.scope) == ()
    packs.expire(job_of(ada, pack_id))


def job_of(made: Made, pack_id: UUID) -> Claimed:
    return Claimed(uuid4(), packs.EXPIRE, made.user_id, None, None, {"pack_id": str(pack_id)}, 1, uuid4())
