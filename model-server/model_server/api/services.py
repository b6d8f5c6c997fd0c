"""What the routes work with, built once at start."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import cast

from fastapi import Request

from model_server.errors import model_not_found
from model_server.serving.engine import Engine
from model_server.settings import Settings
from model_server.store.adapters import Adapter, AdapterStore
from model_server.store.database import Database
from model_server.store.files import FileStore
from model_server.store.home import Home
from model_server.store.jobs import JobStore
from model_server.training.supervisor import Supervisor


@dataclass(frozen=True)
class Services:
    settings: Settings
    home: Home
    database: Database
    files: FileStore
    jobs: JobStore
    adapters: AdapterStore
    engine: Engine
    supervisor: Supervisor
    # Held while a job's rows are encoded.
    creating: threading.Lock = field(default_factory=threading.Lock)

    def known_models(self) -> list[str]:
        return [*self.engine.sources, *(adapter.model for adapter in self.served_adapters())]

    def served_adapters(self) -> list[Adapter]:
        """Adapters of a base that this server does not have now, and unloaded ones, are kept, but not served."""
        return [adapter for adapter in self.loadable_adapters() if not adapter.unloaded]

    def loadable_adapters(self) -> list[Adapter]:
        return [adapter for adapter in self.adapters.all() if adapter.base in self.engine.sources]

    def find_model(self, name: str) -> tuple[str, Adapter | None]:
        """(base, adapter or None) for a model's name; ApiError 404 when there is none."""
        if name in self.engine.sources:
            return name, None
        adapter = next((adapter for adapter in self.served_adapters() if adapter.model == name), None)
        if adapter is None:
            raise model_not_found(name, self.known_models())
        return adapter.base, adapter


def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)
