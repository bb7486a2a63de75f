"""`operators`: who they are, by a file that only the root key can change."""

from pathlib import Path
from typing import Annotated, Final

import typer

from agents.cli.app import app
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, plain, print_as
from agents.cli.place import ConfigOption, find_place
from recon_streams.identity.flaw import IdentityFlaw, NotBelieved
from recon_streams.identity.keys import (
    PrivateKey,
    new_key,
    read_private_key,
    read_public_key,
)
from recon_streams.identity.office import replace_file, write_public_key
from recon_streams.identity.operators import (
    Operator,
    Operators,
    OperatorsList,
    read_operators,
    signed_file,
    with_key,
    without,
)
from recon_streams.identity.person import Role, is_subject

group = typer.Typer(help="The people an installation knows, and their keys.")
app.add_typer(group, name="operators")

OPERATORS_FILE: Final = "operators.json"
ROOT_KEY: Final = "root-key.pem"
ROOT_PUBLIC: Final = "root-key.json"

RootOption = Annotated[
    Path,
    typer.Option("--root", help="The private root key; it lies in a safe and is brought for this."),
]
FileOption = Annotated[
    Path | None,
    typer.Option("--file", help="The file of operators; else identity.operators_file."),
]
SubjectArgument = Annotated[
    str, typer.Argument(help="The one name of this person: 1 to 64 of a-z 0-9 . _ @ + -")
]


@group.command("init")
def init(
    directory: Annotated[Path, typer.Argument(help="A directory for the three files.")],
) -> None:
    """Make the root key and a file that names nobody yet; nothing that exists is overwritten."""
    directory.mkdir(0o755, parents=True, exist_ok=True)
    files = [directory / name for name in (ROOT_KEY, ROOT_PUBLIC, OPERATORS_FILE)]
    if there := [str(file) for file in files if file.exists()]:
        raise typer.BadParameter(f"{', '.join(there)} exists already")
    private, public, operators = files
    root = new_key()
    root.write(private)
    write_public_key(public, root.public)
    listed = OperatorsList(root_kid=root.public.kid)
    replace_file(operators, signed_file(listed, root), mode=0o644)
    out.print(f"{private}: the private root key; put it into a safe", markup=False)
    out.print(f"identity:\n  operators_file: {operators.resolve()}", markup=False)
    out.print(f"  root_key: {public.resolve()}", markup=False)


@group.command("key")
def key(file: Annotated[Path, typer.Argument(help="A new file for the private key.")]) -> None:
    """Make your own key, which nobody else ever has; its public half is for `operators add`."""
    made = new_key()
    _write(made, file)
    public = file.with_suffix(".json")
    write_public_key(public, made.public)
    out.print(f"{file}: your private key, for --key or RECON_OPERATOR_KEY", markup=False)
    out.print(f"{public}: its public half, for `operators add --public`", markup=False)


@group.command("add")
def add(
    subject: SubjectArgument,
    root: RootOption,
    name: Annotated[str, typer.Option("--name", help="What people call them.")],
    roles: Annotated[
        str, typer.Option("--roles", help="Of maker, checker, breakglass; with commas.")
    ],
    public: Annotated[
        Path | None, typer.Option("--public", help="The public half of their own key.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="Or a new file for a key that is made here.")
    ] = None,
    file: FileOption = None,
    config: ConfigOption = None,
) -> None:
    """Add a person, or another key of one, and sign the file anew with the root key.

    Somebody who is known already keeps the keys they have; name and roles become what is said here.
    """
    if not is_subject(subject):
        raise typer.BadParameter("write the subject with 1 to 64 of a-z 0-9 . _ @ + -")
    if (public is None) == (key_file is None):
        raise typer.BadParameter("give --public or --key-file, one of them")
    person = Operator(subject=subject, name=name, roles=_roles(roles))
    path, signer = _path(file, config), read_private_key(root)
    before = read_operators(path, signer.public)
    made = None if key_file is None else new_key()
    added = made.public if made is not None else read_public_key(_given(public))
    content = signed_file(with_key(before.listed, person, added), signer)
    if made is not None:
        _write(made, _given(key_file))
        out.print(f"{key_file}: the key of {subject}; hand it over, keep no copy", markup=False)
    replace_file(path, content, mode=0o644)
    out.print(f"{path}: version {before.listed.version + 1}; {subject} has key {added.kid}")


@group.command("revoke")
def revoke(
    subject: SubjectArgument,
    root: RootOption,
    kid: Annotated[str | None, typer.Option("--kid", help="Only this key of theirs.")] = None,
    file: FileOption = None,
    config: ConfigOption = None,
) -> None:
    """Let a person's keys count no more; they stay in the file, so that nobody else gets them."""
    path, signer = _path(file, config), read_private_key(root)
    before = read_operators(path, signer.public)
    counting = [
        held.key.kid
        for each in before.listed.operators
        if each.subject == subject
        for held in each.keys
        if not held.revoked and kid in {None, held.key.kid}
    ]
    if not counting:
        raise NotBelieved(IdentityFlaw.UNKNOWN_KEY, f"{subject} has no such key that counts")
    replace_file(path, signed_file(without(before.listed, subject, kid), signer), mode=0o644)
    said = ", ".join(counting)
    out.print(f"{path}: version {before.listed.version + 1}; revoked {said} of {subject}")


@group.command("list")
def list_(
    file: FileOption = None,
    root_key: Annotated[
        Path | None,
        typer.Option("--root-key", help="The public root key; else identity.root_key."),
    ] = None,
    config: ConfigOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show who there is, what they may take part in, and their keys."""
    operators = _operators(file, root_key, config)
    if output is not Format.TABLE:
        print_as(output, operators.listed, list(operators.listed.operators))
        return
    shown = Rows("subject", "name", "roles", "key", "counts")
    for each in operators.listed.operators:
        for held in each.keys:
            roles = ", ".join(each.roles)
            counts = "revoked" if held.revoked else "yes"
            shown.add_row(each.subject, plain(each.name), roles, held.key.kid, counts)
    shown.print(out)
    out.print(f"version {operators.listed.version}, signed by {operators.installation}")


def _operators(file: Path | None, root_key: Path | None, config: Path | None) -> Operators:
    root = root_key or find_place(config, None, None, None).settings.identity.root_key
    if root is None:
        raise typer.BadParameter("give --root-key, or set identity.root_key in recon.yaml")
    return read_operators(_path(file, config), read_public_key(root))


def _path(file: Path | None, config: Path | None) -> Path:
    found = file or find_place(config, None, None, None).settings.identity.operators_file
    if found is None:
        raise typer.BadParameter("give --file, or set identity.operators_file in recon.yaml")
    return found


def _roles(text: str) -> tuple[Role, ...]:
    words = [word.strip() for word in text.split(",")]
    if unknown := [word for word in words if word not in set(Role)]:
        raise typer.BadParameter(f"{unknown[0]!r}: write maker, checker or breakglass, with commas")
    return tuple(role for role in Role if role in words)


def _write(key: PrivateKey, file: Path) -> None:
    try:
        key.write(file)
    except FileExistsError:
        raise typer.BadParameter(f"{file} exists already; a key is never overwritten") from None


def _given(path: Path | None) -> Path:
    assert path is not None, "one of the two was given"
    return path
