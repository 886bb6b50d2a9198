"""Home says how things stand, for each kind of person, and what to do when there is nothing yet."""

from datetime import UTC, datetime

from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.content.assets import AssetText, save_asset
from core.content.kinds import AssetType
from core.content.platforms import Platform
from core.earnings.service import import_statement
from core.workspaces.service import open_scope
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made, make_person


def _statement(cents: int) -> bytes:
    """One payment of this month."""
    today = datetime.now(UTC)
    return f"Date,Gross,Fee,Net,Description\n{today:%Y-%m-%d} 00:00,{cents / 100},0,{cents / 100},Tip\n".encode()


def _figures(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\\", "") for metric in page.metric}


def test_with_nothing_yet_it_says_what_to_do(open_page: OpenPage, ada: Made) -> None:
    page = open_page("home", ada)
    assert_no_crash(page)
    assert "Import a statement to see them here." in words(page)
    assert "Nothing is kept yet." in words(page)
    assert page.get("progress")[0].proto.text == "You and your goal"
    assert not page.metric


def test_a_creators_month_comes_from_their_statement(open_page: OpenPage, ada: Made, bob: Made) -> None:
    import_statement(ada.scope, _statement(123450), "now.csv")
    import_statement(bob.scope, _statement(777), "now.csv")
    page = open_page("home", ada)
    assert_no_crash(page)
    assert _figures(page) == {"Net": "$1,234.50", "Gross": "$1,234.50", "Fee": "$0.00"}
    assert all(metric.help for metric in page.metric)
    assert "Last import:" in words(page)


def test_a_sum_with_a_hole_is_not_shown_as_a_number(open_page: OpenPage, ada: Made) -> None:
    content = f"Date,Net,Description\n{datetime.now(UTC):%Y-%m-%d} 00:00,8.00,Tip\n".encode()
    import_statement(ada.scope, content, "net.csv")
    assert _figures(open_page("home", ada)) == {"Net": "$8.00", "Gross": "Not defined", "Fee": "Not defined"}


def test_kept_texts_and_the_allowance_are_shown(open_page: OpenPage, ada: Made) -> None:
    save_asset(
        ada.scope,
        AssetText.of(title="Beach ![x](http://x) $5 and $6", body="Hello"),
        type=AssetType.POST,
        platform=Platform.ONLYFANS,
        language="en",
    )
    page = open_page("home", ada)
    assert "Beach ![x](http://x) $5 and $6" in words(page)
    assert not any("![x](" in markdown.value for markdown in page.markdown), "a title must not become an image"
    assert "Plan: Free" in words(page)
    assert any(bar.proto.text == "Model drafts this month: 0 of 50 used" for bar in page.get("progress"))


def test_a_manager_sees_every_creator_and_opens_one(open_page: OpenPage, database: Connection) -> None:
    mara = make_person("Mara", Role.MANAGER, creators=3)
    for workspace_id, cents in zip(mara.workspace_ids, (10000, 25000), strict=False):
        import_statement(mara.scope.narrowed_to(workspace_id), _statement(cents), "now.csv")
    page = open_page("home", mara)
    assert_no_crash(page)
    assert _figures(page)["Net"] == "$350.00"
    table = page.dataframe[0].value
    assert list(table["Creator"]) == ["Mara 2", "Mara 1", "Mara 3"]
    assert list(table["Net"]) == ["$250.00", "$100.00", "No data"]
    assert list(table["Last import"])[2] == "Never"
    page.button_group(key="open_creator").set_value(mara.workspace_ids[1]).run()
    assert_no_crash(page)
    assert "Creator: Mara 2" in words(page)
    assert _figures(page)["Net"] == "$250.00"


def test_the_demo_is_added_looked_at_and_left_out_of_the_sum(open_page: OpenPage, ada: Made) -> None:
    page = open_page("home", ada)
    page.button(key="try_demo").click().run()
    assert_no_crash(page)
    assert "This is a Demo creator" in words(page)
    assert page.metric
    assert len(open_scope(ada.user_id).workspace_ids) == 2
    import_statement(ada.scope, _statement(4200), "now.csv")
    page = open_page("home", ada, creator="all")
    assert _figures(page)["Net"] == "$42.00"


def test_staff_are_told_what_they_can_do(open_page: OpenPage, database: Connection) -> None:
    page = open_page("home", make_person("Stefan", Role.ADMIN, creators=0))
    assert_no_crash(page)
    assert "You are signed in as staff." in words(page)


def test_an_owner_without_a_creator_adds_the_first(open_page: OpenPage, database: Connection) -> None:
    nina = make_person("Nina", Role.MANAGER, creators=0)
    page = open_page("home", nina)
    assert "Your account has no creator yet." in words(page)
    page.text_input(key="new_creator_name").set_value("Luna")
    page.button[-1].click().run()
    assert_no_crash(page)
    assert len(open_scope(nina.user_id).workspace_ids) == 1
