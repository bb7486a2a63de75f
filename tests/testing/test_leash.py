"""What tests start ends with them."""

import subprocess
import sys
import time

SCRIPT = """
import os, signal, subprocess, sys, threading
from recon_streams.testing.leash import Leash
started = []
def start():
    child = subprocess.Popen(["sleep", "60"])
    started.append(Leash(child.pid))
    print(child.pid, flush=True)
thread = threading.Thread(target=start)
thread.start()
thread.join()
sys.stdin.read(1)
os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state) and not state.startswith("Z")


def test_a_process_on_a_leash_outlives_the_thread_but_not_the_process_that_started_it() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.2)
    assert is_running(pid)
    parent.communicate("x")
    deadline = time.monotonic() + 5
    while is_running(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)
