"""connectors.yaml: what it says, and the line of everything wrong in it."""

from pathlib import Path

import pytest

from recon_streams.connectors.file import connectors_of
from recon_streams.connectors.http import HttpTerms
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.yaml_source import parse_yaml


def read(block: str) -> tuple[HttpTerms, ...]:
    text = "connectors:\n  house-bank:\n" + "".join(f"    {line}\n" for line in block.splitlines())
    return connectors_of(parse_yaml("connectors.yaml", text))


def wrong(block: str) -> str:
    with pytest.raises(ConfigurationInvalid) as refused:
        read(block)
    return refused.value.render()


def test_little_has_to_be_said() -> None:
    (terms,) = read("address: https://bank.example/v1/{account_id}/balances")
    assert terms == HttpTerms(
        name="house-bank", address="https://bank.example/v1/{account_id}/balances"
    )


def test_everything_can_be_said(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("secret")
    (terms,) = read(
        f"address: http://10.0.0.1/{{bank_account}}\ninsecure_http: true\ntoken_file: {token}\n"
        "scheme: Token\nmapping:\n  kind: null\n  amount: /a/0\n  direction: /d\n  debits: [out]"
    )
    assert terms.token_file == token
    assert (terms.mapping.kind, terms.mapping.amount, terms.mapping.debits) == (
        None, "/a/0", ("out",),
    )  # fmt: skip


def test_plain_http_stays_on_this_machine() -> None:
    assert read("address: http://127.0.0.1:8080/{account_id}")
    assert "write https, or insecure_http: true" in wrong(
        "address: http://bank.example/{account_id}"
    )


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("address: ftp://bank.example/", "write https://host/path"),
        ("address: https://{account_id}.example/", "the host itself is fixed"),
        ("address: https://user:word@bank.example/", "use token_file"),
        ("address: https://bank.example/{iban}", "{account_id}, {bank_account}, {currency}"),
        ("address: https://bank.example/{", "{account_id}, {bank_account}, {currency}"),
        ("address: https://bank.example/\nmapping: {amount: amount}", "write a JSON pointer"),
        ("address: https://bank.example/\ntimeout_seconds: 0", "not less than 1"),
        ("timeout_seconds: 3", "is required"),
        ("address: https://bank.example/\ntoken_file: /nowhere/token", "no file that"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(block: str, said: str) -> None:
    shown = wrong(block)
    assert said in shown
    assert "connectors.yaml:" in shown


def test_a_mistyped_key_is_told_with_the_one_meant() -> None:
    assert "did you mean token_file?" in wrong("address: https://b.example/\ntokenfile: /x")


def test_a_mistyped_key_is_shown_where_it_stands_with_what_it_could_be() -> None:
    said = wrong("address: https://bank.example/\ntoken_fil: x")
    assert "connectors.yaml:4:5" in said
    assert "connectors.house-bank.token_fil: unknown key, did you mean token_file?" in said
    said = wrong("address: https://bank.example/\nmapping: {amonut: /a}")
    assert "did you mean amount?" in said
    with pytest.raises(ConfigurationInvalid) as refused:
        connectors_of(parse_yaml("connectors.yaml", "conectors: {}\n"))
    assert "conectors: unknown key, did you mean connectors?" in refused.value.render()
