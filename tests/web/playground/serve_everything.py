"""As `serve`, over the script that draws one of each."""

from pathlib import Path

from dashboard.asgi import build_app

app = build_app(Path(__file__).with_name("everything.py"))
