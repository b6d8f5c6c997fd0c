"""NVIDIA's own client and the Hugging Face hub's complete the whole loop against a NeMo Microservices v1 server.

namespace -> dataset -> upload -> customization config and job -> wait -> deploy -> inference -> evaluation, inline
and by name -> results -> cancel -> delete. Prints one JSON object; exits with a traceback where anything is not as
it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import uuid

os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from huggingface_hub import HfApi
from nemo_microservices import NeMoMicroservices, NotFoundError

from customization import cancel, customize, download_adapter
from dataset import make_namespaces, upload
from named_evaluation import evaluate_named
from serving import chat, deploy, evaluate
from waiting import expect_error


def main() -> None:
    args = parse()
    nemo = NeMoMicroservices(base_url=args.url, inference_base_url=args.nim_url, max_retries=0)
    hub = HfApi(endpoint=f"{args.data_store_url}/v1/hf", token="nothing")  # noqa: S106 (what the blueprint sends)
    namespace = f"sdk-{uuid.uuid4().hex[:8]}"

    make_namespaces(nemo, args.data_store_url, namespace)
    upload(nemo, hub, namespace, args.rows)
    adapter = customize(nemo, namespace, args.base_model)
    download_adapter(hub, adapter)
    deploy(nemo, namespace, args.base_model, args.image)
    answer = chat(nemo, adapter)
    scores = evaluate(nemo, namespace, adapter)
    evaluate_named(nemo, hub, namespace, adapter)
    cancel(nemo, namespace, args.base_model)
    paging(nemo, namespace)
    clean_up(nemo, hub, namespace, adapter)
    print(json.dumps({"adapter": adapter, "answer": answer, "scores": scores}))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--url", "--nim-url", "--data-store-url", "--base-model", "--image"):
        parser.add_argument(name, required=True)
    parser.add_argument("--rows", type=int, default=16)
    return parser.parse_args()


def paging(nemo: NeMoMicroservices, namespace: str) -> None:
    for n in range(5):
        nemo.projects.create(name=f"p{n}", namespace=namespace)
    pages = nemo.projects.list(page_size=2, filter={"namespace": namespace}, sort="-name")
    assert [one.name for one in pages] == ["p4", "p3", "p2", "p1", "p0"]
    past = nemo.projects.list(page=99, page_size=2, filter={"namespace": namespace})
    assert past.data == []
    assert past.pagination.total_results == 5


def clean_up(nemo: NeMoMicroservices, hub: HfApi, namespace: str, adapter: str) -> None:
    assert nemo.deployment.model_deployments.delete("nim", namespace=namespace).message
    for config in nemo.customization.configs.list(filter={"namespace": namespace}):
        nemo.customization.configs.delete(config.name, namespace=namespace)
    assert nemo.models.delete(adapter.split("/")[1], namespace=namespace).message
    hub.delete_repo(f"{namespace}/dataset", repo_type="dataset")
    nemo.datasets.delete("dataset", namespace=namespace)
    expect_error(NotFoundError, lambda: nemo.datasets.retrieve("dataset", namespace=namespace))
    nemo.namespaces.delete(namespace)


if __name__ == "__main__":
    main()
