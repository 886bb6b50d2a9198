"""Texts for fans, each sent by a person: campaigns, their queue, quick replies, and who is not to be written to."""

from core.messages.service import fans_known
from dashboard.components.address import choice
from dashboard.messages.campaigns import all_campaigns
from dashboard.messages.choosing import CAMPAIGNS, QUEUE, REPLIES, RULES, VIEW, VIEWS
from dashboard.messages.queue import queue
from dashboard.messages.rules import rules
from dashboard.quick_replies import quick_replies
from dashboard.session import viewer
from dashboard.words import t

looking = viewer()
# Without fans there is nobody to plan a campaign for; quick replies work from the first day.
usual = CAMPAIGNS if fans_known(looking.scope) else REPLIES
chosen = choice(
    t("messages.views"),
    VIEWS,
    usual,
    key=VIEW,
    name=lambda one: t(f"messages.view_{one}"),
    label_visibility="collapsed",
)
{CAMPAIGNS: all_campaigns, QUEUE: queue, REPLIES: quick_replies, RULES: rules}[chosen](looking)
