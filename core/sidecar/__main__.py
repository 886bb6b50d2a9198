"""`python3 -m core.sidecar`: the sidecar alone, beside a dashboard that runs elsewhere."""

import argparse
import sys

import uvicorn

from core.sidecar.proxies import proxy_options


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m core.sidecar", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8502)
    chosen = parser.parse_args(arguments)
    uvicorn.run(
        "core.sidecar.app:app",
        host=chosen.host,
        port=chosen.port,
        server_header=False,
        access_log=False,  # addresses of links from letters let people in
        **proxy_options(),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
