"""Rules and review: check a text, decide on those that wait, and keep the creator's own list."""

from dashboard.moderation import rules_and_review
from dashboard.session import viewer

rules_and_review(viewer())
