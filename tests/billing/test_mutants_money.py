"""Amounts are exact or refused."""

from decimal import Decimal

import pytest

from core.money import NotMoney, decimal_of, exact, minor_units


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("12.34", "USD", 1234), ("-12.34", "USD", -1234), ("12", "JPY", 12), ("1.234", "KWD", 1234), ("0", "EUR", 0)],
)
def test_an_amount_is_whole_minor_units_of_its_currency(amount: str, currency: str, minor: int):
    assert minor_units(Decimal(amount), currency) == minor
    assert exact(minor, currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "currency"), [("12.345", "USD"), ("0.5", "JPY"), ("NaN", "USD"), ("Infinity", "USD")]
)
def test_what_is_no_amount_of_the_currency_is_refused(amount: str, currency: str):
    with pytest.raises(NotMoney) as refused:
        minor_units(Decimal(amount), currency)
    assert str(refused.value) == f"{amount} has more decimals than {currency}"


def test_a_number_is_read_exactly():
    assert decimal_of("-1234.50") == Decimal("-1234.50")


@pytest.mark.parametrize("text", ["", "1,5", "NaN", "Infinity", "-Infinity", "ten"])
def test_what_is_no_number_is_refused(text: str):
    with pytest.raises(NotMoney) as refused:
        decimal_of(text)
    assert str(refused.value) == f"{text!r} is not a number"
