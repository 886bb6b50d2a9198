"""Whether the machinery runs, and how much there is of everything. For staff."""

import platform
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version

from sqlalchemy import ColumnElement, exists, func, select, text
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.ai.lifespan import Outlook
from core.ai.service import ahead
from core.billing import stripe_client
from core.billing.models import StripeEvent, StripeSync, SubscriptionRecord, SweepReport, UsageReport
from core.billing.plans import LIVING
from core.db import Base
from core.identity.models import User
from core.insights.letters import letter_is
from core.insights.operations import State, job_is
from core.mail import gateway
from core.mail.outbox import Mail
from core.queue import Job
from core.use_case import use_case
from core.workspaces.models import Account, Workspace

LATE = timedelta(minutes=15)
SILENT = timedelta(days=1)
UNSENT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are of what. `events` wait to be applied; `keys` are Stripe's customers given up."""

    users: int
    accounts: int
    creators: int
    events_open: int
    keys_failed: int
    jobs_open: int
    jobs_failed: int
    letters_open: int
    letters_failed: int


@dataclass(frozen=True, slots=True)
class Health:
    """The machinery. `revision` is the database's, `revision_of_code` what this code needs.

    `finished_at` is when the worker last finished anything, `waiting_since` when the oldest job that is due became due.
    `asking_since` is when the oldest question to Stripe that is still open rang, `rang_at` when Stripe last rang;
    `is_late` when that question waits longer than LATE, `is_silent` when nothing rang for SILENT though subscriptions
    live. `unsent_reports` of use beyond plans are older than UNSENT, and Stripe has not counted them.
    """

    postgres: str
    python: str
    streamlit: str
    revision: str | None
    revision_of_code: str
    finished_at: datetime | None
    waiting_since: datetime | None
    sends_mail: bool
    takes_payments: bool
    asking_since: datetime | None
    rang_at: datetime | None
    is_late: bool
    is_silent: bool
    unsent_reports: int

    @property
    def is_migrated(self) -> bool:
        return self.revision == self.revision_of_code


@use_case(Permission.SEE_OPERATIONS)
def counts(session: Session, _scope: Scope) -> Counts:
    def many(of: type[Base], *which: ColumnElement[bool]) -> int:
        return session.execute(select(func.count()).select_from(of).where(*which)).scalar_one()

    return Counts(
        users=many(User, User.deleted_at.is_(None)),
        accounts=many(Account),
        creators=many(Workspace, Workspace.is_demo.is_(False)),
        events_open=many(StripeEvent, StripeEvent.processed_at.is_(None), StripeEvent.sync_key.is_not(None)),
        keys_failed=many(StripeSync, StripeSync.dead_at.is_not(None)),
        jobs_open=many(Job, job_is(State.OPEN)),
        jobs_failed=many(Job, job_is(State.FAILED)),
        letters_open=many(Mail, letter_is(State.OPEN)),
        letters_failed=many(Mail, letter_is(State.FAILED)),
    )


@use_case(Permission.SEE_OPERATIONS)
def models(_session: Session, _scope: Scope) -> Outlook:
    """Which models end soon, those in use first, and which have no known price. Raises NotConfigured."""
    return ahead(datetime.now(UTC).date())


@use_case(Permission.SEE_OPERATIONS)
def health(session: Session, _scope: Scope) -> Health:
    """How the database, the worker and the ways out stand at this moment."""
    last = func.greatest(
        select(func.max(Job.finished_at)).scalar_subquery(),
        select(func.max(Mail.sent_at)).scalar_subquery(),
        select(func.max(StripeEvent.processed_at)).scalar_subquery(),
    )
    is_due = job_is(State.OPEN), Job.run_at <= func.now(), Job.lease_until.is_(None)
    oldest = select(func.min(Job.run_at)).where(*is_due).scalar_subquery()
    finished_at, waiting_since, postgres, revision = session.execute(
        select(last, oldest, func.current_setting("server_version"), _REVISION)
    ).one()
    asking_since, rang_at, living, unsent, now = session.execute(
        select(_ASKING, _RANG, _LIVING, _UNSENT, func.now())
    ).one()
    return Health(
        postgres,
        platform.python_version(),
        version("streamlit"),
        revision,
        _revision_of_code(),
        finished_at,
        waiting_since,
        gateway.is_configured(),
        stripe_client.is_configured(),
        asking_since,
        rang_at,
        is_late=asking_since is not None and asking_since < now - LATE,
        is_silent=bool(living) and (rang_at is None or rang_at < now - SILENT),
        unsent_reports=unsent,
    )


_OPEN = StripeSync.dirty > StripeSync.synced, StripeSync.dead_at.is_(None)
_ASKING = (
    select(func.least(func.min(StripeSync.next_at), func.min(StripeEvent.received_at)))
    .select_from(StripeSync)
    .outerjoin(StripeEvent, (StripeEvent.sync_key == StripeSync.key) & StripeEvent.processed_at.is_(None))
    .where(*_OPEN)
    .scalar_subquery()
)
_SWEPT = exists().where(
    SweepReport.events_missed > 0, StripeEvent.received_at.between(SweepReport.began_at, SweepReport.ended_at)
)
_RANG = (  # what a sweep found did not ring: else a bell that is broken would never be silent
    select(StripeEvent.received_at).where(~_SWEPT).order_by(StripeEvent.received_at.desc()).limit(1).scalar_subquery()
)
_LIVING = select(func.count()).where(SubscriptionRecord.status.in_(LIVING)).scalar_subquery()
_UNSENT = (
    select(func.count())
    .where(UsageReport.sent_at.is_(None), UsageReport.made_at < func.now() - UNSENT)
    .scalar_subquery()
)
_REVISION = select(text("version_num")).select_from(text("alembic_version")).scalar_subquery()


@cache
def _revision_of_code() -> str:
    from migrations.run import head  # Alembic costs a tenth of a second, and only this question needs it

    return head()
