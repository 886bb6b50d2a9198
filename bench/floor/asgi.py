"""The whole product's server over the bare page."""

from pathlib import Path

from dashboard.asgi import build_app

app = build_app(Path(__file__).parent / "bare.py")
