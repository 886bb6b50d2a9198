"""What is kept about a creator or a person, as CSV files with a data dictionary, in one zip."""

import csv
import io
import json
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryFile
from uuid import UUID

from sqlalchemy import ColumnElement, case, inspect, null, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.access import Permission, Role, Scope
from core.ai.models import AiAttempt, AiRequest, AiRoute
from core.audit import AuditEntry
from core.content.models import (
    ContentAsset,
    ContentAssetVersion,
    Generation,
    ModerationList,
    ModerationReview,
    VoiceRecord,
)
from core.db import Base
from core.earnings.models import (
    ColumnChoice,
    DailyRevenue,
    Fan,
    FanTotal,
    Import,
    RevenueCalendar,
    Sighting,
    Transaction,
)
from core.errors import NotSignedIn, sentences
from core.identity.models import ExternalIdentity, KnownDevice, User, WebSession
from core.language import supported
from core.messages.models import Message, MessageCampaign, MessageOptOut, MessageRule, QuickReply
from core.publishing.models import (
    ApprovalLink,
    ApprovalRule,
    AssetDecision,
    AssetPerformer,
    Performer,
    PerformerDocument,
)
from core.queue import Claimed
from core.use_case import use_case
from core.workspaces import packs
from core.workspaces.models import AccountMember, Membership, StaffVisit, Workspace
from core.workspaces.service import open_scope

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet may take for the beginning of a formula (OWASP, CSV injection; also in full width)."""
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class File:
    """One table as one file. `left_out` are columns that say nothing outside this product, or are not theirs."""

    name: str
    model: type[Base]
    left_out: frozenset[str] = frozenset({"workspace_id"})

    @property
    def columns(self) -> tuple[InstrumentedAttribute[object], ...]:
        found = (getattr(self.model, one.key) for one in self.model.__mapper__.column_attrs)
        return tuple(one for one in found if one.key not in self.left_out)


def _without(*columns: str) -> frozenset[str]:
    return frozenset({"workspace_id", *columns})


@dataclass(frozen=True, slots=True)
class _Folder:
    """A place in a zip; `path` ends with a slash or is empty."""

    into: zipfile.ZipFile
    path: str


OF_WORKSPACE: tuple[File, ...] = (
    File("transactions", Transaction, _without("fingerprint")),
    File("fans", Fan),
    File("fan_totals", FanTotal),
    File("daily_revenue", DailyRevenue),
    File("imports", Import, _without("sha256")),
    File("import_rows", Sighting),
    File("column_mappings", ColumnChoice, _without("signature")),
    File("assets", ContentAsset),
    File("asset_versions", ContentAssetVersion),
    File("asset_decisions", AssetDecision),
    File("approval_links", ApprovalLink),
    File("approval_rules", ApprovalRule),
    File("performers", Performer),
    File("performer_documents", PerformerDocument),
    File("asset_performers", AssetPerformer),
    File("voice", VoiceRecord),
    File("moderation_lists", ModerationList),
    File("moderation_reviews", ModerationReview),
    File(
        "generations",
        Generation,
        _without(
            "account_id",
            "reserved_month",
            "run",
            "prompt_version",
            "tier",
            "cache_read_tokens",
            "cache_write_tokens",
            "reasoning_tokens",
            "is_estimated",
            "cost_nano_usd",
            "problem_code",
            "problem_facts",
            "put_away_at",
        ),
    ),
    File("quick_replies", QuickReply),
    File(
        "message_campaigns",
        MessageCampaign,
        _without("account_id", "reserved_month", "run", "problem_code", "problem_facts"),
    ),
    File("messages", Message, _without("text_key")),
    File("message_opt_outs", MessageOptOut),
    File("message_rules", MessageRule),
    File("ai_routes", AiRoute),
    File(
        "ai_requests",
        AiRequest,
        _without("account_id", "prompt_version", "baseline_model", "baseline_low_nano", "baseline_high_nano"),
    ),
    File("audit_log", AuditEntry, _without("account_id", "session_id", "api_key_id")),
)
"""Every table of a workspace's data. Those of `NOT_TAKEN` are of others or of the product's own."""
NOT_TAKEN: tuple[type[Base], ...] = (AiAttempt, Membership, RevenueCalendar, StaffVisit)
_WORKSPACE = File("workspace", Workspace, _without("account_id", "skipped_steps"))
_OF_PERSON: tuple[File, ...] = (
    File("sessions", WebSession, frozenset({"user_id", "token_hash", "chosen"})),
    File("known_devices", KnownDevice, frozenset({"user_id", "token_hash"})),
    File("external_identities", ExternalIdentity, frozenset({"user_id"})),
    File("accounts", AccountMember, frozenset({"user_id"})),
    File("own_audit_log", AuditEntry, frozenset({"user_id"})),
)
_PROFILE = File("profile", User, frozenset({"password_hash", "deleted_at", "is_staff"}))
_MEMBERSHIPS = File("memberships", Membership, frozenset({"user_id"}))


def make(job: Claimed) -> None:
    """The handler of `workspace.pack`. Raises a Refusal when the person has lost what they asked for."""
    if job.user_id is None:
        raise NotSignedIn("identity.sign_in_again")
    scope = open_scope(job.user_id)
    wanted = packs.ordered(scope, UUID(job.payload["pack_id"]))
    if wanted is None:
        return
    with TemporaryFile() as scratch:
        with zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED) as into:
            if wanted.kind == packs.WORKSPACE:
                _pack_workspace(scope.narrowed_to(wanted.subject_id), into, "", wanted.before)
            else:
                _pack_person(scope, into)
                for workspace_id in sorted(one for one, role in scope.roles.items() if role is Role.CREATOR):
                    _pack_workspace(scope.narrowed_to(workspace_id), into, f"creators/{workspace_id}/", None)
        scratch.seek(0)
        packs.keep(scope, wanted.id, scratch.read())


@use_case(Permission.LEAVE_ACCOUNT)
def _pack_workspace(session: Session, scope: Scope, into: zipfile.ZipFile, folder: str, before: bytes | None) -> None:
    workspace_id = scope.workspace_id
    write = partial(_write, session, _Folder(into, folder))
    write(_WORKSPACE, Workspace.id == workspace_id)
    for file in OF_WORKSPACE:
        own = Generation.user_id == scope.user_id
        hidden = {"brief": own, "note": own} if file.model is Generation else {}
        write(file, file.model.__table__.c.workspace_id == workspace_id, **hidden)
    if before is not None:
        into.writestr(f"{folder}audit_log_before.csv", before)
    _describe(session, scope, into, folder, (_WORKSPACE, *OF_WORKSPACE))


@use_case(Permission.OWN_PROFILE)
def _pack_person(session: Session, scope: Scope, into: zipfile.ZipFile) -> None:
    write = partial(_write, session, _Folder(into, ""))
    write(_PROFILE, User.id == scope.user_id)
    write(_MEMBERSHIPS, Membership.user_id == scope.user_id)
    for file in _OF_PERSON:
        write(file, file.model.__table__.c.user_id == scope.user_id)
    _describe(session, scope, into, "", (_PROFILE, _MEMBERSHIPS, *_OF_PERSON))


def audit_rows(session: Session, workspace_id: UUID) -> bytes:
    """Room: what was recorded about a workspace in the accounts in view, as the file that a pack holds."""
    file = next(one for one in OF_WORKSPACE if one.model is AuditEntry)
    lines = _lines(session, file, AuditEntry.workspace_id == workspace_id, {})
    return "".join(lines).encode("utf-8-sig")


def _write(
    session: Session, out_to: _Folder, file: File, which: ColumnElement[bool], **only_if: ColumnElement[bool]
) -> None:
    with out_to.into.open(f"{out_to.path}{file.name}.csv", "w", force_zip64=True) as out:
        out.write("\ufeff".encode())
        for line in _lines(session, file, which, only_if):
            out.write(line.encode())


def _lines(
    session: Session, file: File, which: ColumnElement[bool], only_if: Mapping[str, ColumnElement[bool]]
) -> Iterator[str]:
    """CSV lines, the heading first. A column of `only_if` is empty where its condition does not hold."""
    shown = [
        case((only_if[one.key], one), else_=null()).label(one.key) if one.key in only_if else one
        for one in file.columns
    ]
    yield line([one.key for one in file.columns])
    keys = inspect(file.model).primary_key
    for row in session.execute(select(*shown).where(which).order_by(*keys).execution_options(yield_per=_AT_ONCE)):
        yield line(row)


def line(cells: Iterable[object]) -> str:
    """One line of a CSV file, each value as `cell` writes it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([cell(one) for one in cells])
    return out.getvalue()


def cell(value: object) -> str:
    """A value as text: instants in UTC, ISO 8601; lists and objects as JSON; text that could run as a formula tamed."""
    if value is None or isinstance(value, int | datetime | date | UUID | bytes):
        return _plain(value)
    told = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)
    return f"'{told}" if told.startswith(_FORMULA) else told


def _plain(value: int | datetime | date | UUID | bytes | None) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return "" if value is None else str(value).lower()


def _describe(session: Session, scope: Scope, into: zipfile.ZipFile, folder: str, files: Sequence[File]) -> None:
    language = session.get_one(User, scope.user_id).language
    say = partial(sentences().text, language)
    lines = [line([say("packs.file"), say("packs.column"), say("packs.type"), say("packs.meaning")])]
    for file in files:
        for column in file.columns:
            kind = str(column.type).partition("(")[0].lower()
            lines.append(line([f"{file.name}.csv", column.key, kind, _meanings()[column.key][supported(language)]]))
    into.writestr(f"{folder}dictionary.csv", "".join(lines).encode("utf-8-sig"))
    into.writestr(f"{folder}README.txt", say("packs.readme").encode())


@cache
def _meanings() -> Mapping[str, Mapping[str, str]]:
    """What each column means, by its name and a language."""
    return tomllib.loads((Path(__file__).parent / "dictionary.toml").read_text(encoding="utf-8"))
