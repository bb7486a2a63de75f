"""Which booking of the bank is which movement of the ledger, with the reason for every answer."""
