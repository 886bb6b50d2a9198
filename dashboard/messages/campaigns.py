"""The campaigns that there are: what became of each, and the way to its queue."""

from collections.abc import Mapping
from decimal import Decimal

import streamlit as st
from babel.numbers import format_currency

from core.content.platforms import PLATFORM_NAMES
from core.language import LANGUAGES
from core.messages.kinds import MessageStatus
from core.messages.service import campaigns, fans_known
from core.messages.views import CampaignView
from dashboard.components.figures import nothing_yet
from dashboard.messages import planning
from dashboard.messages.choosing import look_at
from dashboard.navigation import link
from dashboard.session import Viewer
from dashboard.viewing import language
from dashboard.words import moment, number, plain, t


def all_campaigns(looking: Viewer) -> None:
    """The form, and below it the latest campaigns."""
    if not fans_known(looking.scope):
        nothing_yet(t("messages.no_fans"))
        link("analytics", t("messages.import"))
        return
    made = campaigns(looking.scope)
    planning.form(looking, is_first=not made)
    if not made:
        nothing_yet(t("messages.no_campaign"))
    for one in made:
        with st.container(border=True):
            _one(one)


def _one(one: CampaignView) -> None:
    st.markdown(f"**{name(one)}**")
    st.caption(facts(one))
    st.caption(counted(one))
    st.button(
        t("messages.open"), key=f"campaign_{one.id}", on_click=look_at, args=(one.id,), icon=":material/arrow_forward:"
    )


def name(one: CampaignView) -> str:
    """What a campaign is called: its kind, and what it offers."""
    kind = t(f"messages.kind_{one.brief.kind}")
    return f"{kind} · {plain(one.brief.offer.item)}" if one.brief.offer.item else kind


def facts(one: CampaignView) -> str:
    return plain(
        " · ".join(
            (
                moment(one.created_at),
                PLATFORM_NAMES[one.brief.platform],
                LANGUAGES[one.brief.language],
                t(f"messages.rule_{one.brief.segment.rule}"),
                t(f"messages.campaign_{one.status}"),
            )
        )
    )


def counted(one: CampaignView) -> str:
    """How many messages are where."""
    waiting = one.counts[MessageStatus.QUEUED]
    return t(
        "messages.counts",
        waiting=number(waiting),
        approved=number(one.counts[MessageStatus.APPROVED]),
        sent=number(one.counts[MessageStatus.SENT]),
        dropped=number(one.counts[MessageStatus.DROPPED]),
    )


def origin(one: CampaignView) -> None:
    """Who wrote the templates and what that cost: a model, or none; and why, when it is not what was wished for."""
    if one.provider is None:
        st.badge(t("messages.own_templates"), icon=":material/extension:", color="gray")
    else:
        st.badge(plain(one.model or ""), icon=":material/smart_toy:", color="blue")
        st.caption(t(f"content.reason_{one.reason}"))
    if one.cost is None:
        st.caption(t("messages.cost_unknown"))
    elif one.cost:
        st.caption(t("messages.cost", cost=plain(_dollars(one.cost))))
    if problem := one.problem(language()):
        st.caption(plain(problem))


def _dollars(cost: Decimal) -> str:
    """US dollars with every digit: one request costs less than a cent."""
    return format_currency(cost, "USD", locale=language(), decimal_quantization=False)


def left_out(skipped: Mapping[str, int]) -> None:
    """Who got no message, and why."""
    if not skipped:
        return
    st.caption(t("messages.left_out", count=sum(skipped.values()), shown=number(sum(skipped.values()))))
    for why, count in skipped.items():
        st.caption(f"- {t(f'messages.skip_{why}')}: {number(count)}")


def templates(one: CampaignView) -> None:
    """The templates with their slots, and why others of the model's were refused."""
    used = [template for template in one.templates if not template.failed]
    refused = [template for template in one.templates if template.failed]
    with st.expander(t("messages.templates", count=len(used), shown=number(len(used)))):
        for template in used:
            st.code(template.text, language=None, wrap_lines=True)
        if refused:
            st.caption(t("messages.refused", count=len(refused), shown=number(len(refused))))
        for reasons in dict.fromkeys(template.failed for template in refused):
            st.caption("- " + " ".join(t(f"messages.check_{reason}") for reason in reasons))
