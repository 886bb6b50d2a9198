"""Who is asking, and what they may touch. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from core.errors import NotAllowed, NotFound, NotSignedIn


class Role(StrEnum):
    """What a person is in one workspace. Staff hold none by themselves: the last two are theirs during a visit."""

    CREATOR = "creator"
    MANAGER = "manager"
    ANALYST = "analyst"
    ADMIN = "admin"
    ADMIN_ACTING = "admin_acting"


class AccountRole(StrEnum):
    """What a person is in the account that pays."""

    OWNER = "owner"
    MEMBER = "member"


class Permission(StrEnum):
    """One for each thing that a door may do. Its sentence is `access.<value>` in the catalogues."""

    # for whoever is signed in, about themselves
    OWN_PROFILE = "own_profile"
    # in a workspace
    VIEW_WORKSPACE = "view_workspace"
    EDIT_WORKSPACE = "edit_workspace"
    VIEW_ANALYTICS = "view_analytics"
    IMPORT_EARNINGS = "import_earnings"
    WRITE_CONTENT = "write_content"
    APPROVE_CONTENT = "approve_content"
    MODERATE = "moderate"
    SEE_AI_COSTS = "see_ai_costs"
    VIEW_PLAN = "view_plan"
    LEAVE_ACCOUNT = "leave_account"
    # in an account
    MANAGE_BILLING = "manage_billing"
    MANAGE_CREATORS = "manage_creators"
    MANAGE_TEAM = "manage_team"
    MANAGE_API_KEYS = "manage_api_keys"
    VIEW_AUDIT = "view_audit"
    # for staff, over everybody
    FIND_PEOPLE = "find_people"
    VISIT_WORKSPACE = "visit_workspace"
    DISABLE_USER = "disable_user"
    GRANT_PLAN = "grant_plan"
    MANAGE_SUBSCRIPTIONS = "manage_subscriptions"
    SEE_REVENUE = "see_revenue"
    SEE_OPERATIONS = "see_operations"


PERSONAL = frozenset({Permission.OWN_PROFILE})
OF_ACCOUNT = frozenset(
    {
        Permission.MANAGE_BILLING,
        Permission.MANAGE_CREATORS,
        Permission.MANAGE_TEAM,
        Permission.MANAGE_API_KEYS,
        Permission.VIEW_AUDIT,
    }
)
OF_STAFF = frozenset(
    {
        Permission.FIND_PEOPLE,
        Permission.VISIT_WORKSPACE,
        Permission.DISABLE_USER,
        Permission.GRANT_PLAN,
        Permission.MANAGE_SUBSCRIPTIONS,
        Permission.SEE_REVENUE,
        Permission.SEE_OPERATIONS,
    }
)
OF_WORKSPACE = frozenset(Permission) - PERSONAL - OF_ACCOUNT - OF_STAFF
READING = frozenset({Permission.VIEW_WORKSPACE, Permission.VIEW_ANALYTICS, Permission.VIEW_PLAN})

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.CREATOR: OF_WORKSPACE,
    Role.MANAGER: OF_WORKSPACE - {Permission.LEAVE_ACCOUNT},
    Role.ANALYST: READING,
    Role.ADMIN: READING,
    Role.ADMIN_ACTING: OF_WORKSPACE - {Permission.LEAVE_ACCOUNT},
}
VISITING = frozenset({Role.ADMIN, Role.ADMIN_ACTING})
ACCOUNT_GRANTS: Mapping[AccountRole, frozenset[Permission]] = {
    AccountRole.OWNER: OF_ACCOUNT,
    AccountRole.MEMBER: frozenset(),
}

SYSTEM = UUID(int=0)
"""Stands for the product itself where no person asks: a Stripe event applied, a sweep."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One person, and the workspaces and accounts in view with the role held in each.

    A scope can be narrowed, never widened. It is made by `workspaces.service.open_scope` and, for work
    that no person asked for or can still answer for, by `for_account` and `for_workspace`.
    """

    user_id: UUID
    roles: Mapping[UUID, Role]
    account_of: Mapping[UUID, UUID]
    account_roles: Mapping[UUID, AccountRole]
    is_staff: bool = False
    session_id: UUID | None = None
    """The browser's session that asks, for the audit log."""
    api_key_id: UUID | None = None
    """The API key that asks instead, and `limits`, what that key may do at most."""
    limits: frozenset[Permission] | None = None

    @classmethod
    def for_account(cls, account_id: UUID, workspace_ids: Iterable[UUID] = ()) -> "Scope":
        """The product acting for one account, and for those of its workspaces that are named."""
        named = frozenset(workspace_ids)
        return cls(
            SYSTEM,
            dict.fromkeys(named, Role.CREATOR),
            dict.fromkeys(named, account_id),
            {account_id: AccountRole.OWNER},
        )

    @classmethod
    def for_workspace(cls, workspace_id: UUID, account_id: UUID) -> "Scope":
        """The product acting for one workspace, when the person who asked may have lost their own way in."""
        return cls(SYSTEM, {workspace_id: Role.CREATOR}, {workspace_id: account_id}, {account_id: AccountRole.MEMBER})

    @classmethod
    def for_person(cls, user_id: UUID) -> "Scope":
        """The product acting for one person, with nothing of any account in view."""
        return cls(user_id, {}, {}, {})

    @property
    def workspace_ids(self) -> frozenset[UUID]:
        return frozenset(self.roles)

    @property
    def account_ids(self) -> frozenset[UUID]:
        return frozenset(self.account_roles)

    @property
    def workspace_id(self) -> UUID:
        """The one workspace in view. Raises NotAllowed when there is none or more than one."""
        if len(self.roles) != 1:
            raise NotAllowed("access.choose_creator")
        return next(iter(self.roles))

    @property
    def account_id(self) -> UUID:
        """The one account in view. Raises NotAllowed when there is none or more than one."""
        if len(self.account_roles) != 1:
            raise NotAllowed("access.choose_creator")
        return next(iter(self.account_roles))

    def narrowed_to(self, workspace_id: UUID, *, keeping: UUID | None = None) -> "Scope":
        """The same person with one workspace and its account in view. Raises NotFound for one not in view.

        `keeping` names one more account to keep in view, for moving the workspace there.
        """
        if workspace_id not in self.roles or (keeping is not None and keeping not in self.account_roles):
            raise NotFound("access.unknown_creator")
        account_id = self.account_of[workspace_id]
        return replace(
            self,
            roles={workspace_id: self.roles[workspace_id]},
            account_of={workspace_id: account_id},
            account_roles={kept: role for kept, role in self.account_roles.items() if kept in (account_id, keeping)},
        )

    def of_account(self, account_id: UUID) -> "Scope":
        """The same person with one account and their workspaces of it in view. Raises NotFound for one not in view."""
        if account_id not in self.account_roles:
            raise NotFound("access.not_found")
        held = {one: owner for one, owner in self.account_of.items() if owner == account_id}
        return replace(
            self,
            roles={one: self.roles[one] for one in held},
            account_of=held,
            account_roles={account_id: self.account_roles[account_id]},
        )

    def on_behalf_of(self, person: "Scope") -> "Scope":
        """The same view, its deeds noted as that person's: for the product doing what the person has just proved."""
        return replace(
            self, user_id=person.user_id, session_id=person.session_id, api_key_id=person.api_key_id, limits=None
        )

    def as_program(self) -> "Scope":
        """The same person through a program of theirs: without what they may do and are visiting as staff."""
        own = {one: role for one, role in self.roles.items() if role not in VISITING}
        account_of = {one: self.account_of[one] for one in own}
        visited = {self.account_of[one] for one in self.roles.keys() - own.keys()} - set(account_of.values())
        return replace(
            self,
            roles=own,
            account_of=account_of,
            account_roles={
                one: role for one, role in self.account_roles.items() if one not in visited or role is AccountRole.OWNER
            },
            is_staff=False,
            session_id=None,
        )

    def as_key(self, account_id: UUID, api_key_id: UUID, limits: frozenset[Permission]) -> "Scope":
        """What an API key that this person made for one account may see: that account, and nothing of staff's.

        Raises NotSignedIn when the person is no longer in the account: a key does not outlive its maker's access.
        """
        own = self.as_program()
        if account_id not in own.account_roles:
            raise NotSignedIn("api_keys.unknown")
        return replace(own.of_account(account_id), api_key_id=api_key_id, limits=limits)

    def may(self, permission: Permission) -> bool:
        """Whether the permission is held in everything in view. Nothing in view holds nothing."""
        if self.limits is not None and permission not in self.limits:
            return False
        if permission in PERSONAL:
            return True
        if permission in OF_STAFF:
            return self.is_staff
        if permission in OF_ACCOUNT:
            return bool(self.account_roles) and all(
                permission in ACCOUNT_GRANTS[role] for role in self.account_roles.values()
            )
        return bool(self.roles) and all(permission in GRANTS[role] for role in self.roles.values())

    def require(self, permission: Permission) -> None:
        if not self.may(permission):
            raise NotAllowed("access.not_allowed")
