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


def own_key_ring(
    key_file: Path, public_keys_file: Path, *, makes_key: bool = True, makes_set: bool = True
) -> KeyRing:
    """Return the keys of an installation that keeps them itself, made at its first start.

    Args:
        key_file: The private key.
        public_keys_file: The set that holds its public half.
        makes_key: Whether the first of them may be made; not one that somebody named.
        makes_set: The same of the second.

    Raises:
        KeyUnusable: See `check_own_keys`.
    """
    check_own_keys(key_file, public_keys_file, makes_key=makes_key, makes_set=makes_set)
    if not key_file.exists():
        make_private_key(key_file)
    signer = Signer(read_private_key(key_file))
    if not _pinned(public_keys_file):
        write_key_set(public_keys_file, {signer.public.kid: signer.public})
    return KeyRing(signer=signer, public_keys_file=public_keys_file)


def check_own_keys(
    key_file: Path, public_keys_file: Path, *, makes_key: bool = True, makes_set: bool = True
) -> None:
    """Return if `own_key_ring` would; nothing is made.

    Raises:
        KeyUnusable: A file cannot be used, the key is gone while readers pin it, or it is not
            among those that they pin.
    """
    known = _pinned(public_keys_file) if makes_set else read_key_set(public_keys_file)
    if makes_key and not key_file.exists():
        require_no_readers(key_file, public_keys_file)
        return
    kid = Signer(read_private_key(key_file)).public.kid
    if kid not in known and (known or not makes_set):
        raise KeyUnusable(
            f"{public_keys_file} does not hold the key {kid} of {key_file}; no reader would "
            "believe what it signs: put the right key in its place, or, if this is the one, write "
            f"recon-streams keys public --add --key-file {key_file} --public-keys "
            f"{public_keys_file} and give the set to every payout service"
        )


def require_no_readers(key_file: Path, public_keys_file: Path) -> None:
    """Return if a new key in `key_file`, which is not there, would surprise nobody.

    Raises:
        KeyUnusable: Readers pin a key already; what it has signed and a new one would sign they
            would not believe.
    """
    known = _pinned(public_keys_file)
    if known:
        raise KeyUnusable(
            f"{key_file} is gone, and {public_keys_file} names {', '.join(known)}, which payout "
            "services pin: put the file back from a backup; or, if it is lost, make a new key with "
            f"recon-streams keys new --key-file {key_file} --public-keys {public_keys_file} "
            "and give the new set to every payout service, which denies until it has it"
        )


def _pinned(public_keys_file: Path) -> PublicKeys:
    return read_key_set(public_keys_file) if public_keys_file.exists() else {}


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
