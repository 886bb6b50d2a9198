"""Speaks SMTP. Without a mail server, letters become files in a folder that staff can read."""

import smtplib
import ssl
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import formatdate
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.errors import Unavailable
from core.settings import settings

SECONDS = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """Plain text to one address. `id` makes its Message-ID, so that a letter sent twice can be told as one."""

    id: str
    to_address: str
    subject: str
    body: str


def is_configured() -> bool:
    return settings().smtp_url is not None


def outbox_folder() -> Path:
    """Where letters go without a mail server."""
    return settings().data_dir / "mail"


def kept(letter_id: str) -> str:
    """What a letter says that became a file. Raises FileNotFoundError when it did not, or is gone."""
    message = message_from_bytes((outbox_folder() / f"{letter_id}.eml").read_bytes(), policy=default)
    body: str = message.get_content()
    return body


def send(letter: Letter) -> None:
    """Hand a letter over. Raises Unavailable when the mail server does not take it."""
    message = _message(letter)
    url = settings().smtp_url
    if url is None:
        folder = outbox_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / f"{letter.id}.eml").write_bytes(bytes(message))
        return
    try:
        _hand_over(url.get_secret_value(), message)
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable("mail.not_taken") from error


def _message(letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings().mail_from
    message["To"] = letter.to_address
    message["Subject"] = letter.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{letter.id}@{urlsplit(settings().public_url).hostname}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body)
    return message


def _hand_over(url: str, message: EmailMessage) -> None:
    """`smtps://` speaks TLS from the start, `smtp://` turns to it; only a server on this machine may go without."""
    where = urlsplit(url)
    host, context = where.hostname or "localhost", ssl.create_default_context()
    if where.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, where.port or 465, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, where.port or 587, timeout=SECONDS)
    with server:
        if where.scheme == "smtp" and host not in ("localhost", "127.0.0.1", "::1"):
            server.starttls(context=context)
        if where.username and where.password:
            server.login(unquote(where.username), unquote(where.password))
        server.send_message(message)
