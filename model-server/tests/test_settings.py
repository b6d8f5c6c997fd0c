from pathlib import Path

import pytest
from pydantic import ValidationError

from model_server.errors import StartError
from model_server.settings import parse_settings
from model_server.training.hyperparameters import HyperparametersRequest, resolve

NEEDED = ["--port", "8301", "--home", "home"]


def test_flags_win_over_environment_and_environment_over_defaults() -> None:
    env = {
        "FLYWHEEL_MODEL_SERVER_PORT": "1",
        "FLYWHEEL_MODEL_SERVER_MANAGED": "1",
        "FLYWHEEL_MODEL_SERVER_ORG": "acme",
    }

    settings = parse_settings([*NEEDED, "--org", "flags"], env)

    assert (settings.port, settings.managed, settings.org, settings.host) == (
        8301,
        True,
        "flags",
        "127.0.0.1",
    )


def test_models_are_named_or_take_their_folders_name(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()

    settings = parse_settings(
        [*NEEDED, "--model", f"a={folder}", "--model", str(folder), "--model", "org/hub"], {}
    )

    assert settings.models == {"a": str(folder), "my-model": str(folder), "org/hub": "org/hub"}


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["--port", "1"], "--home"),
        (["--home", "x"], "--port"),
        (["--home", "x", "--port", "http"], "must be a number"),
        ([*NEEDED, "--threads", "0"], "--threads"),
        ([*NEEDED, "--model", "=x"], "NAME=PATH"),
        ([*NEEDED, "--model", "a=x", "--model", "a=y"], "twice"),
    ],
)
def test_bad_flags_are_told_in_one_line(argv: list[str], problem: str) -> None:
    with pytest.raises(StartError, match=problem) as raised:
        parse_settings(argv, {})
    assert "\n" not in str(raised.value)


def test_auto_becomes_the_strategys_defaults() -> None:
    resolved = resolve(HyperparametersRequest(), max_model_len=512)

    assert resolved["lora"] == {"rank": 32, "alpha": 32, "dropout": 0.1, "target_modules": "all-linear"}
    assert (resolved["n_epochs"], resolved["batch_size"], resolved["learning_rate"]) == (2, 16, 1e-4)
    assert resolved["max_length"] == 512


def test_the_multiplier_counts_only_without_an_absolute_rate() -> None:
    by_multiplier = HyperparametersRequest.model_validate({"learning_rate_multiplier": 5})
    absolute = HyperparametersRequest.model_validate({"learning_rate_multiplier": 5, "learning_rate": 0.01})

    assert resolve(by_multiplier, max_model_len=8)["learning_rate"] == pytest.approx(5e-4)
    assert resolve(absolute, max_model_len=8)["learning_rate"] == 0.01


@pytest.mark.parametrize(
    "wrong", [{"n_epochs": 0}, {"batch_size": "many"}, {"lora": {"rank": 0}}, {"momentum": 1}]
)
def test_impossible_hyperparameters_are_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        HyperparametersRequest.model_validate(wrong)
