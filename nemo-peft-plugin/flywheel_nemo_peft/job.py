"""One LoRA training as a job of the platform.

platform ─► task (this process) ─► model server: files, fine-tuning job
              │  ◄── status, metrics, events ──┘
              └─► the task's status, the job's log, the adapter's weights and its entry
"""

from __future__ import annotations

from typing import Any, ClassVar

from nemo_platform import AsyncNeMoPlatform, NeMoPlatform
from nemo_platform_plugin.job import NemoJob
from nemo_platform_plugin.job_context import JobContext
from pydantic import BaseModel

from flywheel_nemo_peft.references import resolve
from flywheel_nemo_peft.spec import PeftInput, PeftSpec

STEP = "training"


class PeftJob(NemoJob):
    name: ClassVar[str] = "peft"
    description: ClassVar[str] = "Fine-tune a LoRA adapter at the model server that serves the base model."
    input_spec_schema: ClassVar[type[BaseModel] | None] = PeftInput
    spec_schema: ClassVar[type[BaseModel] | None] = PeftSpec
    job_collection_path: ClassVar[str | None] = "/peft/jobs"

    @classmethod
    async def to_spec(
        cls,
        input_spec: BaseModel,
        *,
        workspace: str,
        entity_client: object,
        async_sdk: AsyncNeMoPlatform,
        is_local: bool,
    ) -> BaseModel:
        del entity_client, is_local
        return await resolve(PeftInput.model_validate(input_spec.model_dump()), workspace, async_sdk)

    @classmethod
    async def compile(
        cls,
        *,
        workspace: str,
        spec: BaseModel,
        entity_client: object,
        job_name: str | None,
        async_sdk: AsyncNeMoPlatform,
        profile: str | None = None,
        options: dict[str, Any] | None = None,
    ) -> object:
        """One step named as automodel names its own, which needs no device: the model server has that."""
        del workspace, entity_client, job_name, async_sdk, options
        command = ["python", "-m", "flywheel_nemo_peft.task"]
        executor = {"provider": "subprocess", "profile": profile or "default", "command": command}
        return {"steps": [{"name": STEP, "executor": executor, "config": spec.model_dump(mode="json")}]}

    def run(self, config: dict[str, Any], *, ctx: JobContext, sdk: NeMoPlatform) -> dict[str, Any]:
        from flywheel_nemo_peft.training import train  # noqa: PLC0415  (the API process needs none of it)

        return train(PeftSpec.model_validate(config), ctx=ctx, sdk=sdk)
