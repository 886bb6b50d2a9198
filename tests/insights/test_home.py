"""The month so far, by each creator's own calendar, and never more than the statements say."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from core.access import Role
from core.content.assets import AssetText, archive_asset, save_asset
from core.content.kinds import AssetType
from core.content.platforms import Platform
from core.earnings.service import Choices, import_statement
from core.insights.home import LATEST, Month, Sums, change, desk, overview
from core.workspaces.service import edit_workspace
from tests.people import Made, make_person

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def brought(made: Made, *rows: tuple[str, int], currency: str = "USD") -> None:
    """Payments at (UTC minute, gross cents), with a fee of a fifth."""
    lines = [f"{at},{cents / 100:.2f},{cents / 500:.2f},{cents * 4 / 500:.2f},Tip from fan" for at, cents in rows]
    content = "\n".join(["Date,Gross,Fee,Net,Description", *lines, ""]).encode()
    import_statement(made.scope, content, "rows.csv", Choices(currency=currency))


def test_a_month_so_far_beside_the_same_days_of_the_one_before(ada: Made) -> None:
    brought(
        ada,
        ("2026-11-01 00:00", 1000),
        ("2026-11-22 23:59", 2000),
        ("2026-10-01 00:00", 500),
        ("2026-10-22 23:59", 500),
        ("2026-10-23 00:00", 70000),
        ("2026-09-30 23:59", 70000),
    )
    (month,) = overview(ada.scope, NOW).months
    assert month == Month(
        ada.workspace_id,
        "USD",
        date(2026, 11, 1),
        date(2026, 11, 22),
        now=Sums(gross=3000, fee=600, net=2400),
        before=Sums(gross=1000, fee=200, net=800),
    )
    assert change(month.now.net, month.before.net) == Decimal(2)


def test_the_month_begins_at_the_creators_midnight(ada: Made) -> None:
    edit_workspace(ada.scope, time_zone="Pacific/Auckland")
    brought(ada, ("2026-10-31 10:30", 1000), ("2026-10-31 11:30", 2000))
    (month,) = overview(ada.scope, NOW).months
    assert month.last == date(2026, 11, 23)
    assert (month.now.gross, month.before.gross) == (2000, 0)


def test_moving_to_another_zone_recounts_the_days(ada: Made) -> None:
    brought(ada, ("2026-10-31 11:30", 2000))
    assert overview(ada.scope, NOW).months == ()
    edit_workspace(ada.scope, time_zone="Pacific/Auckland")
    (month,) = overview(ada.scope, NOW).months
    assert month.now.gross == 2000


def test_at_the_end_of_a_longer_month_the_whole_one_before_counts(ada: Made) -> None:
    brought(ada, ("2026-02-28 12:00", 100), ("2026-03-01 12:00", 200), ("2026-03-31 12:00", 400))
    (month,) = overview(ada.scope, datetime(2026, 3, 31, 12, tzinfo=UTC)).months
    assert (month.now.gross, month.before.gross) == (600, 100)


def test_january_compares_with_december(ada: Made) -> None:
    brought(ada, ("2026-12-05 12:00", 100), ("2027-01-05 12:00", 200))
    (month,) = overview(ada.scope, datetime(2027, 1, 9, tzinfo=UTC)).months
    assert (month.first, month.now.gross, month.before.gross) == (date(2027, 1, 1), 200, 100)


def test_currencies_are_never_added_up(ada: Made) -> None:
    brought(ada, ("2026-11-02 12:00", 100))
    brought(ada, ("2026-11-03 12:00", 400), currency="EUR")
    assert [(month.currency, month.now.gross) for month in overview(ada.scope, NOW).months] == [
        ("EUR", 400),
        ("USD", 100),
    ]


def test_an_amount_that_is_left_out_makes_the_sum_unknown(ada: Made) -> None:
    content = b"Date,Net,Description\n2026-11-02 12:00,8.00,Tip from fan\n"
    import_statement(ada.scope, content, "net.csv")
    (month,) = overview(ada.scope, NOW).months
    assert month.now == Sums(gross=None, fee=None, net=800)
    assert change(month.now.gross, 100) is None


@pytest.mark.parametrize(
    ("now", "before", "share"),
    [
        (150, 100, Decimal("0.5")),
        (0, 100, Decimal(-1)),
        (5, 0, None),
        (5, None, None),
        (None, 5, None),
        (5, -10, Decimal("1.5")),
    ],
)
def test_a_change_is_a_share_or_not_defined(now: int | None, before: int | None, share: Decimal | None) -> None:
    assert change(now, before) == share


def test_every_creator_in_view_and_nobody_else(database: Connection, bob: Made) -> None:
    mara = make_person("Mara", Role.MANAGER, creators=3)
    first, second, third = mara.workspace_ids
    for workspace_id, cents in ((first, 100), (second, 900)):
        content = f"Date,Gross,Fee,Net,Description\n2026-11-02 12:00,{cents / 100},0,{cents / 100},Tip\n".encode()
        import_statement(mara.scope.narrowed_to(workspace_id), content, "one.csv")
    brought(bob, ("2026-11-02 12:00", 77700))
    seen = overview(mara.scope, NOW)
    assert [(month.workspace_id, month.now.net) for month in seen.months] == [(second, 900), (first, 100)]
    fed = {one.workspace_id: one for one in seen.fed}
    assert set(fed) == {first, second, third}
    assert fed[first].last_payment_at == datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert fed[first].last_import_at is not None
    assert (fed[third].last_import_at, fed[third].last_payment_at) == (None, None)


def test_the_desk_lists_the_latest_texts_that_are_not_put_away(ada: Made, bob: Made) -> None:
    kept = [
        save_asset(
            made.scope,
            AssetText.of(title=f"Text {number}", body="Hello"),
            type=AssetType.POST,
            platform=Platform.ONLYFANS,
            language="en",
        )
        for number, made in enumerate((ada, ada, ada, ada, ada, bob))
    ]
    archive_asset(ada.scope, kept[4].id)
    on = desk(ada.scope, NOW)
    assert {text.title for text in on.texts} <= {f"Text {number}" for number in range(4)}
    assert len(on.texts) == LATEST
    assert (on.plan, on.drafts_used, on.drafts_most) == ("free", 0, 50)
