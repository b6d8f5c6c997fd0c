"""Which files of an adapter, and which of its base model, leave this server."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from model_server.serving.model_files import locate
from model_server.settings import looks_like_path

# What PEFT and transformers load. Not the probes, which hold the words of training rows: they do not go along with
# an adapter that is handed on, and are asked for by themselves.
ADAPTER_FILES = (
    "adapter_config.json",
    "adapter_model*.safetensors",
    "added_tokens.json",
    "chat_template.jinja",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer*.json",
    "tokenizer.model",
    "vocab.json",
)
# What tells under which terms the base model may be used. Its weights are not ours to hand out.
BASE_FILES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE", "README.md", "USE_POLICY.md")
CHUNK_BYTES = 1024 * 1024
PROBES_FILE = "probes.json"


@dataclass(frozen=True)
class ExportedFile:
    name: str
    path: Path

    def describe(self) -> dict[str, object]:
        """``bytes`` and ``sha256``, lower-case hex, of the content as it is now."""
        digest = hashlib.sha256()
        size = 0
        with self.path.open("rb") as content:
            while chunk := content.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
        return {"name": self.name, "bytes": size, "sha256": digest.hexdigest()}


def adapter_files(folder: Path) -> list[ExportedFile]:
    """Plain files alone: neither links nor what lies in a folder below."""
    return [
        ExportedFile(path.name, path)
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.is_symlink() and _is_listed(path.name)
    ]


def recorded_probes(folder: Path) -> list[dict[str, object]]:
    """``prompt`` and ``answer`` as token ids, ``logprobs`` of the answer's. See ``serving/probes.py``, which needs torch."""
    path = folder / PROBES_FILE
    if not path.exists():
        return []
    content = json.loads(path.read_text(encoding="utf-8"))
    return list(content["probes"])


def _is_listed(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in ADAPTER_FILES)


def base_files(source: str) -> list[ExportedFile]:
    """``source``: a folder or a hub id, whose files are looked for on the hub where it can be reached."""
    found = []
    for name in BASE_FILES:
        try:
            found.append(ExportedFile(name, locate(source, name)))
        except Exception:  # noqa: S112  (not there, or the hub is not reachable: the card then says what is unknown)
            continue
    return found


def hub_id(source: str) -> str | None:
    """The base model's id on the hub; None for one that lies in a folder here."""
    return None if looks_like_path(source) else source
