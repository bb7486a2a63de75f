"""Which bytes are a record at all: JSON, once each field, and not too long."""

import json

from cases.case import MEBIBYTE, A, Case, live, state

WHOLE = json.dumps(state(A, "CLOSED", 4))
LEASE = json.dumps(
    {
        "publisher_id": "publisher-1",
        "publisher_epoch": 1,
        "lease_seq": 3,
        "ttl_ms": 15_000,
        "state_head": {"offset": 0, "seq": 1},
    }
)


def texts() -> list[Case]:
    return [*no_json(), *twice(), *lengths()]


def no_json() -> list[Case]:
    wrong: dict[str, str | bytes] = {
        "what ends too soon": '{"scope":',
        "an empty value": b"",
        "a list": "[1,2]",
        "a text": '"CLOSED"',
        "null": "null",
        "what is no UTF-8": WHOLE.encode().replace(b"CONF", b"\xff\xfe"),
        "UTF-16": WHOLE.encode("utf-16-be"),
        "a record after a byte order mark": b"\xef\xbb\xbf" + WHOLE.encode(),
        "a record before something else": WHOLE + " x",
        "a record before a second one": WHOLE + WHOLE,
        "a record before a zero byte": WHOLE + "\0",
        "a record before a comma": WHOLE + ",",
        "a record with a comma too many": WHOLE[:-1] + ",}",
        "a record with a comment": WHOLE[:-1] + "/* so */}",
        "a record in single quotes": WHOLE.replace('"', "'"),
        "a record with a line break in a text": WHOLE.replace("CONF", "CONF\n"),
        "a record with NaN somewhere": WHOLE[:-1] + ', "added_later": NaN}',
        "a record with Infinity somewhere": WHOLE[:-1] + ', "added_later": [-Infinity]}',
        "a record with a leading zero somewhere": WHOLE[:-1] + ', "added_later": 07}',
    }
    return [
        *(
            live(f"{what} is denied").text(said).denied(4_000, "UNREADABLE", epoch=3)
            for what, said in wrong.items()
        ),
        live("space around a record is nothing").text(f"\r\n\t {WHOLE} \n").granted(4_000, epoch=4),
        live("any JSON in fields that a reader does not know is passed over")
        .closed(A, 4, added_later=[1.5, -1e300, 2**70, None, {"": [{}]}, "\U0001f512", '{[,:\\"'])
        .granted(4_000, epoch=4),
        live("a lease before something else is as if it were not there")
        .end(6_000)
        .text(LEASE + "}", key="_lease")
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
    ]


def twice() -> list[Case]:
    """Of two fields of one name some readers take the first, others the last."""
    return [
        live("a record in which the state stands twice is denied, also where the last denies")
        .text(WHOLE[:-1] + ', "state": "OPEN"}')
        .denied(4_000, "UNREADABLE"),
        live("a record in which the state stands twice is denied, also where the first denies")
        .text('{"state": "OPEN", ' + WHOLE[1:])
        .denied(4_000, "UNREADABLE"),
        live("a record in which a field stands twice and says the same is denied")
        .text(WHOLE[:-1] + ', "epoch": 4}')
        .denied(4_000, "UNREADABLE", epoch=3),
        live("a field that stands twice in different spellings stands twice")
        .text(WHOLE[:-1] + ', "\\u0065poch": 9}')
        .denied(4_000, "UNREADABLE", epoch=3),
        live("a field that a reader does not know may not stand twice either")
        .text(WHOLE[:-1] + ', "added_later": {"x": [{"y": 1, "y": 2}]}}')
        .denied(4_000, "UNREADABLE"),
        live("the same name in two objects stands once in each")
        .closed(A, 4, added_later=[{"epoch": 1}, {"epoch": 2}, {"x": {"epoch": 3}}])
        .granted(4_000, epoch=4),
        live("a text that looks like a field is none")
        .closed(A, 4, added_later=['"epoch":', "epoch", "epoch"])
        .granted(4_000, epoch=4),
        live("a lease in which a field stands twice is as if it were not there")
        .end(6_000)
        .text(LEASE[:-1] + ', "ttl_ms": 15000}', key="_lease")
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
    ]


def lengths() -> list[Case]:
    filled = MEBIBYTE - len(WHOLE)
    return [
        live("a record of exactly one mebibyte is read")
        .text(WHOLE, spaces=filled)
        .granted(4_000, epoch=4),
        live("a record of one byte more than a mebibyte is denied")
        .text(WHOLE, spaces=filled + 1)
        .denied(4_000, "UNREADABLE", epoch=3),
        live("a lease of one byte more than a mebibyte is as if it were not there")
        .end(6_000)
        .text(LEASE, key="_lease", spaces=MEBIBYTE - len(LEASE) + 1)
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
        live("a record of ten million bytes is denied without being looked at")
        .text(" " * 10, value_times=MEBIBYTE)
        .denied(4_000, "UNREADABLE"),
    ]
