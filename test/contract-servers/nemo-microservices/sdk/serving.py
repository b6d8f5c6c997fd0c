"""A deployment, questions to its models, and an evaluation of one."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from nemo_microservices import InternalServerError, NeMoMicroservices, NotFoundError

from dataset import TOOL
from waiting import expect_error, wait, wait_until


def deploy(nemo: NeMoMicroservices, namespace: str, base_model: str, image: str) -> None:
    def create() -> object:
        return nemo.deployment.model_deployments.create(
            name="nim",
            namespace=namespace,
            config={
                "model": base_model,
                "nim_deployment": {"image_name": image, "image_tag": "1.8.3", "gpu": 1, "pvc_size": "25Gi"},
            },
        )

    def status() -> Any:
        return nemo.deployment.model_deployments.retrieve("nim", namespace=namespace).status_details

    create()
    expect_error(InternalServerError, create, saying="model deployment already exists")
    seen = wait(status, {"ready", "failed"})
    assert seen.status == "ready", seen


def chat(nemo: NeMoMicroservices, model: str) -> str:
    wait_until(lambda: any(one.id == model for one in nemo.inference.models.list().data))
    question = [{"role": "user", "content": "how many days off do I have left"}]
    reply = nemo.chat.completions.create(
        model=model, messages=question, tools=[TOOL], max_tokens=16, temperature=0
    )
    assert reply.model == model
    assert reply.usage.completion_tokens > 0
    embedding = nemo.embeddings.create(model=base_of(nemo, model), input=["a", "b"], input_type="query")
    assert [one.index for one in embedding.data] == [0, 1]
    return json.dumps(reply.choices[0].message.to_dict())


def base_of(nemo: NeMoMicroservices, adapter: str) -> str:
    namespace, name = adapter.split("/")
    return str(nemo.models.retrieve(name, namespace=namespace).base_model)


def evaluate(nemo: NeMoMicroservices, namespace: str, model: str) -> dict[str, float]:
    config = {
        "type": "custom",
        "tasks": {
            "tools": {
                "type": "chat-completion",
                "dataset": {
                    "files_url": f"hf://datasets/{namespace}/dataset/testing/test.jsonl",
                    "limit": 10,
                },
                "params": {
                    "template": {
                        "messages": "{{ item.messages | tojson }}",
                        "tools": "{{ item.tools | tojson }}",
                        "tool_choice": "required",
                        "max_tokens": 32,
                    }
                },
                "metrics": {
                    "tool-calling-accuracy": {
                        "type": "tool-calling",
                        "params": {"tool_calls_ground_truth": "{{ item.tool_calls | tojson }}"},
                    },
                    "says": {
                        "type": "string-check",
                        "params": {"check": ["{{ sample.output_text }}", "not equals", "no such answer"]},
                    },
                    "correctness": judge(model),
                },
            }
        },
    }
    job = nemo.evaluation.jobs.create(
        config=config, target={"type": "model", "model": model}, namespace=namespace
    )
    seen = wait(lambda: nemo.evaluation.jobs.retrieve(job.id), {"completed", "failed", "cancelled"})
    assert seen.status == "completed", seen
    assert seen.status_details.progress == 100
    assert seen.status_details.task_status == {"tools": "completed"}
    assert nemo.evaluation.jobs.status(job.id).progress == 100
    metrics = nemo.evaluation.jobs.results(job.id).tasks["tools"].metrics
    archive = zipfile.ZipFile(io.BytesIO(nemo.evaluation.jobs.download_results(job.id).read()))
    (sample,) = json.loads(archive.read("results.json"))["tools"]
    assert sample["sample"]["response"]["model"] == model
    nemo.evaluation.jobs.delete(job.id)
    expect_error(NotFoundError, lambda: nemo.evaluation.jobs.retrieve(job.id))
    return {f"{m}.{s}": score.value for m, one in metrics.items() for s, score in one.scores.items()}


def judge(model: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Rate {{ sample.output_text }} as RATING: 0 or RATING: 1"}]
    parser = {"type": "regex", "pattern": r"RATING:\s*(\d+)"}
    return {
        "type": "llm-judge",
        "params": {
            "model": model,
            "template": {"messages": messages, "max_tokens": 8},
            "scores": {"rating": {"type": "int", "parser": parser}},
        },
    }
