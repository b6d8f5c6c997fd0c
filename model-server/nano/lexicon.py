"""The hand-written lexicon: objects, actions, attributes, scenes and plain chat."""

import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "lexicon"
_ALTERNATIVES = re.compile(r"\(([^()]*\|[^()]*)\)")


@dataclass(frozen=True)
class Thing:
    """An object that tools are about; `names` are synonyms, the first one plain."""

    names: tuple[str, ...]
    meaning: str
    use: str
    domain: str


@dataclass(frozen=True)
class Operation:
    """What is done with an object, or asked of it; `names` are words for tool names."""

    names: tuple[str, ...]
    phrases: tuple[str, ...]
    is_attribute: bool


@dataclass(frozen=True)
class Scene:
    """One fixed tool of a hand-written setting, and ways to ask for it."""

    name: str
    phrases: tuple[str, ...]
    domain: str


@dataclass(frozen=True)
class Lexicon:
    things: tuple[Thing, ...]
    operations: tuple[Operation, ...]
    scenes: tuple[Scene, ...]
    definitions: tuple[tuple[str, str], ...]
    opposites: tuple[tuple[str, str], ...]
    small_talk: tuple[tuple[str, str], ...]
    refusals: tuple[str, ...]
    wrapping: dict[str, tuple[str, ...]]


def expand(pattern: str, rng: random.Random) -> str:
    """Choose one of each `(a|b|)` in a pattern and tidy the spaces."""
    chosen = _ALTERNATIVES.sub(lambda found: rng.choice(found[1].split("|")), pattern)
    return re.sub(r" +", " ", chosen).replace(" ,", ",").strip()


def _lines(file: str) -> list[tuple[str, str]]:
    """(section, line) of a lexicon file, without comments and blank lines."""
    section, found = "", []
    for line in (FOLDER / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif line.strip() and not line.startswith("#"):
            found.append((section, line))
    return found


def _columns(line: str) -> list[str]:
    return [column.strip() for column in line.split(" | ")]


def _split(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator))


def _thing(domain: str, line: str) -> Thing:
    names, meaning, use = _columns(line)
    return Thing(_split(names, ","), meaning, use, domain)


def _operation(line: str, is_attribute: bool) -> Operation:
    names, phrases = _columns(line)
    return Operation(_split(names, ","), _split(phrases, ";"), is_attribute)


def _scene(domain: str, line: str) -> Scene:
    name, phrases = _columns(line)
    return Scene(name, _split(phrases, ";"), domain)


def _pair(line: str) -> tuple[str, str]:
    left, right = _columns(line)
    return left, right


def _wrapping() -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for section, line in _lines("wrapping.txt"):
        groups.setdefault(section, []).append(line)
    return {section: tuple(lines) for section, lines in groups.items()}


@cache
def load() -> Lexicon:
    """Read the whole lexicon once."""
    actions = [_operation(line, False) for _, line in _lines("actions.txt")]
    attributes = [_operation(line, True) for _, line in _lines("attributes.txt")]
    opposites = (FOLDER / "opposites.txt").read_text(encoding="utf-8").strip().split("|")
    return Lexicon(
        things=tuple(_thing(domain, line) for domain, line in _lines("objects.txt")),
        operations=tuple(actions + attributes),
        scenes=tuple(_scene(domain, line) for domain, line in _lines("scenes.txt")),
        definitions=tuple(_pair(line) for _, line in _lines("definitions.txt")),
        opposites=tuple((pair.split()[0], pair.split()[1]) for pair in opposites),
        small_talk=tuple(_pair(line) for _, line in _lines("small-talk.txt")),
        refusals=tuple(line for _, line in _lines("refusals.txt")),
        wrapping=_wrapping(),
    )
