"""A payment is known again in another file, however its fan is called by then; its reversal is a thing of its own."""

from core.access import Scope
from core.earnings.service import import_statement
from tests.earnings.test_imports import statement, the_totals

TIP = '"Mar 5, 2026 10:00 AM",10.00,2.00,8.00,"Tip from {fan}",done'
BY_ID = "Date,Gross,Fee,Net,Type,Transaction ID"
PAID = "2026-03-05,10.00,2.00,8.00,tip,T1"
TAKEN_BACK = "2026-03-09,-10.00,-2.00,-8.00,tip,T1"


def test_a_fan_who_renames_or_leaves_is_not_paid_for_twice(scope: Scope) -> None:
    first = import_statement(scope, statement(TIP.format(fan="<a href='/u1'>Ann</a>")), "1.csv")
    renamed = import_statement(scope, statement(TIP.format(fan="<a href='/u1'>Ann Marie</a>")), "2.csv")
    left = import_statement(scope, statement(TIP.format(fan="Deleted user")), "3.csv")
    assert (first.new, renamed.new, left.new) == (1, 0, 0)
    assert the_totals(scope).gross == 1000


def test_two_fans_with_the_same_tip_in_one_minute_are_two_payments(scope: Scope) -> None:
    rows = [TIP.format(fan=f"<a href='/{fan}'>{fan}</a>") for fan in ("ann", "bea")]
    assert import_statement(scope, statement(*rows), "1.csv").new == 2
    assert import_statement(scope, statement(*reversed(rows)), "2.csv").new == 0
    assert the_totals(scope).gross == 2000


def test_a_reversal_under_the_payments_id_keeps_the_payment(scope: Scope) -> None:
    import_statement(scope, statement(PAID, header=BY_ID), "1.csv")
    taken = import_statement(scope, statement(TAKEN_BACK, header=BY_ID), "2.csv")
    assert (taken.new, taken.changed) == (1, 0)
    assert the_totals(scope).net == 0


def test_a_payment_and_its_reversal_may_stand_in_one_file(scope: Scope) -> None:
    both = import_statement(scope, statement(PAID, TAKEN_BACK, header=BY_ID), "1.csv")
    assert (both.new, both.rejected) == (2, 0)
    repeated = import_statement(scope, statement(PAID, TAKEN_BACK, PAID, header=BY_ID), "2.csv")
    assert (repeated.new, repeated.rejected) == (0, 1)
    assert the_totals(scope).net == 0
