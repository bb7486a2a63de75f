"""The composition of a publisher: its keys, its copy of the permits, and what it tells us."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from typing_extensions import override

from agents.logs import Logs
from agents.registration import OperatorsWatch
from agents.verifying import prover_of
from recon_streams.breaker_desk.notary import BreakerNotary
from recon_streams.kernel.clock import utc_now
from recon_streams.log.record import Record
from recon_streams.permits.listener import CopyListener, CopyOutcome
from recon_streams.publisher import newest
from recon_streams.publisher.announcing import NoPermits, Permits
from recon_streams.publisher.lease import LeaseAnswer, LeaseTerms
from recon_streams.publisher.listener import PublisherListener
from recon_streams.publisher.outbox import Waiting
from recon_streams.publisher.service import PublisherParts, run_publisher
from recon_streams.runtime.problems import ConfigurationInvalid, Problem
from recon_streams.runtime.sections import SigningSettings
from recon_streams.runtime.settings import Settings
from recon_streams.runtime.telemetry import Telemetry
from recon_streams.signing.key_ring import KeyRing, check_own_keys, own_key_ring
from recon_streams.signing.private_key import read_private_key
from recon_streams.signing.public_keys import KeyUnusable
from recon_streams.signing.signer import Signer

if TYPE_CHECKING:
    from recon_streams.permits.line import RedisLine

KEY_FILE = "keys/breaker.pem"
PUBLIC_KEYS_FILE = "breaker-keys.json"


def key_ring_of(settings: Settings) -> KeyRing:
    """Return the keys that `settings` name.

    Raises:
        ConfigurationInvalid: There is none, it cannot be used, or no reader would believe it.
    """
    signing = settings.signing
    if signing.key_file is None:
        message = (
            "a publisher signs what the breaker says and needs a key; make one with "
            "`recon-streams keys new --key-file breaker.pem --public-keys breaker-keys.json`"
        )
        raise _invalid("signing.key_file", message)
    try:
        signer = Signer(read_private_key(signing.key_file))
    except KeyUnusable as error:
        raise _invalid("signing.key_file", str(error)) from error
    ring = KeyRing(signer=signer, public_keys_file=signing.public_keys_file)
    try:
        ring.trusted()
    except KeyUnusable as error:
        raise _invalid("signing.public_keys_file", str(error)) from error
    return ring


def key_ring_in(directory: Path, settings: Settings) -> KeyRing:
    """Return the keys of an installation in `directory`.

    Its private key is the one the settings name, else its own; so is the set that readers pin.
    What they do not name is made at the first start; and the set holds the key that signs.

    Raises:
        ConfigurationInvalid: They cannot be used.
    """
    if settings.signing.key_file and settings.signing.public_keys_file:
        return key_ring_of(settings)
    key_file, public_keys_file = _files_in(directory, settings.signing)
    with _told_of(directory, settings.signing) as makes:
        return own_key_ring(key_file, public_keys_file, **makes)


def check_keys_in(directory: Path, settings: Settings) -> None:
    """Return if `key_ring_in` would; nothing is made. Raises `ConfigurationInvalid`."""
    if settings.signing.key_file and settings.signing.public_keys_file:
        key_ring_of(settings)
        return
    key_file, public_keys_file = _files_in(directory, settings.signing)
    with _told_of(directory, settings.signing) as makes:
        check_own_keys(key_file, public_keys_file, **makes)


def _files_in(directory: Path, named: SigningSettings) -> tuple[Path, Path]:
    own_set = directory / PUBLIC_KEYS_FILE
    return named.key_file or directory / KEY_FILE, named.public_keys_file or own_set


@contextmanager
def _told_of(directory: Path, named: SigningSettings) -> Iterator[dict[str, bool]]:
    """Give which of the files of `directory` may be made; say of errors where the names are."""
    makes = {"makes_key": named.key_file is None, "makes_set": named.public_keys_file is None}
    try:
        yield makes
    except KeyUnusable as error:
        if all(makes.values()):
            problem = Problem(place=str(directory), path="", message=str(error))
            raise ConfigurationInvalid((problem,)) from error
        setting = "signing.key_file" if makes["makes_set"] else "signing.public_keys_file"
        raise _invalid(setting, str(error)) from error


def redis_line_of(settings: Settings) -> "RedisLine | None":
    """Return a connection to the Redis that `settings` name, not opened; None if they name none.

    Raises:
        ConfigurationInvalid: It is no address of a Redis.
    """
    url = settings.redis.url
    if url is None:
        return None
    # Loaded where it is needed: it is a tenth of a start.
    from recon_streams.permits.line import RedisLine  # noqa: PLC0415

    try:
        return RedisLine(url.get_secret_value())
    except ValueError as error:
        message = "its url begins with redis://, rediss:// or unix://, as in redis://host:6379/0"
        # Not under the name of the setting: what follows that name on a line is blotted out.
        raise ConfigurationInvalid(
            (Problem(place="redis.url", path="redis", message=message),)
        ) from error


def notary_of(settings: Settings, pool: asyncpg.Pool) -> BreakerNotary:
    """Return who says, over the book `pool`, what people have signed.

    Raises:
        ConfigurationInvalid: The root key that the settings name cannot be read.
    """
    return BreakerNotary(pool, prover_of(settings), admit=OperatorsWatch(settings, pool).look)


async def proven_states(
    pool: asyncpg.Pool, notary: BreakerNotary
) -> Mapping[str, newest.ScopeStanding]:
    """Return where every scope stands, but for those whose release nobody has signed."""
    states = await newest.states(pool)
    unproven = await notary.unproven(None)
    return {scope: state for scope, state in states.items() if scope not in unproven}


async def publish_for_ever(
    settings: Settings, pool: asyncpg.Pool, logs: Logs, *, keys: KeyRing, as_whom: "Told"
) -> None:
    """Stand by and publish. Runs for ever."""
    terms = settings.publisher
    line = redis_line_of(settings)
    permits: Permits = NoPermits()
    notary = notary_of(settings, pool)
    if line is not None:
        from recon_streams.permits.copy import RedisPermits  # noqa: PLC0415 - as above

        permits = RedisPermits(line, partial(proven_states, pool, notary), as_whom.of_copy)
    parts = PublisherParts(
        pool=pool,
        relay=logs.relay,
        writer=logs.writer,
        probe=logs.probe,
        terms=LeaseTerms(
            ttl_seconds=terms.lease_seconds,
            renew_seconds=terms.renew_seconds,
            evaluation_age_seconds_max=terms.evaluation_age_seconds_max,
            outbox_age_seconds_max=terms.outbox_age_seconds_max,
        ),
        keys=keys,
        notary=notary,
        permits=permits,
        listener=as_whom,
        full_state_seconds=terms.full_state_seconds,
        rows_max=terms.rows_max,
    )
    try:
        await run_publisher(parts, as_whom.name)
    finally:
        if line is not None:
            await line.close()


class Told(PublisherListener):
    """Passes on to the telemetry what one publisher tells."""

    def __init__(self, name: str, telemetry: Telemetry) -> None:
        """Tell `telemetry` of the publisher `name`."""
        self.name = name
        self.of_copy = ToldOfCopy(telemetry)
        self._telemetry = telemetry

    @override
    def published(self, sent: list[Waiting]) -> None:
        """See `PublisherListener.published`."""
        self._telemetry.messages_published([item.record for item in sent], utc_now())

    @override
    def lease_decided(self, answer: LeaseAnswer) -> None:
        """See `PublisherListener.lease_decided`."""
        metrics = self._telemetry.metrics
        metrics.outbox_depth.set(answer.depth)
        metrics.outbox_age.set(answer.oldest_seconds)
        reason = None if answer.refused is None else answer.refused.value
        self._telemetry.lease_decided(reason, answer.ttl_ms / 1000)

    @override
    def unusable(self, record: Record) -> None:
        """See `PublisherListener.unusable`."""
        self._telemetry.breaker_record_unusable(record)

    @override
    def stale(self, record: Record) -> None:
        """See `PublisherListener.stale`."""
        self._telemetry.breaker_record_stale(record)

    @override
    def repaired(self, count: int) -> None:
        """See `PublisherListener.repaired`."""
        self._telemetry.breaker_records_repaired(count)

    @override
    def restated(self, count: int) -> None:
        """See `PublisherListener.restated`."""
        self._telemetry.metrics.breakers_restated.inc(count)

    @override
    def keys_unreadable(self, reason: str) -> None:
        """See `PublisherListener.keys_unreadable`."""
        self._telemetry.keys_unreadable(reason)


class ToldOfCopy(CopyListener):
    """Passes on to the metrics what becomes of the copy in Redis."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Move the metrics of `telemetry`."""
        self._metrics = telemetry.metrics

    @override
    def renewed(self, outcome: CopyOutcome, permits: int) -> None:
        """See `CopyListener.renewed`."""
        self._metrics.redis_rounds.labels(outcome.value).inc()
        self._metrics.redis_permits.set(permits)

    @override
    def denied(self, outcome: CopyOutcome) -> None:
        """See `CopyListener.denied`."""
        self._metrics.redis_denials.labels(outcome.value).inc()

    @override
    def found_foreign(self, count: int) -> None:
        """See `CopyListener.found_foreign`."""
        self._metrics.redis_foreign.inc(count)


def _invalid(setting: str, message: str) -> ConfigurationInvalid:
    return ConfigurationInvalid((Problem(place=setting, path=setting, message=message),))
