"""What is planned and published, day by day, and everything on its way there."""

from dashboard.planner.views import planner
from dashboard.session import viewer

planner(viewer())
