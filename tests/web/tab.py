"""A browser's tab as the server sees it: Streamlit's protocol over a plain websocket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from core.sidecar.cookies import NAME
from tests.web.serving import Served

PATIENCE = 30.0


@dataclass
class Tab:
    """`texts` are those drawn in the last run, `buttons` lead from a label to its widget's and its fragment's id."""

    connection: ClientConnection
    texts: list[str] = field(default_factory=list)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)
    session_id: str = ""
    _page: str = ""

    def run(self, click: str = "", *, by_itself: bool = False) -> "Tab":
        """Run the script, or the fragment of a button that is clicked, and wait until it is drawn."""
        self.send(click, by_itself=by_itself)
        self.texts = []
        while (word := self.hear()).WhichOneof("type") != "script_finished":
            self._see(word)
        return self

    def send(self, click: str = "", *, by_itself: bool = False) -> None:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.page_script_hash, rerun.is_auto_rerun = self._page, by_itself
        if click:
            widget, rerun.fragment_id = self.buttons[click]
            rerun.widget_states.widgets.add(id=widget, trigger_value=True)
        self.connection.send(message.SerializeToString())

    def hear(self) -> ForwardMsg:
        word = ForwardMsg()
        said = self.connection.recv(PATIENCE)
        assert isinstance(said, bytes)
        word.ParseFromString(said)
        return word

    def rest(self) -> tuple[list[ForwardMsg], int]:
        """What is still said until the server closes the tab, and its closing code."""
        words = []
        try:
            while True:
                words.append(self.hear())
        except ConnectionClosed as closed:
            return words, closed.rcvd.code if closed.rcvd else 0

    def _see(self, word: ForwardMsg) -> None:
        kind = word.WhichOneof("type")
        if kind == "new_session":
            self.session_id = word.new_session.initialize.session_id
            self._page = word.new_session.page_script_hash
        if kind == "delta" and word.delta.WhichOneof("type") == "new_element":
            element = word.delta.new_element
            if element.WhichOneof("type") == "text":
                self.texts.append(element.text.body)
            if element.WhichOneof("type") == "button":
                self.buttons[element.button.label] = element.button.id, word.delta.fragment_id


@contextmanager
def opened(
    served: Served,
    token: str | None = None,
    *,
    origin: str | None = "",
    resume: str = "",
    headers: dict[str, str] | None = None,
) -> Iterator[Tab]:
    """Open a tab with the cookie of a session. `origin` is the server's own unless said; None sends none."""
    sent = dict(headers or {}) | ({"Cookie": f"{NAME}={token}"} if token else {})
    with connect(
        served.url.replace("http://", "ws://") + "/_stcore/stream",
        origin=served.url if origin == "" else origin,  # type: ignore[arg-type]
        additional_headers=sent,
        subprotocols=["streamlit", "none", *([resume] if resume else [])],  # type: ignore[list-item]
        open_timeout=PATIENCE,
        max_size=None,
    ) as connection:
        yield Tab(connection)
