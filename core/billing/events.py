"""The door bell: what Stripe sends is verified, kept as it came, and marks whom to ask about. Nothing is applied."""

import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.billing.deliveries import LARGEST, Delivery, read
from core.billing.failpoints import reach
from core.billing.models import StripeCustomer, StripeSync
from core.billing.signature import BadDelivery, verify
from core.billing.stripe_client import expects_livemode
from core.errors import NotConfigured
from core.own_connection import OwnConnection
from core.settings import settings
from core.use_case import unscoped, unscoped_on_loop

UNLINKED = "unlinked"
"""The reason kept with a customer that no account is: nobody to write for, and nothing to throw away."""

_WHY = "an event names a customer of Stripe's; whose that is, is asked when it is applied"
_COLUMNS = ("id", "dedupe", "type", "api_version", "created", "livemode", "sync_key", "payload")

# One statement, so that an event is never kept without its customer being marked, nor marked twice. News is a reason to
# try again what was given up; a customer of nobody waits for its link, and not for news. Rows are taken in one order by
# all: events first, then the keys that lead to a customer, then customers, as where such a key is settled.
_KEEP = """
WITH event AS (
    INSERT INTO stripe_events (id, dedupe, type, api_version, created, livemode, sync_key, payload)
    SELECT * FROM unnest(
        %(id)s::text[], %(dedupe)s::text[], %(type)s::text[], %(api_version)s::text[], %(created)s::timestamptz[],
        %(livemode)s::boolean[], %(sync_key)s::text[], %(payload)s::bytea[]
    ) AS told (id, dedupe, type, api_version, created, livemode, sync_key, payload)
    ORDER BY dedupe, id
    ON CONFLICT DO NOTHING
    RETURNING id, sync_key
), bell AS (
    INSERT INTO stripe_sync (key, dirty)
    SELECT sync_key, count(*) FROM event WHERE sync_key IS NOT NULL
    GROUP BY sync_key ORDER BY sync_key LIKE 'customer:%%', sync_key
    ON CONFLICT (key) DO UPDATE
    SET dirty = stripe_sync.dirty + excluded.dirty, next_at = least(stripe_sync.next_at, now()), attempts = 0,
        dead_at = CASE WHEN stripe_sync.last_error = %(unlinked)s THEN stripe_sync.dead_at END
)
SELECT id FROM event
"""


def receive_event(raw: bytes, signature: bytes | str | None) -> bool:
    """Keep a delivery; the answer is committed when this returns. False when the event, or its twin, was here before.

    Raises as `verified` does.
    """
    (is_new,) = keep_all([verified(raw, signature)])
    return is_new


def verified(raw: bytes, signature: bytes | str | None) -> Delivery:
    """What a body says, once it is sure that Stripe sent it. Nothing is kept yet.

    `raw` is the body as it came, `signature` the Stripe-Signature header. Raises BadDelivery for what Stripe did not
    sign or does not write, NotConfigured without STRIPE_WEBHOOK_SECRETS.
    """
    secrets = [secret.get_secret_value() for secret in settings().stripe_webhook_secrets]
    if not secrets:
        raise NotConfigured("billing.no_webhook_secret")
    if len(raw) > LARGEST:
        raise BadDelivery("billing.too_large")
    verify(raw, signature, secrets, int(time.time()))
    delivery = read(raw)
    if expects_livemode() not in (None, delivery.livemode):
        raise BadDelivery("billing.wrong_mode")
    reach("i_verified")
    return delivery


def keep_all(deliveries: Sequence[Delivery]) -> list[bool]:
    """Keep them in one commit, made when this returns. For each, False when it, or its twin, was here before."""
    return _answers(deliveries, _keep(deliveries))


async def keep_all_on_loop(deliveries: Sequence[Delivery]) -> list[bool]:
    """As `keep_all`, over the event loop's own connection. Raises what psycopg raises."""
    return _answers(deliveries, await _keep_on_loop(deliveries))


def _answers(deliveries: Sequence[Delivery], kept: set[str]) -> list[bool]:
    reach("i_committed")
    answers = []
    for each in deliveries:
        answers.append(each.id in kept)
        kept.discard(each.id)
    return answers


def keep_listed(raw: bytes) -> bool:
    """Keep an event out of Stripe's own list, which may never have rung. False when it, or its twin, was here before.

    Raises BadDelivery for what is not an event.
    """
    return bool(_keep([read(raw)]))


@unscoped(_WHY, in_one_statement=True)
def _keep(session: Session, deliveries: Sequence[Delivery]) -> set[str]:
    """The ids of those that are new."""
    return {stripe_id for (stripe_id,) in session.connection().exec_driver_sql(_KEEP, _columns(deliveries))}


@unscoped_on_loop(_WHY)
async def _keep_on_loop(connection: OwnConnection, deliveries: Sequence[Delivery]) -> set[str]:
    return {stripe_id for (stripe_id,) in await connection.fetch(_KEEP, _columns(deliveries))}


def _columns(deliveries: Sequence[Delivery]) -> dict[str, object]:
    columns = {name: [getattr(each, name) for each in deliveries] for name in _COLUMNS}
    return {**columns, "unlinked": UNLINKED}


def ring(session: Session, key: str) -> None:
    """Room: ask Stripe about the key soon, also one that was given up."""
    session.execute(
        insert(StripeSync)
        .values(key=key, dirty=1)
        .on_conflict_do_update(
            index_elements=[StripeSync.key],
            set_={"dirty": StripeSync.dirty + 1, "next_at": func.now(), "attempts": 0, "dead_at": None},
        )
    )


def link_customer(session: Session, account_id: UUID, customer_id: str) -> str:
    """Room: keep which customer the account is. The first one kept stays; returns that one.

    Rings for the customer, so that events which came before the link are applied.
    """
    session.execute(
        insert(StripeCustomer).values(stripe_id=customer_id, account_id=account_id).on_conflict_do_nothing()
    )
    linked = session.scalars(select(StripeCustomer.stripe_id).where(StripeCustomer.account_id == account_id)).one()
    ring(session, f"customer:{linked}")
    return linked
