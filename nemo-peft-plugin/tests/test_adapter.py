"""What becomes of an adapter whose weights the model server hands out, or not."""

from __future__ import annotations

import pytest
from nemo_platform import NeMoPlatform
from scripted_server import Reply, ScriptedServer

from flywheel_nemo_peft.adapter import register
from flywheel_nemo_peft.errors import UnreachableError
from flywheel_nemo_peft.model_server import ModelServer
from flywheel_nemo_peft.spec import PeftSpec

FILES = "GET /v1/adapters/m/files"
FILESETS = "POST /apis/files/v2/workspaces/w/filesets"
ADAPTERS = "POST /apis/models/v2/workspaces/w/adapters"
SPEC = PeftSpec.model_validate(
    {
        "model": "w/nano",
        "dataset": {"training": "w/rows"},
        "output": {"name": "a"},
        "upstream": {"provider": "w/p", "url": "http://127.0.0.1:1/v1", "model": "nano-1m"},
    }
)


@pytest.fixture(autouse=True)
def _platform(server: ScriptedServer) -> None:
    server.says(FILESETS, Reply(body={}))
    server.says(ADAPTERS, Reply(body={}))
    server.says("PUT /apis/files/v2/workspaces/w/filesets/a/-/config.json", Reply(body={}))


def registered(sdk: NeMoPlatform, model_server: ModelServer) -> str:
    return register(sdk, "w", SPEC, served_as="m", weights=model_server.adapter_files("m"))


def test_a_server_that_hands_out_no_files_has_an_adapter_all_the_same(
    server: ScriptedServer, model_server: ModelServer, sdk: NeMoPlatform
) -> None:
    assert registered(sdk, model_server) == "w/a"
    assert len(server.bodies(ADAPTERS)) == 1


def test_a_server_that_fails_half_way_has_not_handed_out_an_adapter(
    server: ScriptedServer, model_server: ModelServer, sdk: NeMoPlatform
) -> None:
    server.says(FILES, Reply(body={"data": [{"name": "config.json"}, {"name": "weights"}]}))
    server.says(f"{FILES}/config.json", Reply(body={}))
    server.says(f"{FILES}/weights", Reply(503))

    with pytest.raises(UnreachableError):
        registered(sdk, model_server)

    assert server.bodies(ADAPTERS) == []
