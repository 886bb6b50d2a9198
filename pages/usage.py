"""What models cost and what that bought; the budget, the sample and the tiers that decide it."""

from dashboard.components.address import choice
from dashboard.model_notices import for_owners
from dashboard.session import viewer
from dashboard.spending_rules import budget, tier_table
from dashboard.usage import figures
from dashboard.words import t

PARTS = {"figures": figures, "budget": budget, "tiers": tier_table}

looking = viewer()
for_owners(looking)
chosen = choice(
    t("usage.parts"),
    tuple(PARTS),
    "figures",
    key="usage",
    name=lambda part: t(f"usage.part_{part}"),
    label_visibility="collapsed",
)
PARTS[chosen](looking)
