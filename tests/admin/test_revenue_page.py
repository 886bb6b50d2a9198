"""The Admin tab "revenue", opened through the real entry."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core.billing.metrics import Kind
from core.identity.models import User
from core.use_case import unscoped
from tests.billing.test_revenue import invoice, moved
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made

NOW = datetime.now(UTC)
LAST_MONTH = (NOW.replace(day=1) - timedelta(days=1)).replace(hour=12)


def opened(open_page: OpenPage, staff: Made) -> AppTest:
    page = open_page("admin", staff)
    page.segmented_control(key="admin_tab").set_value("revenue").run()
    assert_no_crash(page)
    return page


def shown(page: AppTest) -> dict[str, str]:
    """Each figure by its name; backslashes that only guard Markdown are left out."""
    return {one.label: re.sub(r"\\(\W)", r"\1", one.value) for one in page.metric}


@pytest.fixture
def sold(ada: Made, bob: Made) -> None:
    moved(ada, LAST_MONTH, Kind.NEW, 29_00, 29_00)
    moved(bob, LAST_MONTH, Kind.NEW, 99_00, 99_00)
    moved(bob, NOW, Kind.EXPANSION, 12_00, 111_00)
    moved(ada, NOW, Kind.CHURNED, -29_00, 0)
    invoice(bob, "in_1", failed_at=NOW, paid_at=NOW, amount_due=111_00, amount_paid=111_00, amount_refunded=11_10)
    invoice(ada, "in_2", failed_at=NOW, paid_at=None, amount_paid=0, amount_remaining=29_00, status="open")


def test_before_anything_is_sold_it_says_so(open_page: OpenPage, staff: Made) -> None:
    page = opened(open_page, staff)
    assert "Nothing was sold yet" in words(page)
    assert not page.metric


def test_the_figures_of_this_month(open_page: OpenPage, staff: Made, sold: None) -> None:
    page = opened(open_page, staff)
    page.segmented_control(key="revenue_period").set_value("month").run()
    assert_no_crash(page)
    assert shown(page) == {
        "MRR": "$111.00",
        "ARR": "$1,332.00",
        "Paying accounts": "1",
        "Net revenue retention": "86.7%",
        "Gross revenue churn": "22.7%",
        "Account churn": "50.0%",
        "Quick ratio": "0.41",
        "Trial conversion": "Not defined",
        "Trials that paid": "0 of 0",
        "Failed payments (2)": "$140.00",
        "Recovered (1)": "$111.00",
        "Recovery rate": "79.3%",
        "Still open (1)": "$29.00",
        "Received": "$111.00",
        "Refunded (1)": "$11.10",
        "Refund rate": "10.0%",
        "Disputed (0)": "$0.00",
        "Dispute rate": "0.0%",
    }
    assert all(one.help for one in page.metric)
    table = page.dataframe[-1].value
    assert table.to_dict("records") == [
        {
            "Month": NOW.strftime("%Y-%m"),
            "Start": "$128.00",
            "New": "$0.00",
            "Expansion": "$12.00",
            "Contraction": "$0.00",
            "Churned": "-$29.00",
            "Reactivated": "$0.00",
            "End": "$111.00",
        }
    ]


def test_a_year_is_shown_at_first_and_nothing_before_it_is_not_zero(
    open_page: OpenPage, staff: Made, sold: None
) -> None:
    page = opened(open_page, staff)
    assert len(page.dataframe[-1].value) == 12
    assert shown(page)["Net revenue retention"] == "Not defined"
    assert "MRR over time" in words(page)
    assert "What moved, by month" in words(page)


def test_chosen_days(open_page: OpenPage, staff: Made, sold: None) -> None:
    page = opened(open_page, staff)
    page.segmented_control(key="revenue_period").set_value("custom").run()
    page.date_input(key="revenue_days").set_value((LAST_MONTH.date(), LAST_MONTH.date())).run()
    assert_no_crash(page)
    assert shown(page)["MRR"] == "$128.00"
    page.date_input(key="revenue_days").set_value((LAST_MONTH.date() - timedelta(days=9),) * 2).run()
    assert_no_crash(page)
    assert shown(page)["MRR"] == "$0.00"
    assert "Nothing moved in these days." in words(page)


def test_one_currency_at_a_time(open_page: OpenPage, staff: Made, sold: None, bob: Made) -> None:
    moved(bob, NOW, Kind.NEW, 7_00, 7_00, currency="EUR")
    page = opened(open_page, staff)
    assert shown(page)["MRR"] == "$111.00"
    page.segmented_control(key="revenue_currency").set_value("EUR").run()
    assert_no_crash(page)
    assert shown(page)["MRR"] == "€7.00"
    assert shown(page)["Received"] == "€0.00"


def test_books_that_do_not_add_up_are_not_kept_quiet(open_page: OpenPage, staff: Made, sold: None, bob: Made) -> None:
    """Bob's movements come from no subscription here."""
    page = opened(open_page, staff)
    assert "The movements of 1 account do not add up" in words(page)
    (row,) = page.dataframe[0].value.to_dict("records")
    assert row == {
        "Account": str(bob.account_id),
        "MRR by its movements": "$111.00",
        "MRR by its subscriptions": "$0.00",
    }


def test_in_french(open_page: OpenPage, staff: Made, sold: None) -> None:
    """The language changes once the tab is chosen: AppTest finds a choice by its English name."""
    page = opened(open_page, staff)
    speak_french(staff)
    page.run()
    assert_no_crash(page)
    assert shown(page)["Comptes payants"] == "1"
    assert shown(page)["Revenu mensuel (MRR)"] == "111,00\xa0$US"
    assert "Le revenu mensuel dans le temps" in words(page)


@unscoped("test data")
def speak_french(session: Session, made: Made) -> None:
    session.execute(update(User).where(User.id == made.user_id).values(language="fr"))
