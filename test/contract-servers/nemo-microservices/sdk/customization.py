"""Targets, configs and jobs of Customizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download
from nemo_microservices import ConflictError, NeMoMicroservices

from waiting import expect_error, wait


def make_config(nemo: NeMoMicroservices, namespace: str, base_model: str) -> str:
    targets = [one for one in nemo.customization.targets.list() if one.base_model == base_model]
    assert targets
    assert targets[0].status == "ready"
    name = f"{base_model.split('/')[1]}@v1.0.0+sdk"
    nemo.customization.configs.create(
        name=name,
        namespace=namespace,
        target=f"{targets[0].namespace}/{targets[0].name}",
        max_seq_length=2048,
        training_options=[
            {"training_type": "sft", "finetuning_type": "lora", "num_gpus": 1, "micro_batch_size": 1}
        ],
    )
    expect_error(
        ConflictError,
        lambda: nemo.customization.configs.create(
            name=name,
            namespace=namespace,
            max_seq_length=1024,
            training_options=[
                {"training_type": "sft", "finetuning_type": "lora", "num_gpus": 1, "micro_batch_size": 2}
            ],
        ),
    )
    assert nemo.customization.configs.retrieve(name, namespace=namespace).max_seq_length == 2048
    return f"{namespace}/{name}"


def make_job(nemo: NeMoMicroservices, namespace: str, config: str, epochs: int) -> Any:
    return nemo.customization.jobs.create(
        config=config,
        namespace=namespace,
        dataset={"namespace": namespace, "name": "dataset"},
        output_model=f"{namespace}/adapter@v1",
        hyperparameters={
            "training_type": "sft",
            "finetuning_type": "lora",
            "epochs": epochs,
            "batch_size": 8,
            "learning_rate": 0.001,
            "log_every_n_steps": 1,
            "lora": {"adapter_dim": 4, "adapter_dropout": 0.1},
        },
    )


def customize(nemo: NeMoMicroservices, namespace: str, base_model: str) -> str:
    config = make_config(nemo, namespace, base_model)
    job = make_job(nemo, namespace, config, epochs=1)
    assert job.status == "created"
    assert job.config_snapshot.base_model == base_model
    # The revision that was asked for gives way to the job's own.
    assert job.output_model == f"{namespace}/adapter@{job.id}"
    assert [one.id for one in nemo.customization.jobs.list(filter={"namespace": namespace})] == [job.id]
    status = wait(lambda: nemo.customization.jobs.status(job.id), {"completed", "failed", "cancelled"})
    assert status.status == "completed", status
    assert status.percentage_done == 100
    assert status.steps_completed == status.steps_per_epoch
    assert len(status.metrics.metrics.train_loss) == status.steps_completed
    assert {"EntityHandler_0_Completed", "TrainingJobCompleted"} <= {
        log.message for log in status.status_logs
    }
    assert nemo.customization.jobs.container_logs(job.id).entries
    model = nemo.models.retrieve(job.output_model.split("/")[1], namespace=namespace)
    assert model.artifact.status == "upload_completed"
    assert model.peft.finetuning_type == "lora"
    return job.output_model


def download_adapter(hub: HfApi, adapter: str) -> None:
    repo, revision = adapter.split("@")
    path = hf_hub_download(repo, "adapter_config.json", revision=revision, endpoint=hub.endpoint)
    assert json.loads(Path(path).read_text(encoding="utf-8"))["r"] == 4


def cancel(nemo: NeMoMicroservices, namespace: str, base_model: str) -> None:
    config = f"{namespace}/{base_model.split('/')[1]}@v1.0.0+sdk"
    job = make_job(nemo, namespace, config, epochs=500)
    wait(lambda: nemo.customization.jobs.status(job.id), {"running"})
    assert nemo.customization.jobs.cancel(job.id).status in ("cancelling", "cancelled")
    seen = wait(lambda: nemo.customization.jobs.status(job.id), {"completed", "failed", "cancelled"})
    assert seen.status == "cancelled", seen
