"""A person's own settings: who they are, how they come in, keys for their programs, and their data."""

from dashboard.agencies import agencies
from dashboard.components.address import choice
from dashboard.keys import keys
from dashboard.privacy import privacy
from dashboard.session import anyone
from dashboard.settings import profile_form, security
from dashboard.words import t

PARTS = {"profile": profile_form, "security": security, "keys": keys, "privacy": privacy, "agencies": agencies}

looking = anyone()
chosen = choice(
    t("settings.parts"),
    tuple(PARTS),
    "profile",
    key="settings",
    name=lambda part: t(f"settings.part_{part}"),
    label_visibility="collapsed",
)
PARTS[chosen](looking)
