"""How a wish of staff's is carried out: stored with its entry in the log, then asked of Stripe, once.

The entry comes before the asking, so that nothing happens without a trace; a refusal of Stripe's is an entry of its
own. The wish's id is the idempotency key: a double click, or another try after an answer that was lost, is the same
wish. Owners and staff share one open change an account.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.access import Permission, Scope
from core.audit import record
from core.billing import intents, stripe_reading, sync
from core.billing.events import ring
from core.billing.models import BillingIntent
from core.billing.plans import Subscription
from core.billing.queries import customer_in
from core.billing.stripe_changes import Outcome
from core.billing.wishes import KIND, STANDS
from core.errors import Conflict, NotConfigured, NotFound, Refusal
from core.identity.proof import require_proof
from core.use_case import use_case
from core.workspaces.models import Account


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be asked of Stripe, as things stand.

    `refusal` says why it must not be, for a wish that is new. `is_reached`: it is so already, and nothing is asked.
    `do` takes the idempotency key, and whether it may have been asked before.
    """

    subject: str
    do: Callable[[UUID, bool], Outcome]
    before: Mapping[str, object]
    after: Mapping[str, object]
    refusal: Refusal | None = None
    is_reached: bool = False
    is_so: Callable[[Subscription], bool] | None = None
    """Whether a subscription is as it was wished, where that can be told."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A wish of staff's. `look` says under the account's lock what it comes to."""

    account_id: UUID
    wish_id: UUID
    asked: Mapping[str, object]
    reason: str
    look: Callable[[Session], Task]
    audit: str
    """Names the entry in the log: `audit.<name>`."""
    kind: str = KIND
    needs_proof: bool = False


@dataclass(frozen=True, slots=True)
class _Reserved:
    intent_id: UUID
    task: Task
    is_again: bool


def carry_out(scope: Scope, deed: Deed) -> None:
    """Without an answer the wish stays open: asked again it goes to Stripe under the same key.

    One that was done then and undone since is another wish: to the former key Stripe only repeats its answer.
    """
    scope.require(Permission.MANAGE_SUBSCRIPTIONS)
    _refresh(scope, deed.account_id)
    reserved = _reserve(scope, deed)
    if reserved is None:
        return
    outcome, is_undone = Outcome(reserved.task.subject), False
    if not reserved.task.is_reached:
        try:
            outcome = reserved.task.do(reserved.intent_id, reserved.is_again)
            is_undone = reserved.is_again and not outcome.is_waiting and _is_undone(reserved.task)
        except (Conflict, NotFound, NotConfigured) as refusal:
            _give_up(scope, deed, reserved, refusal.sentence())
            _refresh(scope, deed.account_id)
            raise
    _settle(scope, deed, reserved, outcome)
    if is_undone:
        carry_out(scope, replace(deed, wish_id=uuid4()))
        return
    _refresh(scope, deed.account_id)
    if outcome.is_waiting:
        raise Conflict("desk.waits_for_payment")


def _is_undone(task: Task) -> bool:
    told = stripe_reading.subscription(task.subject) if task.is_so else None
    return told is not None and task.is_so is not None and not task.is_so(told)


def _refresh(scope: Scope, account_id: UUID) -> None:
    """Ask Stripe what is so now, for at most some seconds; else what was known last stands."""
    customer_id = _ring(scope, account_id)
    if customer_id is not None:
        sync.settle_now(f"customer:{customer_id}")


@use_case(Permission.MANAGE_SUBSCRIPTIONS)
def _ring(session: Session, _scope: Scope, account_id: UUID) -> str | None:
    customer_id = customer_in(session, account_id)
    if customer_id is not None:
        ring(session, f"customer:{customer_id}")
    return customer_id


@use_case(Permission.MANAGE_SUBSCRIPTIONS)
def _reserve(session: Session, scope: Scope, deed: Deed) -> _Reserved | None:
    """Store the wish with its entry in the log, once. None when it is done, or was so before it was wished for."""
    account = session.scalar(select(Account).where(Account.id == deed.account_id).with_for_update())
    if account is None:
        raise NotFound("access.not_found")
    if deed.needs_proof:
        require_proof(session, scope)
    stored = session.get(BillingIntent, (deed.account_id, deed.wish_id))
    task = deed.look(session)
    intent = intents.reserve(session, deed.account_id, deed.wish_id, deed.kind, deed.asked, stands=STANDS)
    is_new = stored is None and intent.id == deed.wish_id
    if intent.is_done:
        return None
    if is_new and task.refusal is not None:
        raise task.refusal
    if is_new and task.is_reached:
        intents.settle(session, deed.account_id, intent.id, task.subject)
        return None
    if is_new:
        _note(session, scope, deed, task)
    return _Reserved(intent.id, task, is_again=not is_new)


def _note(session: Session, scope: Scope, deed: Deed, task: Task) -> None:
    record(
        session,
        scope,
        deed.audit,
        task.subject,
        account_id=deed.account_id,
        before=task.before,
        after=task.after,
        reason=deed.reason,
    )


@use_case(Permission.MANAGE_SUBSCRIPTIONS)
def _settle(session: Session, _scope: Scope, deed: Deed, reserved: _Reserved, outcome: Outcome) -> None:
    intents.settle(session, deed.account_id, reserved.intent_id, outcome.stripe_id)


@use_case(Permission.MANAGE_SUBSCRIPTIONS)
def _give_up(session: Session, scope: Scope, deed: Deed, reserved: _Reserved, said: str) -> None:
    """Unless another click of the same wish was told meanwhile that it is done."""
    wish = session.get_one(BillingIntent, (deed.account_id, reserved.intent_id), with_for_update=True)
    if wish.closed_at is not None:
        return
    intents.settle(session, deed.account_id, reserved.intent_id, None)
    record(
        session,
        scope,
        "staff_refused_by_stripe",
        reserved.task.subject,
        account_id=deed.account_id,
        after={"asked": deed.audit, "said": said},
        reason=deed.reason,
    )
