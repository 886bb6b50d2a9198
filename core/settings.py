"""Every environment variable that the product reads, in one place. Secrets never print."""

import os
from functools import cache
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseModel, frozen=True, extra="ignore"):
    """Unset means off: the product starts and its tests pass without any key."""

    data_dir: Path = ROOT / ".data"
    database_url: SecretStr | None = Field(None, description="The app's login. Unset: the embedded server.")
    database_owner_url: SecretStr | None = Field(
        None, description="The login that migrates. Unset: DATABASE_URL, whose sessions then step down to the app role."
    )
    public_url: str = "http://localhost:8501"
    trusted_proxies: str | None = Field(
        None, description="Addresses or networks, comma-separated, whose X-Forwarded-For says who a visitor is."
    )
    sign_ups_per_hour: int = Field(10, description="Of one visitor's network; more where many people share one.")

    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secrets: tuple[SecretStr, ...] = ()
    stripe_automatic_tax: bool = Field(
        False, description="Have Stripe reckon and add taxes; its own settings say which."
    )
    stripe_api_base: str | None = Field(None, description="Another address for Stripe's API, for test servers.")
    stripe_lease_seconds: float = Field(
        120, description="How long a worker may take over one customer; after it another one asks Stripe again."
    )

    ai_provider: str | None = Field(
        None, description="openai, azure, anthropic or compatible; unset: by the key that is set."
    )
    ai_model: str | None = None
    ai_model_large: str | None = Field(None, description="For tasks and drafts that need the larger model.")
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    azure_openai_endpoint: str | None = None
    azure_openai_api_key: SecretStr | None = None
    azure_openai_deployment: str | None = None
    azure_openai_deployment_large: str | None = None
    azure_openai_api_version: str | None = Field(
        None, description="Only for a legacy Azure endpoint, which puts deployments in the path: its api-version."
    )
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    compatible_base_url: str | None = None
    compatible_api_key: SecretStr | None = None

    encryption_keys: tuple[SecretStr, ...] = Field(
        (), description="32 bytes in base64 each, comma-separated: the first seals, the others still open. Unset: made."
    )
    smtp_url: SecretStr | None = Field(None, description="smtps://user:password@host; unset: letters become files.")
    mail_from: str = "Huntaze <no-reply@localhost>"
    google_client_id: str | None = None
    google_client_secret: SecretStr | None = None
    microsoft_client_id: str | None = None
    microsoft_client_secret: SecretStr | None = None
    microsoft_tenant: str = "common"
    microsoft_authority: str = Field(
        "https://login.microsoftonline.com", description="Another address for national clouds and test servers."
    )
    oidc_name: str | None = Field(None, description="What the button for OIDC_ISSUER says.")
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None

    huntaze_demo_password: SecretStr | None = Field(None, description="Of the Demo people; unset: made up and shown.")
    huntaze_failpoint: str | None = Field(
        None, description="For tests: the step, or step:nth, at which the process dies."
    )

    @field_validator("stripe_webhook_secrets", "encryption_keys", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        """Comma-separated, so that two secrets can be valid while one is being replaced."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def is_secure(self) -> bool:
        """Served behind TLS: cookies are Secure and carry the __Host- prefix."""
        return self.public_url.startswith("https://")


@cache
def settings() -> Settings:
    """Read once a process. An empty variable counts as unset."""
    return Settings.model_validate({name.lower(): value for name, value in os.environ.items() if value.strip()})
