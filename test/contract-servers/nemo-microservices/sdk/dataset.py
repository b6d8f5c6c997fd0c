"""Namespaces, and a dataset by the Hugging Face hub's client."""

from __future__ import annotations

import json
from pathlib import Path

import requests
from huggingface_hub import HfApi, hf_hub_download
from nemo_microservices import ConflictError, NeMoMicroservices

from waiting import expect_error

TOOL = {
    "type": "function",
    "function": {
        "name": "pto_balance",
        "description": "days off that are left",
        "parameters": {"type": "object", "properties": {}},
    },
}


def make_namespaces(nemo: NeMoMicroservices, data_store: str, namespace: str) -> None:
    assert nemo.namespaces.create(id=namespace, description="of the SDK's loop").id == namespace
    expect_error(ConflictError, lambda: nemo.namespaces.create(id=namespace))
    path = f"{data_store}/v1/datastore/namespaces"
    assert requests.post(path, data={"namespace": namespace}, timeout=30).status_code == 201
    assert requests.post(path, data={"namespace": namespace}, timeout=30).status_code in (409, 422)
    assert requests.get(f"{path}/{namespace}", timeout=30).json()["namespace"] == namespace


def training_row(n: int) -> str:
    call = {"type": "function", "function": {"name": "pto_balance", "arguments": {}}}
    return json.dumps(
        {
            "messages": [
                {"role": "user", "content": f"how many days off do I have left, asked for the {n}th time"},
                {"role": "assistant", "content": "", "tool_calls": [call]},
            ],
            "tools": [TOOL],
        }
    )


def upload(nemo: NeMoMicroservices, hub: HfApi, namespace: str, rows: int) -> None:
    repo = f"{namespace}/dataset"
    hub.create_repo(repo, repo_type="dataset")
    hub.create_repo(repo, repo_type="dataset", exist_ok=True)
    files = {
        "training/train.jsonl": [training_row(n) for n in range(rows)],
        "validation/validation.jsonl": [training_row(n) for n in (100, 101)],
        "testing/test.jsonl": [
            json.dumps(
                {
                    "messages": [{"role": "user", "content": "how many days off do I have left"}],
                    "tools": [TOOL],
                    "tool_calls": [{"function": {"name": "pto_balance", "arguments": {}}}],
                }
            )
        ],
    }
    for path, lines in files.items():
        content = "".join(f"{line}\n" for line in lines).encode()
        hub.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=repo, repo_type="dataset")
    assert set(files) <= set(hub.list_repo_files(repo, repo_type="dataset"))
    fetched = hf_hub_download(
        repo, "testing/test.jsonl", repo_type="dataset", endpoint=hub.endpoint, force_download=True
    )
    assert json.loads(Path(fetched).read_text(encoding="utf-8"))["tools"] == [TOOL]

    url = f"hf://datasets/{repo}"
    assert nemo.datasets.create(name="dataset", namespace=namespace, files_url=url).files_url == url
    assert (
        nemo.datasets.update("dataset", namespace=namespace, description="d", files_url=url).description
        == "d"
    )
    assert nemo.datasets.retrieve("dataset", namespace=namespace).files_url == url
