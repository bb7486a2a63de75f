"""Secrets from files, and what the Kafka client is told of them."""

import ssl
from pathlib import Path
from typing import Any

from recon_streams.runtime.problems import ConfigurationInvalid, Problem
from recon_streams.runtime.settings import DatabaseSettings, LogSettings


def dsn_of(database: DatabaseSettings) -> str | None:
    """Return the address of the book, from the setting or from its file."""
    if database.dsn_file is not None:
        return _secret("database.dsn_file", database.dsn_file)
    return None if database.dsn is None else database.dsn.get_secret_value()


def client_security(log: LogSettings) -> dict[str, Any]:
    """Return the security arguments of every Kafka client; nothing for PLAINTEXT."""
    if log.security_protocol == "PLAINTEXT":
        return {}
    context = ssl.create_default_context(cafile=str(log.ssl_cafile) if log.ssl_cafile else None)
    arguments: dict[str, Any] = {
        "security_protocol": log.security_protocol,
        "ssl_context": context,
    }
    if log.security_protocol == "SASL_SSL":
        if log.sasl_username is None or log.sasl_password_file is None:
            message = "SASL_SSL needs sasl_username and sasl_password_file"
            raise ConfigurationInvalid((Problem(place="log", path="log", message=message),))
        arguments |= {
            "sasl_mechanism": log.sasl_mechanism,
            "sasl_plain_username": log.sasl_username,
            "sasl_plain_password": _secret("log.sasl_password_file", log.sasl_password_file),
        }
    return arguments


def secret_lines(setting: str, path: Path) -> list[str]:
    """Return the secrets in the file at `path`, one a line, at least one.

    Raises:
        ConfigurationInvalid: It cannot be read, or is empty.
    """
    lines = [line.strip() for line in _secret(setting, path).splitlines() if line.strip()]
    if not lines:
        message = f"the file {path} is empty"
        raise ConfigurationInvalid((Problem(place=setting, path=setting, message=message),))
    return lines


def _secret(setting: str, path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the file {path} cannot be read: {getattr(error, 'strerror', error)}"
        raise ConfigurationInvalid(
            (Problem(place=setting, path=setting, message=message),)
        ) from error
