"""Write, with a model or without one, one text or several at once; edit, and keep; what was kept; and the voice."""

from dashboard.campaign import campaign
from dashboard.library import library
from dashboard.session import viewer
from dashboard.studio import CAMPAIGN, LIBRARY, WRITE, chosen_view, write
from dashboard.voice import VOICE, voice_view

VIEWS = {WRITE: write, CAMPAIGN: campaign, LIBRARY: library, VOICE: voice_view}

VIEWS[chosen_view(tuple(VIEWS))](viewer())
