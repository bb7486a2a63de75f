"""One example per topic that carries a bank's XML: one payment, announced, reported and stated."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CAMT_054: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">
  <BkToCstmrDbtCdtNtfctn>
    <GrpHdr>
      <MsgId>NTF-20261120-0042</MsgId>
      <CreDtTm>2026-11-20T12:06:10+04:00</CreDtTm>
    </GrpHdr>
    <Ntfctn>
      <Id>NTF-20261120-0042-1</Id>
      <Acct>
        <Id><IBAN>AE070331234567890123456</IBAN></Id>
        <Ccy>AED</Ccy>
      </Acct>
      <Ntry>
        <Amt Ccy="AED">2500.00</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>2026-11-20</Dt></BookgDt>
        <AcctSvcrRef>BNK-771204</AcctSvcrRef>
        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs><EndToEndId>TOPUP-3307</EndToEndId></Refs>
            <Amt Ccy="AED">2500.00</Amt>
            <CdtDbtInd>CRDT</CdtDbtInd>
          </TxDtls>
        </NtryDtls>
      </Ntry>
    </Ntfctn>
  </BkToCstmrDbtCdtNtfctn>
</Document>
"""

CAMT_052: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.052.001.08">
  <BkToCstmrAcctRpt>
    <GrpHdr>
      <MsgId>RPT-20261120-0013</MsgId>
      <CreDtTm>2026-11-20T12:30:00+04:00</CreDtTm>
    </GrpHdr>
    <Rpt>
      <Id>RPT-20261120-0013-1</Id>
      <Acct>
        <Id><IBAN>AE070331234567890123456</IBAN></Id>
        <Ccy>AED</Ccy>
      </Acct>
      <Bal>
        <Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp>
        <Amt Ccy="AED">5000000.00</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Dt><Dt>2026-11-20</Dt></Dt>
      </Bal>
      <Bal>
        <Tp><CdOrPrtry><Cd>ITBD</Cd></CdOrPrtry></Tp>
        <Amt Ccy="AED">5002500.00</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Dt><Dt>2026-11-20</Dt></Dt>
      </Bal>
      <Ntry>
        <Amt Ccy="AED">2500.00</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>2026-11-20</Dt></BookgDt>
        <AcctSvcrRef>BNK-771204</AcctSvcrRef>
        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs><EndToEndId>TOPUP-3307</EndToEndId></Refs>
            <Amt Ccy="AED">2500.00</Amt>
            <CdtDbtInd>CRDT</CdtDbtInd>
          </TxDtls>
        </NtryDtls>
      </Ntry>
    </Rpt>
  </BkToCstmrAcctRpt>
</Document>
"""

CAMT_053: Final = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr>
      <MsgId>STMT-20261120</MsgId>
      <CreDtTm>2026-11-21T00:20:00+04:00</CreDtTm>
    </GrpHdr>
    <Stmt>
      <Id>STMT-20261120-1</Id>
      <ElctrncSeqNb>231</ElctrncSeqNb>
      <Acct>
        <Id><IBAN>AE070331234567890123456</IBAN></Id>
        <Ccy>AED</Ccy>
      </Acct>
      <Bal>
        <Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp>
        <Amt Ccy="AED">5000000.00</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Dt><Dt>2026-11-20</Dt></Dt>
      </Bal>
      <Bal>
        <Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp>
        <Amt Ccy="AED">5002500.00</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Dt><Dt>2026-11-20</Dt></Dt>
      </Bal>
      <Ntry>
        <Amt Ccy="AED">2500.00</Amt>
        <CdtDbtInd>CRDT</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>2026-11-20</Dt></BookgDt>
        <AcctSvcrRef>BNK-771204</AcctSvcrRef>
        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>DMCT</SubFmlyCd></Fmly></Domn></BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs><EndToEndId>TOPUP-3307</EndToEndId></Refs>
            <Amt Ccy="AED">2500.00</Amt>
            <CdtDbtInd>CRDT</CdtDbtInd>
          </TxDtls>
        </NtryDtls>
      </Ntry>
    </Stmt>
  </BkToCstmrStmt>
</Document>
"""

XML_EXAMPLES: Final[Mapping[str, str]] = MappingProxyType(
    {"bank.notifications": CAMT_054, "bank.reports": CAMT_052, "bank.statements": CAMT_053}
)
