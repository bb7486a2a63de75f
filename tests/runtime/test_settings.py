"""A wrong setting is an error that names its line, or its variable, and what to write."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.settings import load_settings, settings_schema


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "recon.yaml"
    file.write_text(text)
    return file


def test_without_anything_the_defaults_are_in_force() -> None:
    settings = load_settings(None, {})
    assert settings.log.kind == "postgres"
    assert settings.publisher.lease_seconds == 15
    assert settings.telemetry.host == "127.0.0.1"


def test_options_go_before_the_environment_before_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "worker: {batch_records_max: 1, watchdog_seconds: 11}\n")
    environment = {"RECON__WORKER__BATCH_RECORDS_MAX": "2", "HOME": "/"}
    settings = load_settings(file, environment, {"worker.stop_deadline_seconds": 3})
    assert settings.worker.batch_records_max == 2
    assert settings.worker.watchdog_seconds == 11
    origins = {name: origin for name, _, origin in settings.rows()}
    assert origins["worker.batch_records_max"] == "RECON__WORKER__BATCH_RECORDS_MAX"
    assert origins["worker.watchdog_seconds"] == "recon.yaml"
    assert origins["worker.stop_deadline_seconds"] == "an option"
    assert origins["log.kind"] == "default"


def test_an_unknown_key_is_shown_where_it_stands(tmp_path: Path) -> None:
    file = written(tmp_path, "worker:\n  batch_recrods_max: 100\n")
    with pytest.raises(ConfigurationInvalid) as caught:
        load_settings(file, {})
    assert caught.value.render() == (
        "recon.yaml:2:3  error  worker.batch_recrods_max: "
        "unknown key, did you mean batch_records_max?\n"
        "   1 | worker:\n"
        "   2 |   batch_recrods_max: 100\n"
        "     |   ^^^^^^^^^^^^^^^^^\n"
        "1 error"
    )


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("wroker: {}\n", {}, "recon.yaml:1:1  error  wroker: unknown key, did you mean worker?"),
        ("worker: 1\n", {}, "recon.yaml:1:9  error  worker: write a block"),
        ("worker: {watchdog_seconds: soon}\n", {}, "worker.watchdog_seconds: Input should be a"),
        ("publisher: {renew_seconds: 9}\n", {}, "at most a third of lease_seconds"),
        ("log: {kind: kafka}\n", {}, "log.bootstrap_servers: kafka needs host:port"),
        (
            "log: {kind: kafka, bootstrap_servers: broker:9092}\n",
            {},
            "log.security_protocol: PLAINTEXT leaves the machine unprotected",
        ),
        ("", {"RECON__WORKER__WATCHDOG": "9"}, "RECON__WORKER__WATCHDOG  error  worker.watchdog"),
        ("", {"RECON__WORKER__WATCHDOG_SECONDS": "1"}, "RECON__WORKER__WATCHDOG_SECONDS  error"),
        ("database: {dsn: a, dsn_file: b}\n", {}, "give dsn or dsn_file, not both"),
        ("a: [\n", {}, "recon.yaml:2:1  error  not YAML"),
        ("a: !!python/object:os.system x\n", {}, "tags, anchors and aliases are not allowed"),
    ],
)
def test_what_cannot_be_is_named(
    tmp_path: Path, text: str, environment: dict[str, str], expected: str
) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        load_settings(written(tmp_path, text), environment)
    assert expected in caught.value.render()


def test_a_file_that_is_missing_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        load_settings(tmp_path / "nowhere.yaml", {})
    assert "nowhere.yaml  error  the file cannot be read: No such file" in caught.value.render()
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationInvalid) as caught:
        load_settings(binary, {})
    assert "is not UTF-8" in caught.value.render()


def test_a_secret_is_never_shown() -> None:
    settings = load_settings(None, {}, {"database.dsn": "postgresql://u:hush@h/d"})
    assert "hush" not in repr(settings)
    assert all("hush" not in value for _, value, _ in settings.rows())


def test_the_schema_names_every_section() -> None:
    assert set(settings_schema()["properties"]) >= {"log", "database", "worker", "publisher"}


@given(st.text(max_size=120))
def test_no_text_escapes_with_anything_but_a_clear_error(text: str) -> None:
    from recon_streams.runtime.yaml_source import parse_yaml  # noqa: PLC0415 - beside its use

    with suppress(ConfigurationInvalid):
        parse_yaml("recon.yaml", text)
