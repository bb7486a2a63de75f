"""Keys are kept from others, and a signature is one of ours or it is nothing."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.log.record import OutgoingRecord
from recon_streams.signing.key_ring import KeyRing, own_key_ring
from recon_streams.signing.private_key import make_private_key, read_private_key
from recon_streams.signing.public_keys import (
    KeyUnusable,
    PublicKey,
    key_set_bytes,
    parse_key_set,
    read_key_set,
    write_key_set,
)
from recon_streams.signing.signer import SignatureFlaw, Signer, signature_flaw

SIGNER, OTHER = Signer(Ed25519PrivateKey.generate()), Signer(Ed25519PrivateKey.generate())
KEYS = {SIGNER.public.kid: SIGNER.public}


def test_the_id_of_a_key_is_the_one_of_rfc_8037() -> None:
    # Appendix A.3 of RFC 8037.
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    key = PublicKey(raw)
    assert key.jwk()["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@given(value=st.binary(max_size=200))
def test_what_was_signed_is_known_again(value: bytes) -> None:
    sealed = SIGNER.seal(OutgoingRecord("t", b"k", value, (("h", b"1"),)))
    assert sealed.value == value
    assert sealed.headers[0] == ("h", b"1")
    assert signature_flaw(value, sealed.headers, KEYS) is None


@given(value=st.binary(max_size=200), other=st.binary(max_size=200))
def test_other_bytes_are_not_what_was_signed(value: bytes, other: bytes) -> None:
    sealed = SIGNER.seal(OutgoingRecord("t", b"k", value))
    expected = None if value == other else SignatureFlaw.BAD_SIGNATURE
    assert signature_flaw(other, sealed.headers, KEYS) is expected


def test_a_key_that_is_not_pinned_signs_for_nobody() -> None:
    sealed = OTHER.seal(OutgoingRecord("t", b"k", b"v"))
    assert signature_flaw(b"v", sealed.headers, KEYS) is SignatureFlaw.UNKNOWN_KEY


def test_no_signature_half_of_one_or_two_of_them_prove_nothing() -> None:
    alg, kid, sig = SIGNER.seal(OutgoingRecord("t", b"k", b"v")).headers
    bad = SignatureFlaw.BAD_SIGNATURE
    wrong_kind = ("alg", b"none")
    for headers in ((), (alg, kid), (kid, sig), (alg, kid, sig, sig), (wrong_kind, kid, sig)):
        assert signature_flaw(b"v", headers, KEYS) is bad, headers
    assert signature_flaw(b"v", (alg, kid, ("sig", b"")), KEYS) is bad
    unknown = SignatureFlaw.UNKNOWN_KEY
    assert signature_flaw(b"v", (alg, ("kid", b"\xff"), sig), KEYS) is unknown


def test_a_private_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "breaker.pem"
    made = Signer(make_private_key(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert Signer(read_private_key(file)).public.kid == made.public.kid
    with pytest.raises(KeyUnusable, match="never overwritten"):
        make_private_key(file)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660])
def test_a_private_key_that_others_may_read_is_refused_with_what_to_write(
    tmp_path: Path, mode: int
) -> None:
    file = tmp_path / "breaker.pem"
    make_private_key(file)
    file.chmod(mode)
    with pytest.raises(KeyUnusable, match=f"mode {mode:04o}.*chmod 600"):
        read_private_key(file)
    file.chmod(0o400)
    read_private_key(file)


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    file = tmp_path / "breaker.pem"
    with pytest.raises(KeyUnusable, match=r"breaker\.pem cannot be read"):
        read_private_key(file)
    file.write_bytes(b"no key")
    file.chmod(0o600)
    with pytest.raises(KeyUnusable, match="no private key"):
        read_private_key(file)


def test_a_set_of_keys_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    both = {**KEYS, OTHER.public.kid: OTHER.public}
    write_key_set(file, both)
    assert list(read_key_set(file)) == list(both)
    assert file.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kty": "RSA"}, "no JWK Set of Ed25519 keys"),
        ({"crv": "X25519"}, "no JWK Set of Ed25519 keys"),
        ({"x": "AAAA"}, "3 bytes"),
        ({"x": "!" * 43}, "not base64url"),
        ({"kid": "mine"}, "its RFC 7638 id is"),
    ],
)
def test_a_key_that_is_not_what_it_says_is_refused(change: dict[str, str], said: str) -> None:
    document = json.loads(key_set_bytes(KEYS))
    document["keys"][0] |= change
    with pytest.raises(KeyUnusable, match=said):
        parse_key_set(json.dumps(document).encode(), name="keys.json")


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b"\xff", b'{"keys": [1]}'])
def test_a_file_that_is_no_set_of_keys_is_refused(payload: bytes) -> None:
    with pytest.raises(KeyUnusable, match=r"keys\.json"):
        parse_key_set(payload, name="keys.json")


def test_an_installation_makes_its_key_once(tmp_path: Path) -> None:
    key_file, public = tmp_path / "keys" / "breaker.pem", tmp_path / "breaker-keys.json"
    first = own_key_ring(key_file, public)
    again = own_key_ring(key_file, public)
    assert first.signer.public.kid == again.signer.public.kid
    assert list(again.trusted()) == [first.signer.public.kid]


def test_a_lost_key_is_never_replaced_in_silence_while_readers_pin_it(tmp_path: Path) -> None:
    key_file, public = tmp_path / "keys" / "breaker.pem", tmp_path / "breaker-keys.json"
    kid = own_key_ring(key_file, public).signer.public.kid
    lost = tmp_path / "lost.pem"
    key_file.rename(lost)
    for _ in range(2):
        with pytest.raises(KeyUnusable) as told:
            own_key_ring(key_file, public)
        assert f"{key_file} is gone" in str(told.value)
        assert f"{public} names {kid}" in str(told.value)
        command = f"recon-streams keys new --key-file {key_file} --public-keys {public}"
        assert command in str(told.value)
    assert not key_file.exists()
    assert list(read_key_set(public)) == [kid]
    lost.rename(key_file)
    assert own_key_ring(key_file, public).signer.public.kid == kid


def test_another_key_in_the_place_of_its_own_is_not_taken_for_it(tmp_path: Path) -> None:
    key_file, public = tmp_path / "breaker.pem", tmp_path / "breaker-keys.json"
    kid = own_key_ring(key_file, public).signer.public.kid
    key_file.unlink()
    make_private_key(key_file)
    with pytest.raises(KeyUnusable, match="no reader would believe") as told:
        own_key_ring(key_file, public)
    command = f"keys public --add --key-file {key_file} --public-keys {public}"
    assert command in str(told.value)
    assert list(read_key_set(public)) == [kid]


def test_a_set_that_names_no_key_or_is_gone_is_written_anew(tmp_path: Path) -> None:
    key_file, public = tmp_path / "breaker.pem", tmp_path / "breaker-keys.json"
    public.write_bytes(key_set_bytes({}))
    kid = own_key_ring(key_file, public).signer.public.kid
    assert list(read_key_set(public)) == [kid]
    public.unlink()
    own_key_ring(key_file, public)
    assert list(read_key_set(public)) == [kid]


def test_a_file_that_somebody_named_is_read_and_never_made(tmp_path: Path) -> None:
    key_file, public = tmp_path / "breaker.pem", tmp_path / "breaker-keys.json"
    with pytest.raises(KeyUnusable, match=r"breaker\.pem cannot be read"):
        own_key_ring(key_file, public, makes_key=False)
    with pytest.raises(KeyUnusable, match=r"breaker-keys\.json cannot be read"):
        own_key_ring(key_file, public, makes_set=False)
    assert list(tmp_path.iterdir()) == []
    kid = Signer(make_private_key(key_file)).public.kid
    assert list(own_key_ring(key_file, public, makes_key=False).trusted()) == [kid]


def test_a_publisher_whose_key_nobody_pins_is_told(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    write_key_set(file, {OTHER.public.kid: OTHER.public})
    with pytest.raises(KeyUnusable, match="no reader would believe"):
        KeyRing(signer=SIGNER, public_keys_file=file).trusted()
    assert list(KeyRing(signer=SIGNER).trusted()) == [SIGNER.public.kid]


def test_the_id_of_a_new_key_is_never_taken_for_an_option(tmp_path: Path) -> None:
    kids = [Signer(make_private_key(tmp_path / f"{n}.pem")).public.kid for n in range(200)]
    assert not any(kid.startswith("-") for kid in kids)
