"""From the bytes of an upload to numbered rows of cells. Pure: knows text and CSV, nothing of money."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from core.errors import BadInput

MAX_BYTES = 25 * 1024 * 1024
MAX_ROWS = 300_000
LONGEST_ROW = 50
"""Lines that one row may span. A quotation mark that never closes must not swallow the rows below it."""

DELIMITERS = ",;\t|"
_SEP_LINE = re.compile(r'"?sep=(?P<delimiter>[,;\t|])"?\s*', re.IGNORECASE)

_PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")
_OTHER_KINDS = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PAR1", b"SQLite format 3")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_UTF8_PAIRS = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WESTERN_LETTERS = "À-ÖØ-öø-ÿŠšŽžŸŒœ"
_USUAL = re.compile(f"[{_WESTERN_LETTERS}’‘“”–—…€£¥°«»·•©®™¡¿ß\u00a0]")
_NO_WORD = re.compile(f"[{_WESTERN_LETTERS}]{{3}}")


class Record(NamedTuple):
    """One row as the file has it. `number` counts as a spreadsheet does: the header of a plain file is row 1.

    `flaw` is the reason code of a row whose cells could not be told apart; `cells` then holds the raw line.
    """

    number: int
    cells: Sequence[str]
    flaw: str | None = None

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Table:
    """Header names made unique, and every row below the header, blank ones included."""

    header: tuple[str, ...]
    records: tuple[Record, ...]
    encoding: str
    delimiter: str


def sniff(content: bytes) -> Table:
    """Tell encoding, delimiter, header and rows. Raises BadInput with one sentence for what is no table of text."""
    text, encoding = decoded(content)
    lines = list(io.StringIO(text, newline=None))
    if len(lines) > MAX_ROWS:
        raise BadInput("earnings.too_many_rows", limit=MAX_ROWS)
    first = next(at for at, line in enumerate(lines) if line.strip())
    if stated := _SEP_LINE.fullmatch(lines[first]):
        lines, delimiter = lines[first + 1 :], stated["delimiter"]
    else:
        delimiter = _likeliest_delimiter(lines[first])
    records = [Record(number, *found) for number, found in enumerate(_rows(lines, delimiter), start=1)]
    header = next((at for at, record in enumerate(records) if not record.is_blank), None)
    if header is None or all(record.is_blank for record in records[header + 1 :]):
        raise BadInput("earnings.only_header")
    return Table(_unique(records[header].cells), tuple(records[header + 1 :]), encoding, delimiter)


def decoded(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding. Raises BadInput for what is empty, too big, packed or no text."""
    if len(content) > MAX_BYTES:
        raise BadInput("earnings.too_big", limit=MAX_BYTES // (1024 * 1024))
    if content.startswith(_PACKED):
        raise BadInput("earnings.packed")
    if content.startswith(_OTHER_KINDS):
        raise BadInput("earnings.not_text")
    text, encoding = _text(content)
    if "\x00" in text:
        raise BadInput("earnings.nul")
    if not text.replace("\ufeff", "").strip():
        raise BadInput("earnings.empty")
    return text, encoding


def _text(content: bytes) -> tuple[str, str]:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding), encoding
    except UnicodeDecodeError:
        if b"\x00" in content and encoding == "utf-8":
            raise BadInput("earnings.nul") from None
        if encoding != "utf-8":
            raise BadInput("earnings.wrong_encoding") from None
    return _western(content), "cp1252"


def _western(content: bytes) -> str:
    """Windows text, when it reads as such. Not UTF-8 with a few broken bytes, nor the letters of another alphabet:
    those come out as odd signs, or as accented letters three in a row.
    """
    foreign = sum(byte >= 0x80 for byte in content)
    paired = sum(len(pair) for pair in _UTF8_PAIRS.findall(content))
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        raise BadInput("earnings.wrong_encoding") from None
    is_odd = len(_USUAL.findall(text)) * 2 < foreign or _NO_WORD.search(text) or _CONTROLS.search(text)
    if is_odd or paired * 2 > foreign:
        raise BadInput("earnings.wrong_encoding")
    return text


def _likeliest_delimiter(line: str) -> str:
    return max(DELIMITERS, key=lambda delimiter: len(_loose_cells(line, delimiter) or ()))


def _rows(lines: list[str], delimiter: str) -> Iterator[tuple[Sequence[str], str | None]]:
    """Cells and flaw of each row. After a row that cannot be told apart, reading goes on at the very next line."""
    start = 0
    while start < len(lines):
        source = _Lines(lines, start)
        try:
            for cells in csv.reader(source, delimiter=delimiter, strict=True):
                yield cells, None
                start = source.start = source.at
        except (csv.Error, _RowTooLong):
            line = lines[start]
            loose = _loose_cells(line, delimiter)
            flaw = "cell_too_long" if len(line) > csv.field_size_limit() else "quotes"
            yield (loose, None) if loose is not None else ((line,), flaw)
            start += 1


class _RowTooLong(Exception):
    pass


class _Lines:
    """The lines from `start` on, as long as one row does not take too many of them."""

    def __init__(self, lines: list[str], start: int) -> None:
        self.lines, self.start, self.at = lines, start, start

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        if self.at - self.start >= LONGEST_ROW:
            raise _RowTooLong
        self.at += 1
        return self.lines[self.at - 1]


def _loose_cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of one line, where only a quotation mark beside a delimiter opens or closes one and others are text.

    None when a mark opens and none closes.
    """
    line, cells = line.rstrip("\n"), []
    if len(line) > csv.field_size_limit():
        return None
    for found in _cell_pattern(delimiter).finditer(line + delimiter):
        if found["plain"] and found["plain"].startswith('"'):
            return None
        cells.append(found["plain"] if found["quoted"] is None else found["quoted"].replace('""', '"'))
    return cells


@cache
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    end = re.escape(delimiter)
    return re.compile(rf'(?:"(?P<quoted>(?:[^"]|"(?!{end}))*)"|(?P<plain>[^{end}]*)){end}')


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Header names as shown: trimmed, an empty one by its position, a repeated one with its count."""
    unique: list[str] = []
    for position, raw in enumerate(names, start=1):
        name = " ".join(raw.strip("\ufeff").split())[:80] or f"#{position}"
        if name in unique:
            name = next(found for count in range(2, len(names) + 2) if (found := f"{name} ({count})") not in unique)
        unique.append(name)
    return tuple(unique)
