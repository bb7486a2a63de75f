"""The figures of one report, added up from what it prints, entry by entry."""

from collections import Counter
from decimal import Decimal
from typing import Final

from recon_streams.bankfiles import printed
from recon_streams.bankfiles.printed import Printed, Unprintable
from recon_streams.iso20022.safe_xml import Element
from recon_streams.kernel.money import ZERO, add, subtract

ENTRIES_SHOWN: Final = 50

_LENIENT: Final = (
    "CdtDbtInd missing on a balance read as CRDT; entries without Sts counted as booked"
)


class _Sums:
    """Credits and debits, both unsigned, with the zeros their amounts are printed with."""

    __slots__ = ("count", "credits", "debits")

    def __init__(self) -> None:
        self.count = 0
        self.credits = self.debits = ZERO

    def add(self, amount: Decimal, indicator: object) -> None:
        self.count += 1
        if indicator == "CRDT":
            self.credits = add(self.credits, amount)
        else:
            self.debits = add(self.debits, amount)

    @property
    def net(self) -> Decimal:
        return subtract(self.credits, self.debits)

    def shown(self) -> Printed:
        return {"sum_credits": spelled(self.credits), "sum_debits": spelled(self.debits)}


class ReportFigures:
    """Adds up the entries of one report as they come; memory does not grow with their number."""

    def __init__(self) -> None:
        """Begin with no entry."""
        self._all, self._booked, self._without_status = _Sums(), _Sums(), _Sums()
        self._by_currency: dict[str, _Sums] = {}
        self._statuses: Counter[str] = Counter()
        self._currencies: Counter[str] = Counter()
        self._reversals = self._transactions = 0
        self._shown: list[Printed] = []
        self._foreign = False

    def add(self, element: Element) -> None:
        """Take in the entry in `element`.

        Raises:
            Unprintable: If its amount or direction cannot be read.
        """
        entry = printed.entry(element)
        amount = printed.decimal_at(printed.at(element, "Amt"))
        currency, indicator, status = entry["currency"], entry["indicator"], entry["status"]
        if not isinstance(currency, str):
            raise Unprintable("Ccy")
        self._all.add(amount, indicator)
        self._by_currency.setdefault(currency, _Sums()).add(amount, indicator)
        self._statuses[str(status)] += 1
        self._currencies[currency] += 1
        self._reversals += bool(entry["reversal"])
        if status == "BOOK":
            self._booked.add(amount, indicator)
        elif status is None:
            self._without_status.add(amount, indicator)
        if len(self._shown) < ENTRIES_SHOWN:
            shown = self._with_transactions(entry, element, amount)
            self._shown.append(shown)
        else:
            self._transactions += sum(1 for _ in printed.transactions(element))

    def result(self, element: Element) -> Printed:
        """Return all figures of the report in `element`, whose entries were added before.

        Raises:
            Unprintable: If an opening or closing balance cannot be read.
        """
        head = printed.report(element)
        balances = head["balances"]
        assert isinstance(balances, list)
        totals = printed.summary(element)
        return {
            **head,
            **({} if totals is None else {"summary": totals}),
            "by_currency": {code: sums.shown() for code, sums in self._by_currency.items()},
            "entry_count": self._all.count,
            "status_counts": dict(self._statuses),
            "tx_details_count": self._transactions,
            **self._all.shown(),
            "net": spelled(self._all.net),
            "booked": {"count": self._booked.count, **self._booked.shown()},
            "reversal_count": self._reversals,
            "entry_currencies": dict(self._currencies),
            **self._equation(balances),
            "entries": self._shown,
        }

    def _with_transactions(self, entry: Printed, element: Element, amount: Decimal) -> Printed:
        found = printed.batch(element)
        if found is not None:
            entry["batch"] = found
        transactions = list(printed.transactions(element))
        self._transactions += len(transactions)
        entry["tx_count"] = len(transactions)
        if len(transactions) > 1:
            entry.update(_sum_of(transactions, entry["indicator"], amount))
        entry["tx"] = [printed.transaction(each) for each in transactions[:ENTRIES_SHOWN]]
        return entry

    def _equation(self, balances: list[Printed]) -> Printed:
        opening, closing = _pick(balances, "OPBD", "PRCD"), _pick(balances, "CLBD")
        found: Printed = {
            "opening": opening,
            "closing": closing,
            "mixed_currency_entries": len(self._currencies) > 1,
            "balance_check": None,
        }
        if opening is None or closing is None:
            return found
        if opening["currency"] != closing["currency"]:
            return {**found, "balance_note": "opening and closing are in different currencies"}
        start, end = _unsigned(opening), _unsigned(closing)
        indicators = (opening["indicator"], closing["indicator"])
        if None in indicators or self._without_status.count:
            net = add(self._booked.net, self._without_status.net)
            holds = add(_signed(start, indicators[0]), net) == _signed(end, indicators[1])
            return {**found, "lenient_balance_check": holds, "lenient_note": _LENIENT}
        start, end = _signed(start, indicators[0]), _signed(end, indicators[1])
        computed = add(start, self._booked.net)
        return {
            **found,
            "opening_signed": spelled(start),
            "closing_signed": spelled(end),
            "computed_closing": spelled(computed),
            "balance_check": computed == end,
            "balance_difference": spelled(subtract(end, computed)),
        }


def spelled(amount: Decimal) -> str:
    """Return `amount` with all its zeros, without exponent."""
    return format(amount, "f")


def _sum_of(transactions: list[Element], indicator: object, amount: Decimal) -> Printed:
    sums = _Sums()
    counts: Counter[object] = Counter()
    for element in transactions:
        found = printed.amount_of(element)
        if found is not None:
            direction = printed.text_at(element, "CdtDbtInd") or indicator
            counts[direction] += 1
            sums.add(printed.decimal_at(found), direction)
    result: Printed = {
        "tx_credit_count": counts["CRDT"],
        "tx_credit_sum": spelled(sums.credits),
        "tx_debit_count": counts["DBIT"],
        "tx_debit_sum": spelled(sums.debits),
    }
    if counts:
        # As the entry moves: what goes the other way counts negative.
        net = sums.net if indicator == "CRDT" else subtract(sums.debits, sums.credits)
        result["tx_sum"] = spelled(net)
        result["tx_sum_matches"] = net == amount
    return result


def _pick(balances: list[Printed], *codes: str) -> Printed | None:
    for code in codes:
        for balance in balances:
            if balance["type"] == code:
                return {name: balance[name] for name in balance if name != "subtype"}
    return None


def _unsigned(balance: Printed) -> Decimal:
    return printed.decimal_of(str(balance["amount"]))


def _signed(amount: Decimal, indicator: object) -> Decimal:
    return subtract(ZERO, amount) if indicator == "DBIT" else amount
