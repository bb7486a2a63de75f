"""What is wrong in settings is told by its place, without a secret and without a riddle."""

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from settings_files import loaded, only_clear_errors, refusal

from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.settings import load_settings

DEFAULTS = files("config").joinpath("defaults.yaml").read_text("utf-8")
SECRET = "postgresql://recon:geheim@db/recon"


@pytest.mark.parametrize(
    "text",
    [
        "database:\n  dsn: {secret}\n  pool: 1\n",
        "database: {{dsn: {secret}\n",
        "database: {{dsn: {secret}, dsn: {secret}}}\n",
        "database:\n  dsn: {secret}\n dsn_file: x\n",
        "database:\n  dsn:\n    {secret}\n  pool: 1\n",
        "database: dsn={secret}\n",
        "{secret}: 1\n",
        "redis:\n  url: redis://:geheim@cache\n  ulr: 1\n",
        "redis:\n  url: [redis://:geheim@cache]\n",
        "log:\n  sasl_password: geheim\n  sasl_passwort: geheim\n  kind: 1\n",
        "redis: {{url: 'redis://:geheim@cache', ulr: 1}}\n",
        "database:\n  dsn: host=db password=geheim\n  pool_size_max: 0\n",
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, text: str) -> None:
    assert "geheim" not in refusal(tmp_path, text.format(secret=SECRET))


def test_an_error_is_shown_as_written_on_the_reference_page(tmp_path: Path) -> None:
    text = "log:\n  kind: postgres\n\n\nworker:\n  batch_recrods_max: 100\n"
    assert refusal(tmp_path, text) == (
        "recon.yaml:6:3  error  worker.batch_recrods_max: "
        "unknown key, did you mean batch_records_max?\n"
        "   5 | worker:\n"
        "   6 |   batch_recrods_max: 100\n"
        "     |   ^^^^^^^^^^^^^^^^^\n"
        "1 error"
    )


def test_colours_change_nothing_but_colours(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        loaded(tmp_path, "worker: {batch_records_max: 0}\n")
    coloured = caught.value.render(color=True)
    assert "\x1b[1;31merror\x1b[0m" in coloured
    plain = coloured.replace("\x1b[1;31m", "").replace("\x1b[0m", "")
    assert plain == caught.value.render()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wroker: {}\n", "recon.yaml:1:1  error  wroker: unknown key, did you mean worker?"),
        (
            "zzz: {}\n",
            "zzz: unknown key; known are alerts, breaker, ",
        ),
        # One person's own file lets nobody past two people.
        ("approvals: {required: false}\n", "approvals: unknown key"),
        ("worker: 5\n", "recon.yaml:1:9  error  worker: write a block of `key: value` lines"),
        (
            "worker: {batch_records_max: many}\n",
            "1:29  error  worker.batch_records_max: write a wh",
        ),
        ("worker: {batch_records_max: 0}\n", "worker.batch_records_max: not less than 1"),
        ("worker: {batch_records_max: 10001}\n", "worker.batch_records_max: not more than 10000"),
        ("worker: {batch_records_max: 1.5}\n", "worker.batch_records_max: write a whole number"),
        (
            "worker: {batch_records_max: true}\n",
            "worker.batch_records_max: this is not a yes or no",
        ),
        (
            "worker: {batch_records_max: 2026-11-20}\n",
            "worker.batch_records_max: write a whole num",
        ),
        ("worker: {fetch_wait_seconds: .nan}\n", "worker.fetch_wait_seconds: write a number"),
        ("worker: {fetch_wait_seconds: 0}\n", "worker.fetch_wait_seconds: more than 0"),
        ("worker: {fetch_wait_seconds: null}\n", "worker.fetch_wait_seconds: write a number"),
        ("log: {group_id: 1.5}\n", "recon.yaml:1:17  error  log.group_id: write text; in quotes"),
        ("log: {group_id: ''}\n", "log.group_id: write something, it is empty"),
        ("log: {group_id: [a]}\n", "log.group_id: write text"),
        ("log: {kind: kafak}\n", "log.kind: write 'postgres' or 'kafka'"),
        ("log: {kind: kafka}\n", "1:13  error  log.kind: kafka needs host:port of some brokers"),
        ("log: {kind: kafka, bootstrap_servers: ' , '}\n", "log.bootstrap_servers: kafka needs"),
        ("limits: {validate_schema: perhaps}\n", "limits.validate_schema: write true or false"),
        ("database: {dsn: a, dsn_file: b}\n", "database.dsn_file: give dsn or dsn_file, not both"),
        (
            "publisher: {lease_seconds: 6}\n",
            "1:28  error  publisher.lease_seconds: at most a third",
        ),
        (
            "log: {bootstrap_servers: 'localhost:1'}\ntopics: {replication_factor: 1}\n",
            "2:30  error  topics.replication_factor: min_insync_replicas is more than",
        ),
        (
            "log: {bootstrap_servers: 'h:1', security_protocol: SASL_SSL, sasl_username: u}\n",
            "log.security_protocol: SASL_SSL needs log.sasl_password_file",
        ),
        ("log: &a {kind: kafka}\n", "recon.yaml:1:6  error  tags, anchors and aliases"),
        ("log: !x {kind: kafka}\n", "recon.yaml:1:6  error  tags, anchors and aliases"),
        ("log: *a\n", "recon.yaml:1:6  error  tags, anchors and aliases"),
        ("log: {<<: {kind: kafka}}\n", "recon.yaml:1:7  error  merge keys are not allowed"),
        ("%YAML 1.1\n---\nlog: {}\n", "recon.yaml:1:1  error  directives are not allowed"),
        ("log: {}\nlog: {}\n", "recon.yaml:2:1  error  the key stands twice in this block"),
        ("a: 1\n---\nb: 1\n", "not YAML: but found another document"),
        ("log:\n\tkind: kafka\n", "recon.yaml:2:1  error  a tab; indent with spaces"),
        ("null: {}\n", "recon.yaml:1:1  error  None: a key is text; write it in quotes"),
        ("1.5: {}\n", "1.5: a key is text"),
        ("log: {2026-11-20: x}\n", "a key is text"),
        ("? [a]\n: 1\n", "a key is text"),
        ("just text\n", "recon.yaml:1:1  error  write `key: value` lines at the top level"),
        ("- a\n", "recon.yaml:1:1  error  write `key: value` lines at the top level"),
        ("a: \x00\n", "recon.yaml:1:4  error  the character U+0000 is not allowed"),
        ("a: [" * 3000, "too deep"),
        ("a: " + "9" * 5000, "not YAML: some value cannot be read"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_its_place(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert expected in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("servers", "is_safe"),
    [
        ("localhost:9092", True),
        ("127.0.0.1:9092, LOCALHOST", True),
        ("[::1]:9092", True),
        ("::1", True),
        ("127.0.0.1.example.org:9092", False),
        ("localhost.example.org:9092", False),
        ("localhost:9092,kafka:9092", False),
        ("[2001:db8::1]:9092", False),
        ("10.0.0.1:9092", False),
    ],
)
def test_records_leave_the_machine_unprotected_only_if_somebody_says_so(
    tmp_path: Path, servers: str, *, is_safe: bool
) -> None:
    flags = {"log.bootstrap_servers": servers}
    if not is_safe:
        shown = refusal(tmp_path, "", {}, flags)
        assert shown.startswith("option log.bootstrap_servers  error  log.bootstrap_servers: PLAIN")
        flags["log.insecure_dev"] = "true"
    assert loaded(tmp_path, "", {}, flags).log.kind == "kafka"


def test_variables_and_options_are_named_instead_of_lines(tmp_path: Path) -> None:
    environment = {
        "RECON__LOG__KNID": "kafka",
        "RECON__WORKER__WATCHDOG_SECONDS": "soon",
        "RECON__NOTHING": "1",
    }
    shown = refusal(tmp_path, "", environment, {"telemetry.prot": 1})
    assert "RECON__LOG__KNID  error  log.knid: unknown key, did you mean log.kind?" in shown
    assert "RECON__WORKER__WATCHDOG_SECONDS  error  worker.watchdog_seconds: write a whole" in shown
    assert "RECON__NOTHING  error  nothing: unknown key" in shown
    expected = "option telemetry.prot  error  telemetry.prot: unknown key, did you mean"
    assert f"{expected} telemetry.port?" in shown
    assert shown.endswith("4 errors")


def test_a_file_that_cannot_be_read_is_an_error_that_says_why(tmp_path: Path) -> None:
    for path, expected in [
        (tmp_path / "missing.yaml", "No such file"),
        (tmp_path, "Is a directory"),
        (Path("a\0b"), "null byte"),
    ]:
        with pytest.raises(ConfigurationInvalid, match="1 error") as caught:
            load_settings(path, {})
        assert expected in caught.value.render()
    (tmp_path / "binary").write_bytes(b"log: \xff\xfe geheim")
    with pytest.raises(ConfigurationInvalid) as caught:
        load_settings(tmp_path / "binary", {})
    assert "byte 5 is not UTF-8" in caught.value.render()
    assert caught.value.__cause__ is None


def test_an_endless_file_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        load_settings(Path("/dev/zero"), {})
    assert "is larger than 16000000 bytes" in caught.value.render()


def test_a_line_of_a_machine_is_cut_where_it_matters(tmp_path: Path) -> None:
    text = "log: {sasl_username: " + "a" * 5000 + ", knid: x}\n"
    shown = refusal(tmp_path, text)
    assert len(shown) < 1000
    line, caret = shown.splitlines()[1:3]
    assert line[caret.index("^") :].startswith("knid")


def test_what_would_move_a_cursor_is_not_printed(tmp_path: Path) -> None:
    shown = refusal(tmp_path, 'log: {"\\e[2Jkind": x}\n')
    assert "\x1b" not in shown


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=200))
def test_no_text_is_read_with_anything_but_a_clear_error(tmp_path: Path, text: str) -> None:
    with only_clear_errors():
        loaded(tmp_path, text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_damaged_file_is_read_with_anything_but_a_clear_error(
    tmp_path: Path, data: st.DataObject
) -> None:
    lines = [line for line in DEFAULTS.splitlines(keepends=True) if "#" not in line]
    text = "".join(lines)
    at = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 12))
    strange = st.text(max_size=6) | st.sampled_from(
        [
            "[",
            "{",
            "? ",
            ": ",
            "- ",
            "1: ",
            "~: ",
            "<<: ",
            "&a ",
            "*a",
            "!!set ",
            "|",
            "\t",
            "---\n",
        ]
    )
    with only_clear_errors():
        loaded(tmp_path, text[:at] + data.draw(strange) + text[at + length :])


SCALARS = (
    *("null", "~", "true", "yes", "''", "'9'", "text", "2026-11-20", "2026-11-20T00:00:00Z"),
    *("1", "-1", "+1", "-0", "1_0", "0x1F", "0o17", "1.5", ".nan", ".inf", "1e400", "?"),
    *("[]", "{}", "[1]", "[[]]", "{a: 1}", "{a: [1]}"),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.sampled_from(sorted(load_settings(None, {}).origins)), scalar=st.sampled_from(SCALARS)
)
def test_no_value_in_any_place_is_read_with_anything_but_a_clear_error(
    tmp_path: Path, name: str, scalar: str
) -> None:
    section, key = name.split(".")
    text = f"{section}:\n  {key}: {scalar}\n"
    with only_clear_errors():
        loaded(tmp_path, text)
