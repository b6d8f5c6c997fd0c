from __future__ import annotations

import httpx
import pytest
from nemo_platform import NeMoPlatform, NotFoundError
from scripted_server import Reply, ScriptedServer

from flywheel_nemo_peft import patience
from flywheel_nemo_peft.errors import UnreachableError
from flywheel_nemo_peft.patience import patiently


def test_a_platform_that_comes_back_is_waited_for(server: ScriptedServer, sdk: NeMoPlatform) -> None:
    server.says("GET /x", Reply(503), Reply(409), Reply(body={"n": 1}))

    assert patiently("answer", lambda: sdk.get("/x", cast_to=httpx.Response).json()) == {"n": 1}


def test_one_that_stays_away_is_not(
    server: ScriptedServer, sdk: NeMoPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SILENCE_S", 0.0)
    server.says("GET /x", Reply(503))

    with pytest.raises(UnreachableError, match="asked to answer"):
        patiently("answer", lambda: sdk.get("/x", cast_to=httpx.Response))


def test_a_refusal_is_not_repeated(server: ScriptedServer, sdk: NeMoPlatform) -> None:
    with pytest.raises(NotFoundError):
        patiently("answer", lambda: sdk.get("/x", cast_to=httpx.Response))

    assert len(server.bodies("GET /x")) == 1
