from __future__ import annotations

import json
from pathlib import Path

from nemo_platform_plugin.job_context import JobContext, StoragePaths
from nemo_platform_plugin.job_results import LocalJobResults
from scripted_server import Reply, ScriptedServer

from flywheel_nemo_peft.model_server import ModelServer
from flywheel_nemo_peft.set_aside import publish

ROW = {"line": 9, "code": "row_too_long", "message": "5,305 tokens"}
PATH = "GET /v1/fine_tuning/jobs/j/set_aside"


def context(tmp_path: Path) -> JobContext:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    results = LocalJobResults(tmp_path / "results")
    return JobContext(workspace="w", storage=StoragePaths(ephemeral=scratch), results=results, job_id="j")


def test_the_rows_are_a_result_of_the_job(
    server: ScriptedServer, model_server: ModelServer, tmp_path: Path
) -> None:
    files = {
        "training_file": {"rows": 9, "set_aside": [ROW]},
        "validation_file": {"rows": 2, "set_aside": []},
    }
    server.says(PATH, Reply(body={"files": files}))

    publish(model_server, "j", context(tmp_path))

    [laid_down] = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert json.loads(laid_down.read_text()) == {"files": files}


def test_nothing_is_laid_down_where_every_row_fits(
    server: ScriptedServer, model_server: ModelServer, tmp_path: Path
) -> None:
    server.says(PATH, Reply(body={"files": {"training_file": {"rows": 9, "set_aside": []}}}))

    publish(model_server, "j", context(tmp_path))

    assert [path for path in (tmp_path / "results").rglob("*") if path.is_file()] == []
