"""Numbers with their meaning beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from dashboard.words import number, percent, plain, t


@dataclass(frozen=True, slots=True)
class Measure:
    """One number as it is shown: already in the viewer's words, with the definition that stands beside it.

    `value` is None where the number is not defined, and then `reason` says why. `change` is a share of 1 against
    `against`, None where there is nothing to compare with. `worse_when_up`: a rise is bad news, as with fees.
    """

    label: str
    value: str | None
    definition: str
    change: Decimal | None = None
    against: str | None = None
    reason: str | None = None
    worse_when_up: bool = False


def measures(row: Sequence[Measure]) -> None:
    """A row of numbers that wraps on a narrow screen."""
    with st.grid(border=True):
        for one in row:
            _measure(one)


def _measure(one: Measure) -> None:
    if one.value is None:
        st.metric(
            one.label,
            t("frame.not_defined"),
            help=one.definition,
            delta=one.reason,
            delta_color="off",
            delta_arrow="off",
        )
        return
    st.metric(
        one.label,
        plain(one.value),
        delta=None if one.change is None else _signed(one.change),
        delta_color="inverse" if one.worse_when_up else "normal",
        delta_description=None if one.change is None else one.against,
        help=one.definition,
    )


def _signed(change: Decimal) -> str | int:
    """Streamlit reads direction and colour from the sign, and zero only from a number."""
    if not change:
        return 0
    return f"{'-' if change < 0 else '+'}{percent(abs(change))}"


def allowance(label: str, used: int, most: int | None) -> None:
    """How much of an allowance is used. `most` is None where there is no limit."""
    if most is None:
        st.caption(t("frame.used_unlimited", label=label, used=number(used)))
        return
    share = min(used, most) / most if most else 1.0
    st.progress(share, text=t("frame.used_of", label=label, used=number(used), most=number(most)))


def nothing_yet(sentence: str, icon: str = ":material/inbox:") -> None:
    """In place of figures that do not exist yet: what is missing and what to do. The actions follow it."""
    st.info(sentence, icon=icon)
