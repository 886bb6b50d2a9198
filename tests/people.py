"""People for tests, made through the product's own rooms."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from core.access import Role, Scope
from core.identity.models import User
from core.use_case import unscoped
from core.workspaces.models import AccountKind
from core.workspaces.service import create_workspace, found_account, open_scope


@dataclass(frozen=True, slots=True)
class Made:
    """A person with one account; `scope` is narrowed to the first workspace where there is one."""

    user_id: UUID
    account_id: UUID
    workspace_ids: tuple[UUID, ...]
    scope: Scope
    email: str

    @property
    def workspace_id(self) -> UUID:
        return self.workspace_ids[0]


def make_person(
    name: str, role: Role, creators: int = 1, time_zone: str = "UTC", currency: str = "USD", language: str = "en"
) -> Made:
    """A creator with one workspace, a manager who owns an agency with several, or staff with none."""
    email = f"{name.lower().replace(' ', '.')}@example.com"
    user_id, account_id, workspace_ids = _write(name, email, role, creators, time_zone, currency, language)
    scope = open_scope(user_id)
    return Made(
        user_id,
        account_id,
        workspace_ids,
        scope.narrowed_to(workspace_ids[0]) if len(workspace_ids) == 1 else scope,
        email,
    )


@unscoped("test data")
def _write(
    session: Session, name: str, email: str, role: Role, creators: int, time_zone: str, currency: str, language: str
) -> tuple[UUID, UUID, tuple[UUID, ...]]:
    user = User(
        email=email,
        display_name=name,
        language=language,
        time_zone=time_zone,
        is_staff=role is Role.ADMIN,
        email_verified_at=func.now(),
    )
    session.add(user)
    session.flush()
    if role is Role.ADMIN:
        return user.id, user.id, ()
    kind = AccountKind.AGENCY if role is Role.MANAGER else AccountKind.CREATOR
    account_id = found_account(session, user.id, name, kind)
    made = tuple(
        create_workspace(
            session,
            account_id,
            user.id,
            name if creators == 1 else f"{name} {n + 1}",
            role,
            time_zone=time_zone,
            currency=currency,
        )
        for n in range(creators)
    )
    return user.id, account_id, made
