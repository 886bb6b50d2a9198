"""Money given back by staff: never more than was paid, once a wish, and on record."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID, uuid4

import pytest

from core.access import Role, Scope
from core.audit import entries
from core.billing.desk import subscription_file
from core.billing.desk_deeds import refund
from core.billing.stripe_refunds import RefundReason
from core.errors import BadInput, Conflict, NotAllowed, NotFound, Refusal, Unavailable
from core.identity.proof import ProofNeeded
from tests.admin.conftest import prove
from tests.admin.paying import PRICE, WHY, bill, known, of_nobody, pays, refunds
from tests.peers.stripe_server import StripeServer
from tests.people import Made, make_person

give = partial(refund, reason_code=RefundReason.REQUESTED_BY_CUSTOMER, reason=WHY)


def _deeds(made: Made) -> list[str]:
    return [one.deed for one in entries(made.scope)]


def test_a_part_and_then_the_rest_is_given_back(proved: Scope, ada: Made, stripe: StripeServer):
    pays(stripe, ada)
    invoice = bill(proved, ada)
    give(proved, ada.account_id, uuid4(), invoice.stripe_id, 10_00)
    assert bill(proved, ada).amount_refunded == 10_00
    give(proved, ada.account_id, uuid4(), invoice.stripe_id, None)
    assert bill(proved, ada).amount_refunded == PRICE
    assert [each["amount"] for each in refunds(stripe)] == [19_00, 10_00]
    assert {each["reason"] for each in refunds(stripe)} == {"requested_by_customer"}
    with pytest.raises(Conflict, match="left to give back"):
        give(proved, ada.account_id, uuid4(), invoice.stripe_id, None)
    second, first = entries(ada.scope)
    assert (first.deed, first.user_id, first.reason) == ("refund_asked", proved.user_id, WHY)
    assert (first.before, first.after) == (
        {"refunded": "0.00 USD"},
        {"refunded": "10.00 USD", "as": "requested_by_customer"},
    )
    assert second.before == {"refunded": "10.00 USD"}
    wishes = [one for one in subscription_file(proved, ada.account_id).wishes if one.kind.startswith("refund")]
    assert {one.stripe_id for one in wishes} == {each["id"] for each in refunds(stripe)}
    assert {each["metadata"]["staff_wish"] for each in refunds(stripe)} == {str(one.id) for one in wishes}


@pytest.mark.parametrize("amount", [PRICE + 1, 0, -1, 10**12])
def test_never_more_than_was_paid(proved: Scope, ada: Made, stripe: StripeServer, amount: int):
    pays(stripe, ada)
    with pytest.raises(BadInput, match=r"29\.00 USD"):
        give(proved, ada.account_id, uuid4(), bill(proved, ada).stripe_id, amount)
    assert stripe.count("post", "/v1/refunds") == 0
    assert _deeds(ada) == []
    assert subscription_file(proved, ada.account_id).wishes == ()


def test_what_was_given_back_at_stripe_itself_counts(proved: Scope, ada: Made, stripe: StripeServer):
    pays(stripe, ada)
    invoice = bill(proved, ada)
    stripe.world.refund(str(invoice.charge_id), 20_00)
    with pytest.raises(BadInput, match=r"9\.00 USD"):
        give(proved, ada.account_id, uuid4(), invoice.stripe_id, 10_00)
    give(proved, ada.account_id, uuid4(), invoice.stripe_id, 9_00)
    assert sum(each["amount"] for each in refunds(stripe)) == PRICE


def test_what_the_bank_took_back_cannot_be_given_back_too(proved: Scope, ada: Made, stripe: StripeServer):
    customer = pays(stripe, ada)
    invoice = bill(proved, ada)
    stripe.world.dispute(str(invoice.charge_id))
    known(customer)
    with pytest.raises(Conflict, match="left to give back"):
        give(proved, ada.account_id, uuid4(), invoice.stripe_id, None)


def test_a_double_click_is_one_refund(proved: Scope, ada: Made, stripe: StripeServer):
    pays(stripe, ada)
    wish, invoice = uuid4(), bill(proved, ada).stripe_id
    for _ in range(3):
        give(proved, ada.account_id, wish, invoice, 5_00)
    assert [each["amount"] for each in refunds(stripe)] == [5_00]
    assert stripe.count("post", "/v1/refunds") == 1
    assert _deeds(ada) == ["refund_asked"]


@pytest.mark.parametrize("is_same_wish", [True, False])
@pytest.mark.parametrize("is_forgotten", [False, True])
@pytest.mark.parametrize("amount", [10_00, None])
def test_a_lost_answer_is_not_paid_twice(
    proved: Scope, ada: Made, stripe: StripeServer, *, is_same_wish: bool, is_forgotten: bool, amount: int | None
):
    """Also when Stripe has forgotten the key by the time of the second try."""
    pays(stripe, ada)
    wish, invoice = uuid4(), bill(proved, ada).stripe_id
    stripe.lost_answers = 3
    with pytest.raises(Unavailable):
        give(proved, ada.account_id, wish, invoice, amount)
    assert len(refunds(stripe)) == 1
    assert _deeds(ada) == ["refund_asked"], "what may have happened is on record"
    if is_forgotten:
        stripe.forget_keys()
    give(proved, ada.account_id, wish if is_same_wish else uuid4(), invoice, amount)
    assert len(refunds(stripe)) == 1
    assert _deeds(ada) == ["refund_asked"]
    assert all(one.closed_at for one in subscription_file(proved, ada.account_id).wishes)


def test_another_amount_waits_until_the_first_is_known(proved: Scope, ada: Made, stripe: StripeServer):
    pays(stripe, ada)
    invoice = bill(proved, ada).stripe_id
    stripe.lost_answers = 3
    with pytest.raises(Unavailable):
        give(proved, ada.account_id, uuid4(), invoice, 10_00)
    with pytest.raises(Conflict):
        give(proved, ada.account_id, uuid4(), invoice, 5_00)
    assert [each["amount"] for each in refunds(stripe)] == [10_00]


def test_what_stripe_refuses_is_on_record_as_refused(proved: Scope, ada: Made, stripe: StripeServer):
    customer = pays(stripe, ada)
    invoice = bill(proved, ada)
    stripe.world.dispute(str(invoice.charge_id))["status"] = "warning_needs_response"
    known(customer)
    wish = uuid4()
    with pytest.raises(Conflict, match="charged back"):
        give(proved, ada.account_id, wish, invoice.stripe_id, None)
    refused, asked = entries(ada.scope)
    assert (asked.deed, refused.deed) == ("refund_asked", "staff_refused_by_stripe")
    assert refused.after is not None
    assert refused.after["asked"] == "refund_asked"
    with pytest.raises(Conflict):
        give(proved, ada.account_id, wish, invoice.stripe_id, None)
    assert refunds(stripe) == []


def test_who_asks_has_shown_who_they_are(staff: Made, ada: Made, stripe: StripeServer):
    pays(stripe, ada)
    with pytest.raises(ProofNeeded):
        give(staff.scope, ada.account_id, uuid4(), bill(staff.scope, ada).stripe_id, None)
    assert refunds(stripe) == []


def test_refused_to_others_and_without_a_reason(
    proved: Scope, ada: Made, bob: Made, agency: Made, stripe: StripeServer
):
    pays(stripe, ada)
    pays(stripe, bob)
    of_ada, of_bob = bill(proved, ada).stripe_id, bill(proved, bob).stripe_id
    wanted: tuple[tuple[Callable[[], object], type[Refusal]], ...] = (
        (lambda: give(prove(ada), ada.account_id, uuid4(), of_ada, None), NotAllowed),
        (lambda: give(prove(agency), ada.account_id, uuid4(), of_ada, None), NotAllowed),
        (lambda: give(proved, ada.account_id, uuid4(), of_bob, None), NotFound),
        (lambda: give(proved, ada.account_id, uuid4(), of_nobody(), None), NotFound),
        (lambda: give(proved, uuid4(), uuid4(), of_ada, None), NotFound),
        (lambda: give(proved, ada.account_id, uuid4(), of_ada, None, reason="short"), BadInput),
    )
    for deed, refusal in wanted:
        with pytest.raises(refusal):
            deed()
    assert refunds(stripe) == []
    assert _deeds(ada) == _deeds(bob) == []


@pytest.mark.parametrize(("amount", "most"), [(20_00, 1), (10_00, 2), (None, 1)])
def test_many_at_once_never_give_back_more_than_was_paid(
    committed: str, stripe: StripeServer, amount: int | None, most: int
):
    scope, ada = prove(make_person("Stefan", Role.ADMIN)), make_person("Ada", Role.CREATOR)
    pays(stripe, ada)
    invoice = bill(scope, ada).stripe_id
    stripe.latency = 0.02

    def one(wish: UUID) -> bool:
        try:
            give(scope, ada.account_id, wish, invoice, amount)
        except (BadInput, Conflict, Unavailable):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(one, [uuid4() for _ in range(8)]))
    given = [each["amount"] for each in refunds(stripe)]
    assert 1 <= len(given) <= most
    assert sum(given) <= PRICE
    assert any(done)


def test_one_wish_asked_from_many_clicks_at_once(committed: str, stripe: StripeServer):
    scope, ada = prove(make_person("Stefan", Role.ADMIN)), make_person("Ada", Role.CREATOR)
    pays(stripe, ada)
    invoice, wish = bill(scope, ada).stripe_id, uuid4()
    stripe.latency = 0.02

    def one(_: int) -> bool:
        try:
            give(scope, ada.account_id, wish, invoice, 5_00)
        except Unavailable:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(one, range(8)))
    assert [each["amount"] for each in refunds(stripe)] == [5_00]
    assert any(done)
    assert _deeds(ada) == ["refund_asked"]
