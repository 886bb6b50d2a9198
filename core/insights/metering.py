"""Reports to Stripe what an account uses beyond its plan: counted by `core.ai`, charged by `core.billing`."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.ai import allowance
from core.billing import metering, stripe_client, stripe_usage
from core.billing.failpoints import reach
from core.billing.metering import Report, Turn
from core.billing.plans import LIVING, METERED
from core.billing.queries import subscriptions_in
from core.billing.service import entitlement_of
from core.errors import NotConfigured, Refusal, Unavailable
from core.use_case import use_case

log = logging.getLogger("huntaze.billing")

REMEMBERED = timedelta(hours=23)
"""A little less than Stripe remembers the identifier of a report."""


@dataclass(frozen=True, slots=True)
class UsageBeyond:
    """Model drafts of the current month (UTC) that are charged, and how many of them Stripe's meter is to count so far.

    `unit_amount` is what one costs, in minor units of `currency`; None where none are charged.
    """

    quantity: int
    reported: int
    unit_amount: int | None
    currency: str | None


@use_case(Permission.VIEW_PLAN)
def usage_beyond(session: Session, scope: Scope) -> UsageBeyond:
    """What the one account in view has used beyond its plan."""
    account_id = scope.account_id
    month = allowance.month_of(datetime.now(UTC))
    baseline = metering.baseline(session, account_id, month)
    living = [each for each in subscriptions_in(session, account_id) if each.status in LIVING]
    items = (item for one in reversed(living) for item in one.items if item.lookup_key in METERED)
    item = next(items, None)
    return UsageBeyond(
        quantity=0 if baseline is None else metering.owed(allowance.used(session, account_id, month), baseline),
        reported=metering.reported(session, account_id).get(month, 0),
        unit_amount=item.unit_amount if item else None,
        currency=item.currency if item else None,
    )


def report_once() -> bool:
    """Report the use of one account that is due. False when none was."""
    if not stripe_client.is_configured():
        return False
    turn = metering.take_turn()
    if turn is None:
        return False
    scope = Scope.for_account(turn.account_id)
    waiting = _store(scope, turn)
    reach("u_stored")
    for report in waiting:
        if not _send(scope, report):
            return True
    _rest(scope)
    return True


@use_case(Permission.MANAGE_BILLING)
def _store(session: Session, scope: Scope, turn: Turn) -> tuple[Report, ...]:
    baselines = metering.baselines(session, scope.account_id)
    owing = {
        month: metering.owed(allowance.used(session, scope.account_id, month), baseline)
        for month, baseline in baselines.items()
    }
    metering.store_reports(session, turn, owing, datetime.now(UTC))
    session.flush()
    return metering.open_reports(session, scope.account_id)


def _send(scope: Scope, report: Report) -> bool:
    """Whether Stripe answers at all: others need not be tried when it does not."""
    try:
        if not _is_counted(scope, report):
            stripe_usage.count(report.id, report.customer_id, report.quantity, report.at)
        reach("u_sent")
    except (Unavailable, NotConfigured) as refusal:
        _settle(scope, report.id, refusal.code)
        return False
    except Refusal as refusal:
        log.error("the usage report %s is refused: %s", report.id, refusal.code)  # noqa: TRY400
        _settle(scope, report.id, str(refusal)[:500])
    else:
        _settle(scope, report.id, None)
    return True


def _is_counted(scope: Scope, report: Report) -> bool:
    """Whether Stripe has counted a report whose answer was lost, once it no longer knows the identifier."""
    if datetime.now(UTC) - report.made_at < REMEMBERED:
        return False
    start = report.at.replace(second=0, microsecond=0)
    end = start + timedelta(minutes=1)
    there = stripe_usage.counted(report.customer_id, start, end)
    return there - _sent_within(scope, start, end) >= report.quantity


@use_case(Permission.MANAGE_BILLING)
def _sent_within(session: Session, scope: Scope, start: datetime, end: datetime) -> int:
    return metering.sent_within(session, scope.account_id, start, end)


@use_case(Permission.MANAGE_BILLING)
def _settle(session: Session, scope: Scope, report_id: UUID, refused: str | None) -> None:
    metering.settle_report(session, scope.account_id, report_id, refused)


@use_case(Permission.MANAGE_BILLING)
def _rest(session: Session, scope: Scope) -> None:
    """Nothing is left to come where drafts beyond the allowance are refused again and all were told of."""
    is_over = entitlement_of(session, scope.account_id).most_generations is not None
    if is_over and not metering.open_reports(session, scope.account_id):
        metering.rest(session, scope.account_id)
