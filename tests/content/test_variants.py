"""One answer, several texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.content.variants import growing, parted, unmarked


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ("one\n===\ntwo\n===\nthree", ("one", "two", "three")),
        ("one", ("one",)),
        ("", ()),
        ("===\n\n===\n", ()),
        ("===\none\n  =====  \ntwo\n===", ("one", "two")),
        ("one\n===\none\n===\ntwo", ("one", "two")),
        ("a === b\n== c\n===d", ("a === b\n== c\n===d",)),
        ("one\r\n===\r\ntwo", ("one", "two")),
        ("first\n\nsecond part\n===\n#a\n#b", ("first\n\nsecond part", "#a\n#b")),
    ],
)
def test_an_answer_is_parted_at_lines_of_marks_alone(answer: str, texts: tuple[str, ...]) -> None:
    assert parted(answer) == texts


@pytest.mark.parametrize("length", range(len("one\n===\ntwo") + 1))
def test_no_mark_is_ever_shown_while_it_comes(length: int) -> None:
    so_far = growing("one\n===\ntwo"[:length])
    assert not any("=" in text for text in so_far)
    assert all(whole.startswith(text) for whole, text in zip(("one", "two"), so_far, strict=False))


@given(st.text())
def test_what_a_person_wrote_never_parts_an_answer(words: str) -> None:
    assert len(parted(f"before {unmarked(words)} after")) == 1
    assert "<" not in unmarked(words)


@given(st.lists(st.text("abc \n", min_size=1).map(str.strip).filter(bool), unique=True, max_size=4))
def test_what_was_joined_is_parted(texts: list[str]) -> None:
    assert parted("\n===\n".join(texts)) == tuple(texts)
