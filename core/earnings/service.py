"""Bringing statements in, taking them out, and what they add up to."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.access import SYSTEM, Permission, Scope
from core.earnings import rollups
from core.earnings.amounts import currencies as iso_currencies
from core.earnings.columns import ColumnMapping, signature
from core.earnings.merging import merge
from core.earnings.models import ColumnChoice, Import
from core.earnings.outline import Outline, outline
from core.earnings.staging import staged
from core.earnings.statement import Statement, statement_of
from core.earnings.table import Table, sniff
from core.earnings.undoing import take_out
from core.errors import BadInput, NotFound
from core.identity.models import User
from core.text import cleaned
from core.use_case import use_case

PLATFORMS = ("onlyfans", "fansly", "fanvue", "other")
FILENAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person decides about a file. Without a mapping the remembered one for its columns is used, if any."""

    platform: str = "onlyfans"
    currency: str = "USD"
    mapping: ColumnMapping | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What importing a file would do. `same_file_at` is when this very file was imported, if it was.

    `remembered`: its columns are read as a person chose the last time.
    """

    outline: Outline
    new: int
    changed: int
    unchanged: int
    remembered: bool
    same_file_at: datetime | None


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Rows by what became of them. `rejected` rows and `blank` ones are in no figure."""

    import_id: UUID
    new: int
    changed: int
    unchanged: int
    rejected: int
    blank: int


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One line of the history of imports."""

    id: UUID
    number: int
    filename: str
    platform: str
    by: str | None
    created_at: datetime
    rows: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    blank: int
    undone_at: datetime | None


def preview(scope: Scope, content: bytes, choices: Choices | None = None) -> Preview:
    """Read a file and say what importing it would do. Writes nothing. Raises BadInput for what is no statement."""
    statement, remembered = _read(scope, content, choices or Choices())
    return _preview(scope, statement, hashlib.sha256(content).digest(), remembered)


def import_statement(scope: Scope, content: bytes, filename: str, choices: Choices | None = None) -> ImportResult:
    """Bring a file into the ledger, all or nothing, and remember how its columns were read.

    Rows known already are left alone; known rows with another status are brought up to date. Raises BadInput for what
    is no statement, lacks a column, or has no row that can be imported.
    """
    chosen = choices or Choices()
    statement, _ = _read(scope, content, chosen)
    if statement.missing:
        raise BadInput("earnings.columns_missing")
    if not statement.lines:
        raise BadInput("earnings.nothing_to_import")
    name = cleaned(PurePath(filename.replace("\\", "/")).name)[:FILENAME_LENGTH]
    return _import(
        scope, statement, hashlib.sha256(content).digest(), filename=name, remember=chosen.mapping is not None
    )


def _read(scope: Scope, content: bytes, choices: Choices) -> tuple[Statement, bool]:
    """Outside any transaction: reading a large file takes seconds."""
    scope.require(Permission.IMPORT_EARNINGS)
    if choices.platform not in PLATFORMS:
        raise BadInput("earnings.bad_platform")
    if choices.currency not in iso_currencies():
        raise BadInput("earnings.bad_currency")
    table = sniff(content)
    remembered = None if choices.mapping else _remembered(scope, table)
    mapping = choices.mapping or remembered
    return statement_of(table, mapping=mapping, currency=choices.currency, platform=choices.platform), bool(remembered)


@use_case(Permission.IMPORT_EARNINGS)
def _remembered(session: Session, scope: Scope, table: Table) -> ColumnMapping | None:
    kept = session.get(ColumnChoice, (scope.workspace_id, signature(table.header)))
    return ColumnMapping.from_json(kept.mapping) if kept else None


@use_case(Permission.IMPORT_EARNINGS)
def _preview(session: Session, scope: Scope, statement: Statement, sha256: bytes, remembered: bool) -> Preview:
    same = select(func.max(Import.created_at)).where(
        Import.workspace_id == scope.workspace_id, Import.sha256 == sha256, Import.undone_at.is_(None)
    )
    with staged(session, scope.workspace_id, statement.platform, statement.lines) as counts:
        return Preview(
            outline(statement), counts.new, counts.changed, counts.unchanged, remembered, session.scalar(same)
        )


@use_case(Permission.IMPORT_EARNINGS)
def _import(
    session: Session, scope: Scope, statement: Statement, sha256: bytes, *, filename: str, remember: bool
) -> ImportResult:
    workspace_id = scope.workspace_id
    rollups.lock_ledger(session, workspace_id)
    rollups.keep_calendar(session, workspace_id)
    if remember:
        _remember(session, workspace_id, statement)
    with staged(session, workspace_id, statement.platform, statement.lines) as counts:
        made = Import(
            workspace_id=workspace_id,
            number=_next_number(session, workspace_id),
            user_id=_person(scope),
            platform=statement.platform,
            filename=filename,
            sha256=sha256,
            mapping=statement.mapping.to_json(),
            rows=statement.rows,
            new_rows=counts.new,
            changed_rows=counts.changed,
            unchanged_rows=counts.unchanged,
            rejected_rows=statement.rejected_rows,
            blank_rows=statement.blank_rows,
            unknown_rows=sum(statement.unknown_types.values()),
            created_at=func.clock_timestamp(),
        )
        session.add(made)
        session.flush()
        merge(session, workspace_id, statement.platform, made.number)
    return ImportResult(
        made.id, counts.new, counts.changed, counts.unchanged, statement.rejected_rows, statement.blank_rows
    )


def _person(scope: Scope) -> UUID | None:
    return None if scope.user_id == SYSTEM else scope.user_id


def _next_number(session: Session, workspace_id: UUID) -> int:
    last = select(func.max(Import.number)).where(Import.workspace_id == workspace_id)
    return (session.scalar(last) or 0) + 1


def _remember(session: Session, workspace_id: UUID, statement: Statement) -> None:
    mapping = statement.mapping.to_json()
    session.execute(
        insert(ColumnChoice)
        .values(workspace_id=workspace_id, signature=statement.signature, mapping=mapping)
        .on_conflict_do_update(
            index_elements=["workspace_id", "signature"], set_={"mapping": mapping, "updated_at": func.now()}
        )
    )


@use_case(Permission.IMPORT_EARNINGS)
def undo_import(session: Session, scope: Scope, import_id: UUID) -> None:
    """Leave the ledger as if the import had never been; what other imports hold too stays.

    Raises NotFound for an import that is not of this workspace, or was undone already.
    """
    workspace_id = scope.workspace_id
    rollups.lock_ledger(session, workspace_id)
    rollups.keep_calendar(session, workspace_id)
    number = session.scalar(
        update(Import)
        .where(Import.workspace_id == workspace_id, Import.id == import_id, Import.undone_at.is_(None))
        .values(undone_at=func.clock_timestamp(), undone_by=_person(scope))
        .returning(Import.number)
    )
    if number is None:
        raise NotFound("earnings.unknown_import")
    take_out(session, workspace_id, number)


@use_case(Permission.VIEW_ANALYTICS)
def imports(session: Session, _scope: Scope) -> tuple[ImportRecord, ...]:
    """The history of imports of the workspaces in view, the latest first."""
    found = (
        select(Import, User.display_name)
        .outerjoin(User, User.id == Import.user_id)
        .order_by(Import.created_at.desc(), Import.id.desc())
    )
    return tuple(_record(made, by) for made, by in session.execute(found))


def _record(made: Import, by: str | None) -> ImportRecord:
    return ImportRecord(
        id=made.id,
        number=made.number,
        filename=made.filename,
        platform=made.platform,
        by=by,
        created_at=made.created_at,
        rows=made.rows,
        new=made.new_rows,
        changed=made.changed_rows,
        unchanged=made.unchanged_rows,
        rejected=made.rejected_rows,
        blank=made.blank_rows,
        undone_at=made.undone_at,
    )
