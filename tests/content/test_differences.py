"""What changed from one text to another."""

from hypothesis import given
from hypothesis import strategies as st

from core.content.differences import Change, Piece, differences


def test_words_that_went_and_came() -> None:
    assert differences("the blue sea", "the wide, blue sea") == (
        Piece(Change.SAME, "the"),
        Piece(Change.ADDED, " wide,"),
        Piece(Change.SAME, " blue sea"),
    )
    assert differences("a", "b") == (Piece(Change.REMOVED, "a"), Piece(Change.ADDED, "b"))
    assert differences("same", "same") == (Piece(Change.SAME, "same"),)
    assert differences("", "") == ()


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_is_lost(before: str, after: str) -> None:
    pieces = differences(before, after)
    assert "".join(one.text for one in pieces if one.change is not Change.ADDED) == before
    assert "".join(one.text for one in pieces if one.change is not Change.REMOVED) == after
