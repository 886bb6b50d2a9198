"""Used by migrations: the columns that tables share, as they are since the first one."""

import sqlalchemy as sa


def new_id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def of(name: str, *, required: bool = True, comment: str | None = None) -> sa.Column[object]:
    """Another row's id."""
    return sa.Column(name, sa.Uuid(), nullable=not required, comment=comment)


def at(name: str) -> sa.Column[object]:
    """When the row was made."""
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def instant(name: str, *, required: bool = False, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required, comment=comment)
