"""Write, with a model or without one, one text or several at once; edit, and keep; and what was kept."""

from dashboard.campaign import campaign
from dashboard.library import library
from dashboard.session import viewer
from dashboard.studio import CAMPAIGN, LIBRARY, WRITE, chosen_view, write

VIEWS = {WRITE: write, CAMPAIGN: campaign, LIBRARY: library}

VIEWS[chosen_view(tuple(VIEWS))](viewer())
