from collections.abc import Iterator

import httpx2
import pytest

from tests.web.outbox import rows
from tests.web.serving import Serve, Served


@pytest.fixture(scope="session")
def alone(serve: Serve) -> Served:
    """The sidecar without Streamlit."""
    return serve(target="core.sidecar.app:app", worker=False)


@pytest.fixture(scope="session")
def playground(serve: Serve) -> Served:
    """The real frame of gate and middleware, over a small script that notes down what of it ran."""
    return serve(target="tests.web.playground.serve:app", worker=False)


@pytest.fixture(autouse=True)
def a_new_hour(request: pytest.FixtureRequest) -> None:
    """All tests come from one address: what earlier ones tried must not count against this one."""
    for name in {"alone", "playground", "served"} & set(request.fixturenames):
        running: Served = request.getfixturevalue(name)
        rows(running, "DELETE FROM rate_limits")
        rows(running, "DELETE FROM sign_in_attempts")


@pytest.fixture
def visitor(alone: Served) -> Iterator[httpx2.Client]:
    with alone.client() as client:
        yield client


@pytest.fixture(scope="session")
def limited(serve: Serve) -> Served:
    """The sidecar behind a proxy on this machine, with few sign-ups for each visitor's network."""
    few = {"SIGN_UPS_PER_HOUR": "3", "TRUSTED_PROXIES": "127.0.0.1"}
    return serve(few, target="core.sidecar.app:app", worker=False)
