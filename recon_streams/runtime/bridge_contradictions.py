"""Where alerts may be sent, and what settings of sinks may not be together. Pure."""

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from recon_streams.runtime.contradictions import Contradiction, is_loopback
from recon_streams.runtime.sections import BridgeSettings


def is_public(address: str) -> bool:
    """Return whether `address` is on the internet, also where IPv4 is written as IPv6.

    Raises:
        ValueError: It is no address.
    """
    found = ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    found = mapped or found
    return found.is_global and not found.is_multicast


def forbids(url: str, *, private: bool, plain: bool = False) -> str | None:
    """Return why nothing may be sent to `url`; None if it may.

    Args:
        url: As somebody wrote it.
        private: Whether addresses of a private network are allowed.
        plain: Whether it may be read on its way.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    host = parts.hostname
    if not host or parts.scheme not in {"http", "https"}:
        return "write https://host/path"
    if parts.username or parts.password:
        return "an address holds no secret: use the file for it"
    if is_loopback(host):
        return None
    if parts.scheme == "http" and not plain:
        return "only https leaves this machine"
    is_safe = private or not _is_private(host)
    return None if is_safe else "this is an address of a private network"


def _is_private(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:
        return False  # a name; it is looked at when it is resolved


def bridge_contradictions(bridges: BridgeSettings) -> Iterator[Contradiction]:
    """Yield where alerts would leave the machine unprotected, unsigned, or not at all."""
    # Whoever reads them on the way learns little; a token must not be read.
    plain = bridges.alertmanager_token_file is None
    whys = {
        "bridges.alertmanager_url": bridges.alertmanager_url
        and forbids(bridges.alertmanager_url, private=True, plain=plain),
        "bridges.pagerduty_url": forbids(bridges.pagerduty_url, private=True),
        "bridges.webhook_url": bridges.webhook_url
        and forbids(bridges.webhook_url, private=bridges.webhook_private_network),
    }
    yield from (((name,), why) for name, why in whys.items() if why)
    if bridges.webhook_url is not None and bridges.webhook_secret_file is None:
        names = ("bridges.webhook_secret_file", "bridges.webhook_url")
        yield names, "a webhook is signed: name the file with its secret"
    if bridges.smtp_host is not None:
        yield from _mail_contradictions(bridges, bridges.smtp_host)


def _mail_contradictions(bridges: BridgeSettings, host: str) -> Iterator[Contradiction]:
    if not bridges.mail_to or not bridges.mail_from:
        yield ("bridges.mail_to", "bridges.smtp_host"), "say mail_from and mail_to"
    if bridges.smtp_security == "none" and not is_loopback(host):
        names = ("bridges.smtp_security", "bridges.smtp_host")
        yield names, "mail leaves this machine with starttls or tls"
