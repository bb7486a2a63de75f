"""`keys`: the key that signs what the breaker says, and the set of public keys readers pin."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from agents.cli.app import Ended, app
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, print_as, talk
from agents.cli.place import ConfigOption, find_place
from agents.publishing import KEY_FILE, PUBLIC_KEYS_FILE
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.signing.key_ring import require_no_readers
from recon_streams.signing.private_key import make_private_key, read_private_key
from recon_streams.signing.public_keys import (
    KeyUnusable,
    PublicKey,
    PublicKeys,
    key_set_bytes,
    read_key_set,
    write_key_set,
)
from recon_streams.signing.signer import Signer

group = typer.Typer(help="Keys of what the breaker says: make, show, rotate.")
app.add_typer(group, name="keys")

KeyOption = Annotated[
    Path | None,
    typer.Option("--key-file", help="The private key; without it what signing.key_file names."),
]
PublicOption = Annotated[
    Path | None,
    typer.Option(
        "--public-keys",
        help="The JWK Set that readers pin; without it what signing.public_keys_file names.",
    ),
]
DirectoryOption = Annotated[
    Path | None,
    typer.Option("--data", envvar="RECON_DATA", help="The directory of `up`, running or not."),
]


@dataclass(frozen=True)
class Files:
    """Where the keys are."""

    key_file: Path | None
    public_keys_file: Path | None

    def private(self) -> Path:
        """Return the file of the private key."""
        if self.key_file is None:
            raise typer.BadParameter("which key? give --key-file, --data, or signing.key_file")
        return self.key_file

    def public(self) -> Path:
        """Return the file of the public keys."""
        if self.public_keys_file is None:
            raise typer.BadParameter(
                "which set? give --public-keys, --data, or signing.public_keys_file"
            )
        return self.public_keys_file

    def signs(self) -> PublicKey | None:
        """Return the public half of the private key, if there is one here."""
        if self.key_file is None or not self.key_file.exists():
            return None
        return Signer(read_private_key(self.key_file)).public


@group.command("new")
def new(
    key_file: KeyOption = None,
    public_keys: PublicOption = None,
    data: DirectoryOption = None,
    config: ConfigOption = None,
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Keep a key that is there already.")
    ] = False,
) -> None:
    """Make a private key that only its owner can read, and add its public half to the set.

    Readers must have the new set before a publisher signs with the new key. With --if-missing none
    is made in the place of one that readers pin.
    """
    files = _files(key_file, public_keys, data, config)
    with _refusing():
        private, public = files.private(), files.public()
        if if_missing and not private.exists():
            require_no_readers(private, public)
        if not (if_missing and private.exists()):
            make_private_key(private)
        key = Signer(read_private_key(private)).public
        is_known = _add(public, key)
    out.print(f"{key.kid} signs from {private}; {public} holds its public half", markup=False)
    if not is_known:
        said = f"payout services that do not have {public} as it is now deny what this key signs"
        talk.print(said, markup=False)


@group.command("list")
def show(
    key_file: KeyOption = None,
    public_keys: PublicOption = None,
    data: DirectoryOption = None,
    config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show the keys readers pin, and which of them signs."""
    files = _files(key_file, public_keys, data, config)
    with _refusing():
        signs, keys = files.signs(), read_key_set(files.public())
    found = [{"kid": kid, "signs": signs is not None and kid == signs.kid} for kid in keys]
    if output is not Format.TABLE:
        print_as(output, found)
        return
    rows = Rows("kid", "")
    for kid in keys:
        rows.add_row(kid, "signs" if signs is not None and kid == signs.kid else "")
    rows.print(out)


@group.command("public")
def public(
    key_file: KeyOption = None,
    public_keys: PublicOption = None,
    data: DirectoryOption = None,
    config: ConfigOption = None,
    add: Annotated[bool, typer.Option("--add", help="Add it to the set, too.")] = False,
) -> None:
    """Print the public half of the private key as a JWK Set."""
    files = _files(key_file, public_keys, data, config)
    with _refusing():
        key = Signer(read_private_key(files.private())).public
        if add:
            _add(files.public(), key)
    typer.echo(key_set_bytes({key.kid: key}).decode(), nl=False)


@group.command("retire")
def retire(
    kid: Annotated[str, typer.Argument(help="The id, as `keys list` shows it.")],
    key_file: KeyOption = None,
    public_keys: PublicOption = None,
    data: DirectoryOption = None,
    config: ConfigOption = None,
) -> None:
    """Take a key out of the set; exit 6 if it is the one that signs, or the last.

    A publisher then signs again within a minute what that key has signed.
    """
    files = _files(key_file, public_keys, data, config)
    with _refusing():
        file = files.public()
        keys, signs = read_key_set(file), files.signs()
        if kid not in keys:
            raise KeyUnusable(f"{file} holds no key {kid}")
        if signs is not None and signs.kid == kid:
            raise KeyUnusable(f"{kid} signs; name another key in signing.key_file first")
        if len(keys) == 1:
            raise KeyUnusable(f"{kid} is the only key; readers would believe nobody")
        write_key_set(file, {each: key for each, key in keys.items() if each != kid})
    out.print(f"{kid} is retired; give readers {file}", markup=False)


def _files(
    key_file: Path | None, public_keys: Path | None, data: Path | None, config: Path | None
) -> Files:
    signing = find_place(config, None, None, None).settings.signing
    own_key = signing.key_file if data is None else signing.key_file or data / KEY_FILE
    own_set = signing.public_keys_file
    if data is not None:
        own_set = own_set or data / PUBLIC_KEYS_FILE
    return Files(key_file or own_key, public_keys or own_set)


def _add(file: Path, key: PublicKey) -> bool:
    """Put `key` into the set in `file`; return whether readers can go on with what they have."""
    known: PublicKeys = read_key_set(file) if file.exists() else {}
    if key.kid in known:
        return True
    write_key_set(file, {**known, key.kid: key})
    return not known


@contextmanager
def _refusing() -> Iterator[None]:
    """Say why a key cannot be used, and end with the code of a refusal."""
    try:
        yield
    except KeyUnusable as error:
        talk.print(f"error: {error}", markup=False)
        raise Ended(ExitCode.REFUSED) from error
