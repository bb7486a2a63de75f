"""Who comes in over the server's sockets, and as whom: its owner, and payout services as no more.

The door of payout services is a directory of its own. Who may pass through it is said with the
permissions of that directory; what they may then do is said with the rights of one role.
"""

import os
import pwd
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import quote

import asyncpg

from recon_streams.embedded.service_user import ServiceUser

DATABASE: Final = "recon"
OWNER: Final = "recon"
PAYOUTS: Final = "recon_payouts"

PORT: Final = 5432
_SOCKET_PATH_BYTES_MAX: Final = 100
# Beside what the daemon needs of the server's sessions.
_SESSIONS_MAX: Final = 40
_ADMIT: Final = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{PAYOUTS}') THEN
        CREATE ROLE {PAYOUTS};
    END IF;
END $$;
ALTER ROLE {PAYOUTS} LOGIN CONNECTION LIMIT {_SESSIONS_MAX};
"""
# What a server lets everybody: with an advisory lock the daemon's duties could be taken from it
# without a word, with temporary tables and large objects its disk.
_CONFINE: Final = """
DO $$ DECLARE each regprocedure; BEGIN
    FOR each IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
        AND proname ~ '^(pg_(try_)?advisory_|lo_|lowrite)'
        AND has_function_privilege('recon_payouts', oid, 'EXECUTE')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', each);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO recon_app', each);
    END LOOP;
    REVOKE TEMPORARY ON DATABASE recon FROM PUBLIC;
END $$;
"""


class DoorNotOurs(Exception):
    """The directory for the socket of payout services is somebody else's, or none."""

    def __init__(self, door: Path, user: str) -> None:
        super().__init__(
            f"{door} must be a directory of the user {user}, who runs PostgreSQL; remove it, and "
            f"it is made again; others are let in by its group: chgrp GROUP {door}; "
            f"chmod 710 {door}"
        )


def address(directory: Path, role: str, database: str = DATABASE) -> str:
    """Return the DSN, for asyncpg, of `role` over the socket in `directory`."""
    # The port is part of a socket's name, and would otherwise come from the environment.
    return f"postgresql://{role}@/{database}?host={quote(str(directory))}&port={PORT}"


def socket_directory(wanted: Path) -> Path:
    """Return `wanted`, or one with a short name where its path is too long for a socket.

    A comma, too: clients take what stands behind it for another server.
    """
    length = len(os.fsencode(wanted / f".s.PGSQL.{PORT}.lock"))
    if length <= _SOCKET_PATH_BYTES_MAX and "," not in str(wanted):
        return wanted
    name = sha256(os.fsencode(wanted)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"recon-{os.geteuid()}-{name}"


def open_door(door: Path, user: ServiceUser) -> None:
    """Make `door` for `user` alone, unless it is there: then its permissions are the operator's.

    Raises:
        DoorNotOurs: It is there and not a directory of `user`.
    """
    try:
        door.mkdir(mode=0o700)
    except FileExistsError:
        if door.is_symlink() or not door.is_dir() or door.stat().st_uid != user.uid:
            raise DoorNotOurs(door, user.name) from None
        return
    if user.is_other:
        os.chown(door, user.uid, user.gid)


def write_rules(cluster: Path, user: ServiceUser) -> None:
    """Say in `cluster` who may come in: nobody over a network, and nobody with a password."""
    rules = f"local all {OWNER} peer map=owners\nlocal {DATABASE} {PAYOUTS} peer map=payouts\n"
    owners = dict.fromkeys((user.name, pwd.getpwuid(os.geteuid()).pw_name))
    names = "".join(f"owners {name} {OWNER}\n" for name in owners)
    _write(cluster / "pg_hba.conf", rules, user)
    _write(cluster / "pg_ident.conf", f"{names}payouts /^.*$ {PAYOUTS}\n", user)


async def admit_payout_services(owner: asyncpg.Connection) -> None:
    """Let the role of payout services log in; what it may is said where the tables are made."""
    await owner.execute(_ADMIT)


async def confine_payout_services(dsn: str) -> None:
    """Take from them in the book at `dsn` what a server lets everybody, if it still does."""
    owner = await asyncpg.connect(dsn, timeout=5)
    try:
        await owner.execute(_CONFINE)
    finally:
        await owner.close()


def _write(path: Path, text: str, user: ServiceUser) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    if user.is_other:
        os.chown(partial, user.uid, user.gid)
    partial.chmod(0o600)
    partial.replace(path)
