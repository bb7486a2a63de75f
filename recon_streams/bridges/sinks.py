"""Which sinks there are, by the settings. What is not set is not there."""

from collections.abc import Iterator

from recon_streams.bridges.alertmanager import PATH, Alertmanager
from recon_streams.bridges.http import Post
from recon_streams.bridges.mail import Mail, MailTerms
from recon_streams.bridges.pagerduty import PagerDuty
from recon_streams.bridges.sink import Sink
from recon_streams.bridges.webhook import Webhook, is_secret
from recon_streams.runtime.problems import ConfigurationInvalid, Problem
from recon_streams.runtime.secrets import secret_lines
from recon_streams.runtime.sections import BridgeSettings


def make_sinks(settings: BridgeSettings) -> list[Sink]:
    """Return the sinks that `settings` name.

    Raises:
        ConfigurationInvalid: A file with a secret cannot be read, or what is in it is none.
    """
    return [*_http_sinks(settings), *_mail(settings)]


def _http_sinks(settings: BridgeSettings) -> Iterator[Sink]:
    base, seconds = settings.runbooks_url, settings.timeout_seconds
    if settings.alertmanager_url is not None:
        file = settings.alertmanager_token_file
        token = secret_lines("bridges.alertmanager_token_file", file)[0] if file else None
        yield Alertmanager(
            Post(settings.alertmanager_url.rstrip("/") + PATH, timeout_seconds=seconds),
            renew_seconds=settings.alertmanager_renew_seconds,
            base=base,
            token=token,
        )
    if settings.pagerduty_routing_key_file is not None:
        (key, *_) = secret_lines(
            "bridges.pagerduty_routing_key_file", settings.pagerduty_routing_key_file
        )
        post = Post(settings.pagerduty_url, timeout_seconds=seconds)
        yield PagerDuty(post, routing_key=key, base=base)
    if settings.webhook_url is not None and settings.webhook_secret_file is not None:
        secrets = secret_lines("bridges.webhook_secret_file", settings.webhook_secret_file)
        post = Post(
            settings.webhook_url,
            timeout_seconds=seconds,
            private=settings.webhook_private_network,
        )
        if not all(map(is_secret, secrets)):
            # Not the text of it: that would be the secret.
            message = "a secret is `whsec_` and the base64 of 24 to 64 bytes, each on its line"
            place = "bridges.webhook_secret_file"
            raise ConfigurationInvalid((Problem(place=place, path=place, message=message),))
        yield Webhook(post, secrets=secrets, base=base)


def _mail(settings: BridgeSettings) -> Iterator[Sink]:
    if settings.smtp_host is None or not settings.mail_to:
        return
    file = settings.smtp_password_file
    yield Mail(
        MailTerms(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            sender=settings.mail_from,
            recipients=settings.mail_to,
            username=settings.smtp_username,
            password=secret_lines("bridges.smtp_password_file", file)[0] if file else None,
            severities=settings.mail_severities,
            classes=settings.mail_classes,
            timeout_seconds=settings.timeout_seconds,
        ),
        base=settings.runbooks_url,
    )
