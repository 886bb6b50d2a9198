"""Streamlit's own files: compressed once, served as they are to whoever does not take that."""

import gzip
import re
import time
from pathlib import Path

import httpx2
import pytest

from dashboard.compressed import ORIGINALS, compress
from tests.web.serving import Served


@pytest.fixture(scope="module")
def script(playground: Served) -> str:
    """The path of Streamlit's main script, once the copies are ready."""
    path = re.findall(r'src="\.(/static/js/index\.[^"]+\.js)"', (ORIGINALS.parent / "index.html").read_text())[0]
    until = time.monotonic() + 60
    while "content-encoding" not in httpx2.head(playground.url + path).headers:
        assert time.monotonic() < until
        time.sleep(0.2)
    return str(path)


def test_a_copy_is_the_original_made_smaller(playground: Served, script: str) -> None:
    original = (ORIGINALS / script.removeprefix("/static/")).read_bytes()
    small = httpx2.get(playground.url + script, headers={"accept-encoding": "gzip, br"})
    assert small.headers["content-encoding"] == "gzip"
    assert int(small.headers["content-length"]) < len(original) / 2
    assert small.content == original
    assert small.headers["content-type"].split(";")[0] in ("text/javascript", "application/javascript")
    assert small.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in small.headers["cache-control"]
    assert small.headers["vary"] == "accept-encoding"


def test_who_takes_no_compression_gets_the_original(playground: Served, script: str) -> None:
    plain = httpx2.get(playground.url + script, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == (ORIGINALS / script.removeprefix("/static/")).read_bytes()


@pytest.mark.parametrize(
    "path", ["/static/%2e%2e/index.html", "/static/js/..%2f..%2f..%2fconfig.py", "/static//etc/passwd", "/static/%00"]
)
def test_nothing_outside_is_served(playground: Served, script: str, path: str) -> None:
    answer = httpx2.get(playground.url + path)
    assert answer.status_code in (400, 404) or "<title>Streamlit</title>" in answer.text


def test_two_that_compress_at_once_do_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "static" / "1.67"
    folder.mkdir(parents=True)
    (folder / "made.js.gz").write_bytes(gzip.compress(b"by the first"))
    compress(folder)
    assert [file.name for file in folder.parent.iterdir()] == ["1.67"]
    assert gzip.decompress((folder / "made.js.gz").read_bytes()) == b"by the first"
