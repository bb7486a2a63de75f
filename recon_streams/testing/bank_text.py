"""What a bank writes, as text templates that share nothing with the reader they are to test."""

from typing import Final

CAMT_054: Final = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08">
  <BkToCstmrDbtCdtNtfctn>
    <GrpHdr><MsgId>{message_id}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>
    <Ntfctn>
      <Id>{message_id}-1</Id>
      <CreDtTm>{created}</CreDtTm>
      <Acct><Id><Othr><Id>{bank_id}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>
{entries}    </Ntfctn>
  </BkToCstmrDbtCdtNtfctn>
</Document>
"""

CAMT_053: Final = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>{message_id}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>
    <Stmt>
      <Id>{message_id}-1</Id>
      <ElctrncSeqNb>{number}</ElctrncSeqNb>
      <CreDtTm>{created}</CreDtTm>
      <Acct><Id><Othr><Id>{bank_id}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>
{balances}{entries}    </Stmt>
  </BkToCstmrStmt>
</Document>
"""

BALANCE: Final = """      <Bal>
        <Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>
        <Amt Ccy="{currency}">{amount}</Amt>
        <CdtDbtInd>{direction}</CdtDbtInd>
        <Dt><Dt>{day}</Dt></Dt>
      </Bal>
"""

ENTRY: Final = """      <Ntry>
        <Amt Ccy="{currency}">{amount}</Amt>
        <CdtDbtInd>{direction}</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>{day}</Dt></BookgDt>
        <ValDt><Dt>{day}</Dt></ValDt>
        <AcctSvcrRef>{servicer_reference}</AcctSvcrRef>
        <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
        <NtryDtls>
          <TxDtls>
            <Refs>
              <AcctSvcrRef>{servicer_reference}</AcctSvcrRef>
              <EndToEndId>{end_to_end_id}</EndToEndId>
              <UETR>{uetr}</UETR>
            </Refs>
            <Amt Ccy="{currency}">{amount}</Amt>
            <CdtDbtInd>{direction}</CdtDbtInd>
            <RltdPties>
              <Dbtr><Pty><Nm>A person who pays or is paid, {number}</Nm></Pty></Dbtr>
              <DbtrAcct><Id><Othr><Id>OTHER-{number}</Id></Othr></Id></DbtrAcct>
            </RltdPties>
            <RmtInf><Ustrd>Payment number {number} of a seeded day, as a payer would write it</Ustrd></RmtInf>
          </TxDtls>
        </NtryDtls>
      </Ntry>
"""  # noqa: E501 - a message, not code
