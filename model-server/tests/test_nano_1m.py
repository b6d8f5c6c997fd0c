"""The shipped model starts, answers and learns. Skipped where it has not been trained yet."""

from __future__ import annotations

import pytest
from rows import tool_row
from server_process import ServerProcess

from model_server.settings import BUNDLED_MODELS

FOLDER = BUNDLED_MODELS / "nano-1m"


@pytest.mark.skipif(not (FOLDER / "config.json").exists(), reason="models/nano-1m is not there")
def test_nano_1m_serves_trains_and_serves_its_adapter(server: ServerProcess) -> None:
    row = tool_row("please pay Ann", "pay", {"to": "Ann"})
    request = {"messages": row["messages"][:1], "tools": row["tools"], "temperature": 0, "max_tokens": 32}

    base = server.client.chat.completions.create(model="nano-1m", **request)
    job = server.create_job(
        server.upload([row] * 16), model="nano-1m", hyper={"n_epochs": 4, "learning_rate": 3e-3}
    )
    done = server.wait(job.id)

    assert base.choices[0].message.content or base.choices[0].message.tool_calls
    assert done.status == "succeeded", done.error
    tuned = server.client.chat.completions.create(model=done.fine_tuned_model, **request)
    assert tuned.usage.prompt_tokens == base.usage.prompt_tokens
    assert tuned.choices[0].message.tool_calls[0].function.name == "pay"
