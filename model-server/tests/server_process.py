"""A real server process on a port of its own, and the official client for it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import openai

TERMINAL = {"succeeded", "failed", "cancelled"}


class ServerProcess:
    def __init__(self, home: Path, models: dict[str, Path], *flags: str) -> None:
        command = [
            sys.executable,
            "-m",
            "model_server",
            "--port",
            "0",
            "--home",
            str(home),
            "--device",
            "cpu",
        ]
        for name, folder in models.items():
            command += ["--model", f"{name}={folder}"]
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self._log = (home / "server.log").open("ab")
        self.process = subprocess.Popen(
            [*command, *flags], stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self.process.stdout is not None
        first_line = self.process.stdout.readline()
        assert "http://" in first_line, (home / "server.log").read_text()
        self.url = first_line.split("http://")[1].split()[0].join(["http://", ""])
        self.client = openai.OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0, timeout=120)
        self._wait_healthy()

    def _wait_healthy(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.health()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.home / "server.log").read_text())

    def health(self) -> dict[str, Any]:
        return self.get("/health")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:  # noqa: S310
            return json.load(reply)

    def upload(self, rows: list[dict[str, Any]] | str | bytes, purpose: str = "fine-tune") -> str:
        content = rows if isinstance(rows, (str, bytes)) else "\n".join(json.dumps(row) for row in rows)
        content = content.encode() if isinstance(content, str) else content
        return self.client.files.create(file=("rows.jsonl", content), purpose=purpose).id  # type: ignore[arg-type]

    def create_job(self, file_id: str, *, model: str = "tiny", key: str | None = None, **wanted: Any) -> Any:
        hyperparameters = {"n_epochs": 1, "batch_size": 4, "learning_rate": 1e-2} | wanted.pop("hyper", {})
        headers = {"Idempotency-Key": key} if key else None
        return self.client.fine_tuning.jobs.create(
            model=model,
            training_file=file_id,
            method={"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
            extra_headers=headers,
            **wanted,
        )

    def wait(self, job_id: str, *, until: set[str] = TERMINAL, seconds: float = 600) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self.client.fine_tuning.jobs.retrieve(job_id)
            if job.status in until or job.status in TERMINAL:
                return job
            time.sleep(0.1)
        raise AssertionError(f"{job_id} is still {job.status}")

    def wait_for_metrics(self, job_id: str, seconds: float = 600) -> None:
        """Until the trainer has made its first steps."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            events = self.client.fine_tuning.jobs.list_events(job_id).data
            if any(event.type == "metrics" for event in events):
                return
            time.sleep(0.1)
        raise AssertionError(f"{job_id} makes no steps: {(self.home / 'logs' / 'trainer.log').read_text()}")

    def wait_for_event(self, job_id: str, text: str, seconds: float = 600) -> str:
        """The first event whose message holds the text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.client.fine_tuning.jobs.list_events(job_id, limit=100).data:
                if text in event.message:
                    return event.message
            time.sleep(0.1)
        raise AssertionError(f"{job_id} has no event with '{text}'")

    def trainers(self) -> list[int]:
        """The trainer process, and the job that runs in a fork of it."""
        found = _children(self.process.pid)
        return found + [grandchild for pid in found for grandchild in _children(pid)]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self._log.close()
        return status


def _children(pid: int) -> list[int]:
    command = ["ps", "-o", "pid=", "--ppid", str(pid)]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(line) for line in listing.stdout.split()]
