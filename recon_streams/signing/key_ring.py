"""What a publisher knows of keys: the one it signs with, and all that readers pin now."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recon_streams.signing.private_key import make_private_key, read_private_key
from recon_streams.signing.public_keys import (
    KeyUnusable,
    PublicKeys,
    read_key_set,
    write_key_set,
)
from recon_streams.signing.signer import Signer


class PublicHalves(Protocol):
    """Says what readers pin, whoever signs."""

    def trusted(self) -> PublicKeys:
        """Return what a reader trusts now. Raises `KeyUnusable`."""
        ...


@dataclass(frozen=True, kw_only=True)
class KeySetFile:
    """What a process knows of keys that signs nothing itself: the file that readers pin."""

    public_keys_file: Path

    def trusted(self) -> PublicKeys:
        """See `PublicHalves.trusted`: read again at each call."""
        return read_key_set(self.public_keys_file)


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """One signer, and the file of the keys that readers pin.

    Attributes:
        signer: Signs everything from now on.
        public_keys_file: A JWK Set; None where nothing is pinned but the signer's own key.
    """

    signer: Signer
    public_keys_file: Path | None = None

    def trusted(self) -> PublicKeys:
        """Return what a reader trusts now, the signer's own key among it.

        Read again at each call: a key that was retired signs nothing any more from then on.
        Raises `KeyUnusable`.
        """
        own = self.signer.public
        if self.public_keys_file is None:
            return {own.kid: own}
        keys = read_key_set(self.public_keys_file)
        if own.kid not in keys:
            raise KeyUnusable(
                f"{self.public_keys_file} does not hold the key {own.kid} that signs; no reader "
                "would believe a record: add it with recon-streams keys public --add"
            )
        return keys


def own_key_ring(key_file: Path, public_keys_file: Path) -> KeyRing:
    """Return the keys of an installation that keeps them itself, made at the first call."""
    if not key_file.exists():
        make_private_key(key_file)
    signer = Signer(read_private_key(key_file))
    known = read_key_set(public_keys_file) if public_keys_file.exists() else {}
    if signer.public.kid not in known:
        write_key_set(public_keys_file, {**known, signer.public.kid: signer.public})
    return KeyRing(signer=signer, public_keys_file=public_keys_file)


class PinnedKeys:
    """What readers pin now, and what they pinned before while the file cannot be used.

    Somebody who edits the file must not end the publisher; what it then knows is a moment old.
    """

    def __init__(self, ring: KeyRing, on_unreadable: Callable[[str], None]) -> None:
        """Read `ring` now; tell `on_unreadable` why a later reading failed.

        Raises:
            KeyUnusable: This first reading failed.
        """
        self._ring = ring
        self._on_unreadable = on_unreadable
        self._last = ring.trusted()

    def now(self) -> PublicKeys:
        """Return the keys."""
        try:
            self._last = self._ring.trusted()
        except KeyUnusable as error:
            self._on_unreadable(str(error))
        return self._last
