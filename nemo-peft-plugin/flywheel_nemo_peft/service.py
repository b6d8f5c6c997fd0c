"""``/apis/customization/v2/workspaces/{workspace}/peft/jobs``: create, list, status, cancel, logs, results."""

from __future__ import annotations

from typing import ClassVar

from nemo_platform_plugin.authz import AuthzScope
from nemo_platform_plugin.jobs.routes import add_job_routes
from nemo_platform_plugin.service import NemoService, RouterSpec

from flywheel_nemo_peft.job import PeftJob


class CustomizationService(NemoService):
    """Stands where the platform's own hub would. Not to be installed beside that hub, which owns the name."""

    name: ClassVar[str] = "customization"
    dependencies: ClassVar[list[str]] = ["jobs", "files", "models"]

    def get_routers(self) -> list[RouterSpec]:
        router = add_job_routes(PeftJob, service_name="customization", authz=AuthzScope("customization"))
        return [RouterSpec(router, tag="Customization", prefix="/v2/workspaces/{workspace}")]
