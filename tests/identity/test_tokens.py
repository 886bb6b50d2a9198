"""Access and refresh tokens of API clients: what lets in, what does not, and what a replay does."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import time_machine
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey
from sqlalchemy import Connection, text

from core.audit import own_entries
from core.errors import NotSignedIn, sentences
from core.identity import families
from core.identity.credentials import hashed
from core.identity.passwords import change_password
from core.identity.sessions import open_session, session_of
from core.identity.tokens import ACCESS_LASTS, AUDIENCE, bearer_of, issue, refresh
from core.identity.visitors import Visitor
from core.sealing import derived
from core.settings import settings
from core.workspaces.service import open_scope
from tests.people import Made, Role, make_person

PURPOSE = "access tokens of API clients, v1"


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def read(token: str, place: int) -> dict[str, object]:
    text_ = token.split(".")[place]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(text_ + "=" * (-len(text_) % 4)))
    return found


def signed(header: dict[str, object], claims: dict[str, object], key: bytes | None = None) -> str:
    """A token signed as ours are, unless another key is given, whatever its header and claims say."""
    used = OctKey.import_key(key or derived(PURPOSE)[0][1])
    return jws.serialize_compact(header, json.dumps(claims).encode(), used, algorithms=["HS256", "HS512"])


def letters(database: Connection) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in database.execute(text("SELECT to_address, kind, body FROM mail_outbox"))]


def test_an_access_token_speaks_for_its_person(ada: Made) -> None:
    pair = issue(ada.user_id)
    assert bearer_of(pair.access_token).user_id == ada.user_id
    assert pair.expires_in == timedelta(minutes=15)
    header, claims = read(pair.access_token, 0), read(pair.access_token, 1)
    assert (header["alg"], header["typ"], header["kid"]) == ("HS256", "at+jwt", derived(PURPOSE)[0][0])
    assert set(claims) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 900  # type: ignore[operator]


def test_only_the_hash_of_a_refresh_token_is_kept_and_none_prints(ada: Made, database: Connection) -> None:
    pair = issue(ada.user_id)
    rows = str(database.execute(text("SELECT * FROM refresh_tokens")).all())
    assert pair.refresh_token not in rows
    assert pair.refresh_token not in repr(pair)
    assert pair.access_token not in repr(pair)


def test_a_family_goes_on_from_token_to_token(ada: Made) -> None:
    first = issue(ada.user_id)
    second = refresh(first.refresh_token)
    third = refresh(second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    found = {bearer_of(one.access_token) for one in (first, second, third)}
    assert len(found) == 1, "an access token lives its minutes, whatever came after it"


@pytest.mark.parametrize("used", [0, 1])
def test_a_replay_ends_the_family_and_the_person_is_told(ada: Made, database: Connection, used: int) -> None:
    pairs = [issue(ada.user_id)]
    for _ in range(2):
        pairs.append(refresh(pairs[-1].refresh_token))
    elsewhere = issue(ada.user_id)
    with pytest.raises(NotSignedIn):
        refresh(pairs[used].refresh_token)
    for pair in pairs:
        with pytest.raises(NotSignedIn):
            bearer_of(pair.access_token)
        with pytest.raises(NotSignedIn):
            refresh(pair.refresh_token)
    assert bearer_of(elsewhere.access_token).user_id == ada.user_id
    ((to, kind, body),) = letters(database)
    assert (to, kind) == (ada.email, "api_client_replayed")
    assert not any(pair.refresh_token in body for pair in pairs)
    assert own_entries(ada.scope)[0].deed == "api_client_replayed"


def test_the_letter_is_in_the_persons_language(database: Connection) -> None:
    zoe = make_person("Zoe", Role.CREATOR, language="fr")
    first = issue(zoe.user_id)
    refresh(first.refresh_token)
    with pytest.raises(NotSignedIn):
        refresh(first.refresh_token)
    assert letters(database)[0][2] == sentences().text("fr", "tokens.replayed_body")


def test_a_new_password_signs_every_program_out(ada: Made, bob: Made, database: Connection) -> None:
    pair, bobs = issue(ada.user_id), issue(bob.user_id)
    database.execute(text("UPDATE users SET password_hash = :hash"), {"hash": hashed("correct horse battery")})
    here = session_of(open_session(ada.user_id))
    assert here is not None
    change_password(
        open_scope(ada.user_id, here.id), "correct horse battery", "another horse, another", Visitor("192.0.2.1")
    )
    with pytest.raises(NotSignedIn):
        bearer_of(pair.access_token)
    assert not tried(pair.refresh_token)
    assert letters_of(database, "api_client_replayed") == [], "who changes their password is not told of a thief"
    bearer_of(bobs.access_token)


def letters_of(database: Connection, kind: str) -> list[str]:
    return [body for _, told, body in letters(database) if told == kind]


def tried(token: str) -> bool:
    try:
        refresh(token)
    except NotSignedIn:
        return False
    return True


def test_one_token_traded_in_by_many_at_once_is_taken_once_and_ends_the_family(committed: str) -> None:
    first = issue(make_person("Ada", Role.CREATOR).user_id)
    with ThreadPoolExecutor(8) as crowd:
        assert sum(crowd.map(tried, [first.refresh_token] * 8)) == 1
    with pytest.raises(NotSignedIn):
        bearer_of(first.access_token)


def test_no_token_slips_out_of_a_family_that_is_just_ending(committed: str) -> None:
    """A thief trades the newest token in while the replay of an older one ends the family."""
    ada = make_person("Ada", Role.CREATOR)
    with ThreadPoolExecutor(2) as two:
        for _ in range(10):
            first = issue(ada.user_id)
            second = refresh(first.refresh_token)
            thief, owner = two.submit(tried, second.refresh_token), two.submit(tried, first.refresh_token)
            thief.result()
            assert not owner.result()
            with pytest.raises(NotSignedIn):
                bearer_of(first.access_token)


@pytest.mark.parametrize("wrong", ["", "x", "\x00", "\ud800", "é" * 100, "x" * 100_000])
def test_a_refresh_token_that_never_was_is_refused(ada: Made, wrong: str) -> None:
    issue(ada.user_id)
    with pytest.raises(NotSignedIn):
        refresh(wrong)
    families.revoke(wrong)


def test_a_family_is_ended_by_any_of_its_tokens(ada: Made) -> None:
    first = issue(ada.user_id)
    second = refresh(first.refresh_token)
    families.revoke(first.refresh_token)
    families.revoke(first.refresh_token)
    for deed in (lambda: refresh(second.refresh_token), lambda: bearer_of(second.access_token)):
        with pytest.raises(NotSignedIn):
            deed()
    assert [one.deed for one in own_entries(ada.scope)].count("api_client_signed_out") == 1


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE users SET disabled_at = now()",
        "UPDATE users SET deleted_at = now()",
        "UPDATE refresh_tokens SET revoked_at = now()",
        "UPDATE refresh_tokens SET expires_at = now()",
        "DELETE FROM refresh_tokens",
    ],
)
def test_an_access_token_stops_at_once(ada: Made, database: Connection, end: str) -> None:
    pair = issue(ada.user_id)
    database.execute(text(end))
    with pytest.raises(NotSignedIn):
        bearer_of(pair.access_token)
    with pytest.raises(NotSignedIn):
        refresh(pair.refresh_token)


def test_a_family_does_not_outlast_its_month(ada: Made, database: Connection) -> None:
    first = issue(ada.user_id)
    refresh(first.refresh_token)
    ends = database.execute(text("SELECT DISTINCT expires_at FROM refresh_tokens")).scalars().all()
    assert len(ends) == 1


def test_an_access_token_lasts_a_quarter_of_an_hour(ada: Made) -> None:
    token = issue(ada.user_id).access_token
    now = datetime.now(UTC)
    with time_machine.travel(now + ACCESS_LASTS - timedelta(seconds=5), tick=False):
        bearer_of(token)
    with time_machine.travel(now + ACCESS_LASTS + timedelta(seconds=1), tick=False), pytest.raises(NotSignedIn):
        bearer_of(token)


def test_what_is_signed_as_ours_by_the_test_lets_in(ada: Made) -> None:
    """So that the refusals below are for what each of them changes."""
    token = issue(ada.user_id).access_token
    assert bearer_of(signed(read(token, 0), read(token, 1))).user_id == ada.user_id


NOW = int(datetime.now(UTC).timestamp())
CLAIMS: dict[str, Callable[[dict[str, object]], object]] = {
    "expired": lambda claims: claims.update(exp=NOW - 3600),
    "no end": lambda claims: claims.pop("exp"),
    "made in the future": lambda claims: claims.update(iat=NOW + 3600, exp=NOW + 7200),
    "not yet": lambda claims: claims.update(nbf=NOW + 3600),
    "another audience": lambda claims: claims.update(aud="elsewhere"),
    "no audience": lambda claims: claims.pop("aud"),
    "another issuer": lambda claims: claims.update(iss="https://evil.test"),
    "no issuer": lambda claims: claims.pop("iss"),
    "another family": lambda claims: claims.update(sid=str(uuid4())),
    "no family": lambda claims: claims.pop("sid"),
    "a family that is none": lambda claims: claims.update(sid="x"),
    "another person": lambda claims: claims.update(sub=str(UUID(int=5))),
    "a person that is none": lambda claims: claims.update(sub=5),
    "an end that is none": lambda claims: claims.update(exp="never"),
    "no id": lambda claims: claims.pop("jti"),
}


@pytest.mark.parametrize("change", CLAIMS)
def test_claims_that_do_not_hold_are_refused(ada: Made, change: str) -> None:
    token = issue(ada.user_id).access_token
    claims = read(token, 1)
    CLAIMS[change](claims)
    with pytest.raises(NotSignedIn):
        bearer_of(signed(read(token, 0), claims))


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE]])
def test_the_issuer_is_the_one_of_this_installation(ada: Made, aud: object) -> None:
    token = issue(ada.user_id).access_token
    claims = read(token, 1)
    assert claims["iss"] == settings().public_url
    assert bearer_of(signed(read(token, 0), claims | {"aud": aud})).user_id == ada.user_id


def test_other_signatures_are_refused(ada: Made) -> None:
    token = issue(ada.user_id).access_token
    header, claims = read(token, 0), read(token, 1)
    body = token.rpartition(".")[0]
    flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    unsigned = f"{part(header | {'alg': 'none'})}.{part(claims)}."
    forged = [
        body + ".",
        body,
        flipped,
        unsigned,
        unsigned + token.rpartition(".")[2],
        signed(header, claims, b"k" * 32),
        signed(header | {"alg": "HS512"}, claims),
        signed(header | {"kid": "0" * 16}, claims),
        signed({key: value for key, value in header.items() if key != "kid"}, claims),
        signed(header | {"typ": "JWT"}, claims),
        f"{part(header | {'alg': 'RS256'})}.{token.partition('.')[2]}",
        f"{part(header | {'alg': 'dir', 'enc': 'A128GCM'})}.a.b.c.d",
    ]
    for wrong in forged:
        with pytest.raises(NotSignedIn):
            bearer_of(wrong)


def test_tokens_made_before_a_change_of_keys_are_good_until_they_run_out(
    ada: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import sealing

    old, new = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))

    def keys(text_: str) -> None:
        monkeypatch.setenv("ENCRYPTION_KEYS", text_)
        settings.cache_clear()
        sealing._keys.cache_clear()

    try:
        keys(old)
        token = issue(ada.user_id).access_token
        keys(f"{new},{old}")
        bearer_of(token)
        assert read(issue(ada.user_id).access_token, 0)["kid"] != read(token, 0)["kid"]
        keys(new)
        with pytest.raises(NotSignedIn):
            bearer_of(token)
    finally:
        monkeypatch.delenv("ENCRYPTION_KEYS")
        settings.cache_clear()
        sealing._keys.cache_clear()


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one, max_size=3))
HEADERS = st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "enc", "jwk", "jku", "zip"]), JSON)


@given(st.text() | st.lists(st.text(), max_size=6).map(".".join))
@effort(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_makes_the_reader_stumble(database: Connection, wrong: str) -> None:
    with pytest.raises(NotSignedIn):
        bearer_of(wrong)


@given(HEADERS, JSON)
@effort(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_header_makes_the_reader_stumble(database: Connection, header: dict[str, object], claims: object) -> None:
    ours = {"alg": "HS256", "typ": "at+jwt", "kid": derived(PURPOSE)[0][0]}
    for tried in (header, ours | header):
        with pytest.raises(NotSignedIn):
            bearer_of(f"{part(tried)}.{part(claims)}.AAAA")


def test_nesting_without_end_is_no_token(database: Connection) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 2900).decode()
    with pytest.raises(NotSignedIn):
        bearer_of(f"{deep}.{deep}.AAAA")
