"""`bank.notifications`: camt.054 as the bank sent it, byte for byte.

The value is the XML document itself, any version from 01 to 14, any encoding XML allows, with or
without an envelope. No wrapper, no JSON, no base64: a signature over the bytes stays valid and what
is kept as evidence is what the bank said. The key is free; one bank account per key keeps the
account's notifications in order.
"""

ALIASES = ("iso20022.camt.054", "bank.notifications.credit", "bank.notifications.debit")
CONTENT_TYPE = "application/xml"
