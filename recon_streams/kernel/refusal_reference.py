"""The reference page of refusals: what each code means and what its sender should do.

A code without a way out is a dead end for whoever sent the message; tests hold the page against
the closed set of codes. `python -m recon_streams.kernel.refusal_reference` prints it.
"""

import sys
from typing import Final, NamedTuple

from recon_streams.kernel.refusal import RefusalCode

PAGE: Final = "docs/reference/refusals.md"


class Explanation(NamedTuple):
    """What a code says to the sender of a message.

    Attributes:
        meaning: What is wrong.
        example: An input, or a part of one, that is refused with this code; in Markdown.
        remedy: What the sender should do.
    """

    meaning: str
    example: str
    remedy: str


_FIX: Final = "Correct the record and send it: a refused one takes up neither id nor sequence."

_ENVELOPE: Final[dict[RefusalCode, Explanation]] = {
    RefusalCode.EMPTY_VALUE: Explanation(
        "The record has no value, or one of no bytes.",
        "a tombstone on `ledger.movements`",
        "Inputs have no tombstones. To end an announced payment, send a `release`.",
    ),
    RefusalCode.TOO_LARGE: Explanation(
        "The value is larger than the limit that the rule names.",
        "a JSON record of 70,000 bytes",
        "Leave out what the contract does not name; ask a bank to split a notification.",
    ),
    RefusalCode.TOO_DEEP: Explanation(
        "Elements or brackets are nested deeper than any real message is.",
        "`[[[[ … ]]]]`, 33 levels",
        "Send the message as its contract shows it; nothing in one is nested like this.",
    ),
    RefusalCode.UNREADABLE_FILE: Explanation(
        "A file or a member of a ZIP cannot be opened: broken, encrypted, or in a form that is "
        "none of a bank's.",
        "a ZIP with a password",
        "Deliver the file unpacked and decrypted, or ask the bank for it again.",
    ),
}
_XML: Final[dict[RefusalCode, Explanation]] = {
    RefusalCode.NOT_WELL_FORMED: Explanation(
        "The value is not XML: cut short, or in another encoding than it declares.",
        "`<Document><BkToCstmrDbt`",
        "Send the file as the bank made it, byte for byte. If the bank's file is broken, ask for "
        "it again.",
    ),
    RefusalCode.DOCTYPE_FORBIDDEN: Explanation(
        "The message has a document type declaration; ISO 20022 has none.",
        "`<!DOCTYPE Document …>`",
        "Send it without. If it came from a bank, tell the bank: this is how XML is attacked.",
    ),
    RefusalCode.ENTITY_FORBIDDEN: Explanation(
        "The message uses an entity that XML does not define itself.",
        "`&amount;`",
        "Write the text itself; only `&amp;` `&lt;` `&gt;` `&quot;` `&apos;` are known.",
    ),
    RefusalCode.MARKUP_IN_VALUE: Explanation(
        "A comment, an instruction or an element stands inside a value.",
        '`<Amt Ccy="AED">10<!-- -->00</Amt>`',
        "Write the value in one piece: readers disagree about what such an amount is.",
    ),
    RefusalCode.UNKNOWN_MESSAGE: Explanation(
        "The document is not one of the messages this system reads.",
        "a pain.002 on `bank.notifications`",
        "Send camt.052 to `bank.reports`, camt.053 to `bank.statements` and camt.054 to "
        "`bank.notifications`, each in version 01 to 14. MT940 and MT942 can be inspected, not "
        "booked: ask the bank for camt.053. Any other version can be asked for.",
    ),
    RefusalCode.TEST_MESSAGE: Explanation(
        "The bank itself marks the message as a test, and tests are not money.",
        "`<AddtlInf>TEST</AddtlInf>`",
        "Nothing, if it is a test. In a test environment set `limits.accept_test_messages`.",
    ),
}
_JSON: Final[dict[RefusalCode, Explanation]] = {
    RefusalCode.NOT_JSON: Explanation(
        "The value is not one JSON text in UTF-8. The detail says where reading stopped.",
        '`{"amount": NaN}`, a byte order mark, two records in one value',
        "Encode with a JSON library, one object per record, in UTF-8; use a plain serializer, "
        "not one that puts a registry's prefix before the text.",
    ),
    RefusalCode.DUPLICATE_KEY: Explanation(
        "A key stands twice in one object, so the record means two things.",
        '`{"amount": "5", "amount": "6"}`',
        "Send each key once. Find out which of the two was meant before sending again.",
    ),
    RefusalCode.UNKNOWN_SCHEMA_VERSION: Explanation(
        "The record names a version of the contract that is not known here.",
        '`"schema_version": 2`, `"schema_version": "1"`',
        "Send version 1, as the integer, or leave the field out. Upgrade recon-streams before "
        "producers that need a later version.",
    ),
    RefusalCode.UNKNOWN_KIND: Explanation(
        "`kind` is none of the kinds that the rule lists.",
        '`"kind": "refund"`',
        "Use a listed kind. A refund is an `issue` or a `transfer` with direction `in`.",
    ),
    RefusalCode.WRONG_TYPE: Explanation(
        "A value has another JSON type than its contract says.",
        "`[ … ]` where an object belongs",
        f"See the field's type in the contract. {_FIX}",
    ),
}
_FIELDS: Final[dict[RefusalCode, Explanation]] = {
    RefusalCode.MISSING_FIELD: Explanation(
        "A field that is needed is not there.",
        "an `issue` without `amount`; an entry without `CdtDbtInd`",
        f"{_FIX} If a bank left it out, ask the bank: nothing is guessed.",
    ),
    RefusalCode.DUPLICATE_FIELD: Explanation(
        "A field that stands once in its message stands twice.",
        "an entry with two `Amt`",
        "Ask the bank which one is meant, and for the message again.",
    ),
    RefusalCode.INVALID_AMOUNT: Explanation(
        "An amount is not plain digits with an optional point; in JSON it is text.",
        '`"amount": 1500.00`, `"1,500.00"`, `"1e5"`, `" 5"`',
        f'Write `"1500.00"`. {_FIX}',
    ),
    RefusalCode.NEGATIVE_AMOUNT: Explanation(
        "An amount has a minus sign.",
        '`"amount": "-5.00"`',
        "Amounts have no sign: the kind, `direction` or `CdtDbtInd` says which way money moves.",
    ),
    RefusalCode.AMOUNT_TOO_PRECISE: Explanation(
        "An amount has more decimals than its currency or the contract allows.",
        '`"0.123456789"`; `"10.001"` on an account registered with two decimals',
        "Do not round here: find out where the digits come from. If the account's scale is wrong, "
        "correct the account registry and replay.",
    ),
    RefusalCode.INVALID_CURRENCY: Explanation(
        "A currency is not a code in capital letters.",
        '`"currency": "aed"`',
        f"Write the ISO 4217 code, or the registered code of the token. {_FIX}",
    ),
    RefusalCode.CURRENCY_MISMATCH: Explanation(
        "The currency is not one the account is registered in, or differs inside one message.",
        "`USD` for an account registered in `AED`",
        "Correct the record; or, if the account has a second currency, register it and replay.",
    ),
    RefusalCode.INVALID_DIRECTION: Explanation(
        "A direction is neither of the two words allowed.",
        '`"direction": "up"`; `<CdtDbtInd>CREDIT</CdtDbtInd>`',
        "JSON: `in` or `out`. camt: `CRDT` or `DBIT`.",
    ),
    RefusalCode.INVALID_STATUS: Explanation(
        "An entry's status is unknown, so nobody can say whether it is booked.",
        "`<Sts><Cd>DONE</Cd></Sts>`",
        "Ask the bank which of `BOOK`, `PDNG`, `INFO`, `FUTR` it stands for.",
    ),
    RefusalCode.INVALID_DATE: Explanation(
        "A date or an instant does not exist, or says no offset.",
        '`"2026-02-30T00:00:00Z"`, `"2026-11-20T08:15:30"`',
        f"Write `2026-11-20T08:15:30Z` (RFC 3339). {_FIX}",
    ),
    RefusalCode.FUTURE_INSTANT: Explanation(
        "The message says it was made after it arrived.",
        "`occurred_at` an hour ahead of the broker",
        "Set the clock or the zone of the producer right. If the record is true, replay it once "
        "the instant has passed.",
    ),
    RefusalCode.INVALID_BOOLEAN: Explanation(
        "A yes-or-no value is neither.",
        "`<RvslInd>Y</RvslInd>`",
        "camt: `true`, `false`, `1` or `0`.",
    ),
    RefusalCode.INVALID_IDENTIFIER: Explanation(
        "A name or a reference is empty, too long, or has characters it may not have. Its value "
        "is not repeated here.",
        "a reference of 36 characters; a Cyrillic letter in an account id",
        f"Use the characters that the rule lists. {_FIX}",
    ),
    RefusalCode.OUT_OF_RANGE: Explanation(
        "A value is outside the bounds that the rule names.",
        '`"ledger_sequence": 0`; a `reason` of 141 characters',
        f"Stay within the bounds. {_FIX}",
    ),
}
_MEANING: Final[dict[RefusalCode, Explanation]] = {
    RefusalCode.UNKNOWN_ACCOUNT: Explanation(
        "Nobody registered the account.",
        "`account_id` with a typing mistake; a notification for a new bank account",
        "Register the account: the message is replayed then. If it is a mistake, correct the "
        "record and send it.",
    ),
    RefusalCode.UNKNOWN_SCOPE: Explanation(
        "The breaker has no such scope.",
        "`corridor:AE-IM` for `corridor:AE-IN`",
        "Name a scope as `recon-streams breaker status` lists it. Accounts and corridors get "
        "theirs by being registered.",
    ),
    RefusalCode.UNKNOWN_CLIENT: Explanation(
        "Nobody registered the payout service that speaks.",
        "`client_id` of a new service",
        "Add its id to the setting `breaker.clients`, restart the workers, and replay the record. "
        "Its permits do not depend on it; who answers for a service that is deaf does.",
    ),
    RefusalCode.ID_CONFLICT: Explanation(
        "Something was sent before under this id or this sequence, and said something else.",
        "`mv-17` over 5.00, then `mv-17` over 6.00",
        "What came first stands. Find out why the id was used again; send what is true with a "
        "new id and a new `ledger_sequence`.",
    ),
    RefusalCode.WRONG_TOPIC: Explanation(
        "A message that is right in itself, on a topic for another kind.",
        "a camt.053 statement on `bank.notifications`",
        "Send it to its own topic.",
    ),
    RefusalCode.STATEMENT_UNBALANCED: Explanation(
        "The opening of a statement plus everything booked in it is not its closing. The detail "
        "has the numbers; the last good position stays.",
        "opening 100.00, one credit of 5.00, closing 106.00",
        "Ask the bank for a correct statement: it is taken in as another version. If a setting was "
        "wrong, put it right and replay.",
    ),
    RefusalCode.LIMIT_REACHED: Explanation(
        "A bound that protects the account is reached; the rule names it.",
        "more announced payments open at a time than the account allows",
        "Release what is over. If the volume is real, raise the limit and replay.",
    ),
    RefusalCode.DECISION_FAILED: Explanation(
        "Ours, not yours: deciding about this message went wrong.",
        "",
        "Nothing. It pages us, the bytes are kept, and it is replayed after the fix.",
    ),
}

GROUPS: Final[dict[str, dict[RefusalCode, Explanation]]] = {
    "Any message": _ENVELOPE,
    "XML": _XML,
    "JSON": _JSON,
    "Fields": _FIELDS,
    "Meaning": _MEANING,
}

_INTRODUCTION: Final = """\
<!-- Generated: `python -m recon_streams.kernel.refusal_reference > docs/reference/refusals.md`. -->

# Refusals

Why an input was not taken in, and what to do. A refused input loses nothing: its bytes are kept
with their hash, its neighbours are taken in, and it can be taken in later with
`recon-streams quarantine replay`, with the result it would have had at first.

Each refusal says four things, on `recon.quarantine` and in `recon-streams quarantine list`:

- `code`: one of the codes below;
- `field`: where it is: a JSON pointer (`/amount`), a path of XML elements
  (`Ntfctn[1]/Ntry[2]/Amt`), or empty for the whole input;
- `rule`: what would have been right;
- `detail`: what was found, where that is no name and no account number.
"""


def page() -> str:
    """Return the page in Markdown."""
    lines = [_INTRODUCTION]
    for title, explanations in GROUPS.items():
        lines += [f"## {title}", ""]
        for code, explanation in explanations.items():
            lines += [f"### {code.value}", "", explanation.meaning, ""]
            if explanation.example:
                lines += [f"Example: {explanation.example}", ""]
            lines += [f"**What to do.** {explanation.remedy}", ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
