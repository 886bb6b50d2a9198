"""A model at the wire, and fans in the ledger."""

from tests.content.conftest import model

__all__ = ["model"]
