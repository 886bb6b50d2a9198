"""Other parties that say who somebody is, by OpenID Connect. The one module that speaks to them, through Authlib."""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from core.errors import NotFound, NotSignedIn, Unavailable
from core.identity.external import Vouched
from core.settings import settings
from core.text import cleaned, unsafe_reason

log = logging.getLogger("huntaze.web")

GOOGLE = "https://accounts.google.com"
METADATA = "/.well-known/openid-configuration"
TENANT = "{tenantid}"
"""Stands in Microsoft's issuer for the tenant, where any tenant may sign in; the token's `tid` fills it."""
_TENANT_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Signatures by a key that the provider alone has: neither `none` nor one that our own secret could make."""
METADATA_HOLDS = 3600.0
"""Seconds after which a provider's addresses and keys are asked for anew: a key taken out of use stops counting."""
TIMEOUT = 10.0
LEEWAY = 60
"""Seconds by which a provider's clock may differ from ours."""
LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Provider:
    """`name` is part of addresses, `label` is what buttons say. `issuer` is None where the metadata say it.

    `prompt` is what it is asked to show to the person: which of their accounts to take.
    """

    name: str
    label: str
    metadata_url: str
    client_id: str
    client_secret: SecretStr
    issuer: str | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way: where the browser goes, and what must fit when it comes back (`verifier`: RFC 7636)."""

    url: str
    state: str
    nonce: str
    verifier: str


def providers() -> tuple[Provider, ...]:
    """Those that are configured, in the order of their buttons."""
    now = settings()
    found = []
    choosing = "select_account"
    if now.google_client_id and now.google_client_secret:
        found.append(
            Provider(
                "google", "Google", GOOGLE + METADATA, now.google_client_id, now.google_client_secret, GOOGLE, choosing
            )
        )
    if now.microsoft_client_id and now.microsoft_client_secret:
        address = f"{now.microsoft_authority.rstrip('/')}/{now.microsoft_tenant}/v2.0{METADATA}"
        found.append(
            Provider(
                "microsoft",
                "Microsoft",
                address,
                now.microsoft_client_id,
                now.microsoft_client_secret,
                prompt=choosing,
            )
        )
    if now.oidc_issuer and now.oidc_client_id and now.oidc_client_secret:
        issuer = now.oidc_issuer.rstrip("/")
        label = now.oidc_name or urlsplit(issuer).hostname or issuer
        found.append(Provider("oidc", label, issuer + METADATA, now.oidc_client_id, now.oidc_client_secret, issuer))
    return tuple(found)


def provider(name: str) -> Provider:
    """Raises NotFound for one that is not configured."""
    for one in providers():
        if one.name == name:
            return one
    raise NotFound("access.not_found")


async def begin(asked: Provider, redirect_uri: str) -> Begun:
    """Raises Unavailable when the provider does not answer."""
    client = _client(asked)
    await _metadata(asked, client)
    made = await client.create_authorization_url(redirect_uri, **({"prompt": asked.prompt} if asked.prompt else {}))
    return Begun(made["url"], made["state"], made["nonce"], made["code_verifier"])


async def finish(asked: Provider, begun: Begun, redirect_uri: str, code: str) -> Vouched:
    """Trade the code for what the provider vouches for.

    Raises NotSignedIn for an answer that does not hold, Unavailable when the provider does not answer.
    """
    import httpx2
    from authlib.integrations.base_client import OAuthError
    from joserfc.errors import JoseError

    client = _client(asked)
    issuer = await _metadata(asked, client)
    try:
        token = await client.fetch_access_token(
            redirect_uri=redirect_uri, code=code, state=begun.state, code_verifier=begun.verifier
        )
        claims = await _claims(asked, client, token, begun.nonce, issuer)
        if claims is None:
            raise NotSignedIn("external.refused", provider=asked.label)
        if not claims.get("email"):
            claims = await _with_user_info(client, token, claims)
        return _vouched(claims)
    except (OAuthError, JoseError) as error:
        log.warning("%s: sign-in refused: %s", asked.name, type(error).__name__)
        raise NotSignedIn("external.refused", provider=asked.label) from None
    except (httpx2.HTTPError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise _unavailable(asked, error) from None


async def _claims(asked: Provider, client: Any, token: Any, nonce: str, issuer: str) -> dict[str, Any] | None:
    """What the ID token says, checked. A signature that does not fit may be of a key newer than those at hand."""
    from joserfc.errors import BadSignatureError

    async def read() -> dict[str, Any] | None:
        wanted = {
            "iss": {"essential": True, "validate": lambda said, one: one == expected_issuer(issuer, said)},
            "aud": {"essential": True, "value": asked.client_id},
        }
        said: dict[str, Any] | None = await client.parse_id_token(
            token, nonce=nonce, claims_options=wanted, leeway=LEEWAY
        )
        return said

    try:
        return await read()
    except BadSignatureError:
        await client.fetch_jwk_set(force=True)
        return await read()


async def _with_user_info(client: Any, token: Any, claims: dict[str, Any]) -> dict[str, Any]:
    """Some providers say the e-mail at another address only; its answer counts where it is about the same person."""
    if not client.server_metadata.get("userinfo_endpoint"):
        return claims
    more: dict[str, Any] = await client.userinfo(token=token)
    return {**more, **claims} if more.get("sub") == claims["sub"] else claims


def expected_issuer(issuer: str, claims: Mapping[str, Any]) -> str | None:
    """The issuer that a token must name. Pure. None where a token must say its tenant and does not."""
    if TENANT not in issuer:
        return issuer
    tenant = claims.get("tid")
    return issuer.replace(TENANT, tenant) if isinstance(tenant, str) and _TENANT_ID.fullmatch(tenant) else None


def _vouched(claims: Mapping[str, Any]) -> Vouched:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or unsafe_reason(subject):
        raise ValueError("a subject that cannot be kept")
    email, name = claims.get("email"), claims.get("name")
    return Vouched(
        issuer=str(claims["iss"]),
        subject=subject,
        email=cleaned(email) if isinstance(email, str) and email else None,
        is_email_verified=claims.get("email_verified") is True,
        name=name if isinstance(name, str) else "",
    )


async def _metadata(asked: Provider, client: Any) -> str:
    """Have the provider's addresses and keys at hand. Returns its issuer; one other than the configured is refused."""
    import httpx2

    try:
        if time.time() - client.server_metadata.get("_loaded_at", 0.0) > METADATA_HOLDS:
            client.server_metadata.clear()
        known = await client.load_server_metadata()
        issuer = known["issuer"]
        offered = known.get("id_token_signing_alg_values_supported") or ["RS256"]
        known["id_token_signing_alg_values_supported"] = sorted(ALGORITHMS.intersection(offered)) or ["RS256"]
        if not isinstance(issuer, str) or (asked.issuer and issuer.rstrip("/") != asked.issuer):
            client.server_metadata.clear()
            raise ValueError("the metadata are another issuer's")
    except (httpx2.HTTPError, LookupError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise _unavailable(asked, error) from None
    return issuer


def _unavailable(asked: Provider, error: Exception) -> Unavailable:
    log.warning("%s does not answer as it should: %s", asked.name, type(error).__name__)
    return Unavailable("external.unavailable", provider=asked.label)


@cache
def _client(asked: Provider) -> Any:
    from authlib.integrations.starlette_client import OAuth

    return OAuth().register(
        asked.name,
        client_id=asked.client_id,
        client_secret=asked.client_secret.get_secret_value(),
        server_metadata_url=asked.metadata_url,
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256", "timeout": TIMEOUT},
    )
