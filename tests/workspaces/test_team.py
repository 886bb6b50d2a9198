"""Who works where: invited by mail, let in once, changed, taken off, and the owner who hands over."""

import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, func, select

from core.access import ACCOUNT_GRANTS, GRANTS, OF_WORKSPACE, READING, AccountRole, Permission, Role, Scope
from core.audit import entries
from core.billing import seats
from core.content.service import voice
from core.db import transaction
from core.errors import BadInput, Conflict, NotAllowed, NotFound, PlanLimit, Refusal
from core.identity.proof import ProofNeeded
from core.use_case import DOORS
from core.workspaces import invitations, team
from core.workspaces.models import Invitation, TenantPointer
from core.workspaces.service import edit_workspace, my_accounts, my_workspaces, open_scope
from tests.people import Made, make_person
from tests.workspaces.conftest import hire, kinds_to, letters_to, signed_in, subscribe, token_to


def test_an_invited_manager_sees_the_creators_they_were_given_and_no_other(agency: Made, bob: Made) -> None:
    given = agency.workspace_ids[:2]
    seats.invite(agency.scope, bob.email, Role.MANAGER, given)
    offered = invitations.offer(token_to(bob.email))
    assert (offered.inviter, offered.account, offered.role) == ("Mara", "Mara", Role.MANAGER)
    assert (offered.email, offered.creators) == (bob.email, ("Mara 1", "Mara 2"))
    assert open_scope(bob.user_id).workspace_ids == {bob.workspace_id}
    invitations.accept(open_scope(bob.user_id), token_to(bob.email))
    scope = open_scope(bob.user_id)
    assert scope.workspace_ids == {bob.workspace_id, *given}
    assert {scope.roles[one] for one in given} == {Role.MANAGER}
    assert edit_workspace(scope.narrowed_to(given[0]), name="Renamed").name == "Renamed"
    with pytest.raises(NotFound):
        scope.narrowed_to(agency.workspace_ids[2])
    assert {one.role for one in my_accounts(scope)} == {AccountRole.OWNER, AccountRole.MEMBER}
    with pytest.raises(NotAllowed):
        team.members(scope.of_account(agency.account_id))


def test_the_owner_sees_their_team(agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.ANALYST, agency.workspace_ids[:1])
    everybody = team.members(agency.scope)
    assert [(one.name, one.account_role) for one in everybody] == [
        ("Mara", AccountRole.OWNER),
        ("Bob", AccountRole.MEMBER),
    ]
    assert everybody[1].access == {agency.workspace_ids[0]: Role.ANALYST}
    assert everybody[1].email == bob.email
    assert everybody[1].last_seen_at is None
    signed_in(bob.user_id)
    assert team.members(agency.scope)[1].last_seen_at is not None
    one_creator_in_view = agency.scope.narrowed_to(agency.workspace_ids[2])
    assert team.members(one_creator_in_view)[1].access == {agency.workspace_ids[0]: Role.ANALYST}


def test_a_link_is_good_once_and_answers_alike_when_it_is_not(agency: Made, bob: Made) -> None:
    used, revoked = agency.workspace_ids[0], agency.workspace_ids[1]
    hire(agency, bob, Role.MANAGER, (used,))
    spent = token_to(bob.email)
    cleo = make_person("Cleo", Role.CREATOR)
    withdrawn_id = seats.invite(agency.scope, cleo.email, Role.MANAGER, (revoked,))
    withdrawn = token_to(cleo.email)
    invitations.revoke_invitation(agency.scope, withdrawn_id)
    answers = set()
    for token in (spent, withdrawn, "never-was", ""):
        for ask in (lambda: invitations.offer(token), lambda: invitations.accept(cleo.scope, token)):  # noqa: B023
            with pytest.raises(NotFound) as refused:
                ask()
            answers.add((refused.value.code, str(refused.value)))
    assert len(answers) == 1


def test_no_address_is_kept_once_an_invitation_is_settled(agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    gone = seats.invite(agency.scope, "gone@example.com", Role.MANAGER, agency.workspace_ids)
    invitations.revoke_invitation(agency.scope, gone)
    with transaction(Scope.for_account(agency.account_id)) as session:
        assert set(session.scalars(select(Invitation.email))) == {"b…@example.com", "g…@example.com"}
        assert session.scalar(select(func.count()).select_from(TenantPointer)) == 0


def test_an_old_link_opens_nothing(agency: Made, bob: Made, database: Connection) -> None:
    seats.invite(agency.scope, bob.email, Role.MANAGER, agency.workspace_ids)
    with_scope(database, agency, "UPDATE invitations SET expires_at = now() - interval '1 second'")
    with pytest.raises(NotFound, match="cannot be used"):
        invitations.accept(bob.scope, token_to(bob.email))
    assert invitations.invitations(agency.scope) == ()


def with_scope(database: Connection, made: Made, statement: str) -> None:
    database.exec_driver_sql(f"SELECT set_config('app.account_ids', '{made.account_id}', true)")
    assert database.exec_driver_sql(statement).rowcount == 1


def test_a_link_sent_to_another_address_is_refused_in_words(agency: Made, bob: Made, ada: Made) -> None:
    seats.invite(agency.scope, bob.email, Role.MANAGER, agency.workspace_ids)
    with pytest.raises(NotAllowed, match=bob.email):
        invitations.accept(ada.scope, token_to(bob.email))
    assert open_scope(ada.user_id).workspace_ids == {ada.workspace_id}
    invitations.accept(bob.scope, token_to(bob.email))


def test_a_second_invitation_of_an_address_ends_the_first(agency: Made, bob: Made) -> None:
    seats.invite(agency.scope, bob.email, Role.MANAGER, agency.workspace_ids)
    first = token_to(bob.email)
    seats.invite(agency.scope, bob.email.upper(), Role.ANALYST, agency.workspace_ids[:1])
    with pytest.raises(NotFound):
        invitations.offer(first)
    (open_one,) = invitations.invitations(agency.scope)
    assert (open_one.email, open_one.role, open_one.workspace_ids) == (
        bob.email,
        Role.ANALYST,
        {agency.workspace_ids[0]},
    )


@pytest.mark.parametrize(
    ("role", "which", "refusal"),
    [
        (Role.MANAGER, (), BadInput),
        (Role.ADMIN, None, BadInput),
        (Role.MANAGER, (uuid4(),), NotFound),
    ],
)
def test_what_cannot_be_offered(agency: Made, role: Role, which: tuple[UUID, ...] | None, refusal: type) -> None:
    with pytest.raises(refusal):
        seats.invite(agency.scope, "new@example.com", role, agency.workspace_ids if which is None else which)
    assert letters_to("new@example.com") == []


def test_nobody_offers_a_neighbours_creator(agency: Made, bob: Made) -> None:
    answers = []
    for asked in (bob.workspace_id, uuid4()):
        with pytest.raises(NotFound) as refused:
            seats.invite(agency.scope, "new@example.com", Role.MANAGER, (asked,))
        answers.append(str(refused.value))
    assert answers[0] == answers[1]


def test_a_neighbours_invitation_and_member_answer_as_ones_that_never_were(agency: Made, ada: Made, bob: Made) -> None:
    theirs = seats.invite(agency.scope, "new@example.com", Role.MANAGER, agency.workspace_ids)
    for asked in (theirs, uuid4()):
        with pytest.raises(NotFound, match="There is nothing here"):
            invitations.revoke_invitation(ada.scope, asked)
    signed = open_scope(ada.user_id, signed_in(ada.user_id))
    for deed in (
        team.remove_member,
        team.hand_over_ownership,
        partial(team.change_access, role=Role.ANALYST, workspace_ids=ada.workspace_ids),
    ):
        answers = set()
        for asked in (bob.user_id, agency.user_id, uuid4()):
            with pytest.raises(NotFound) as refused:
                deed(signed, asked)
            answers.add(str(refused.value))
        assert len(answers) == 1
    assert invitations.offer(token_to("new@example.com")).account == "Mara"


def test_the_plan_has_room_for_so_many(ada: Made, bob: Made) -> None:
    with pytest.raises(PlanLimit, match="1 person"):
        seats.invite(ada.scope, bob.email, Role.MANAGER, ada.workspace_ids)
    seats.invite(ada.scope, "creator@example.com", Role.CREATOR, ada.workspace_ids)
    subscribe(ada, "pro_monthly")
    for n in range(4):
        seats.invite(ada.scope, f"analyst{n}@example.com", Role.ANALYST, ada.workspace_ids)
    with pytest.raises(PlanLimit, match="5 people"):
        seats.invite(ada.scope, bob.email, Role.MANAGER, ada.workspace_ids)
    seats.invite(ada.scope, "analyst0@example.com", Role.MANAGER, ada.workspace_ids)
    assert letters_to(bob.email) == []


def test_access_is_changed_whole(agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.MANAGER, agency.workspace_ids[:2])
    team.change_access(agency.scope, bob.user_id, Role.ANALYST, agency.workspace_ids[1:])
    scope = open_scope(bob.user_id)
    assert {one: scope.roles.get(one) for one in agency.workspace_ids} == {
        agency.workspace_ids[0]: None,
        agency.workspace_ids[1]: Role.ANALYST,
        agency.workspace_ids[2]: Role.ANALYST,
    }
    assert scope.roles[bob.workspace_id] is Role.CREATOR
    with pytest.raises(Conflict):
        team.change_access(agency.scope, agency.user_id, Role.ANALYST, agency.workspace_ids)


def test_whoever_is_taken_off_keeps_their_own_and_loses_the_rest_at_once(agency: Made, bob: Made) -> None:
    before = hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    assert edit_workspace(before.narrowed_to(agency.workspace_ids[0]), name="While in").name == "While in"
    team.remove_member(agency.scope, bob.user_id)
    after = open_scope(bob.user_id)
    assert (after.workspace_ids, after.account_ids) == ({bob.workspace_id}, {bob.account_id})
    with pytest.raises(NotFound):
        after.narrowed_to(agency.workspace_ids[0])
    assert [one.name for one in my_workspaces(after)] == ["Bob"]
    assert "team.removed" in kinds_to(bob.email)
    with pytest.raises(NotFound):
        team.remove_member(agency.scope, bob.user_id)


def test_a_member_may_go_and_the_owner_may_not(agency: Made, bob: Made) -> None:
    scope = hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    team.leave_team(scope.of_account(agency.account_id))
    assert open_scope(bob.user_id).account_ids == {bob.account_id}
    for deed in (
        lambda: team.leave_team(agency.scope),
        lambda: team.remove_member(agency.scope, agency.user_id),
    ):
        with pytest.raises(Conflict, match="Hand over"):
            deed()


def test_ownership_is_handed_over_with_a_fresh_proof_only(agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.ANALYST, agency.workspace_ids[:1])
    stale = open_scope(agency.user_id, signed_in(agency.user_id, proved_minutes_ago=11))
    for unproved in (agency.scope, stale):
        with pytest.raises(ProofNeeded):
            team.hand_over_ownership(unproved, bob.user_id)
    fresh = open_scope(agency.user_id, signed_in(agency.user_id))
    team.hand_over_ownership(fresh, bob.user_id)
    new_owner = open_scope(bob.user_id)
    assert new_owner.account_roles[agency.account_id] is AccountRole.OWNER
    assert {new_owner.roles[one] for one in agency.workspace_ids} == {Role.MANAGER}
    assert open_scope(agency.user_id).account_roles == {agency.account_id: AccountRole.MEMBER}
    assert len(team.members(new_owner.of_account(agency.account_id))) == 2
    with pytest.raises(NotAllowed):
        team.hand_over_ownership(fresh, bob.user_id)
    assert [kinds_to(one.email)[-1] for one in (agency, bob)] == ["team.owner", "team.owner"]


def test_every_deed_is_on_record(agency: Made, bob: Made) -> None:
    hire(agency, bob, Role.MANAGER, agency.workspace_ids)
    team.change_access(agency.scope, bob.user_id, Role.ANALYST, agency.workspace_ids[:1])
    team.remove_member(agency.scope, bob.user_id)
    invitations.revoke_invitation(
        agency.scope, seats.invite(agency.scope, "x@example.com", Role.CREATOR, agency.workspace_ids)
    )
    told = [(one.deed, one.user_id) for one in reversed(entries(agency.scope.of_account(agency.account_id)))]
    assert told == [
        ("member_invited", agency.user_id),
        ("invitation_accepted", bob.user_id),
        ("access_changed", agency.user_id),
        ("member_removed", agency.user_id),
        ("member_invited", agency.user_id),
        ("invitation_revoked", agency.user_id),
    ]
    assert not any("x@example.com" in repr(one) for one in entries(agency.scope))


def test_an_analyst_is_read_only_by_the_table_alone(agency: Made, bob: Made) -> None:
    """Every door that asks for a permission of a workspace or an account is tried, before it looks at anything."""
    one = hire(agency, bob, Role.ANALYST, agency.workspace_ids[:1]).narrowed_to(agency.workspace_ids[0])
    doors = [door for door in DOORS.values() if door.name.startswith("core.") and door.permission is not None]
    held = GRANTS[Role.ANALYST] | ACCOUNT_GRANTS[AccountRole.MEMBER] | {Permission.OWN_PROFILE}
    assert GRANTS[Role.ANALYST] == READING < OF_WORKSPACE
    shut = [door for door in doors if door.permission not in held]
    assert len(shut) > 20
    for door in shut:
        with pytest.raises(NotAllowed):
            call(door.name)(one)
    assert my_workspaces(one)
    with pytest.raises(NotAllowed):
        voice(one)


def call(name: str) -> Callable[..., object]:
    module, _, function = name.rpartition(".")
    door: Callable[..., object] = getattr(import_module(module), function)
    return door


def test_of_two_who_accept_one_link_at_once_one_comes_in(committed: str) -> None:
    mara, bob = make_person("Mara", Role.MANAGER, creators=2), make_person("Bob", Role.CREATOR)
    subscribe(mara)
    seats.invite(mara.scope, bob.email, Role.MANAGER, mara.workspace_ids)
    token, outcomes = token_to(bob.email), []

    def accept(scope: Scope) -> None:
        try:
            invitations.accept(scope, token)
        except Refusal as refusal:
            outcomes.append(refusal.code)
        else:
            outcomes.append("in")

    tries = [threading.Thread(target=accept, args=(open_scope(bob.user_id),)) for _ in range(4)]
    for one in tries:
        one.start()
    for one in tries:
        one.join()
    assert sorted(outcomes) == ["in", *["team.bad_invitation"] * 3]
    told = [one.deed for one in entries(mara.scope)]
    assert told.count("invitation_accepted") == 1
    assert open_scope(bob.user_id).workspace_ids == {bob.workspace_id, *mara.workspace_ids}


def test_whoever_is_removed_while_they_act_finishes_or_is_refused_and_never_half(committed: str) -> None:
    mara, bob = make_person("Mara", Role.MANAGER), make_person("Bob", Role.CREATOR)
    subscribe(mara)
    acting = hire(mara, bob, Role.MANAGER, mara.workspace_ids).narrowed_to(mara.workspace_id)
    begun, crashes = threading.Event(), []

    def act() -> None:
        try:
            for n in range(20):
                edit_workspace(acting, name=f"Name {n}")
                begun.set()
        except Exception as crash:
            crashes.append(crash)

    worker = threading.Thread(target=act)
    worker.start()
    assert begun.wait(30)
    team.remove_member(mara.scope, bob.user_id)
    worker.join()
    assert crashes == []
    assert open_scope(bob.user_id).workspace_ids == {bob.workspace_id}
    with pytest.raises(NotFound):
        open_scope(bob.user_id).narrowed_to(mara.workspace_id)


def test_of_two_changes_and_a_removal_at_once_nobody_is_left_with_access(committed: str) -> None:
    mara, bob = make_person("Mara", Role.MANAGER, creators=2), make_person("Bob", Role.CREATOR)
    subscribe(mara)
    hire(mara, bob, Role.MANAGER, mara.workspace_ids)
    crashes = []

    def try_to(deed: Callable[[], None]) -> None:
        try:
            deed()
        except NotFound:
            pass
        except Exception as crash:
            crashes.append(crash)

    deeds = [
        partial(team.change_access, mara.scope, bob.user_id, Role.ANALYST, mara.workspace_ids),
        partial(team.remove_member, mara.scope, bob.user_id),
        partial(team.change_access, mara.scope, bob.user_id, Role.MANAGER, mara.workspace_ids[:1]),
    ]
    threads = [threading.Thread(target=try_to, args=(deed,)) for deed in deeds]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert crashes == []
    assert open_scope(bob.user_id).workspace_ids == {bob.workspace_id}
