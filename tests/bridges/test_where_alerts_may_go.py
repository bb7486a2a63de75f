"""An address of ours is not turned against what stands beside us, and no secret is shown."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

from recon_streams.bridges.http import Post, PrivateAddress, PublicResolver, answer_of
from recon_streams.bridges.schedule import LONGEST_SECONDS, wait_seconds
from recon_streams.bridges.sink import Outcome
from recon_streams.bridges.sinks import make_sinks
from recon_streams.runtime.bridge_contradictions import forbids, is_public
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.settings import load_settings


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x",
        "https://10.1.2.3/x",
        "https://169.254.169.254/latest",
        "https://[::ffff:192.168.0.1]/x",
        "https://[fd00::1]/x",
        "https://user:secret@hooks.example/x",
        "ftp://hooks.example/x",
        "https:///x",
        "https://[",
        "hooks.example",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
    ],
)
def test_nothing_is_sent_there(url: str) -> None:
    assert forbids(url, private=False) is not None


@pytest.mark.parametrize(
    "url", ["https://hooks.example/x", "http://127.0.0.1:8080/x", "http://localhost/x",
            "https://8.8.8.8/x", "http://[::1]/"],
)  # fmt: skip
def test_something_may_be_sent_there(url: str) -> None:
    assert forbids(url, private=False) is None


def test_an_address_is_the_same_in_either_spelling() -> None:
    assert not is_public("::ffff:10.0.0.1")
    assert is_public("::ffff:8.8.8.8")
    assert not is_public("fe80::1%eth0")


class Names(AbstractResolver):
    """Answers with what it was made with."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    @override
    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in self.addresses
        ]

    @override
    async def close(self) -> None:
        pass


async def test_a_name_that_leads_into_a_private_network_is_not_connected_to() -> None:
    assert await PublicResolver(Names("8.8.8.8")).resolve("a")
    for addresses in (("10.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("::ffff:10.0.0.1",)):
        with pytest.raises(PrivateAddress):
            await PublicResolver(Names(*addresses)).resolve("a")


async def test_such_a_name_is_an_answer_like_any_other() -> None:
    post = Post("https://localhost.localdomain:1/x", timeout_seconds=2, private=False)
    answer = await post.send(b"{}")
    await post.close()
    assert answer.outcome is Outcome.LATER


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.SENT), (202, Outcome.SENT), (204, Outcome.SENT),
        (301, Outcome.LATER), (307, Outcome.LATER), (401, Outcome.LATER), (403, Outcome.LATER),
        (404, Outcome.LATER), (408, Outcome.LATER), (429, Outcome.LATER), (500, Outcome.LATER),
        (400, Outcome.PARKED), (413, Outcome.PARKED), (422, Outcome.PARKED),
        (410, Outcome.DISABLED),
    ],
)  # fmt: skip
def test_a_status_says_what_becomes_of_a_message(status: int, outcome: Outcome) -> None:
    assert answer_of(status).outcome is outcome


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("-1", 0.0), ("100000", 300.0), ("nan", None), ("soon", None),
     ("Sat, 21 Nov 2020 08:00:00 GMT", 0.0), (None, None), ("inf", 300.0)],
)  # fmt: skip
def test_a_sink_may_ask_to_be_left_alone_within_a_bound(
    said: str | None, seconds: float | None
) -> None:
    assert answer_of(429, said).wait_seconds == seconds


def test_waits_grow_to_a_bound_and_differ() -> None:
    for failures in range(1, 100):
        shortest, longest = wait_seconds(failures, 0.0), wait_seconds(failures, 1.0)
        assert longest == 2 * shortest
        assert 0.5 <= shortest <= longest <= LONGEST_SECONDS
    assert wait_seconds(1, 1.0) == 1.0
    assert wait_seconds(50, 1.0) == LONGEST_SECONDS


def _settings(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "recon.yaml"
    path.write_text(f"bridges:\n{text}")
    return load_settings(path, {}).bridges


def test_what_is_not_set_is_not_there(tmp_path: Path) -> None:
    assert make_sinks(_settings(tmp_path, "  runbooks_url: https://a.example\n")) == []


def test_every_sink_is_made_of_its_settings(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("r0ut1ng\n")
    (tmp_path / "hook").write_text(f"whsec_{'b2xkc2VjcmV0' * 3}\nwhsec_{'bmV3c2VjcmV0' * 3}\n")
    sinks = make_sinks(
        _settings(
            tmp_path,
            "  alertmanager_url: http://127.0.0.1:9093/\n"
            f"  pagerduty_routing_key_file: {tmp_path / 'key'}\n"
            "  webhook_url: https://hooks.example/x\n"
            f"  webhook_secret_file: {tmp_path / 'hook'}\n"
            "  smtp_host: mail.example\n  mail_from: a@b.example\n"
            "  mail_to: c@d.example, e@f.example\n",
        )
    )
    assert [each.name for each in sinks] == ["alertmanager", "pagerduty", "webhook", "mail"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  webhook_url: http://hooks.example/x\n  webhook_secret_file: x\n", "only https"),
        ("  webhook_url: https://hooks.example/x\n", "a webhook is signed"),
        ("  webhook_url: https://10.0.0.1/x\n  webhook_secret_file: x\n", "private network"),
        ("  smtp_host: mail.example\n", "say mail_from and mail_to"),
        (
            "  smtp_host: mail.example\n  smtp_security: none\n  mail_to: a@b\n  mail_from: a@b\n",
            "starttls or tls",
        ),
        ("  mail_severities: worst\n", "mail_severities"),
        (
            "  alertmanager_url: http://alertmanager:9093\n  alertmanager_token_file: x\n",
            "only https",
        ),
    ],
)
def test_settings_that_would_leave_alerts_unprotected_are_refused(
    tmp_path: Path, text: str, expected: str
) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        _settings(tmp_path, text)
    assert expected in caught.value.render(color=False)


@pytest.mark.parametrize(
    "text", ["not-a-s3cret-at-all!!", "whsec_s3cret", "whsec_%s3cret%", "whsec_"]
)
def test_a_secret_that_is_none_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "hook").write_text(f"{text}\n")
    settings = _settings(
        tmp_path,
        f"  webhook_url: https://hooks.example/x\n  webhook_secret_file: {tmp_path / 'hook'}\n",
    )
    with pytest.raises(ConfigurationInvalid) as caught:
        make_sinks(settings)
    assert "s3cret" not in caught.value.render(color=False)
