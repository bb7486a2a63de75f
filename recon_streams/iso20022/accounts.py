"""Whose account: an IBAN, the bank's own number, or a proxy."""

import re
from typing import Final

from recon_streams.iso20022.leaves import currency_in, text_in
from recon_streams.iso20022.reading import Children, Reading
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.shapes import ACCOUNT, ACCOUNT_ID, AGENT, ID, INSTITUTION
from recon_streams.iso20022.values import Account, FindingCode
from recon_streams.kernel.refusal import RefusalCode, Refused

# Form only. The check digits of anonymised and of some real accounts are wrong, and whether an
# account is ours is answered by the registry, not by arithmetic.
IBAN: Final = re.compile("[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}")


def account_of(element: Element | None, path: str, reading: Reading) -> Account:
    """Return the account at `path`; without identification where the bank gave none.

    Raises:
        Refused: INVALID_CURRENCY, or INVALID_IDENTIFIER for characters that look like others.
    """
    one = reading.children(element, ACCOUNT, path) if element is not None else {}
    identification, scheme = _identification_of(one, path, reading)
    if not identification:
        text = "an account has an IBAN, another number, or a proxy"
        reading.note(FindingCode.ACCOUNT_UNIDENTIFIED, path, text)
    return Account(
        identification=identification,
        scheme=scheme,
        currency=currency_in(one, path, reading),
        servicer_bic=_servicer_of(one, path, reading),
    )


def identification_in(element: Element, path: str, reading: Reading) -> tuple[str, str]:
    """Return identification and scheme of the account at `path`, ("", "") if there is none."""
    return _identification_of(reading.children(element, ACCOUNT, path), path, reading)


def _identification_of(one: Children, path: str, reading: Reading) -> tuple[str, str]:
    if "Id" in one:
        where = f"{path}/Id"
        inner = reading.children(one["Id"], ACCOUNT_ID, where)
        if "IBAN" in inner:
            return _iban_of(inner, where, reading)
        for name in ("Othr", "PrtryAcct"):
            if name in inner:
                return _own_number_of(inner[name], f"{where}/{name}", "OTHER", reading)
        for name in ("BBAN", "UPIC"):
            text = text_in(inner, name, where)
            if text:
                return _compact(text, f"{where}/{name}"), "OTHER"
    if "Prxy" in one:
        return _own_number_of(one["Prxy"], f"{path}/Prxy", "PROXY", reading)
    return "", ""


def _iban_of(inner: Children, path: str, reading: Reading) -> tuple[str, str]:
    text = text_in(inner, "IBAN", path)
    if not text:
        return "", ""
    # Before `upper`, which turns some letters of other scripts into A-Z.
    if not text.isascii():
        rule = "an IBAN is spelled with A-Z and 0-9"
        raise Refused(RefusalCode.INVALID_IDENTIFIER, f"{path}/IBAN", rule)
    iban = _compact(text, f"{path}/IBAN").upper()
    if not IBAN.fullmatch(iban):
        reading.note(FindingCode.IBAN_MALFORMED, f"{path}/IBAN", "country, two digits, the rest")
    return iban, "IBAN"


def _own_number_of(element: Element, path: str, scheme: str, reading: Reading) -> tuple[str, str]:
    text = text_in(reading.children(element, ID, path), "Id", path)
    return (_compact(text, f"{path}/Id"), scheme) if text else ("", "")


def _compact(text: str, path: str) -> str:
    """Return `text` without spaces; invisible characters would make two accounts look one."""
    compact = "".join(text.split())
    if not compact.isprintable():
        rule = "an account number holds visible characters only"
        raise Refused(RefusalCode.INVALID_IDENTIFIER, path, rule)
    return compact


def _servicer_of(one: Children, path: str, reading: Reading) -> str | None:
    if "Svcr" not in one:
        return None
    where = f"{path}/Svcr"
    agent = reading.children(one["Svcr"], AGENT, where)
    if "FinInstnId" not in agent:
        return None
    where = f"{where}/FinInstnId"
    inner = reading.children(agent["FinInstnId"], INSTITUTION, where)
    if "CmbndId" in inner:
        where = f"{where}/CmbndId"
        inner = reading.children(inner["CmbndId"], INSTITUTION, where)
    return text_in(inner, "BICFI", where) or text_in(inner, "BIC", where)
