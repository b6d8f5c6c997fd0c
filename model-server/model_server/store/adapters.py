"""Fine-tuned models: a row here, weights in ``adapters/<job id>/``. An unloaded one is kept, but not listed."""

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
    # None: made by a server that did not attest yet.
    attested_at: int | None
    unloaded: bool


class AdapterStore:
    def __init__(self, database: Database, home: Home) -> None:
        self._database = database
        self._home = home

    def all(self) -> list[Adapter]:
        rows = self._database.rows("SELECT * FROM adapters ORDER BY created_at, model")
        return [
            Adapter(
                row["model"],
                row["base"],
                self._home.adapters / row["job_id"],
                row["created_at"],
                row["attested_at"],
                bool(row["unloaded"]),
            )
            for row in rows
        ]

    def get(self, model: str) -> Adapter | None:
        return next((adapter for adapter in self.all() if adapter.model == model), None)

    def folder_of(self, model: str) -> Path:
        """Raises KeyError when there is no such adapter (any more)."""
        adapter = self.get(model)
        if adapter is None:
            raise KeyError(model)
        return adapter.folder

    def job_ids(self) -> set[str]:
        return {row["job_id"] for row in self._database.rows("SELECT job_id FROM adapters")}

    def set_unloaded(self, model: str, *, unloaded: bool) -> None:
        with self._database.transaction() as connection:
            connection.execute("UPDATE adapters SET unloaded = ? WHERE model = ?", (int(unloaded), model))

    def delete(self, adapter: Adapter) -> None:
        """Row first: a crash between the two leaves a folder that the next start removes."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM adapters WHERE model = ?", (adapter.model,))
        remove(adapter.folder)
