"""An evaluation by a named config and a named target, and its result as an entity of its own."""

from __future__ import annotations

from huggingface_hub import HfApi
from nemo_microservices import ConflictError, NeMoMicroservices, NotFoundError

from waiting import expect_error, wait


def make_config(nemo: NeMoMicroservices, namespace: str) -> str:
    tasks = {
        "says": {
            "type": "chat-completion",
            "dataset": {"files_url": f"hf://datasets/{namespace}/dataset/testing/test.jsonl"},
            "params": {"template": {"messages": "{{ item.messages | tojson }}", "max_tokens": 2}},
            "metrics": {
                "check": {
                    "type": "string-check",
                    "params": {"check": ["{{ sample.output_text }}", "not equals", "no such answer"]},
                }
            },
        }
    }
    configs = nemo.evaluation.configs
    made = configs.create(name="says", namespace=namespace, type="custom", tasks=tasks)
    assert made.tasks["says"].type == "chat-completion"
    expect_error(ConflictError, lambda: configs.create(name="says", namespace=namespace, type="custom"))
    assert configs.update("says", path_namespace=namespace, description="d").description == "d"
    assert configs.retrieve("says", namespace=namespace).tasks["says"].metrics["check"].type == "string-check"
    assert [one.name for one in configs.list(filter={"namespace": namespace})] == ["says"]
    return f"{namespace}/says"


def make_target(nemo: NeMoMicroservices, namespace: str, model: str) -> str:
    targets = nemo.evaluation.targets
    targets.create(name="nim", namespace=namespace, type="model", model=model)
    endpoint = {"api_endpoint": {"url": "http://127.0.0.1:1/v1", "model_id": "m", "api_key": "secret"}}
    kept = targets.create(name="elsewhere", namespace=namespace, type="model", model=endpoint)
    assert kept.model.api_endpoint.api_key == "******"
    assert targets.retrieve("nim", namespace=namespace).model == model
    assert {one.name for one in targets.list(filter={"namespace": namespace})} == {"nim", "elsewhere"}
    assert targets.delete("elsewhere", namespace=namespace).message
    expect_error(NotFoundError, lambda: targets.retrieve("elsewhere", namespace=namespace))
    return f"{namespace}/nim"


def evaluate_named(nemo: NeMoMicroservices, hub: HfApi, namespace: str, model: str) -> None:
    config = make_config(nemo, namespace)
    target = make_target(nemo, namespace, model)
    job = nemo.evaluation.jobs.create(config=config, target=target, namespace=namespace)
    # Both halves come back whole, as they are now.
    assert job.config.tasks["says"].metrics["check"].type == "string-check"
    assert job.target.model == model
    seen = wait(lambda: nemo.evaluation.jobs.retrieve(job.id), {"completed", "failed", "cancelled"})
    assert seen.status == "completed", seen
    read_result(nemo, job.id)
    nemo.evaluation.jobs.delete(job.id)
    delete_output(hub, seen.output_files_url)
    assert nemo.evaluation.configs.delete("says", namespace=namespace).message
    assert nemo.evaluation.targets.delete("nim", namespace=namespace).message


def delete_output(hub: HfApi, files_url: str) -> None:
    repo = files_url.removeprefix("hf://datasets/")
    assert repo.startswith("evaluation-results/eval-")
    assert "results.json" in hub.list_repo_files(repo, repo_type="dataset")
    hub.delete_repo(repo, repo_type="dataset")
    assert not hub.repo_exists(repo, repo_type="dataset")


def read_result(nemo: NeMoMicroservices, job_id: str) -> None:
    results = nemo.evaluation.results
    (listed,) = results.list(filter={"job_id": job_id})
    result = results.retrieve(listed.id)
    assert result.job == job_id
    assert result.id == nemo.evaluation.jobs.results(job_id).id
    score = result.tasks["says"].metrics["check"].scores["string-check"]
    assert (score.value, score.stats.count) == (1, 1)
    assert results.delete(result.id).message
    expect_error(NotFoundError, lambda: results.retrieve(result.id))
