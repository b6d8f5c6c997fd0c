"""One base model in memory, and its adapters.

Small float32 models (the CPU case) get a merged copy per adapter: the arithmetic is the same to rounding,
and each token costs as little as the base's. Everything else shares one base and switches named adapters,
since copies of large weights do not fit and merging into bf16 loses precision.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from model_server.chat.template import ChatTemplate
from model_server.serving.model_files import context_length

if TYPE_CHECKING:
    from peft import PeftModel

MERGE_UP_TO_PARAMETERS = 100_000_000
# Merged copies held at once, counted in parameters: about 1 GB of float32.
MERGED_PARAMETERS_HELD = 256_000_000


class BaseModel:
    """Used from the serving thread only."""

    def __init__(self, name: str, source: str, device: str) -> None:
        self.name = name
        self.source = source
        on_gpu = device == "cuda"
        self.tokenizer: Any = AutoTokenizer.from_pretrained(source)
        self.model: Any = AutoModelForCausalLM.from_pretrained(
            source,
            dtype=torch.bfloat16 if on_gpu else torch.float32,
            device_map="cuda" if on_gpu else None,
        ).eval()
        self.max_model_len = context_length(source)
        self.stop_ids = stop_ids(self.tokenizer, self.model.generation_config)
        self._merges = not on_gpu and self.model.num_parameters() <= MERGE_UP_TO_PARAMETERS
        self._merged: OrderedDict[str, Any] = OrderedDict()
        self._switching: PeftModel | None = None
        self._template: ChatTemplate | None = None
        self._brace_ids: torch.Tensor | None = None

    @property
    def template(self) -> ChatTemplate:
        """Raises ConversationError when the model has none."""
        if self._template is None:
            self._template = ChatTemplate(self.tokenizer)
        return self._template

    @property
    def brace_ids(self) -> torch.Tensor:
        """Tokens that can open an argument object."""
        if self._brace_ids is None:
            ids = self.tokenizer.get_vocab().values()
            opening = sorted(i for i in ids if self.tokenizer.decode([i]).startswith("{"))
            self._brace_ids = torch.tensor(opening, device=self.model.device)
        return self._brace_ids

    def with_adapter(self, name: str, folder: Path) -> Any:
        """The model to run for one adapter; loads it on first use."""
        return self._merged_copy(name, folder) if self._merges else self._switched(name, folder)

    def plain(self) -> Any:
        """The base itself; adapters that are loaded beside it are off."""
        return self.model if self._switching is None else _AdapterOff(self._switching)

    def forget(self, name: str) -> None:
        """Drop a deleted adapter's weights."""
        self._merged.pop(name, None)
        if self._switching is not None and _slot(name) in self._switching.peft_config:
            self._switching.delete_adapter(_slot(name))

    def _merged_copy(self, name: str, folder: Path) -> Any:
        from peft import PeftModel  # noqa: PLC0415  (4 s; a base answers without it)

        if name in self._merged:
            self._merged.move_to_end(name)
            return self._merged[name]
        merged = PeftModel.from_pretrained(copy.deepcopy(self.model), str(folder)).merge_and_unload().eval()
        self._merged[name] = merged
        while len(self._merged) > max(1, MERGED_PARAMETERS_HELD // self.model.num_parameters()):
            self._merged.popitem(last=False)
        return merged

    def _switched(self, name: str, folder: Path) -> Any:
        from peft import PeftModel  # noqa: PLC0415

        slot = _slot(name)
        if self._switching is None:
            self._switching = PeftModel.from_pretrained(self.model, str(folder), adapter_name=slot).eval()
        elif slot not in self._switching.peft_config:
            self._switching.load_adapter(str(folder), adapter_name=slot)
        self._switching.set_adapter(slot)
        return self._switching.base_model.model


class _AdapterOff:
    """The wrapped base with every adapter off, for as long as one call lasts."""

    def __init__(self, wrapped: PeftModel) -> None:
        self._wrapped = wrapped
        self.device = wrapped.device

    def forward(self, logits_to_keep: int = 0, **inputs: Any) -> Any:
        with self._wrapped.disable_adapter():
            return self._wrapped.base_model.model(logits_to_keep=logits_to_keep, **inputs)

    __call__ = forward


def _slot(name: str) -> str:
    """PEFT builds module paths from adapter names: dots would split them."""
    return name.replace(".", "_").replace(":", "_")


def stop_ids(tokenizer: Any, generation_config: Any) -> frozenset[int]:
    declared = generation_config.eos_token_id if generation_config is not None else None
    several = declared if isinstance(declared, list) else [declared]
    return frozenset(i for i in [*several, tokenizer.eos_token_id] if i is not None)
