"""What the process says when it ends; supervisors and scripts rely on these numbers."""

from enum import IntEnum, unique


@unique
class ExitCode(IntEnum):
    """0 to 7 answer commands, 70 and up are a daemon's reasons to leave."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    CONFIGURATION = 3
    UNREACHABLE = 4
    DIFFERENCES = 5  # an audit or check found something
    REFUSED = 6
    PARTIAL = 7
    FENCED = 70  # somebody else owns the partition: a zombie leaves
    LOST_RECORDS = 71  # the log has records it did not deliver
    STALLED = 72  # input waits and the position does not move
    DATABASE_GONE = 73  # the book stayed away longer than the bound
    ASSERTION = 74  # we are wrong; restarting is safe, guessing is not
    LOG_GONE = 75  # the log stayed away longer than the bound
    STOP_TOO_SLOW = 76  # a stop passed its deadline
