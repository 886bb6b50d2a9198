"""What is to be said of the models in use: which end soon, what follows them, and which have no known price."""

import streamlit as st

from core.access import Permission
from core.ai.lifespan import Ending, Outlook
from core.ai.service import models_ahead
from dashboard.session import Viewer, refusals_shown
from dashboard.words import day, number, plain, t


def for_owners(looking: Viewer) -> None:
    """A line for each model in use that ends soon or has no price. Others can do nothing about it."""
    if looking.scope.may(Permission.MANAGE_BILLING):
        with refusals_shown():
            in_use(models_ahead(looking.scope))


def in_use(ahead: Outlook) -> None:
    """Warnings about the models that drafts are asked of."""
    for one in ahead.ending:
        st.warning(_sentence(one), icon=":material/event_busy:")
    for provider, model in ahead.unpriced:
        st.warning(t("usage.no_price", model=plain(model), provider=plain(provider)), icon=":material/price_change:")


def others(ahead: Outlook) -> None:
    """The other models that we know and that end as soon, so that nobody moves to one of them."""
    rows = [
        {
            t("usage.provider"): one.provider,
            t("usage.model"): one.model,
            t("usage.shutdown"): day(one.shutdown),
            t("usage.days_left"): number(one.days),
            t("usage.successor"): one.successor or t("usage.no_successor"),
        }
        for one in ahead.ending_unused
    ]
    st.dataframe(rows, hide_index=True, alt=t("usage.others_ending"))


def _sentence(one: Ending) -> str:
    facts = {"model": plain(one.model), "provider": plain(one.provider), "on": day(one.shutdown)}
    next_one = t("usage.follows", successor=plain(one.successor)) if one.successor else t("usage.follows_none")
    said = t("usage.ends", count=one.days, **facts) if one.days > 0 else t("usage.ended", **facts)
    return f"{said} {next_one}"
