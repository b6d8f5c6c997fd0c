"""Conversations: tool choice, tool results, refusals, few-shot prompts, plain chat."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

from nano.intents import Intent, Request, any_intent, tool_set, wrap
from nano.lexicon import Lexicon, Thing, expand
from nano.slots import code, made_up_word

Message = dict[str, Any]


@dataclass
class Conversation:
    """OpenAI's form, bare: tools as (name, argument names), and messages."""

    tools: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


def call_message(calls: list[tuple[str, dict[str, Any]]]) -> Message:
    return {
        "role": "assistant",
        "tool_calls": [{"function": {"name": name, "arguments": args}} for name, args in calls],
    }


def _said(role: str, text: str) -> Message:
    return {"role": role, "content": text}


def _call(intent: Intent, request: Request) -> tuple[str, dict[str, Any]]:
    ordered = [name for name in intent.argument_names if name in request.arguments]
    return intent.name, {name: request.arguments[name] for name in ordered}


_SYSTEM = (
    "You are a helpful assistant.",
    "You help with {domain} questions.",
    "You are the assistant of our {domain} team. Use a tool where one fits.",
    "Answer {domain} questions. Call the right tool.",
    "You work for {name}. Help its users with {domain}.",
    "Choose the tool that fits the question. If none fits, answer in words.",
    "{name} assistant. Be short.",
)
_DECLINE_RULE = ("If no tool fits, say: {phrase}", "Where nothing fits, answer: {phrase}")


def _refusal(domain: str, lexicon: Lexicon, rng: random.Random) -> str:
    return rng.choice(lexicon.refusals).format(domain=domain)


def _system(domain: str, rng: random.Random) -> str:
    return rng.choice(_SYSTEM).format(domain=domain, name=made_up_word(rng).capitalize())


def _out_of_scope(
    names: set[str], domain: str, refusal: str | None, lexicon: Lexicon, rng: random.Random
) -> tuple[str, str]:
    """A question that no listed tool answers, and what is said to it."""
    if rng.random() < 0.5:
        question, answer = rng.choice(lexicon.small_talk)
        plain = refusal or (answer if rng.random() < 0.5 else _refusal(domain, lexicon, rng))
        return wrap(expand(question, rng), lexicon, rng), plain
    other = any_intent(lexicon, rng)
    while other.name in names or other.domain == domain:
        other = any_intent(lexicon, rng)
    return other.ask(rng).text, refusal or _refusal(domain, lexicon, rng)


_RESULTS = (
    ('{{"result":"{value}"}}', "It is {value}."),
    ('{{"status":"{value}"}}', "The status is {value}."),
    ('{{"id":"{value}","ok":true}}', "Done. The number is {value}."),
    ('{{"ok":true}}', "Done."),
    ('{{"error":"{value}"}}', "That did not work: {value}."),
    ('{{"answer":"{value}"}}', "The answer is {value}."),
    ("not found", "I could not find that."),
    ("{value}", "I found this: {value}."),
)


def _result(rng: random.Random) -> list[Message]:
    result, answer = rng.choice(_RESULTS)
    shown = rng.choice((code(rng), made_up_word(rng), str(rng.randint(1, 99))))
    return [_said("tool", result.format(value=shown)), _said("assistant", answer.format(value=shown))]


def _turn(intents: list[Intent], lexicon: Lexicon, rng: random.Random) -> list[Message]:
    """One question that one tool answers, or two at once."""
    intent = rng.choice(intents)
    request = intent.ask(rng)
    text, calls = request.text, [_call(intent, request)]
    if rng.random() < 0.05:
        second = rng.choice(intents)
        also = second.ask(rng)
        text, calls = f"{text.rstrip('.?!')} and {also.text}", [*calls, _call(second, also)]
    after = _result(rng) if rng.random() < 0.12 else []
    return [_said("user", text), call_message(calls), *after]


def tool_choice(lexicon: Lexicon, rng: random.Random) -> Conversation:
    """One tool set and several unrelated questions; about one in six fits no tool."""
    intents = tool_set(lexicon, rng)
    domain = intents[0].domain
    refusal = _refusal(domain, lexicon, rng) if rng.random() < 0.3 else None
    messages = []
    if rng.random() < 0.5:
        system = _system(domain, rng)
        if refusal and rng.random() < 0.5:
            system += " " + rng.choice(_DECLINE_RULE).format(phrase=refusal)
        messages.append(_said("system", system))
    names = {intent.name for intent in intents}
    for _ in range(rng.choice((1, 2, 3, 4, 5, 6, 8))):
        if rng.random() < 0.16:
            question, answer = _out_of_scope(names, domain, refusal, lexicon, rng)
            messages += [_said("user", question), _said("assistant", answer)]
        else:
            messages += _turn(intents, lexicon, rng)
    return Conversation([(intent.name, intent.argument_names) for intent in intents], messages)


def example_text(request: Request, intent: Intent) -> str:
    """A few-shot example as the product writes it into the system message."""
    name, arguments = _call(intent, request)
    written = json.dumps(arguments, separators=(",", ":"), ensure_ascii=False)
    return f"User: {request.text}\nAssistant: call {name} {written}"


def _opaque(intent: Intent, rng: random.Random) -> Intent:
    """The same intent under a name that says nothing: only examples can teach it."""
    name = rng.choice((made_up_word(rng), f"tool_{rng.choice('abcdefghij')}", f"t{rng.randint(1, 40)}"))
    return Intent(name, intent.argument_names, intent.domain, intent.ask)


def few_shot(lexicon: Lexicon, rng: random.Random) -> Conversation:
    """Examples in the system message; for half of these they alone tell what a tool is for."""
    intents = tool_set(lexicon, rng, largest=12)
    domain = intents[0].domain
    if rng.random() < 0.5:
        intents = list({opaque.name: opaque for opaque in (_opaque(i, rng) for i in intents[:6])}.values())
    shown = rng.sample(intents, min(len(intents), rng.randint(2, 5)))
    refusal = _refusal(domain, lexicon, rng)
    names = {intent.name for intent in intents}
    examples = [example_text(intent.ask(rng), intent) for intent in shown]
    if rng.random() < 0.5:
        question, _ = _out_of_scope(names, domain, refusal, lexicon, rng)
        examples.insert(rng.randint(0, len(examples)), f"User: {question}\nAssistant: {refusal}")
    prompt = _system(domain, rng) + "\n\nExamples:\n\n" + "\n\n".join(examples)
    messages = [_said("system", prompt)]
    for _ in range(rng.randint(1, 4)):
        if rng.random() < 0.15:
            question, _ = _out_of_scope(names, domain, refusal, lexicon, rng)
            messages += [_said("user", question), _said("assistant", refusal)]
        else:
            intent = rng.choice(shown) if rng.random() < 0.8 else rng.choice(intents)
            request = intent.ask(rng)
            messages += [_said("user", request.text), call_message([_call(intent, request)])]
    return Conversation([(intent.name, intent.argument_names) for intent in intents], messages)


def _word_question(lexicon: Lexicon, rng: random.Random) -> tuple[str, str]:
    """What words mean, what they are used for, synonyms and opposites."""
    thing = rng.choice(lexicon.things)
    noun = rng.choice(thing.names)
    kind = rng.random()
    if kind < 0.55:
        return _thing_question(thing, noun, kind, rng)
    if kind < 0.68:
        left, right = rng.choice(lexicon.opposites)
        return f"what is the opposite of {left}", right
    word, meaning = rng.choice(lexicon.definitions)
    if kind < 0.86:
        return expand(f"what (is {word}|does {word} mean)", rng), meaning
    return expand(f"(which word means|what do you call) {meaning}", rng), word


def _thing_question(thing: Thing, noun: str, kind: float, rng: random.Random) -> tuple[str, str]:
    if kind < 0.2:
        return expand(f"what (is a {noun}|does {noun} mean)", rng), f"{thing.meaning}, for {thing.use}"
    if kind < 0.32:
        return expand(f"what (do you call|is) a {thing.meaning} for {thing.use}", rng), thing.names[0]
    if kind < 0.42:
        return f"name something from the {thing.domain} domain", noun
    return f"another word for {thing.names[0]}", thing.names[-1]


def _rephrased(lexicon: Lexicon, rng: random.Random) -> tuple[str, str]:
    """The same request in other words: what brings paraphrases together."""
    operation, thing = rng.choice(lexicon.operations), rng.choice(lexicon.things)
    noun = rng.choice(thing.names)
    plain = [p for p in operation.phrases if ":" not in p] or ["use {o}"]
    first, second = (
        expand(rng.choice(plain), rng).replace("{o}", f"the {noun}").replace("{b}", noun) for _ in "12"
    )
    return f"say it differently: {first}", second


def plain_chat(lexicon: Lexicon, rng: random.Random) -> Conversation:
    """No tools: meanings of words, rephrasing, general questions."""
    messages = []
    for _ in range(rng.randint(2, 8)):
        kind = rng.random()
        if kind < 0.5:
            question, answer = _word_question(lexicon, rng)
        elif kind < 0.8:
            question, answer = _rephrased(lexicon, rng)
        else:
            pattern, answer = rng.choice(lexicon.small_talk)
            question = wrap(expand(pattern, rng), lexicon, rng)
        messages += [_said("user", question), _said("assistant", answer)]
    return Conversation([], messages)


def conversation(lexicon: Lexicon, rng: random.Random) -> Conversation:
    """One conversation of the training mixture."""
    make = rng.choices((tool_choice, few_shot, plain_chat), (74, 14, 12))[0]
    return make(lexicon, rng)
