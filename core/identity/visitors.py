"""Who comes to the door, as far as their browser says."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from core.text import cleaned

NETWORK_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: its IP address, what it calls itself, and the token that it was given at an earlier sign-in."""

    address: str
    agent: str = ""
    device: str | None = None

    @property
    def network(self) -> str:
        """Who counts as one visitor: an IPv4 address, or the /64 that one IPv6 line has to itself."""
        try:
            known = ip_address(self.address)
        except ValueError:
            return cleaned(self.address)[:NETWORK_LENGTH]
        if isinstance(known, IPv6Address):
            if known.ipv4_mapped is not None:
                return str(known.ipv4_mapped)
            return str(ip_network((int(known), 64), strict=False))
        return str(known)
