"""Which children of which element are read, in the shapes of all fourteen versions.

A tag that lxml hands out carries its namespace. So the tables of names are made once per namespace
and looked up with the whole tag; that compares namespace and name in one step, and an element of
the same name in a foreign extension is not found.
"""

from functools import lru_cache
from typing import Final, NamedTuple


class Shape:
    """The children of one kind of element that are read.

    `one` lists the names that may occur once, `many` those that may repeat. Identity is what
    tells two shapes apart; they are made in this file only.
    """

    __slots__ = ("many", "many_in_order", "one", "one_in_order")

    def __init__(self, one: str, many: str = "") -> None:
        self.one_in_order, self.many_in_order = tuple(one.split()), tuple(many.split())
        self.one, self.many = frozenset(self.one_in_order), frozenset(self.many_in_order)
        _SHAPES.append(self)


class Names(NamedTuple):
    """A shape in one namespace: from the whole tag to the local name."""

    one: dict[str, str]
    many: dict[str, str]


_SHAPES: list[Shape] = []

BODY: Final = Shape("GrpHdr", "Rpt Stmt Ntfctn")
GROUP_HEADER: Final = Shape("MsgId CreDtTm MsgPgntn AddtlInf")
PAGE: Final = Shape("PgNb LastPgInd")
REPORT: Final = Shape(
    "Id RptPgntn StmtPgntn NtfctnPgntn ElctrncSeqNb LglSeqNb CreDtTm FrToDt CpyDplctInd Acct",
    "Bal Ntry",
)
PERIOD: Final = Shape("FrDtTm ToDtTm")
ACCOUNT: Final = Shape("Id Ccy Prxy Svcr")
# The third to sixth are of version 01.
ACCOUNT_ID: Final = Shape("IBAN Othr BBAN UPIC PrtryAcct")
ID: Final = Shape("Id")
AGENT: Final = Shape("FinInstnId")
INSTITUTION: Final = Shape("BICFI BIC CmbndId")
BALANCE: Final = Shape("Tp Amt CdtDbtInd Dt", "CdtLine")
BALANCE_TYPE: Final = Shape("CdOrPrtry SubTp Cd Prtry")
CREDIT_LINE: Final = Shape("Incl Amt")
CODE: Final = Shape("Cd Prtry")
MOMENT: Final = Shape("Dt DtTm")
# Version 01 has Btch and TxDtls directly under the entry.
ENTRY: Final = Shape(
    "NtryRef Amt CdtDbtInd RvslInd Sts BookgDt ValDt AcctSvcrRef BkTxCd Btch",
    "Chrgs NtryDtls TxDtls",
)
BANK_CODE: Final = Shape("Domn Prtry")
DOMAIN: Final = Shape("Cd Fmly")
FAMILY: Final = Shape("Cd SubFmlyCd")
ONE_CODE: Final = Shape("Cd")
ENTRY_DETAILS: Final = Shape("Btch", "TxDtls")
BATCH: Final = Shape("MsgId PmtInfId NbOfTxs TtlAmt CdtDbtInd")
CHARGES: Final = Shape("TtlChrgsAndTaxAmt Amt CdtDbtInd ChrgInclInd", "Rcrd")
DETAIL: Final = Shape("Refs Amt CdtDbtInd AmtDtls RltdPties RmtInf RtrInf", "Chrgs")
REFERENCES: Final = Shape(
    "MsgId AcctSvcrRef PmtInfId InstrId EndToEndId UETR TxId MndtId ClrSysRef"
)
AMOUNTS: Final = Shape("TxAmt")
AMOUNT: Final = Shape("Amt")
PARTIES: Final = Shape("DbtrAcct CdtrAcct")
REMITTANCE: Final = Shape("", "Ustrd Strd")
STRUCTURED: Final = Shape("CdtrRefInf")
CREDITOR_REFERENCE: Final = Shape("Ref CdtrRef")
RETURN: Final = Shape("Rsn RtrRsn")


# Namespaces come from strangers, so the tables of rarely seen ones are dropped again.
@lru_cache(maxsize=64)
def names_in(namespace: str) -> dict[Shape, Names]:
    """Return the tables of every shape for elements in `namespace` ("" for none)."""
    prefix = f"{{{namespace}}}" if namespace else ""
    return {
        shape: Names(
            one={prefix + name: name for name in shape.one},
            many={prefix + name: name for name in shape.many},
        )
        for shape in _SHAPES
    }
