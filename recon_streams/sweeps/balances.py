"""Where a bank's answer is decided: as of its own instant, once, beside the position."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from recon_streams.book.intake import DecisionFailed, Reading
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.register import note
from recon_streams.kernel.disposition import Disposition, Held, Outcome, quarantined
from recon_streams.kernel.json_text import decode
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.log.record import Record
from recon_streams.positions.desk import evidence_of as event_evidence
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import AccountEvent
from recon_streams.positions.ledger_intake import AHEAD_MAX
from recon_streams.positions.observing import EVENTS_MAX, Hearing, events_since
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.registry.definition import AccountSweep
from recon_streams.sweeps import question, store
from recon_streams.sweeps.answer import Judged, Recent, judge
from recon_streams.sweeps.completion import tell_if_complete
from recon_streams.sweeps.findings import Findings, evidence_of, findings_of_answer
from recon_streams.sweeps.question import Asked, NewQuestion
from recon_streams.sweeps.sweep import BankState
from recon_streams.sweeps.terms import SweepPlans, SweepTerms
from topics.bank_balances import TOPIC, BankAnswer, BankBalance

_DECODER: Final[msgspec.json.Decoder[BankAnswer]] = msgspec.json.Decoder(BankAnswer)
_ROUNDS: Final = 2


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that can be decided."""

    index: int
    account: Account
    said: BankAnswer
    record: Record
    question_id: int | None


class BankBalances:
    """The `Intake` of `bank.balances`."""

    def __init__(self, directories: DirectoryCache, terms: SweepTerms) -> None:
        """Decide by the registry in force, which `directories` finds, and by `terms`."""
        self._directories = directories
        self._terms = terms
        self._plans = SweepPlans()

    @property
    def name(self) -> str:
        """The stream's canonical topic."""
        return TOPIC

    def read(self, record: Record) -> BankAnswer:
        """Return the answer in `record`, or raise `Refused`."""
        said = decode(record.value or b"", _DECODER)
        latest = record.appended_at + AHEAD_MAX
        for name in ("obtained_at", "as_of"):
            instant = getattr(said, name, None)
            if instant is not None and instant > latest:
                rule = "an instant is not in the future"
                raise Refused(RefusalCode.FUTURE_INSTANT, f"/{name}", rule)
        return said

    async def decide(
        self, unit: UnitOfWork, readings: Sequence[Reading[BankAnswer]]
    ) -> list[Outcome]:
        """Decide `readings` in order inside `unit`."""
        directory = await self._directories.current(unit.connection)
        outcomes: dict[int, Outcome] = {}
        answers: list[_Answer] = []
        for index, reading in enumerate(readings):
            prepared = _prepared(index, reading, directory)
            if isinstance(prepared, Held):
                outcomes[index] = quarantined(prepared)
            else:
                answers.append(prepared)
        if answers:
            batch = await _Batch.open(unit, directory, answers, self._plans)
            for answer in answers:
                outcomes[answer.index] = batch.take(answer, self._terms)
            await batch.write(unit)
            await tell_if_complete(unit, self._terms, batch.settled)
        return [outcomes[index] for index in range(len(readings))]


class _Batch:
    """The answers of one batch while they are decided."""

    def __init__(
        self,
        answers: Sequence[_Answer],
        hearing: Hearing,
        asked: Mapping[int, Asked],
        plans: Mapping[int, AccountSweep],
        events: Mapping[int, Sequence[AccountEvent]],
    ) -> None:
        self._records = [answer.record for answer in answers]
        self._hearing = hearing
        self._asked = asked
        self._plans = plans
        self._events = events
        self._found = Findings()
        self._again: list[NewQuestion] = []
        self._settled: list[tuple[Asked, Judged, Record]] = []
        self._taken: set[int] = set()

    @classmethod
    async def open(
        cls,
        unit: UnitOfWork,
        directory: Directory,
        answers: Sequence[_Answer],
        plans: SweepPlans,
    ) -> "_Batch":
        """Lock what the answers are about: accounts first, then questions, each in order."""
        accounts = {answer.account.number: answer.account for answer in answers}
        hearing = await Hearing.open(unit, directory, accounts)
        ids = [answer.question_id for answer in answers if answer.question_id is not None]
        asked = await question.answered(unit.connection, ids)
        swept = await plans.of(unit.connection, accounts.values())
        since: dict[int, datetime] = {}
        for answer in answers:
            if isinstance(answer.said, BankBalance):
                # The ledger's clock may be ahead of ours: what occurred later can have come sooner.
                as_of = answer.said.as_of - AHEAD_MAX
                number = answer.account.number
                since[number] = min(as_of, since.get(number, as_of))
        events = await events_since(unit.connection, since) if since else {}
        return cls(answers, hearing, asked, swept, events)

    def take(self, answer: _Answer, terms: SweepTerms) -> Outcome:
        """Decide one answer."""
        asked = None if answer.question_id is None else self._asked.get(answer.question_id)
        if asked is not None and (asked.is_taken or asked.question_id in self._taken):
            where = question.name_of(asked.question_id)
            return Outcome(disposition=Disposition.DUPLICATE, duplicate_of=where)
        if asked is not None and asked.key[0] != answer.account.number:
            rule = "an answer is about the account that was asked for"
            held = Held(code=RefusalCode.ID_CONFLICT, field="/request_id", rule=rule)
            return quarantined(held)
        try:
            judged = self._judge(answer)
        except Exception as error:
            # Whatever the core trips over concerns this answer alone; the others go on without it.
            raise DecisionFailed(answer.index) from error
        is_final = asked is None or asked.round >= _ROUNDS
        if asked is not None:
            self._taken.add(asked.question_id)
            if judged.state is BankState.DIFFERS and not is_final:
                self._again.append(_again(answer, asked, terms))
            else:
                self._settled.append((asked, judged, answer.record))
        connector = answer.said.connector
        number = answer.account.number
        findings_of_answer(number, judged, connector, self._found, is_final=is_final)
        if judged.state is not BankState.AGREES:
            return Outcome(disposition=Disposition.OBSERVATION)
        return Outcome(disposition=Disposition.OBSERVATION, events=1)

    def _judge(self, answer: _Answer) -> Judged:
        account = answer.account
        age_max = timedelta(seconds=self._plans[account.number].answer_age_seconds_max)
        events = self._events.get(account.number, ())
        judged = judge(
            answer.said,
            self._hearing.state(account),
            Recent(events, len(events) < EVENTS_MAX),
            rules=account.rules,
            age_max=age_max,
        )
        if judged.state is not BankState.AGREES:
            return judged
        # Heard as of the bank's instant, not of the answer's arrival: no fresher than its figure.
        assert judged.as_of is not None, "a balance has an instant"
        at = min(judged.as_of, answer.record.appended_at)
        self._hearing.heard(account, at=at, evidence=event_evidence(answer.record))
        return msgspec.structs.replace(judged, verdict=self._hearing.state(account).tier)

    @property
    def settled(self) -> set[datetime]:
        """When the sweeps that are decided now were due."""
        return {asked.key[1] for asked, _, _ in self._settled}

    async def write(self, unit: UnitOfWork) -> None:
        """Write what was decided."""
        self._hearing.write(unit)
        for asked, judged, record in self._settled:
            origin = f"{record.topic}/{record.partition}/{record.offset}"
            store.settle(unit, asked.key, judged, origin=origin, at=record.appended_at)
        newest = max(record.appended_at for record in self._records)
        if self._taken:
            await question.mark_taken(unit.connection, self._taken, newest)
        await question.write(unit, self._again)
        evidence = evidence_of(self._records)
        await note(unit, self._found.found, self._found.cleared, at=newest, evidence=evidence)


def _prepared(index: int, reading: Reading[BankAnswer], directory: Directory) -> _Answer | Held:
    if reading.held is not None:
        return reading.held
    said = reading.value
    assert said is not None, "a reading has a value or a reason"
    account = directory.by_ledger(said.account_id, said.currency)
    if account is None and directory.knows_ledger(said.account_id):
        rule = "the account is registered, but not in this currency"
        return Held(code=RefusalCode.CURRENCY_MISMATCH, field="/currency", rule=rule)
    if account is None:
        rule = "the account registry names the account; register it and this record is replayed"
        return Held(code=RefusalCode.UNKNOWN_ACCOUNT, field="/account_id", rule=rule)
    return _Answer(
        index=index,
        account=account,
        said=said,
        record=reading.record,
        question_id=question.id_of(said.request_id),
    )


def _again(answer: _Answer, asked: Asked, terms: SweepTerms) -> NewQuestion:
    not_before = answer.record.appended_at + terms.confirm_after
    return NewQuestion(
        key=asked.key,
        account_id=answer.account.account_id,
        currency=answer.account.currency,
        connector=asked.connector,
        round=asked.round + 1,
        not_before=not_before,
        give_up_at=not_before + terms.give_up_after,
    )
