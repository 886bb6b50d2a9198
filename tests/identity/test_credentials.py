import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.identity.credentials import _commonest, a_new_password, an_email, hashed, is_outdated, matches

GOOD = "correct horse battery"


def test_the_hash_is_argon2id_of_the_agreed_cost() -> None:
    made = extract_parameters(hashed(GOOD))
    assert (made.type, made.memory_cost, made.time_cost, made.parallelism) == (Type.ID, 19456, 2, 1)


def test_a_password_matches_its_own_hash_and_no_other() -> None:
    kept = hashed(GOOD)
    assert matches(GOOD, kept)
    assert not matches(GOOD + " ", kept)
    assert not matches("", kept)
    assert not matches(GOOD, None)
    assert not matches(GOOD, "not a hash")


def test_two_hashes_of_one_password_differ() -> None:
    assert hashed(GOOD) != hashed(GOOD)


def test_an_accent_typed_on_another_keyboard_is_the_same_password() -> None:
    assert matches("me\u0301moire longue", hashed("m\u00e9moire longue"))


def test_a_hash_of_other_parameters_is_outdated() -> None:
    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(GOOD))
    assert not is_outdated(hashed(GOOD))


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("Ada@Example.com ", "ada@example.com"),
        ("first.last+tag@sub.example.co", "first.last+tag@sub.example.co"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("x" * 64 + "@example.com", "x" * 64 + "@example.com"),
    ],
)
def test_an_address_is_kept_in_lower_case(given_: str, kept: str) -> None:
    assert an_email(given_) == kept


@pytest.mark.parametrize(
    "given_",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@example",
        "ada@@example.com",
        "ada@-example.com",
        "ada@example..com",
        "a da@example.com",
        "ada\x00@example.com",
        "ada@example.com\nbcc: bob@example.com",
        "adà@example.com",
        "İda@example.com",
        "ada\ud800@example.com",
        "x" * 65 + "@example.com",
        "ada@" + ".".join(["x" * 60] * 5) + ".com",
    ],
)
def test_what_is_no_address_is_refused(given_: str) -> None:
    with pytest.raises(BadInput) as refused:
        an_email(given_)
    assert refused.value.code == "identity.bad_email"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        kept = an_email(text)
    except BadInput:
        return
    assert kept == kept.lower()
    assert kept.isascii()
    assert an_email(kept) == kept


@pytest.mark.parametrize("password", ["x" * 12, "x" * 128, "🔑" * 12, " leading and trailing "])
def test_length_is_all_that_is_asked_of_a_password(password: str) -> None:
    assert a_new_password(password, "ada@example.com") == password


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "identity.bad_password"),
        ("x" * 11, "identity.bad_password"),
        ("x" * 129, "identity.bad_password"),
        ("ada.lovelace@example.com", "identity.password_is_email"),
        ("ADA.Lovelace@example.com", "identity.password_is_email"),
        ("ada.lovelace", "identity.password_is_email"),
        ("x" * 20 + "\x00", "identity.unusable_password"),
        ("x" * 20 + "\udfff", "identity.unusable_password"),
    ],
)
def test_a_weak_or_unusable_password_is_refused(password: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        a_new_password(password, "ada.lovelace@example.com")
    assert refused.value.code == code


@pytest.mark.parametrize("password", ["123456qwerty", "QWERTY123456", " 1q2w3e4r5t6y ", "polniypizdec0211"])
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(BadInput) as refused:
        a_new_password(password, "ada@example.com")
    assert refused.value.code == "identity.common_password"


def test_the_three_thousand_commonest_are_known_and_a_phrase_of_common_words_is_none() -> None:
    assert len(_commonest()) > 3_000
    assert {"password", "123456", "iloveyou"} <= _commonest()
    assert all(word == word.casefold() for word in _commonest())
    assert a_new_password("password iloveyou dragon", "ada@example.com")
