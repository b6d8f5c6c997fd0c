from pathlib import Path

import pytest

from model_server.errors import StartError
from model_server.store import database
from model_server.store.database import MIGRATIONS, Database


def test_a_state_of_the_first_version_keeps_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as first:
        first.setattr(database, "MIGRATIONS", MIGRATIONS[:1])
        first.setattr(database, "SCHEMA_VERSION", 1)
        old = Database(tmp_path / "state.db")
        with old.transaction() as connection:
            connection.execute(
                "INSERT INTO adapters (model, base, job_id, created_at) VALUES ('a', 'b', 'j', 1)"
            )
        old.close()

    new = Database(tmp_path / "state.db")

    (row,) = new.rows("SELECT * FROM adapters")
    assert (row["model"], row["attested_at"], row["unloaded"]) == ("a", None, 0)
    new.close()


def test_a_newer_state_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Database(tmp_path / "state.db").close()
    monkeypatch.setattr(database, "SCHEMA_VERSION", 1)

    with pytest.raises(StartError, match="newer server"):
        Database(tmp_path / "state.db")
