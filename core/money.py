"""Money is an integer of minor units with a currency. No float ever holds an amount. Pure."""

from decimal import Decimal, InvalidOperation

from babel.numbers import get_currency_precision


class NotMoney(ValueError):
    """The text does not say an exact amount."""


def minor_units(exact: Decimal, currency: str) -> int:
    """An exact decimal amount in minor units. Raises NotMoney when it has more decimals than the currency."""
    scaled = exact.scaleb(get_currency_precision(currency))
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise NotMoney(f"{exact} has more decimals than {currency}")
    return int(scaled)


def exact(minor: int, currency: str) -> Decimal:
    """Minor units as an exact decimal amount."""
    return Decimal(minor).scaleb(-get_currency_precision(currency))


def decimal_of(text: str) -> Decimal:
    """A plain number (`-1234.50`) as a decimal. Raises NotMoney for anything else, NaN and infinity included."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise NotMoney(f"{text!r} is not a number") from None
    if not value.is_finite():
        raise NotMoney(f"{text!r} is not a number")
    return value
