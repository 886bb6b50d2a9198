"""Texts for fans, each sent by a person: the replies that are used again and again."""

from dashboard.quick_replies import quick_replies
from dashboard.session import viewer

quick_replies(viewer())
