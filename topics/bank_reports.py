"""`bank.reports`: camt.052 as the bank sent it, byte for byte.

What the account looks like during the day: increments at some banks, the whole day so far at
others. The value is the XML document itself, as on `bank.notifications`; one bank account per key
keeps the account's reports in order.
"""

ALIASES = ("iso20022.camt.052",)
CONTENT_TYPE = "application/xml"
