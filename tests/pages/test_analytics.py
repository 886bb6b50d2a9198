"""The analytics page from an empty ledger to figures and back, as a browser would use it."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.earnings.sample import statement_csv
from core.earnings.service import import_statement, imports
from core.settings import ROOT
from core.workspaces.service import edit_workspace
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made, make_person

TODAY = datetime.now(UTC).date()
HEADER = "Date,Gross,Fee,Net,Description,Status"


def statement(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows)).encode()


def paid(gross: int, *, ago: int = 1, status: str = "done", who: str = "Ann") -> str:
    fee = gross // 5
    return f"{TODAY - timedelta(days=ago)} 12:00,{gross},{fee},{gross - fee},Tip from {who},{status}"


def give(page: AppTest, content: bytes, name: str = "earnings.csv") -> AppTest:
    page.file_uploader[0].set_value((name, content, "text/csv"))
    return page.run()


def linked(open_page: OpenPage, made: Made, **asked: str) -> AppTest:
    """The page as a link opens it."""
    page = open_page("home", made)
    page.switch_page(ROOT / "pages" / "analytics.py")
    page.query_params.update(asked)
    return page.run()


def press(page: AppTest, label: str) -> AppTest:
    return next(one for one in page.button if one.label == label).click().run()


def figures(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\\", "") for metric in page.metric}


def charts(page: AppTest) -> list[dict[str, object]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def test_from_an_empty_page_to_figures(open_page: OpenPage, ada: Made) -> None:
    page = open_page("analytics", ada)
    assert_no_crash(page)
    assert "No statement was imported yet" in words(page)
    assert not page.metric
    give(page, statement(paid(100), paid(50, status="loading"), paid(30, status="undo", who="Bob"), "x,1,,,,"))
    assert_no_crash(page)
    assert figures(page)["New rows"] == "3"
    assert figures(page)["Rows with problems"] == "1"
    assert imports(ada.scope) == (), "a preview writes nothing"
    kinds, first, problems = (table.value for table in page.dataframe)
    assert kinds.values.tolist() == [["Tips", "3", "$180.00", "$36.00", "$144.00"]]
    assert first["Row"].tolist() == ["2", "3", "4"]
    assert problems.values.tolist() == [["5", "Date", "x", problems["Problem"][0]]]
    press(page, "Import")
    assert_no_crash(page)
    assert "Imported: 3 new rows, 0 changed, 0 known already, 1 left out." in words(page)
    assert figures(page) == {
        "Net": "$120.00",
        "Gross": "$180.00",
        "Fee": "$36.00",
        "Refunds": "$0.00",
        "Chargebacks": "$24.00",
        "Pending": "$40.00",
    }
    assert all(metric.help for metric in page.metric)
    assert len(charts(page)) == 4
    assert "Newest payment known" in words(page)


def test_the_same_file_again_says_so_and_changes_nothing(open_page: OpenPage, ada: Made) -> None:
    content = statement(paid(100))
    import_statement(ada.scope, content, "a.csv")
    page = open_page("analytics", ada)
    page.segmented_control(key="view").set_value("imports").run()
    give(page, content)
    assert "This very file was imported" in words(page)
    assert figures(page)["Known rows"] == "1"
    press(page, "Import")
    assert "0 new rows, 0 changed, 1 known already" in words(page)
    assert figures(page)["Net"] == "$80.00"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 zip", "Open it and export the sheet as CSV"),
        (b"", "The file is empty"),
        (b"Date,Gross\n2026-01-05,1\x00\n", "zero bytes"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"Date,Total Earnings,Tips,PPV,Subscriptions\n2026-01-05,9,1,2,3\n", "one total a day"),
        (b"a,b\n1,2\n", "None of the columns is known"),
    ],
)
def test_a_file_that_is_no_statement_gets_one_sentence(
    open_page: OpenPage, ada: Made, content: bytes, sentence: str
) -> None:
    page = give(open_page("analytics", ada), content)
    assert_no_crash(page)
    assert len(page.warning) == 1
    assert sentence in page.warning[0].value
    assert imports(ada.scope) == ()


def test_columns_and_ambiguous_dates_are_corrected_by_hand(open_page: OpenPage, ada: Made) -> None:
    page = give(open_page("analytics", ada), statement("01/02/2026,10,8", header="Date,Paid,Mine"))
    assert "Choose the column of the date and the one of the gross or net amount" in words(page)
    assert next(one for one in page.button if one.label == "Import").disabled
    choose = {"Gross": "Paid", "Net": "Mine"}
    for label, column in choose.items():
        next(one for one in page.selectbox if one.label == label).set_value(column)
    page.run()
    assert_no_crash(page)
    assert "Some dates can be read in two ways" in words(page)
    next(one for one in page.selectbox if one.label.startswith("Dates like")).set_value(True).run()
    assert_no_crash(page)
    assert figures(page)["New rows"] == "1"
    press(page, "Import")
    assert imports(ada.scope)[0].new == 1
    page.segmented_control(key="view").set_value("imports").run()
    give(page, statement("03/02/2026,20,16", header="Date,Paid,Mine"))
    assert "as you chose for such a file before" in words(page)
    assert figures(page)["New rows"] == "1"


def test_one_column_for_two_things_is_refused_in_place(open_page: OpenPage, ada: Made) -> None:
    page = give(open_page("analytics", ada), statement(paid(10)))
    next(one for one in page.selectbox if one.label == "Net").set_value("Gross").run()
    assert_no_crash(page)
    assert any("is chosen twice" in warning.value for warning in page.warning)


def test_an_import_is_undone_after_a_question(open_page: OpenPage, ada: Made) -> None:
    import_statement(ada.scope, statement(paid(100)), "first.csv")
    import_statement(ada.scope, statement(paid(100), paid(50, ago=2)), "second.csv")
    page = open_page("analytics", ada)
    page.segmented_control(key="view").set_value("imports").run()
    assert "second.csv" in words(page)
    press(page, "Undo the import of second.csv")
    assert imports(ada.scope)[0].undone_at is None
    press(page, "Undo it")
    assert_no_crash(page)
    assert imports(ada.scope)[0].undone_at is not None
    assert "Undone on" in words(page)
    page.segmented_control(key="view").set_value("figures").run()
    assert figures(page)["Net"] == "$80.00"


def test_periods_custom_days_and_currencies(open_page: OpenPage, ada: Made) -> None:
    rows = [paid(100, ago=3), paid(50, ago=20), paid(30, ago=60)]
    euros = f"{TODAY} 00:00,€7,€0,€7,Tip from Zoé,done"
    import_statement(ada.scope, statement(*rows, euros), "a.csv")
    page = open_page("analytics", ada)
    assert figures(page)["Gross"] == "$150.00"
    for period, gross in (("7", "$100.00"), ("90", "$180.00")):
        page.segmented_control(key="period").set_value(period).run()
        assert figures(page)["Gross"] == gross
    page.segmented_control(key="currency").set_value("EUR").run()
    assert figures(page)["Gross"] == "€7.00"
    page.segmented_control(key="currency").set_value("USD").run()
    page.segmented_control(key="period").set_value("custom").run()
    page.date_input(key="days").set_value((TODAY - timedelta(days=25), TODAY - timedelta(days=10))).run()
    assert_no_crash(page)
    assert figures(page)["Gross"] == "$50.00"
    page.date_input(key="days").set_value((TODAY - timedelta(days=12),)).run()
    assert_no_crash(page)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_view_can_be_shared_by_its_address(
    open_page: OpenPage, make_creator: Callable[..., Made], language: str
) -> None:
    cy = make_creator("Cy", language=language)
    rows = (paid(100, ago=3), paid(50, ago=60), f"{TODAY} 00:00,€7,€0,€7,Tip from Zoé,done")
    import_statement(cy.scope, statement(*rows), "a.csv")
    page = linked(open_page, cy, period="90", currency="EUR")
    assert page.segmented_control(key="period").value == "90"
    assert "7" in next(iter(figures(page).values()))
    page.segmented_control(key="currency").set_value("USD").run()
    assert "150" in list(figures(page).values())[1]
    assert "currency" not in page.query_params


def test_the_address_follows_what_is_looked_at(open_page: OpenPage, ada: Made) -> None:
    import_statement(ada.scope, statement(paid(100)), "a.csv")
    page = open_page("analytics", ada)
    assert "view" not in page.query_params
    page.segmented_control(key="view").set_value("imports").run()
    assert page.query_params["view"] == "imports"
    page.segmented_control(key="view").set_value("figures").run()
    assert "view" not in page.query_params


@pytest.mark.parametrize("asked", [{"period": "-1"}, {"period": "x" * 500}, {"currency": "<b>"}, {"view": "\x00"}])
def test_nonsense_in_the_address_shows_the_usual(open_page: OpenPage, ada: Made, asked: dict[str, str]) -> None:
    import_statement(ada.scope, statement(paid(100)), "a.csv")
    page = linked(open_page, ada, **asked)
    assert_no_crash(page)
    assert figures(page)["Gross"] == "$100.00"


def test_a_change_is_against_the_days_just_before(open_page: OpenPage, ada: Made) -> None:
    import_statement(ada.scope, statement(paid(150, ago=2), paid(100, ago=9)), "a.csv")
    page = open_page("analytics", ada)
    page.segmented_control(key="period").set_value("7").run()
    assert {metric.label: metric.delta for metric in page.metric}["Net"] == "+50.0%"


def test_the_plan_says_what_it_shows_and_keeps_the_rest(open_page: OpenPage, ada: Made) -> None:
    import_statement(ada.scope, statement(paid(100, ago=200), paid(50, ago=89), paid(30, ago=90)), "a.csv")
    page = open_page("analytics", ada)
    page.segmented_control(key="period").set_value("365").run()
    assert_no_crash(page)
    assert "Your plan shows figures from" in words(page)
    assert figures(page)["Gross"] == "$50.00"


def test_an_unknown_net_is_not_defined_and_the_charts_show_the_gross(open_page: OpenPage, ada: Made) -> None:
    import_statement(ada.scope, statement(f"{TODAY},Tip,10.00", header="Date,Type,Amount"), "a.csv")
    page = open_page("analytics", ada)
    assert_no_crash(page)
    assert figures(page)["Gross"] == "$10.00"
    assert figures(page)["Net"] == "Not defined"
    assert "Gross by day" in [header.value for header in page.subheader]


def test_a_fan_who_is_named_like_markup_stays_text(open_page: OpenPage, ada: Made) -> None:
    name = "&lt;a href='https://evil.example'&gt;x"
    import_statement(ada.scope, statement(paid(100, who=name)), "a.csv")
    page = open_page("analytics", ada)
    (names,) = (chart["layout"]["yaxis"]["ticktext"] for chart in charts(page)[3:])  # type: ignore[index]
    assert names[0].startswith("&lt;a href=")


def test_a_formula_in_a_problem_is_shown_as_text(open_page: OpenPage, ada: Made) -> None:
    page = give(open_page("analytics", ada), statement('2026-01-05,"=HYPERLINK(""x"")",,,a,'))
    assert page.dataframe[0].value["Value in the file"][0].startswith("'=HYPERLINK")


def test_the_page_in_french(open_page: OpenPage, make_creator: Callable[..., Made]) -> None:
    zoe = make_creator("Zoé", language="fr")
    import_statement(zoe.scope, statement(paid(1234), paid(10, status="loading")), "a.csv")
    page = open_page("analytics", zoe)
    assert_no_crash(page)
    assert figures(page)["Brut"].replace("\u202f", " ").replace("\u00a0", " ") == "1 244,00 $US"
    assert {chart["layout"]["separators"] for chart in charts(page)} == {",\u202f"}  # type: ignore[index]


def test_days_are_those_of_the_creator(open_page: OpenPage, ada: Made) -> None:
    edit_workspace(ada.scope, time_zone="Pacific/Kiritimati")
    import_statement(ada.scope, statement(paid(10, ago=1)), "a.csv")
    page = open_page("analytics", ada)
    assert "Pacific/Kiritimati" in words(page)
    noon_utc_is_past_midnight = TODAY.isoformat()
    assert charts(page)[0]["data"][0]["x"] == [noon_utc_is_past_midnight]  # type: ignore[index]


def test_a_neighbour_sees_none_of_it_even_from_the_cache(open_page: OpenPage, ada: Made, bob: Made) -> None:
    import_statement(ada.scope, statement(paid(100)), "a.csv")
    import_statement(bob.scope, statement(paid(7)), "b.csv")
    assert figures(open_page("analytics", ada))["Gross"] == "$100.00"
    assert figures(open_page("analytics", bob))["Gross"] == "$7.00"
    asked = open_page("analytics", bob, creator=ada.workspace_id)
    assert not asked.metric
    assert "$100.00" not in words(asked)


def test_a_manager_chooses_a_creator_first(open_page: OpenPage, database: Connection) -> None:
    mara = make_person("Mara", Role.MANAGER, creators=2)
    one, other = (mara.scope.narrowed_to(workspace_id) for workspace_id in mara.workspace_ids)
    import_statement(one, statement(paid(100)), "a.csv")
    import_statement(other, statement(paid(7)), "b.csv")
    assert not open_page("analytics", mara).metric
    for workspace_id, gross in zip(mara.workspace_ids, ("$100.00", "$7.00"), strict=True):
        page = open_page("analytics", mara, creator=workspace_id)
        assert figures(page)["Gross"] == gross


def test_figures_follow_a_later_import_at_once(open_page: OpenPage, ada: Made) -> None:
    import_statement(ada.scope, statement(paid(100)), "a.csv")
    page = open_page("analytics", ada)
    import_statement(ada.scope, statement(paid(50, ago=2)), "b.csv")
    assert figures(page.run())["Gross"] == "$150.00"


def test_ten_thousand_payments(open_page: OpenPage, ada: Made) -> None:
    content = statement_csv(1, 10_000, TODAY - timedelta(days=85), TODAY - timedelta(days=1))
    page = give(open_page("analytics", ada), content)
    assert figures(page)["New rows"] == "10,000"
    press(page, "Import")
    page.segmented_control(key="period").set_value("90").run()
    assert_no_crash(page)
    assert len(charts(page)) == 4
    assert date.fromisoformat(str(charts(page)[0]["data"][0]["x"][0])) >= TODAY - timedelta(days=86)  # type: ignore[index]
