"""Fine-tuned models: a row here, weights in ``adapters/<job id>/``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model_server.store.database import Database
from model_server.store.home import Home, remove


@dataclass(frozen=True)
class Adapter:
    model: str
    base: str
    folder: Path
    created_at: int


class AdapterStore:
    def __init__(self, database: Database, home: Home) -> None:
        self._database = database
        self._home = home

    def all(self) -> list[Adapter]:
        rows = self._database.rows("SELECT * FROM adapters ORDER BY created_at, model")
        return [
            Adapter(row["model"], row["base"], self._home.adapters / row["job_id"], row["created_at"])
            for row in rows
        ]

    def get(self, model: str) -> Adapter | None:
        return next((adapter for adapter in self.all() if adapter.model == model), None)

    def job_ids(self) -> set[str]:
        return {row["job_id"] for row in self._database.rows("SELECT job_id FROM adapters")}

    def delete(self, adapter: Adapter) -> None:
        """Row first: a crash between the two leaves a folder that the next start removes."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM adapters WHERE model = ?", (adapter.model,))
        remove(adapter.folder)
