"""Whose word on a visitor's address is taken."""

from typing import TypedDict

from core.settings import settings


class ProxyOptions(TypedDict):
    proxy_headers: bool
    forwarded_allow_ips: str


def proxy_options() -> ProxyOptions:
    """For uvicorn: X-Forwarded-For counts only when TRUSTED_PROXIES sent it; uvicorn alone would trust this machine.

    Without it everybody behind a load balancer would be one visitor, and one guesser would lock all of them out.
    """
    trusted = settings().trusted_proxies
    return {"proxy_headers": trusted is not None, "forwarded_allow_ips": trusted or ""}
