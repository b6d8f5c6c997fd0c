"""JSON schemas of what NVIDIA's client can send, made from its own parameter types.

Prints an object: "POST /v1/..." -> schema of the body, "GET /v1/..." -> schema of the query. A TypedDict forbids
nothing by itself, so every object with named fields is closed: a field that NVIDIA does not know is an error.
"""

from __future__ import annotations

import json
from typing import Any

from nemo_microservices.types import (
    dataset_create_params,
    dataset_list_params,
    model_list_params,
    namespace_create_params,
)
from nemo_microservices.types.customization import (
    config_create_params,
    config_list_params,
    target_list_params,
)
from nemo_microservices.types.customization import job_create_params as customization_job_create_params
from nemo_microservices.types.customization import job_list_params as customization_job_list_params
from nemo_microservices.types.deployment import (
    model_deployment_create_params,
    model_deployment_list_params,
    model_deployment_update_params,
)
from nemo_microservices.types.evaluation import job_create_params as evaluation_job_create_params
from nemo_microservices.types.evaluation import job_list_params as evaluation_job_list_params
from pydantic import TypeAdapter

TYPES: dict[str, Any] = {
    "POST /v1/namespaces": namespace_create_params.NamespaceCreateParams,
    "POST /v1/datasets": dataset_create_params.DatasetCreateParams,
    "GET /v1/datasets": dataset_list_params.DatasetListParams,
    "GET /v1/models": model_list_params.ModelListParams,
    "GET /v1/customization/targets": target_list_params.TargetListParams,
    "POST /v1/customization/configs": config_create_params.ConfigCreateParams,
    "GET /v1/customization/configs": config_list_params.ConfigListParams,
    "POST /v1/customization/jobs": customization_job_create_params.JobCreateParams,
    "GET /v1/customization/jobs": customization_job_list_params.JobListParams,
    "POST /v1/evaluation/jobs": evaluation_job_create_params.JobCreateParams,
    "GET /v1/evaluation/jobs": evaluation_job_list_params.JobListParams,
    "POST /v1/deployment/model-deployments": model_deployment_create_params.ModelDeploymentCreateParams,
    "GET /v1/deployment/model-deployments": model_deployment_list_params.ModelDeploymentListParams,
    "PATCH /v1/deployment/model-deployments": model_deployment_update_params.ModelDeploymentUpdateParams,
}


def close(schema: Any) -> Any:
    if isinstance(schema, list):
        return [close(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(value) for key, value in schema.items()}
    if "properties" in closed and "additionalProperties" not in closed:
        closed["additionalProperties"] = False
    return closed


def body_schema(call: str, kind: Any) -> Any:
    schema = close(TypeAdapter(kind).json_schema())
    if call.startswith("PATCH"):
        # The client takes it as a parameter and puts it into the path.
        schema["required"] = [name for name in schema.get("required", []) if name != "namespace"]
    return schema


if __name__ == "__main__":
    print(json.dumps({call: body_schema(call, kind) for call, kind in TYPES.items()}))
