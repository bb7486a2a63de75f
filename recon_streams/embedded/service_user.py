"""Which user runs the server: ourselves, or for root somebody with fewer rights."""

import os
import pwd
from pathlib import Path
from typing import Final

import msgspec

# PostgreSQL refuses to run as root. A user made for it is better than nobody.
_UNPRIVILEGED: Final = ("recon", "postgres", "nobody")


class ServiceUser(msgspec.Struct, frozen=True, kw_only=True):
    """The user the server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Return whether it is somebody else than this process."""
        return self.uid != os.geteuid()


class DirectoryClosed(Exception):
    """The server's user cannot reach its directory. We never open other people's directories."""

    def __init__(self, directory: Path, closed: Path, user: str) -> None:
        super().__init__(
            f"{directory}: the user {user}, who runs PostgreSQL, may not pass through {closed}; "
            f"choose a data directory elsewhere, or allow it with: chmod o+x {closed}"
        )


def service_user() -> ServiceUser:
    """Return who runs the server: this user, or for root an unprivileged one."""
    if os.geteuid() != 0:
        me = pwd.getpwuid(os.geteuid())
        return ServiceUser(name=me.pw_name, uid=me.pw_uid, gid=me.pw_gid)
    users = {user.pw_name: user for user in pwd.getpwall()}
    chosen = next(users[name] for name in _UNPRIVILEGED if name in users)
    return ServiceUser(name=chosen.pw_name, uid=chosen.pw_uid, gid=chosen.pw_gid)


def require_passage(directory: Path, user: ServiceUser) -> None:
    """Make sure `user` can reach `directory`.

    Raises:
        DirectoryClosed: A parent directory is closed to it.
    """
    if not user.is_other:
        return
    for parent in reversed(directory.parents):
        status = parent.stat()
        bit = 0o001
        if status.st_uid == user.uid:
            bit = 0o100
        elif status.st_gid == user.gid:
            bit = 0o010
        if not status.st_mode & bit:
            raise DirectoryClosed(directory, parent, user.name)


def private_directory(path: Path, user: ServiceUser) -> Path:
    """Return `path`, made if need be, for `user` alone."""
    path.mkdir(mode=0o700, exist_ok=True)
    if user.is_other:
        os.chown(path, user.uid, user.gid)
    path.chmod(0o700)
    return path
