"""An open tab of the dashboard, without a browser: Streamlit's websocket protocol, as far as a rerun needs it."""

from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect


class PageFailed(Exception):
    """The page did not do what it does for a browser."""


class Tab:
    """One session of one page. `cookie` is the header that signs in, if the server wants one."""

    def __init__(self, address: str, page: str, cookie: str = "") -> None:
        self.page = page
        self._page_hash = ""
        self._cached: set[str] = set()
        self._address = address
        self._headers = {"Cookie": cookie} if cookie else {}
        self._socket: ClientConnection | None = None

    def __enter__(self) -> Self:
        self._socket = connect(
            f"{self._address.replace('http', 'ws', 1)}/_stcore/stream",
            origin=self._address,  # type: ignore[arg-type]
            additional_headers=self._headers,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            compression=None,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._socket is not None
        self._socket.close()

    def rerun(self, patience: float = 60) -> list[str]:
        """Run the page once, as a click would, and wait for its end. Returns the names of the elements drawn.

        Raises PageFailed when the page shows an exception, or is not there.
        """
        assert self._socket is not None
        self._socket.send(self._request())
        drawn: list[str] = []
        while True:
            word = ForwardMsg()
            word.ParseFromString(self._socket.recv(timeout=patience))  # type: ignore[arg-type]
            kind = word.WhichOneof("type")
            if word.metadata.cacheable and kind != "ref_hash":
                self._cached.add(word.hash)
            if kind == "navigation":
                self._page_hash = word.navigation.page_script_hash
            elif kind == "ref_hash":
                drawn.append("unchanged")
            elif kind == "delta" and word.delta.WhichOneof("type") == "new_element":
                drawn.append(self._element(word))
            elif kind in ("page_not_found", "auth_redirect"):
                raise PageFailed(f"{self.page}: {kind}")
            elif kind == "script_finished" and word.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return drawn

    def _element(self, word: ForwardMsg) -> str:
        element = word.delta.new_element
        kind = str(element.WhichOneof("type"))
        if kind == "exception":
            raise PageFailed(f"{self.page}: {element.exception.message}")
        if kind == "alert" and element.alert.format == element.alert.WARNING:
            raise PageFailed(f"{self.page}: {element.alert.body}")
        return kind

    def _request(self) -> bytes:
        word = BackMsg()
        run = word.rerun_script
        run.page_name = self.page
        run.page_script_hash = self._page_hash
        run.cached_message_hashes.extend(self._cached)
        run.context_info.timezone = "UTC"
        run.context_info.locale = "en-US"
        written: bytes = word.SerializeToString()
        return written
