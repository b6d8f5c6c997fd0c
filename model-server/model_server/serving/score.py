"""How likely a model finds a given text: log-probabilities of its own tokens, and the likeliest next one."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from model_server.serving.base_model import BaseModel


@dataclass(frozen=True)
class Scored:
    """One entry per token, the text's own and the one that follows. Natural logarithms; the first has none."""

    ids: list[int]
    tokens: list[str]
    logprobs: list[float | None]
    # The likeliest ones at the same place, as many as were asked for.
    top: list[dict[str, float] | None]


@torch.inference_mode()
def score(base: BaseModel, model: str, ids: list[int], top: int) -> Scored:
    output = base.forward([model], input_ids=torch.tensor([ids], device=base.device), use_cache=False)
    rows = torch.log_softmax(torch.as_tensor(output.logits[0]).float(), dim=-1)
    every = [*ids, int(rows[-1].argmax())]
    said = rows.gather(1, torch.tensor(every[1:], device=rows.device)[:, None])[:, 0]
    likeliest = rows.topk(top, dim=-1) if top else None

    def text(token: int) -> str:
        return str(base.tokenizer.decode([token]))

    tops: list[dict[str, float] | None] = [None] * len(every)
    if likeliest is not None:
        for place, (values, tokens) in enumerate(
            zip(likeliest.values.tolist(), likeliest.indices.tolist(), strict=True)
        ):
            found = dict(zip(map(text, tokens), values, strict=True))
            tops[place + 1] = found
    return Scored(every, [text(token) for token in every], [None, *said.tolist()], tops)
