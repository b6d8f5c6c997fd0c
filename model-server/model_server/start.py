"""Builds the services, after setting right what a crash may have left."""

from __future__ import annotations

from model_server.api.services import Services
from model_server.serving.engine import Engine
from model_server.settings import Settings
from model_server.store.adapters import AdapterStore
from model_server.store.database import Database
from model_server.store.files import FileStore
from model_server.store.home import Home
from model_server.store.jobs import JobStore
from model_server.training.supervisor import Supervisor, TrainerSettings


def build_services(settings: Settings) -> Services:
    home = Home(settings.home)
    database = Database(home.database)
    jobs = JobStore(database)
    files = FileStore(database, home)
    adapters = AdapterStore(database, home)
    home.remove_leftovers(jobs.open_ids(), adapters.job_ids())
    files.remove_orphans()
    engine = Engine(
        settings.models,
        settings.device,
        settings.threads,
        prefix_cache_bytes=settings.prefix_cache_mb * 1_000_000,
        folder_of=adapters.folder_of,
    )
    supervisor = Supervisor(
        home,
        jobs,
        adapters,
        TrainerSettings(settings.threads, settings.org, settings.standby, settings.checkpoint_seconds),
        engine.device,
        lambda name: engine.sources[name],
        engine.attest,
    )
    return Services(settings, home, database, files, jobs, adapters, engine, supervisor)
