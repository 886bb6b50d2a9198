"""What a creator asks for, and how they sound. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from core.content.platforms import Platform
from core.errors import BadInput
from core.language import LANGUAGES
from core.text import unsafe_reason

LONGEST_ABOUT = 600
LONGEST_LINE = 280
MOST_LINES = 20


class Task(StrEnum):
    """What is to be written. Each has a tier in `core/ai/routing.toml`."""

    POST = "post"
    STORY = "story"
    CAPTION = "caption"
    VIDEO = "video"


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
    """One wish for a text. `about` is the person's own words."""

    task: Task
    platform: Platform
    tone: Tone
    language: str
    length: Length
    about: str

    @classmethod
    def of(cls, *, task: str, platform: str, tone: str, language: str, length: str, about: str) -> "Brief":
        """A brief from what a form sends. Raises BadInput that says what to change."""
        subject = " ".join(about.split())
        if not subject:
            raise BadInput("content.say_what_about")
        if len(subject) > LONGEST_ABOUT or unsafe_reason(subject):
            raise BadInput("content.bad_about", most=LONGEST_ABOUT)
        try:
            if language not in LANGUAGES:
                raise ValueError(language)
            return cls(Task(task), Platform(platform), Tone(tone), language, Length(length), subject)
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
        }


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
