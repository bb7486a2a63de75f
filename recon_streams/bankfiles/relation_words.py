"""A relation between files as a sentence, for who does not read field names."""

from collections.abc import Mapping

from recon_streams.bankfiles.printed import Printed

_KIND = "kind"
_FILES = "files"


def sentence_of(relation: Printed) -> str:
    """Return what `relation` says, with its figures; whether it fits is not repeated."""
    if "holds" in relation:
        return _chain(relation)
    if "agree" in relation:
        return _day(relation)
    rest = "; ".join(
        f"{name} {_said(value)}" for name, value in relation.items() if name not in {_KIND, _FILES}
    )
    return f"{relation[_KIND]}: {rest + ' in ' if rest else ''}{_said(relation.get(_FILES, ''))}"


def _chain(relation: Mapping[str, object]) -> str:
    first, second = _files(relation)
    closing, opening = relation["closing"], relation["opening"]
    if relation["holds"]:
        return (
            f"account {relation['account']}: {first} closes with {closing}, {second} opens with it"
        )
    return (
        f"account {relation['account']}: {first} closes with {closing}, but {second} opens with "
        f"{opening}"
    )


def _day(relation: Mapping[str, object]) -> str:
    report, notice = relation["report"], _said(relation["notification"])
    moved, net = relation["report_movement"], relation["notification_net"]
    count = relation["notification_tx_count"]
    said = f"on {relation['date']} {report} moved by {moved}"
    notified = f"{notice} comes to {net} in {count} transactions"
    if relation["agree"]:
        return f"{said}, and {notified}"
    return f"{said}, but {notified}: difference {relation['difference']}"


def _files(relation: Mapping[str, object]) -> tuple[object, object]:
    files = relation[_FILES]
    assert isinstance(files, list), "files are a list"
    return files[0], files[-1]


def _said(value: object) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)
