"""Run in a process of its own: serve `module:attribute` on a listening socket inherited from the test."""

import importlib
import socket
import sys

import uvicorn

from core.sidecar.proxies import proxy_options


def main(target: str, descriptor: int) -> None:
    module, _, attribute = target.partition(":")
    config = uvicorn.Config(
        getattr(importlib.import_module(module), attribute),
        ws="websockets-sansio",
        log_level="info",
        access_log=False,
        **proxy_options(),
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
