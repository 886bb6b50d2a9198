"""Write, with a model or without one, edit, and keep; below, what was kept."""

from core.content.service import current_draft
from dashboard import library, studio
from dashboard.session import viewer

looking = viewer()
current = current_draft(looking.scope)
studio.brief_form(looking, current)
studio.draft_panel(current)
library.library(looking)
