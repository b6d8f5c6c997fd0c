"""One base model in memory, and its adapters.

Small float32 models (the CPU case) get a merged copy per adapter: the arithmetic is the same to rounding,
and each token costs as little as the base's. Everything else shares one base and switches named adapters,
since copies of large weights do not fit and merging into bf16 loses precision. A batch whose rows have different
adapters runs through one wrapped model that adds each row's own (PEFT's ``adapter_names``).
"""

from __future__ import annotations

import copy
import inspect
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from model_server import metrics
from model_server.chat.template import ChatTemplate
from model_server.errors import ApiError, AttestationError, model_not_found
from model_server.serving.model_files import context_length
from model_server.serving.probes import check_probes, read_probes

if TYPE_CHECKING:
    from peft import PeftModel

MERGE_UP_TO_PARAMETERS = 100_000_000
# Merged copies held at once, counted in parameters: about 1 GB of float32.
MERGED_PARAMETERS_HELD = 256_000_000
# PEFT's word for a row without an adapter.
NO_ADAPTER = "__base__"


class BaseModel:
    """Used from the serving thread only. ``folder_of`` finds the weights of an adapter by its model's name."""

    def __init__(self, name: str, source: str, device: str, folder_of: Callable[[str], Path]) -> None:
        self.name = name
        self.source = source
        self._folder_of = folder_of
        on_gpu = device == "cuda"
        self.tokenizer: Any = AutoTokenizer.from_pretrained(source)
        self.model: Any = AutoModelForCausalLM.from_pretrained(
            source,
            dtype=torch.bfloat16 if on_gpu else torch.float32,
            device_map="cuda" if on_gpu else None,
        ).eval()
        self.device: torch.device = self.model.device
        self.max_model_len = context_length(source)
        self.stop_ids = stop_ids(self.tokenizer, self.model.generation_config)
        # Most causal models can skip the logits of the prompt; some old ones cannot.
        keeps_last = "logits_to_keep" in inspect.signature(type(self.model).forward).parameters
        self._last_logits = {"logits_to_keep": 1} if keeps_last else {}
        self._merges = not on_gpu and self.model.num_parameters() <= MERGE_UP_TO_PARAMETERS
        self._merged: OrderedDict[str, Any] = OrderedDict()
        # Where the weights of an adapter lie that is being attested and has no row yet.
        self._new: dict[str, Path] = {}
        self._attested: set[str] = set()
        self._wrapped: PeftModel | None = None
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
            self._brace_ids = torch.tensor(opening, device=self.device)
        return self._brace_ids

    def __call__(self, models: Sequence[str], **inputs: Any) -> Any:
        """One forward pass, each row under its own model; logits of the last position only."""
        return self.forward(models, **self._last_logits, **inputs)

    def forward(self, models: Sequence[str], **inputs: Any) -> Any:
        """One forward pass with all logits."""
        different = set(models)
        if different == {self.name}:
            return self._plain(**inputs)
        if len(different) == 1 and self._merges:
            return self._merged_copy(models[0])(**inputs)
        return self._mixed(models, **inputs)

    def hidden_states(self, model: str, **inputs: Any) -> torch.Tensor:
        """Last hidden states [rows, tokens, size], behind the final norm, before the head."""
        alone = None
        if model != self.name and self._merges:
            alone = self._merged_copy(model)
        elif model == self.name and (self._wrapped is None or self._merges):
            alone = self.model
        if alone is not None:
            hidden: torch.Tensor = getattr(alone, alone.base_model_prefix)(**inputs).last_hidden_state
            return hidden
        output = self.forward([model] * len(inputs["input_ids"]), output_hidden_states=True, **inputs)
        return torch.as_tensor(output.hidden_states[-1])

    def ready(self, name: str) -> None:
        """Before the first use of an adapter since the start: load and attest it. ApiError 503 if it fails."""
        if name == self.name or name in self._attested:
            return
        try:
            self._folder(name)
        except KeyError as error:
            raise model_not_found(name, [self.name]) from error  # deleted while the request waited
        try:
            self._attest(name)
        except AttestationError as error:
            raise ApiError(
                503, f"Adapter '{name}' cannot be served. {error}", code=error.code, kind="server_error"
            ) from error

    def attest(self, name: str, folder: Path) -> None:
        """Load a new adapter from where it lies now. Raises AttestationError; it is forgotten then."""
        self._new[name] = folder
        try:
            self._attest(name)
        finally:
            del self._new[name]

    def _attest(self, name: str) -> None:
        try:
            recorded = read_probes(self._folder(name))
            if recorded is not None:
                check_probes(self._logits(name), self._logits(self.name), *recorded)
        except AttestationError:
            metrics.ATTESTATIONS.labels("failed").inc()
            self.forget(name)
            raise
        except Exception as error:
            metrics.ATTESTATIONS.labels("failed").inc()
            self.forget(name)
            raise AttestationError(
                "attestation_failed", f"The adapter cannot be loaded: {type(error).__name__}: {error}"
            ) from error
        metrics.ATTESTATIONS.labels("unrecorded" if recorded is None else "passed").inc()
        self._attested.add(name)

    def _logits(self, name: str) -> Callable[[list[int]], torch.Tensor]:
        def logits(ids: list[int]) -> torch.Tensor:
            output = self.forward([name], input_ids=torch.tensor([ids], device=self.device), use_cache=False)
            return torch.as_tensor(output.logits[0])

        return logits

    def _folder(self, name: str) -> Path:
        return self._new.get(name) or self._folder_of(name)

    def forget(self, name: str) -> None:
        """Drop an adapter's weights."""
        self._attested.discard(name)
        self._merged.pop(name, None)
        if self._wrapped is not None and _slot(name) in self._wrapped.peft_config:
            if len(self._wrapped.peft_config) > 1:
                self._wrapped.delete_adapter(_slot(name))
            else:
                self._unwrap()

    def _unwrap(self) -> None:
        """The last adapter goes: take PEFT's layers out of the base again."""
        assert self._wrapped is not None  # noqa: S101
        base = self._wrapped.unload()
        self._wrapped = None
        if not self._merges:
            self.model = base

    def _plain(self, **inputs: Any) -> Any:
        """The base itself; adapters that are wrapped round it are off."""
        if self._wrapped is None or self._merges:
            return self.model(**inputs)
        with self._wrapped.disable_adapter():
            return self._wrapped.base_model.model(**inputs)

    # Adapters are loaded on first use, which is inside a decode's inference mode: tensors made there could not be
    # changed outside of it, when an adapter is dropped.
    @torch.inference_mode(False)
    def _merged_copy(self, name: str) -> Any:
        from peft import PeftModel  # noqa: PLC0415  (4 s; a base answers without it)

        if name in self._merged:
            self._merged.move_to_end(name)
            return self._merged[name]
        folder = str(self._folder(name))
        merged = PeftModel.from_pretrained(copy.deepcopy(self.model), folder).merge_and_unload().eval()
        self._merged[name] = merged
        while len(self._merged) > max(1, MERGED_PARAMETERS_HELD // self.model.num_parameters()):
            self._merged.popitem(last=False)
        return merged

    def _mixed(self, models: Sequence[str], **inputs: Any) -> Any:
        wrapped = None
        for name in dict.fromkeys(models):
            if name != self.name:
                wrapped = self._wrap(name)
        assert wrapped is not None  # noqa: S101  (a batch of the base alone does not come here)
        slots = [NO_ADAPTER if name == self.name else _slot(name) for name in models]
        if len(set(slots)) == 1:
            wrapped.set_adapter(slots[0])
            return wrapped.base_model.model(**inputs)
        return wrapped(adapter_names=slots, **inputs)

    @torch.inference_mode(False)
    def _wrap(self, name: str) -> Any:
        """The wrapped model, with this adapter among its own."""
        from peft import PeftModel  # noqa: PLC0415

        slot = _slot(name)
        if self._wrapped is None:
            # Where adapters are merged the base stays untouched: a second skeleton on the same weights.
            shared = {id(tensor): tensor for tensor in [*self.model.parameters(), *self.model.buffers()]}
            base = copy.deepcopy(self.model, shared) if self._merges else self.model
            folder = str(self._folder(name))
            self._wrapped = PeftModel.from_pretrained(base, folder, adapter_name=slot).eval()
        elif slot not in self._wrapped.peft_config:
            self._wrapped.load_adapter(str(self._folder(name)), adapter_name=slot)
            self._wrapped.eval()
        return self._wrapped


def _slot(name: str) -> str:
    """PEFT builds module paths from adapter names: dots would split them."""
    return name.replace(".", "_").replace(":", "_")


def stop_ids(tokenizer: Any, generation_config: Any) -> frozenset[int]:
    declared = generation_config.eos_token_id if generation_config is not None else None
    several = declared if isinstance(declared, list) else [declared]
    return frozenset(i for i in [*several, tokenizer.eos_token_id] if i is not None)
