"""What each setting alone may be, but not together with the others. Pure."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from recon_streams.runtime.sections import DatabaseSettings, IdentitySettings, LogSettings

_RENEWALS_MIN: Final = 3

# The settings a contradiction is between, and what to write. It is shown at the first of them
# that somebody wrote, as nobody can repair a default.
Contradiction = tuple[tuple[str, ...], str]


def log_contradictions(log: LogSettings) -> Iterator[Contradiction]:
    """Yield what the settings of a Kafka log leave open or unprotected."""
    if log.kind != "kafka":
        return
    hosts = [host for server in log.bootstrap_servers.split(",") if (host := _host_of(server))]
    if not hosts:
        names = ("log.bootstrap_servers", "log.kind")
        yield names, "kafka needs host:port of some brokers"
    if log.security_protocol == "PLAINTEXT" and not log.insecure_dev:
        away = next((host for host in hosts if not is_loopback(host)), None)
        if away is not None:
            names = ("log.security_protocol", "log.bootstrap_servers")
            message = (
                f"PLAINTEXT to {away} leaves the machine unprotected; "
                "write SASL_SSL or SSL, or insecure_dev: true"
            )
            yield names, message
    if log.security_protocol == "SASL_SSL":
        for name in ("sasl_username", "sasl_password_file"):
            if getattr(log, name) is None:
                yield (f"log.{name}", "log.security_protocol"), f"SASL_SSL needs log.{name}"


def database_contradictions(database: DatabaseSettings) -> Iterator[Contradiction]:
    """Yield an address of the book that is given twice."""
    if database.dsn is not None and database.dsn_file is not None:
        yield ("database.dsn_file", "database.dsn"), "give dsn or dsn_file, not both"


def identity_contradictions(identity: IdentitySettings) -> Iterator[Contradiction]:
    """Yield operators for whom no key vouches."""
    if (identity.operators_file is None) != (identity.root_key is None):
        names = ("identity.operators_file", "identity.root_key")
        yield names, "give both: the file of operators, and the public root key that signed it"


def lease_contradictions(lease_seconds: int, renew_seconds: int) -> Iterator[Contradiction]:
    """Yield a lease that one late renewal would end."""
    if renew_seconds * _RENEWALS_MIN > lease_seconds:
        names = ("publisher.renew_seconds", "publisher.lease_seconds")
        yield names, "at most a third of lease_seconds, or one late renewal stops all payouts"


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine: a name is only if it is exactly localhost."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _host_of(server: str) -> str:
    text = server.strip()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text if text.count(":") > 1 else text.partition(":")[0]
