"""Who works in the account, on which creators, and as what."""

from dashboard.session import anyone
from dashboard.team import own_account, team

team(own_account(anyone()))
