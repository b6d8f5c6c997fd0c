"""What the untuned model knows: `python -m nano.evaluate --model DIR --n 200`.

New tool sets from an unseen seed; the first answer of each conversation is compared. Few-shot
prompts are asked twice, with their examples and without, so that one sees what examples give.
"""

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from nano.chat_format import text
from nano.conversations import Conversation, few_shot, tool_choice
from nano.lexicon import load

BATCH = 20


def _until_first_answer(made: Conversation) -> tuple[Conversation, str]:
    """(the conversation up to its first answer, that answer as text)."""
    first = next(i for i, message in enumerate(made.messages) if message["role"] == "assistant")
    asked = Conversation(made.tools, made.messages[:first])
    return asked, text(Conversation(made.tools, made.messages[: first + 1])).removeprefix(text(asked))


def _without_examples(asked: Conversation) -> Conversation:
    system, *others = asked.messages
    return Conversation(asked.tools, [{**system, "content": system["content"].split("\n\n")[0]}, *others])


@torch.no_grad()
def generate(model, tokenizer, prompts: list[str], max_new_tokens: int = 40) -> list[str]:
    """Greedy answers, without what follows the end."""
    tokenizer.padding_side = "left"
    answers = []
    for start in range(0, len(prompts), BATCH):
        batch = tokenizer(
            prompts[start : start + BATCH], return_tensors="pt", padding=True, add_special_tokens=False
        )
        out = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=max_new_tokens,
            do_sample=False,
        )
        said = tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :])
        answers += [answer.split("<|end|>")[0] for answer in said]
    return answers


def _tool(answer: str) -> str:
    """The called tool's name, or "" for a plain answer."""
    return answer.removeprefix("<|call|>").split("{")[0] if answer.startswith("<|call|>") else ""


def measure(model, tokenizer, asked: list[Conversation], expected: list[str]) -> dict[str, float | int]:
    """Shares of right tool choices (a plain answer counts as one), of whole answers, of listed tools."""
    said = generate(model, tokenizer, [text(one) + "<|assistant|>" for one in asked])
    wanted = [answer.removeprefix("<|assistant|>").removesuffix("<|end|>") for answer in expected]
    calls = [(_tool(answer), dict(one.tools)) for answer, one in zip(said, asked, strict=True)]
    right = [_tool(a) == _tool(b) for a, b in zip(said, wanted, strict=True)]
    exact = [a == b for a, b in zip(said, wanted, strict=True) if _tool(b)]
    return {
        "n": len(asked),
        "tool": round(sum(right) / len(right), 3),
        "tool_and_arguments": round(sum(exact) / max(1, len(exact)), 3),
        "listed": round(sum(not name or name in tools for name, tools in calls) / len(calls), 3),
        "chance": round(sum(1 / (len(tools) + 1) for _, tools in calls) / len(calls), 3),
    }


def _sample(make: Callable, n: int, keep: Callable[[Conversation], bool]) -> list[tuple[Conversation, str]]:
    rng, lexicon, found = random.Random("held out"), load(), []
    while len(found) < n:
        made = make(lexicon, rng)
        if keep(made):
            found.append(_until_first_answer(made))
    return found


def _opaque(made: Conversation) -> bool:
    """Names that say nothing have at most a letter or digits behind a short word."""
    return all("_" not in name.removeprefix("tool_") and len(name) < 12 for name, _ in made.tools)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--n", type=int, default=200)
    found = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(found.model)
    model = AutoModelForCausalLM.from_pretrained(found.model, dtype=torch.float32).eval()
    kinds = {
        "tool_choice": (tool_choice, lambda made: True),
        "few_shot_opaque_names": (few_shot, _opaque),
        "few_shot_plain_names": (few_shot, lambda made: not _opaque(made)),
    }
    for kind, (make, keep) in kinds.items():
        pairs = _sample(make, found.n, keep)
        asked, expected = [one for one, _ in pairs], [answer for _, answer in pairs]
        print(json.dumps({kind: measure(model, tokenizer, asked, expected)}), flush=True)
        if make is few_shot:
            bare = [_without_examples(one) for one in asked]
            shown = {f"{kind}, examples removed": measure(model, tokenizer, bare, expected)}
            print(json.dumps(shown), flush=True)


if __name__ == "__main__":
    main()
