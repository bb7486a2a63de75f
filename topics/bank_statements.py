"""`bank.statements`: camt.053 as the bank sent it, byte for byte, or a page cut from a large one.

The bank's record of a day. A file that is larger than a record may be is published as pages, each
with the statement's own header and balances; `recon-streams publish` cuts them.
"""

ALIASES = ("iso20022.camt.053",)
CONTENT_TYPE = "application/xml"
