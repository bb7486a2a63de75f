"""Settings mean what they say, and the last speaker wins."""

from pathlib import Path

import pytest
from settings_files import loaded

from recon_streams.runtime.settings import load_settings, settings_schema

SECRET = "postgresql://recon:geheim@db/recon"


def test_nothing_said_means_every_default() -> None:
    found = load_settings(None, {"HOME": "/", "RECON_DATA": "x"})
    assert found.log.kind == "postgres"
    assert found.worker.batch_records_max == 500
    assert found.limits.message_bytes_max == 50_000_000
    assert set(found.origins.values()) == {"default"}
    assert len(found.origins) == len(found.rows())


def test_options_go_before_the_environment_before_the_file_before_defaults(tmp_path: Path) -> None:
    text = "worker: {batch_records_max: 1, watchdog_seconds: 11, stop_deadline_seconds: 21}\n"
    environment = {"RECON__WORKER__BATCH_RECORDS_MAX": "2", "RECON__WORKER__WATCHDOG_SECONDS": "12"}
    found = loaded(tmp_path, text, environment, {"worker.batch_records_max": 3})
    worker = found.worker
    assert (worker.batch_records_max, worker.watchdog_seconds) == (3, 12)
    assert (worker.stop_deadline_seconds, worker.database_retry_seconds) == (21, 60)
    assert found.origins["worker.batch_records_max"] == "option worker.batch_records_max"
    assert found.origins["worker.watchdog_seconds"] == "RECON__WORKER__WATCHDOG_SECONDS"
    assert found.origins["worker.stop_deadline_seconds"] == "recon.yaml"
    assert found.origins["worker.database_retry_seconds"] == "default"


def test_brokers_imply_kafka_unless_the_kind_is_said(tmp_path: Path) -> None:
    servers = {"RECON__LOG__BOOTSTRAP_SERVERS": "localhost:9092"}
    found = loaded(tmp_path, "", servers)
    assert found.log.kind == "kafka"
    assert found.origins["log.kind"] == "log.bootstrap_servers of RECON__LOG__BOOTSTRAP_SERVERS"
    assert loaded(tmp_path, "log: {kind: postgres}\n", servers).log.kind == "postgres"


def test_topics_have_three_copies_on_kafka_and_one_in_postgres(tmp_path: Path) -> None:
    copies = loaded(tmp_path, "log: {bootstrap_servers: '127.0.0.1:9092'}\n").topics
    assert (copies.replication_factor, copies.min_insync_replicas) == (3, 2)
    copies = loaded(tmp_path, "").topics
    assert (copies.replication_factor, copies.min_insync_replicas) == (1, 1)


def test_an_empty_variable_and_an_empty_section_say_nothing(tmp_path: Path) -> None:
    found = loaded(tmp_path, "worker:\n  # later\n", {"RECON__REDIS__URL": ""})
    assert found.redis.url is None
    assert found.origins["redis.url"] == "default"


def test_a_later_address_of_the_book_replaces_an_earlier_one(tmp_path: Path) -> None:
    found = loaded(tmp_path, "database: {dsn_file: /run/dsn}\n", {}, {"database.dsn": SECRET})
    assert found.database.dsn_file is None
    found = loaded(
        tmp_path, f"database: {{dsn: '{SECRET}'}}\n", {"RECON__DATABASE__DSN_FILE": "/x"}
    )
    assert found.database.dsn is None


def test_a_frozen_setting_is_not_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings(None, {}).worker.batch_records_max = 1


def test_neither_the_settings_nor_their_rows_show_a_secret(tmp_path: Path) -> None:
    found = loaded(tmp_path, "", {"RECON__DATABASE__DSN": SECRET, "RECON__REDIS__URL": SECRET})
    assert found.database.dsn is not None
    assert found.database.dsn.get_secret_value() == SECRET
    assert "geheim" not in f"{found!r} {found} {found.rows()} {found.model_dump_json()}"


def test_the_schema_requires_nothing_and_names_every_default() -> None:
    schema = settings_schema()
    assert "required" not in schema
    worker = schema["$defs"]["WorkerSettings"]
    assert "required" not in worker
    assert worker["properties"]["batch_records_max"]["default"] == 500
    assert worker["additionalProperties"] is False
