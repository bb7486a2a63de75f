"""A payout service that knows nothing but Redis: a key that is there means yes."""

import contextlib
import threading
import time
from typing import Final

from typing_extensions import override

from recon_streams.testing.redis import TestRedis

_EVERY_SECONDS: Final = 0.02


class RedisReader(threading.Thread):
    """Asks for the permit of a scope fifty times a second, and keeps when it was last there."""

    def __init__(self, redis: TestRedis, scope: str) -> None:
        """Ask `redis` for `scope`."""
        super().__init__(daemon=True, name="redis-reader")
        self._redis = redis
        self._key = f"permit:{scope}"
        self._ending = threading.Event()
        self.asked = 0
        self.silent = 0
        self.last_granted_ns = 0

    @override
    def run(self) -> None:
        """Ask until told to end."""
        while not self._ending.wait(_EVERY_SECONDS):
            asked_ns = time.monotonic_ns()
            self.asked += 1
            granted = False
            try:
                granted = bool(self._redis.ask("GET", self._key))
            except OSError:
                self.silent += 1
            if granted:
                # Of an answer that was late, the moment it came: then it would have been believed.
                self.last_granted_ns = max(asked_ns, time.monotonic_ns())

    def end(self) -> None:
        """End and wait for it."""
        self._ending.set()
        with contextlib.suppress(RuntimeError):
            self.join(10)
