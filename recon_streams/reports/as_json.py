"""A report as JSON: the dataset itself, with its name and its hash around it."""

import json
from collections.abc import Mapping, Sequence

import msgspec

from recon_streams.reports.dataset import dataset_from_bytes, digest_of, report_id


def as_json(content: bytes, *, signatures: Sequence[Mapping[str, object]] = ()) -> str:
    """Return the export of the dataset `content`: what `verify.py` checks without this program.

    It is indented for people. That does no harm to the hash, which is of the canonical form.
    `signatures` say who signed the figures, and stand beside the dataset, as they are of its bytes.
    """
    export = {
        "report_id": report_id(dataset_from_bytes(content)),
        "sha256": digest_of(content),
        "hashed": "SHA-256 of `dataset` as UTF-8 JSON in the canonical form of RFC 8785",
        **({"signatures": list(signatures)} if signatures else {}),
        "dataset": msgspec.json.decode(content),
    }
    return json.dumps(export, ensure_ascii=False, indent=2) + "\n"
