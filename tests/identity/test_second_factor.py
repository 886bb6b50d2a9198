"""The second factor below its pages: the codes themselves, how they are kept, and two who use one at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import UUID

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from core.access import Role, Scope
from core.errors import BadInput, Conflict
from core.identity import second_factor, totp
from core.identity.proof import ProofNeeded, is_proved
from core.identity.sessions import open_session, session_of
from core.sealing import CannotOpen
from core.use_case import unscoped
from tests.people import Made, make_person

AT = 1_700_000_010
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_at(at: float) -> str:
    return pyotp.TOTP(SECRET).at(int(at))


@pytest.mark.parametrize(
    ("off", "good"), [(-60, False), (-31, False), (-30, True), (0, True), (30, True), (60, False), (90, False)]
)
def test_a_code_is_good_half_a_minute_to_either_side(off: int, good: bool) -> None:
    start = AT - AT % totp.SECONDS
    assert totp.step_of(SECRET, code_at(start + off), start) == ((start + off) // 30 if good else None)


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, cut to six digits."""
    key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for at, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.step_of(key, code, at) == at // 30


@given(st.text(max_size=12))
def test_no_text_breaks_the_check(typed: str) -> None:
    assert totp.step_of(SECRET, typed, AT) in (None, *(AT // 30 + off for off in (-1, 0, 1)))


def here(made: Made) -> Scope:
    """The person at a browser where they have just signed in."""
    found = session_of(open_session(made.user_id))
    assert found is not None
    return replace(made.scope, session_id=found.id)


def turned_on(scope: Scope) -> tuple[str, tuple[str, ...]]:
    second_factor.begin(scope)
    offer = second_factor.offer(scope)
    assert offer is not None
    return offer.secret, second_factor.confirm(scope, pyotp.TOTP(offer.secret).now()).codes


@unscoped("the test plays somebody who types a code")
def taken(session: Session, user_id: UUID, code: str) -> bool:
    return second_factor.take(session, user_id, code)


def test_it_is_in_force_only_once_confirmed(ada: Made) -> None:
    scope = here(ada)
    second_factor.begin(scope)
    with pytest.raises(BadInput):
        second_factor.confirm(scope, "000000")
    assert second_factor.state(scope) == second_factor.State(is_on=False, codes_left=0)
    turned_on(scope)
    assert second_factor.state(scope) == second_factor.State(is_on=True, codes_left=10)
    assert second_factor.offer(scope) is None, "the secret is not shown again"
    with pytest.raises(Conflict):
        second_factor.begin(scope)


def test_every_step_of_it_takes_a_fresh_proof(database: Connection, ada: Made) -> None:
    scope = here(ada)
    assert is_proved(scope)
    database.execute(text("UPDATE web_sessions SET proved_at = now() - interval '10 minutes'"))
    for stale in (scope, replace(scope, session_id=None)):
        assert not is_proved(stale)
        for deed in (second_factor.begin, second_factor.offer, second_factor.renew_codes, second_factor.remove):
            with pytest.raises(ProofNeeded):
                deed(stale)
        with pytest.raises(ProofNeeded):
            second_factor.confirm(stale, "123456")


def test_a_session_of_somebody_else_proves_nothing(ada: Made, bob: Made) -> None:
    assert not is_proved(replace(ada.scope, session_id=here(bob).session_id))


def test_a_secret_moved_to_somebody_else_does_not_open(database: Connection, ada: Made, bob: Made) -> None:
    secret, _ = turned_on(here(ada))
    database.execute(
        text(
            "INSERT INTO second_factors (user_id, sealed_secret, confirmed_at)"
            " SELECT :bob, sealed_secret, now() FROM second_factors WHERE user_id = :ada"
        ),
        {"ada": ada.user_id, "bob": bob.user_id},
    )
    with pytest.raises(CannotOpen):
        taken(bob.user_id, pyotp.TOTP(secret).now())


def test_of_two_who_use_one_code_at_once_one_gets_in(committed: str) -> None:
    ada = make_person("Ada", Role.CREATOR)
    secret, codes = turned_on(here(ada))
    for code in (pyotp.TOTP(secret).at(int(time.time()) + 30), codes[0]):
        together = Barrier(4)

        def use(_: int, code: str = code, together: Barrier = together) -> bool:
            together.wait(30)
            return taken(ada.user_id, code)

        with ThreadPoolExecutor(4) as crowd:
            assert sorted(crowd.map(use, range(4))) == [False, False, False, True]
