"""Intents: one tool each, and the ways in which a user asks for it."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from nano.excluded import is_excluded
from nano.lexicon import Lexicon, Operation, Scene, Thing, expand
from nano.slots import code, made_up_word, value

_SLOT = re.compile(r"\{(\w+):(\w+)\}")
_ARGUMENT_ALIASES = {
    "new_name": ("new_name", "name", "title", "to"),
    "place": ("place", "location", "to", "where", "destination"),
    "days": ("days", "number_of_days", "duration"),
    "person": ("person", "who", "name", "contact"),
    "color": ("color", "colour", "shade"),
    "other": ("other", "second", "with"),
    "email": ("email", "recipient", "to", "address"),
    "date": ("date", "day", "on", "when"),
    "stars": ("stars", "rating", "score"),
    "key": ("key", "by", "field"),
    "max": ("max", "limit", "maximum"),
    "title": ("title", "name"),
    "topic": ("topic", "subject", "query"),
    "n": ("n", "count", "number"),
}
_UNUSED_ARGUMENTS = ("note", "language", "verbose", "reason", "priority", "limit", "comment", "unit")

Arguments = dict[str, str | int]


@dataclass(frozen=True)
class Request:
    """One wording of an intent, with the arguments that it names."""

    text: str
    arguments: Arguments


@dataclass(frozen=True)
class Intent:
    """A tool (name and argument names) with a maker of requests for it."""

    name: str
    argument_names: tuple[str, ...]
    domain: str
    ask: Callable[[random.Random], Request]


def _styled(words: list[str], domain: str, rng: random.Random) -> str:
    style = rng.random()
    if style < 0.76:
        return "_".join(words)
    if style < 0.85:
        return words[0] + "".join(word.capitalize() for word in words[1:])
    if style < 0.91:
        return "-".join(words)
    if style < 0.95:
        return "".join(words)
    return domain.split(maxsplit=1)[0] + "." + "_".join(words)


def _short(words: list[str], rng: random.Random) -> list[str]:
    """Now and then shorten a word, as programmers do."""
    return [word[: rng.randint(2, 4)] if rng.random() < 0.05 else word for word in words]


def _operation_name(operation: Operation, thing: Thing, rng: random.Random) -> list[str]:
    synonym = 0 if rng.random() < 0.5 else rng.randrange(len(operation.names))
    verb = operation.names[synonym].split("_")
    name = thing.names[0] if rng.random() < 0.6 else rng.choice(thing.names)
    noun = name.split()
    if operation.is_attribute:
        lead = rng.choice(("get", "show", "check", "lookup", "fetch"))
        return rng.choices(([*noun, *verb], [lead, *noun, *verb], [*verb, *noun]), (6, 3, 2))[0]
    return rng.choices(([*verb, *noun], [*noun, *verb]), (3, 1))[0]


def tool_name(operation: Operation, thing: Thing, rng: random.Random) -> str:
    """A name for the tool, none that is excluded."""
    while True:
        name = _styled(_short(_operation_name(operation, thing, rng), rng), thing.domain, rng)
        if not is_excluded(name):
            return name
        thing = Thing((made_up_word(rng),), thing.meaning, thing.use, thing.domain)


def _determined(noun: str, lexicon: Lexicon, rng: random.Random) -> str:
    determiner = rng.choices(("the", "my", "our", "this", "that", "his", "her"), (8, 6, 2, 2, 1, 1, 1))[0]
    words = [determiner]
    if rng.random() < 0.15:
        words.append(rng.choice(lexicon.wrapping["adjective"]))
    words.append(noun)
    if rng.random() < 0.1:
        words.append(rng.choice(lexicon.wrapping["owner"]))
    return " ".join(words)


def _fill(pattern: str, names: dict[str, str], rng: random.Random) -> Request:
    """Put values into `{x:kind}`; only slots that the tool has a name for become arguments."""
    arguments: Arguments = {}

    def put(found: re.Match[str]) -> str:
        chosen = value(found[2], rng)
        if found[1] in names:
            arguments[names[found[1]]] = chosen
        return str(chosen)

    return Request(_SLOT.sub(put, pattern), arguments)


def wrap(text: str, lexicon: Lexicon, rng: random.Random) -> str:
    """Put a bare request into everyday company: openers, tails, context, case, full stop."""
    wrapping = lexicon.wrapping
    if rng.random() < 0.25:
        text = f"{rng.choice(wrapping['opener'])} {text}"
    if rng.random() < 0.2:
        text = f"{text} {rng.choice(wrapping['tail'])}".replace(" ,", ",")
    if rng.random() < 0.07:
        context = rng.choice(wrapping["context"])
        text = rng.choice((f"{context}, {text}", f"{context}. {text}", f"{text}, {context}"))
    if rng.random() < 0.3:
        text = text[:1].upper() + text[1:]
        text = re.sub(r"\bi\b", "I", text)
        text += rng.choice(("?", ".", "", "!"))
    elif rng.random() < 0.15:
        text += rng.choice(("?", "."))
    return text


def _slots(phrases: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(slot for phrase in phrases for slot, _ in _SLOT.findall(phrase)))


def _argument_names(slots: list[str], rng: random.Random) -> dict[str, str]:
    names: dict[str, str] = {}
    for slot in slots:
        alias = rng.choice(_ARGUMENT_ALIASES.get(slot, (slot,)))
        names[slot] = slot if alias in names.values() else alias
    return names


def _listed(names: dict[str, str], rng: random.Random) -> tuple[str, ...]:
    """The tool's argument names: those that are used, sometimes one that never is."""
    listed = list(names.values())
    spare = rng.choice(_UNUSED_ARGUMENTS)
    if rng.random() < 0.12 and spare not in listed:
        listed.append(spare)
    return tuple(listed)


def operation_intent(operation: Operation, thing: Thing, lexicon: Lexicon, rng: random.Random) -> Intent:
    """A tool that does one thing with one kind of object."""
    with_id = "{o}" in operation.phrases[0] and rng.random() < 0.3
    slots = [*(["id"] if with_id else []), *_slots(operation.phrases)]
    if rng.random() < 0.35 and not with_id:
        slots = []
    names = _argument_names(slots, rng)
    if "id" in names:
        names["id"] = rng.choice(("id", f"{thing.names[0].split()[-1]}_id", "code", "number"))

    def ask(rng: random.Random) -> Request:
        noun = thing.names[0] if rng.random() < 0.5 else rng.choice(thing.names)
        pattern = expand(rng.choice(operation.phrases), rng)
        described = _determined(noun, lexicon, rng)
        extra: Arguments = {}
        if "id" in names and "{o}" in pattern and rng.random() < 0.85:
            extra[names["id"]] = code(rng)
            shown = extra[names["id"]]
            described = rng.choice((f"{noun} {shown}", f"{described} {shown}", f"{noun} number {shown}"))
        filled = _fill(pattern.replace("{o}", described).replace("{b}", noun), names, rng)
        return Request(wrap(filled.text, lexicon, rng), extra | filled.arguments)

    return Intent(tool_name(operation, thing, rng), _listed(names, rng), thing.domain, ask)


def scene_intent(scene: Scene, lexicon: Lexicon, rng: random.Random) -> Intent:
    """A hand-written tool, its name in a style of its own."""
    words = scene.name.split("_")
    if len(words) == 2 and rng.random() < 0.15:
        words.reverse()
    names = _argument_names(_slots(scene.phrases), rng)

    def ask(rng: random.Random) -> Request:
        filled = _fill(expand(rng.choice(scene.phrases), rng), names, rng)
        return Request(wrap(filled.text, lexicon, rng), filled.arguments)

    return Intent(_styled(_short(words, rng), scene.domain, rng), _listed(names, rng), scene.domain, ask)


def _scene_intents(count: int, lexicon: Lexicon, rng: random.Random) -> list[Intent]:
    domain = rng.choice(lexicon.scenes).domain
    scenes = [scene for scene in lexicon.scenes if scene.domain == domain]
    others = [scene for scene in lexicon.scenes if scene.domain != domain]
    chosen = rng.sample(scenes, min(count, len(scenes)))
    chosen += rng.sample(others, min(max(0, count - len(chosen)), rng.randint(0, 8)))
    return [scene_intent(scene, lexicon, rng) for scene in chosen]


def _operation_intents(count: int, lexicon: Lexicon, rng: random.Random) -> list[Intent]:
    """Few objects and many operations, or many of both: near misses are the lesson."""
    first = rng.choice(lexicon.things)
    same_domain = [thing for thing in lexicon.things if thing.domain == first.domain]
    pool = same_domain if rng.random() < 0.6 else lexicon.things
    things = rng.sample(pool, min(len(pool), rng.choice((1, 2, 2, 3, 4, 6, 12))))
    pairs = [(operation, thing) for operation in lexicon.operations for thing in things]
    return [
        operation_intent(operation, thing, lexicon, rng)
        for operation, thing in rng.sample(pairs, min(count, len(pairs)))
    ]


def tool_set(lexicon: Lexicon, rng: random.Random, largest: int = 25) -> list[Intent]:
    """A random tool set of 2 to `largest` tools, with no name twice."""
    count = min(largest, rng.choice((2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15, 16, 18, 20, 25)))
    share = rng.random()
    intents = _scene_intents(count, lexicon, rng) if share < 0.3 else []
    if share > 0.2:
        intents += _operation_intents(max(1, count - len(intents)), lexicon, rng)
    rng.shuffle(intents)
    unique = {intent.name: intent for intent in intents}
    return list(unique.values())[:count]


def any_intent(lexicon: Lexicon, rng: random.Random) -> Intent:
    """An intent from anywhere, for questions that no listed tool answers."""
    if rng.random() < 0.3:
        return scene_intent(rng.choice(lexicon.scenes), lexicon, rng)
    return operation_intent(rng.choice(lexicon.operations), rng.choice(lexicon.things), lexicon, rng)
