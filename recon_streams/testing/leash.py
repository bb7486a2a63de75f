"""Servers that tests start must not outlive them, however the test process ends."""

import subprocess


class Leash:
    """Kills a process when this one ends, be it by SIGKILL.

    A shell waits at a pipe that closes with us. The kernel's own signal at a parent's death is no
    use here: it comes when the *thread* that started the child ends, and tests start servers from
    threads.
    """

    def __init__(self, pid: int) -> None:
        self._watcher = subprocess.Popen(  # noqa: S603 - a fixed command
            ["/bin/sh", "-c", 'read _; kill -9 "$0" 2>/dev/null', str(pid)],
            stdin=subprocess.PIPE,
            # A Ctrl-C at the terminal must not end the watcher before us.
            start_new_session=True,
        )

    def release(self) -> None:
        """Stop watching; the process is on its own, or over."""
        self._watcher.kill()
        self._watcher.communicate()
