"""A local mail server that answers as real ones do, in good hours and bad ones (RFC 5321, RFC 3207)."""

import socket
import threading
from collections import deque
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import BinaryIO


class SmtpServer:
    """Serves on 127.0.0.1 from threads of its own until it is left. `answers` says how the next `DATA` ends.

    `seen` holds the commands as they came, without what was said in clear for signing in; `taken` the letters.
    """

    def __init__(self, *, offers: tuple[str, ...] = ("8BITMIME",), starttls: str = "502 no") -> None:
        self.answers: deque[str] = deque()
        self.always = "250 taken"
        self.seen: list[str] = []
        self.taken: list[EmailMessage] = []
        self._offers, self._starttls = offers, starttls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "SmtpServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as talk:
                try:
                    self._converse(talk)
                except OSError:
                    continue

    def _converse(self, talk: BinaryIO) -> None:
        def say(*lines: str) -> None:
            talk.write("".join(f"{line}\r\n" for line in lines).encode())
            talk.flush()

        say("220 peer ready")
        while line := talk.readline():
            command = line.decode("ascii", "replace").strip()
            verb = command.split(" ")[0].upper()
            self.seen.append(verb if verb == "AUTH" else command)
            match verb:
                case "EHLO":
                    said = ["peer", *self._offers]
                    say(*(f"250{'-' if n < len(said) - 1 else ' '}{word}" for n, word in enumerate(said)))
                case "STARTTLS":
                    say(self._starttls)
                case "DATA":
                    say("354 go on")
                    letter = self._read_letter(talk)
                    answer = self.answers.popleft() if self.answers else self.always
                    if answer.startswith("2"):
                        self.taken.append(letter)
                    say(answer)
                case "QUIT":
                    say("221 bye")
                    return
                case "MAIL" | "RCPT" | "RSET" | "NOOP":
                    say("250 ok")
                case _:
                    say("502 what")

    def _read_letter(self, talk: BinaryIO) -> EmailMessage:
        lines: list[bytes] = []
        while (line := talk.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        letter = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(letter, EmailMessage)
        return letter
