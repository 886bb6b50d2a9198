"""What a creator asks for, and how they sound. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.content.platforms import Platform
from core.errors import BadInput
from core.language import LANGUAGES
from core.text import unsafe_reason

LONGEST_ABOUT = 600
LONGEST_PREVIOUS = 6_000
"""Of a text that is to be written anew: more than that no platform of ours takes in one piece, but for Reddit."""
VARIANTS = 3
"""As many as are written when nobody says otherwise, and the most that are."""
MOST_PARTS = 7
"""Posts of one campaign."""
LONGEST_LINE = 280
MOST_LINES = 20


class Task(StrEnum):
    """What is to be written. Each has a tier in `core/ai/routing.toml`."""

    POST = "post"
    STORY = "story"
    CAPTION = "caption"
    VIDEO = "video"
    IDEAS = "ideas"
    HASHTAGS = "hashtags"


LISTS = frozenset({Task.IDEAS, Task.HASHTAGS})
"""What is a list, one entry a line, and no text to be sent as it is."""


class Tone(StrEnum):
    WARM = "warm"
    PLAYFUL = "playful"
    ELEGANT = "elegant"
    BOLD = "bold"


class Length(StrEnum):
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Brief:
    """One wish for a text. `about`, `picture`, `note` and `previous` are people's own words.

    `picture` says what the picture shows that the text goes with. `note` says what is to be otherwise than in
    `previous`, the text at hand. `variants` is how many are written, 1 to VARIANTS. Of a campaign it is post `part` of
    `parts`, for `day`.
    """

    task: Task
    platform: Platform
    tone: Tone
    language: str
    length: Length
    about: str
    picture: str = ""
    note: str = ""
    previous: str = ""
    variants: int = VARIANTS
    part: int = 1
    parts: int = 1
    day: date | None = None

    @classmethod
    def of(
        cls,
        *,
        task: str,
        platform: str,
        tone: str,
        language: str,
        length: str,
        about: str = "",
        picture: str = "",
        note: str = "",
        previous: str = "",
        variants: str = str(VARIANTS),
        part: str = "1",
        parts: str = "1",
        day: str = "",
    ) -> "Brief":
        """A brief from what a form sends. Raises BadInput that says what to change."""
        subject, seen, wanted = (" ".join(words.split()) for words in (about, picture, note))
        if not (subject or seen):
            raise BadInput("content.say_what_about")
        if any(len(words) > LONGEST_ABOUT or unsafe_reason(words) for words in (subject, seen, wanted)):
            raise BadInput("content.bad_about", most=LONGEST_ABOUT)
        if len(previous) > LONGEST_PREVIOUS or unsafe_reason(previous):
            raise BadInput("content.bad_body", most=LONGEST_PREVIOUS)
        try:
            if language not in LANGUAGES:
                raise ValueError(language)
            return cls(
                Task(task),
                Platform(platform),
                Tone(tone),
                language,
                Length(length),
                subject,
                seen,
                wanted,
                previous.strip(),
                _between(variants, 1, VARIANTS),
                _between(part, 1, MOST_PARTS),
                _between(parts, 1, MOST_PARTS),
                date.fromisoformat(day) if day else None,
            )
        except ValueError:
            raise BadInput("content.bad_choice") from None

    def as_json(self) -> dict[str, str]:
        return {
            "task": self.task,
            "platform": self.platform,
            "tone": self.tone,
            "language": self.language,
            "length": self.length,
            "about": self.about,
            "picture": self.picture,
            "note": self.note,
            "previous": self.previous,
            "variants": str(self.variants),
            "part": str(self.part),
            "parts": str(self.parts),
            "day": self.day.isoformat() if self.day else "",
        }

    @property
    def words(self) -> str:
        """Everything that people wrote in it, a line each."""
        return "\n".join(filter(None, (self.about, self.picture, self.note, self.previous)))


def _between(number: str, least: int, most: int) -> int:
    found = int(number)
    if not least <= found <= most:
        raise ValueError(number)
    return found


@dataclass(frozen=True, slots=True)
class Voice:
    """How a creator sounds. `emojis`: those they like, as they type them; empty for none."""

    tone: Tone = Tone.WARM
    traits: tuple[str, ...] = ()
    sample_lines: tuple[str, ...] = ()
    words_to_use: tuple[str, ...] = ()
    words_to_avoid: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    emojis: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        tone: str = Tone.WARM,
        traits: tuple[str, ...] = (),
        sample_lines: tuple[str, ...] = (),
        words_to_use: tuple[str, ...] = (),
        words_to_avoid: tuple[str, ...] = (),
        languages: tuple[str, ...] = (),
        emojis: tuple[str, ...] = (),
    ) -> "Voice":
        """A voice from what a form sends: trimmed, empty lines dropped. Raises BadInput that says what to change."""
        try:
            chosen = Tone(tone)
        except ValueError:
            raise BadInput("content.bad_choice") from None
        if any(language not in LANGUAGES for language in languages):
            raise BadInput("content.bad_choice")
        return cls(
            chosen,
            _lines(traits),
            _lines(sample_lines),
            _lines(words_to_use),
            _lines(words_to_avoid),
            tuple(dict.fromkeys(languages)),
            _lines(emojis),
        )


def _lines(given: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(line for line in (" ".join(one.split()) for one in given) if line))
    if len(kept) > MOST_LINES or any(len(line) > LONGEST_LINE or unsafe_reason(line) for line in kept):
        raise BadInput("content.bad_voice", lines=MOST_LINES, most=LONGEST_LINE)
    return kept
