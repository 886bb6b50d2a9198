"""The product's own gate and middleware over another entry script."""

from pathlib import Path

from dashboard.asgi import build_app

app = build_app(Path(__file__).with_name("entry.py"))
