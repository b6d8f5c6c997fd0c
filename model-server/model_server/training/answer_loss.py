"""SFTTrainer with a cheaper way to the same loss.

Rows of one workload mostly begin alike: the same system message, the same list of tools. Attention is
causal, so that beginning is computed once per batch and its keys and values are shared by every row.
Logits are computed only where there is a loss. Loss and gradients are those of the plain computation;
only dropout differs: within a batch, the shared beginning drops the same activations for every row.
On fifteen tools and one short question this is several times quicker.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer
from trl import SFTTrainer

from model_server.training.encode import IGNORED
from model_server.training.sampler import EpochSampler

# A shorter beginning is not worth a second forward pass.
MIN_SHARED_TOKENS = 16


class AnswerLossTrainer(SFTTrainer):
    """Falls back to TRL's own loss for models whose logits need more than a head."""

    def _get_train_sampler(self, train_dataset: Any = None) -> EpochSampler:
        rows = self.train_dataset if train_dataset is None else train_dataset
        return EpochSampler(
            [len(ids) for ids in rows["input_ids"]],
            self.args.train_batch_size * self.args.gradient_accumulation_steps,
            self.args.data_seed,
            # A whole number at an epoch's beginning; rounding undoes what floats do to it.
            epoch=lambda: int((self.state.epoch or 0.0) + 1e-6),
        )

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        causal_lm = self.accelerator.unwrap_model(model).get_base_model()
        if return_outputs or not has_plain_head(causal_lm.config.get_text_config()):
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        with self.accelerator.autocast():
            total, count = answer_loss(causal_lm, inputs, share=not self.args.gradient_checkpointing)
        items = count if num_items_in_batch is None else num_items_in_batch
        return total / torch.as_tensor(items, device=total.device).clamp(min=1)


def has_plain_head(config: Any) -> bool:
    """Logits are the head's output and nothing else; no expert-balancing loss on top."""
    extras = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier", "num_experts")
    return all(getattr(config, extra, None) is None for extra in (*extras, "num_local_experts"))


def answer_loss(
    causal_lm: Any, inputs: dict[str, torch.Tensor], *, share: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """Summed cross-entropy over labelled tokens, and their number."""
    ids, mask, labels = inputs["input_ids"], inputs["attention_mask"], inputs["labels"]
    shared = shared_tokens(ids, labels) if share else 0
    hidden = None
    if shared >= MIN_SHARED_TOKENS:
        hidden = hidden_behind_shared(causal_lm.base_model, ids, mask, shared)
    if hidden is None:
        shared = 0
        hidden = causal_lm.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    targets = labels[:, shared + 1 :]
    wanted = targets != IGNORED
    logits = causal_lm.get_output_embeddings()(hidden[:, :-1][wanted])
    loss = functional.cross_entropy(logits.float(), targets[wanted], reduction="sum")
    return loss, wanted.sum()


def shared_tokens(ids: torch.Tensor, labels: torch.Tensor) -> int:
    """Length of the beginning that all rows share and that predicts no labelled token."""
    if len(ids) < 2:
        return 0
    differs = (ids != ids[0]).any(dim=0)
    # The token before a label predicts it, so that one stays with its row.
    differs[:-1] |= (labels != IGNORED).any(dim=0)[1:]
    return int(differs.int().argmax()) if differs.any() else 0


def hidden_behind_shared(
    backbone: Any, ids: torch.Tensor, mask: torch.Tensor, shared: int
) -> torch.Tensor | None:
    """Hidden states from position ``shared`` on; None for models whose memory is not plain keys and values."""
    first = backbone(input_ids=ids[:1, :shared], past_key_values=DynamicCache(), use_cache=True)
    cache = first.past_key_values
    if not all(type(layer) is DynamicLayer for layer in cache.layers):
        return None
    cache.batch_repeat_interleave(len(ids))
    rest = backbone(input_ids=ids[:, shared:], attention_mask=mask, past_key_values=cache, use_cache=True)
    hidden: torch.Tensor = rest.last_hidden_state
    return hidden
