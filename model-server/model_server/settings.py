"""What the server was told at its start: flags, else ``FLYWHEEL_MODEL_SERVER_*``, else defaults."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from model_server.errors import StartError

PREFIX = "FLYWHEEL_MODEL_SERVER_"
BUNDLED_MODELS = Path(__file__).resolve().parent.parent / "models"

EXAMPLES = """examples:
  python -m model_server --port 8301 --home .flywheel/model-server
  python -m model_server --port 8301 --home /tmp/ms --model qwen=Qwen/Qwen3-0.6B --device cuda
  python -m model_server --port 8301 --home /tmp/ms --model ./checkpoints/my-model --managed
  python -m model_server --check        imports everything, says what it found, exits

Every flag can be an environment variable: FLYWHEEL_MODEL_SERVER_PORT, …_HOST, …_HOME, …_MODELS
(NAME=PATH, several by commas), …_MANAGED=1, …_DEVICE, …_THREADS, …_ORG, …_STANDBY=0,
…_CHECKPOINT_SECONDS, …_PREFIX_CACHE_MB."""


@dataclass(frozen=True)
class Settings:
    port: int
    host: str
    home: Path
    models: dict[str, str]
    managed: bool
    device: str
    threads: int
    org: str
    standby: bool
    checkpoint_seconds: float
    prefix_cache_mb: int
    check: bool


def default_threads() -> int:
    """torch threads per process, for serving and for the trainer beside it.

    Two threads on two busy cores are up to eight times slower than one, because each waits for the other
    at every small operation. Larger machines are shared in halves.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else (os.cpu_count() or 1)
    return 1 if cores <= 2 else max(1, cores // 2)


def parse_settings(argv: list[str], env: Mapping[str, str]) -> Settings:
    arguments = _parser(env).parse_args(argv)
    models = arguments.model or [part for part in env.get(f"{PREFIX}MODELS", "").split(",") if part.strip()]
    if arguments.home is None and not arguments.check:
        raise StartError(f"--home DIR is needed: the folder for state and adapters (or set {PREFIX}HOME)")
    if arguments.port is None and not arguments.check:
        raise StartError(f"--port N is needed (or set {PREFIX}PORT); 0 picks a free one")
    return Settings(
        port=_integer("--port", arguments.port or 0, 0, 65535),
        host=arguments.host,
        home=Path(arguments.home or ".").expanduser().resolve(),
        models=_named_models(models) if models else bundled_models(),
        managed=arguments.managed,
        device=arguments.device,
        threads=default_threads()
        if arguments.threads == "auto"
        else _integer("--threads", arguments.threads, 1, 1024),
        org=arguments.org,
        standby=arguments.standby,
        checkpoint_seconds=_integer("--checkpoint-seconds", arguments.checkpoint_seconds, 0, 86_400),
        prefix_cache_mb=_integer("--prefix-cache-mb", arguments.prefix_cache_mb, 0, 1_000_000),
        check=arguments.check,
    )


def _parser(env: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m model_server",
        description="Trains LoRA adapters and serves them, in OpenAI's dialect, on this machine.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--port", default=env.get(f"{PREFIX}PORT"), help="TCP port; 0 picks a free one")
    add("--host", default=env.get(f"{PREFIX}HOST", "127.0.0.1"), help="address to bind (default 127.0.0.1)")
    add("--home", default=env.get(f"{PREFIX}HOME"), help="folder for state, uploads and adapters")
    add(
        "--model",
        action="append",
        metavar="NAME=PATH_OR_HF_ID",
        help="a base model to serve and train; repeat for several (default: the ones shipped beside the package)",
    )
    add(
        "--managed",
        action=argparse.BooleanOptionalAction,
        default=_flag(env, "MANAGED", default=False),
        help="refuse a second job with 409 instead of queueing it: the caller holds the queue",
    )
    add("--device", choices=["auto", "cpu", "cuda"], default=env.get(f"{PREFIX}DEVICE", "auto"))
    add("--threads", default=env.get(f"{PREFIX}THREADS", "auto"), help="torch threads on CPU (default auto)")
    add(
        "--org", default=env.get(f"{PREFIX}ORG", "flywheel"), help="name inside ft:<base>:<org>:<suffix>:<id>"
    )
    add(
        "--standby",
        action=argparse.BooleanOptionalAction,
        default=_flag(env, "STANDBY", default=True),
        help="keep a trainer process with its libraries loaded (500 MB), so that jobs start at once",
    )
    add(
        "--checkpoint-seconds",
        default=env.get(f"{PREFIX}CHECKPOINT_SECONDS", "30"),
        help="how much training a killed job may lose; 0 saves at every step (default 30)",
    )
    add(
        "--prefix-cache-mb",
        default=env.get(f"{PREFIX}PREFIX_CACHE_MB", "256"),
        help="memory for the beginnings of prompts that come again; 0 turns it off (default 256)",
    )
    add("--check", action="store_true", help="import everything, report versions and device, exit")
    return parser


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = env.get(PREFIX + name)
    return default if value is None else value.lower() not in ("", "0", "false", "no")


def _integer(flag: str, value: object, low: int, high: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise StartError(f"{flag} must be a number from {low} to {high}, not '{value}'")
    return number


def bundled_models() -> dict[str, str]:
    found = sorted(BUNDLED_MODELS.glob("*/config.json"))
    return {config.parent.name: str(config.parent) for config in found}


def _named_models(arguments: list[str]) -> dict[str, str]:
    models: dict[str, str] = {}
    for argument in arguments:
        name, separator, source = argument.strip().partition("=")
        if not separator:
            name, source = argument.strip(), argument.strip()
            if looks_like_path(source):
                name = Path(source).resolve().name
        if not name or not source:
            raise StartError(f"--model needs NAME=PATH_OR_HF_ID, not '{argument}'")
        if name in models:
            raise StartError(f"--model gives the name '{name}' twice")
        models[name] = source
    return models


def looks_like_path(source: str) -> bool:
    return source.startswith((".", "/", "~")) or Path(source).is_dir()
