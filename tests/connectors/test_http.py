"""A bank that is slow, broken, lying, huge or elsewhere: asked over a real connection."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import web
from msgspec.structs import replace

from recon_streams.connectors.http import HttpConnector, HttpTerms
from recon_streams.connectors.port import NoBalance
from recon_streams.registry.definition import AccountDefinition, BankAccount
from recon_streams.testing.stub_bank import StubBank

ACCOUNT = AccountDefinition(
    account_id="A",
    currency="AED",
    scale=2,
    bank_accounts=(BankAccount(identification="AE07/033 1"),),
)
AS_OF = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)

Asking = Callable[..., Awaitable[str]]


@pytest.fixture
async def bank() -> AsyncIterator[StubBank]:
    bank = StubBank()
    bank.balances = {"A": "914500.00"}
    bank.as_of = AS_OF
    await bank.start()
    yield bank
    await bank.stop()


@pytest.fixture
def terms(bank: StubBank) -> HttpTerms:
    return HttpTerms(
        name="stub",
        address=f"{bank.address}/accounts/{{account_id}}",
        timeout_seconds=1,
        attempts=2,
        answer_bytes_max=2_000,
    )


async def refusal(terms: HttpTerms) -> str:
    """Return why there is no balance."""
    connector = HttpConnector(terms)
    await connector.start()
    try:
        with pytest.raises(NoBalance) as refused:
            await connector.ask(ACCOUNT)
        return refused.value.reason
    finally:
        await connector.stop()


def answering(
    body: bytes, status: int = 200, **headers: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, status=status, headers=named)

    return answer


async def test_a_balance_is_read_with_its_instant(bank: StubBank, terms: HttpTerms) -> None:
    connector = HttpConnector(terms)
    await connector.start()
    said = await connector.ask(ACCOUNT)
    await connector.stop()
    assert (said.balance, said.as_of) == (Decimal(914500), AS_OF)
    assert "Authorization" not in bank.headers


async def test_the_token_comes_from_its_file_and_goes_where_the_file_says(
    bank: StubBank, terms: HttpTerms, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("open-sesame\n")
    connector = HttpConnector(replace(terms, token_file=file, header="X-Api-Key", scheme=""))
    await connector.start()
    await connector.ask(ACCOUNT)
    await connector.stop()
    assert bank.headers["X-Api-Key"] == "open-sesame"


async def test_the_account_is_named_in_the_address_and_cannot_leave_its_place(
    bank: StubBank, terms: HttpTerms
) -> None:
    bank.balances["AE07/033 1"] = "7"
    connector = HttpConnector(replace(terms, address=f"{bank.address}/accounts/{{bank_account}}"))
    await connector.start()
    said = await connector.ask(ACCOUNT)
    await connector.stop()
    assert said.balance == 7


async def test_a_slow_bank_is_given_up_within_its_time(bank: StubBank, terms: HttpTerms) -> None:
    bank.delay_seconds = 5
    began = asyncio.get_running_loop().time()
    assert await refusal(terms) == "TIMED_OUT"
    assert asyncio.get_running_loop().time() - began < 4
    assert len(bank.asked) == 2


async def test_a_bank_that_trickles_is_given_up_too(bank: StubBank, terms: HttpTerms) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await response.write(b" ")
            await asyncio.sleep(0.1)
        return response

    bank.answering = trickle
    assert await refusal(replace(terms, attempts=1)) == "TIMED_OUT"


async def test_an_error_that_may_pass_is_asked_again(bank: StubBank, terms: HttpTerms) -> None:
    answers = iter([503, 200])

    async def flaky(_request: web.Request) -> web.StreamResponse:
        if next(answers) != 200:
            return web.Response(status=503)
        balance = {"type": "booked", "amount": 1, "currency": "AED", "as_of": AS_OF.isoformat()}
        return web.json_response({"balances": [balance]})

    bank.answering = flaky
    connector = HttpConnector(terms)
    await connector.start()
    said = await connector.ask(ACCOUNT)
    await connector.stop()
    assert said.balance == 1
    assert len(bank.asked) == 2


async def test_a_refusal_is_not_asked_again(bank: StubBank, terms: HttpTerms) -> None:
    bank.answering = answering(b"", 401)
    assert await refusal(terms) == "HTTP_REFUSED"
    assert len(bank.asked) == 1


async def test_a_redirect_is_not_followed(bank: StubBank, terms: HttpTerms) -> None:
    bank.answering = answering(b"", 302, Location=f"{bank.address}/accounts/B")
    assert await refusal(terms) == "REDIRECTED"
    assert bank.asked == ["A"]


async def test_a_huge_answer_is_cut_off(bank: StubBank, terms: HttpTerms) -> None:
    bank.answering = answering(b" " * 5_000_000)
    assert await refusal(terms) == "TOO_LARGE"


async def test_a_compressed_answer_is_not_unpacked(bank: StubBank, terms: HttpTerms) -> None:
    packed = gzip.compress(b" " * 100_000)
    bank.answering = answering(packed, Content_Encoding="gzip")
    assert await refusal(terms) == "COMPRESSED"


async def test_no_proxy_is_taken_from_the_environment(
    terms: HttpTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:9")
    connector = HttpConnector(terms)
    await connector.start()
    assert (await connector.ask(ACCOUNT)).balance == 914500
    await connector.stop()


async def test_nobody_there_is_unreachable_and_no_address_is_told(terms: HttpTerms) -> None:
    connector = HttpConnector(replace(terms, address="http://127.0.0.1:9/secret-account"))
    await connector.start()
    with pytest.raises(NoBalance) as refused:
        await connector.ask(ACCOUNT)
    await connector.stop()
    assert refused.value.reason == "UNREACHABLE"
    assert "secret" not in str(refused.value)


async def test_a_server_that_cannot_prove_itself_is_not_asked(
    bank: StubBank, terms: HttpTerms
) -> None:
    address = terms.address.replace("http://", "https://")
    assert await refusal(replace(terms, address=address)) == "UNREACHABLE"
    assert bank.asked == []
