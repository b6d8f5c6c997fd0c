"""An adapter's files, read over HTTP: whole, attested by their hashes, and nothing else of the machine."""

from __future__ import annotations

import hashlib
import http.client
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from rows import ping_rows
from server_process import ServerProcess
from tiny_models import nano_tokenizer, save_model

LICENSE = "Do what you like.\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, str]]:
    """A server, and an adapter that it made; its base has a licence, and a name as the hub's have."""
    folder = save_model(tmp_path_factory.mktemp("base") / "tiny", nano_tokenizer())
    (folder / "LICENSE").write_text(LICENSE)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    process = ServerProcess(tmp_path_factory.mktemp("home"), {"acme/tiny": folder})
    job = process.create_job(process.upload(ping_rows(8)), model="acme/tiny", suffix="files")
    yield process, process.wait(job.id).fine_tuned_model
    process.stop()


def read(server: ServerProcess, path: str) -> bytes:
    with urllib.request.urlopen(server.url + path, timeout=30) as reply:  # noqa: S310
        content: bytes = reply.read()
    return content


def refused(server: ServerProcess, path: str) -> tuple[int, str]:
    """Sent as it is written: clients would tidy up what climbs out of a folder."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    connection.request("GET", path)
    reply = connection.getresponse()
    body: dict[str, Any] = json.loads(reply.read())
    connection.close()
    return reply.status, body["error"]["code"]


def test_the_files_are_listed_with_their_hashes_and_read_whole(served: tuple[ServerProcess, str]) -> None:
    server, model = served

    listing = server.get(f"/v1/adapters/{model}/files")

    names = [file["name"] for file in listing["data"]]
    # The record of probes holds training rows' words and stays.
    assert names == ["adapter_config.json", "adapter_model.safetensors"]
    for file in listing["data"]:
        content = read(server, f"/v1/adapters/{model}/files/{file['name']}")
        assert len(content) == file["bytes"]
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert listing["base"]["id"] == "acme/tiny"
    assert listing["base"]["hub_id"] is None
    assert [file["name"] for file in listing["base"]["data"]] == ["LICENSE", "README.md"]
    assert read(server, f"/v1/adapters/{model}/base-files/LICENSE") == LICENSE.encode()


def test_an_unloaded_adapter_can_still_be_taken_elsewhere(served: tuple[ServerProcess, str]) -> None:
    server, model = served
    server.client.post("/unload_lora_adapter", cast_to=object, body={"lora_name": model})

    listing = server.get(f"/v1/adapters/{model}/files")
    server.client.post("/load_lora_adapter", cast_to=object, body={"lora_name": model})

    assert len(listing["data"]) == 2


def score(server: ServerProcess, model: str, prompt: list[int] | str, **options: Any) -> Any:
    return server.client.completions.create(
        model=model, prompt=prompt, max_tokens=1, temperature=0, **{"echo": True, "logprobs": 1} | options
    )


def test_by_its_probes_an_adapter_is_told_from_its_base_wherever_it_is_served(
    served: tuple[ServerProcess, str],
) -> None:
    server, model = served
    probes = server.get(f"/v1/adapters/{model}/probes")["data"]
    assert probes

    for probe in probes:
        text = probe["prompt"] + probe["answer"]
        of = {name: score(server, name, text).choices[0].logprobs for name in (model, "acme/tiny")}
        said = {name: found.token_logprobs[len(probe["prompt"]) : len(text)] for name, found in of.items()}

        assert said[model] == pytest.approx(probe["logprobs"], abs=1e-4)
        assert said["acme/tiny"] != pytest.approx(probe["logprobs"], abs=1e-4)
        # One entry for the token that follows, and none for the first, which follows nothing.
        assert len(of[model].tokens) == len(of[model].token_logprobs) == len(text) + 1
        assert of[model].token_logprobs[0] is None
        best = of[model].top_logprobs[-1]
        assert list(best.values()) == pytest.approx([of[model].token_logprobs[-1]])


def test_a_completion_is_for_scoring_alone(served: tuple[ServerProcess, str]) -> None:
    server, model = served

    assert score(server, model, "ping").choices[0].text.startswith("ping")
    for wrong in ({"echo": False}, {"logprobs": None}, {"max_tokens": 16}, {"prompt": "x" * 9000}):
        with pytest.raises(openai.BadRequestError):
            server.client.completions.create(
                **{
                    "model": model,
                    "prompt": "ping",
                    "echo": True,
                    "logprobs": 1,
                    "max_tokens": 1,
                    **wrong,
                }
            )


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/adapters/acme/tiny/files", 400, "not_an_adapter"),
        ("/v1/adapters/ft:none/files", 404, "model_not_found"),
        ("/v1/adapters/ft:none/probes", 404, "model_not_found"),
        ("/v1/adapters/acme/tiny/probes", 400, "not_an_adapter"),
        ("/v1/adapters/{model}/files/probes.json", 404, "file_not_found"),
        ("/v1/adapters/{model}/files/README.md", 404, "file_not_found"),
        ("/v1/adapters/{model}/files/..%2F..%2Fstate.db", 404, "unknown_url"),
        ("/v1/adapters/{model}/files/../../../state.db", 404, "unknown_url"),
        ("/v1/adapters/{model}/files/%2e%2e", 404, "file_not_found"),
        ("/v1/adapters/{model}/files/%00", 404, "file_not_found"),
        ("/v1/adapters/../files/state.db", 404, "model_not_found"),
        ("/v1/adapters/{model}/base-files/model.safetensors", 404, "file_not_found"),
        ("/v1/adapters/{model}/base-files/config.json", 404, "file_not_found"),
    ],
)
def test_nothing_else_is_handed_out(
    served: tuple[ServerProcess, str], path: str, status: int, code: str
) -> None:
    server, model = served

    assert refused(server, path.format(model=model)) == (status, code)


def test_a_link_in_the_folder_is_not_followed(served: tuple[ServerProcess, str], tmp_path: Path) -> None:
    server, model = served
    secret = tmp_path / "secret"
    secret.write_text("secret")
    folder = next((server.home / "adapters").iterdir())
    (folder / "tokenizer.json").symlink_to(secret)

    listing = server.get(f"/v1/adapters/{model}/files")

    assert "tokenizer.json" not in [file["name"] for file in listing["data"]]
    assert refused(server, f"/v1/adapters/{model}/files/tokenizer.json") == (404, "file_not_found")
