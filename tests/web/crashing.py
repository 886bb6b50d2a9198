"""The sidecar with addresses that go wrong, for the tests of how that is told."""

from core.sidecar.app import create_app

app = create_app()


@app.get("/account/boom")
def boom() -> None:
    raise ValueError("a detail nobody should see")


@app.get("/account/number")
def number(n: int) -> int:
    return n
