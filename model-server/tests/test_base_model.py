"""Adapters beside a base: merged copies (small models) and wrapped ones (large models) say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from model_server.errors import ApiError, AttestationError
from model_server.serving import base_model
from model_server.serving.base_model import BaseModel
from model_server.serving.decode import Row, decode
from model_server.serving.probes import record_probes
from model_server.serving.requests import Sampling

PROMPTS = {"tiny": [5, 6, 7], "ft:a.1": [8, 9], "ft:b.2": [5, 6, 7, 8, 9], "ft:c.3": [8, 9]}


@pytest.fixture(scope="module")
def folders(tiny_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found = {}
    for seed, name in enumerate(list(PROMPTS)[1:]):
        torch.manual_seed(seed)
        base = AutoModelForCausalLM.from_pretrained(tiny_models["tiny"], dtype=torch.float32)
        lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
        model = get_peft_model(base, lora)
        found[name] = tmp_path_factory.mktemp("adapter")
        model.save_pretrained(found[name])
        record_probes(model, [[5, 6, 7, 8]], [[-100, -100, 7, 8]], found[name])
    return found


@pytest.fixture(params=["merged", "wrapped"])
def base(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tiny_models: dict[str, Path],
    folders: dict[str, Path],
) -> BaseModel:
    if request.param == "wrapped":
        monkeypatch.setattr(base_model, "MERGE_UP_TO_PARAMETERS", 0)
    return BaseModel("tiny", str(tiny_models["tiny"]), "cpu", folders.__getitem__)


def say(base: BaseModel, *models: str) -> list[list[int]]:
    rows = [Row(model, PROMPTS[model], Sampling(temperature=0), 8, frozenset(), str) for model in models]
    decode(base, rows)
    return [row.made for row in rows]


def test_one_batch_of_all_adapters_and_the_base_says_what_each_says_alone(base: BaseModel) -> None:
    alone = [say(base, model)[0] for model in PROMPTS]

    together = say(base, *PROMPTS)

    assert together == alone
    assert len({tuple(made) for made in alone}) == len(PROMPTS)


def test_every_adapter_is_attested_and_the_base_stays_itself(base: BaseModel) -> None:
    before = say(base, "tiny")

    for name in list(PROMPTS)[1:]:
        base.ready(name)
    say(base, *PROMPTS)

    assert say(base, "tiny") == before


def test_anothers_weights_under_a_name_are_refused(
    base: BaseModel, folders: dict[str, Path], tmp_path: Path
) -> None:
    for file in folders["ft:a.1"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = "adapter_model.safetensors"
    (tmp_path / weights).write_bytes((folders["ft:b.2"] / weights).read_bytes())

    with pytest.raises(AttestationError, match="does not answer"):
        base.attest("ft:new", tmp_path)
    with pytest.raises(ApiError) as unknown:
        base.ready("ft:new")

    assert unknown.value.status == 404


def test_forgotten_adapters_come_back_the_same(base: BaseModel) -> None:
    before = say(base, *PROMPTS)

    for name in list(PROMPTS)[1:]:
        base.forget(name)
    plain = say(base, "tiny")

    assert plain == before[:1]
    assert say(base, *PROMPTS) == before


def test_hidden_states_are_those_of_the_asked_model(base: BaseModel, tiny_models: dict[str, Path]) -> None:
    ids = torch.tensor([[5, 6, 7]])
    model = AutoModelForCausalLM.from_pretrained(tiny_models["tiny"], dtype=torch.float32).eval()
    with torch.inference_mode():
        expected = model.model(input_ids=ids).last_hidden_state
        tuned = base.hidden_states("ft:a.1", input_ids=ids)
        plain = base.hidden_states("tiny", input_ids=ids)

    assert torch.allclose(plain, expected, atol=1e-5)
    assert not torch.allclose(tuned, expected, atol=1e-2)
