"""The file of operators: whom the root key vouches for, and every way in which it may not be so."""

import os
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from recon_streams.identity.flaw import IdentityFlaw, NotBelieved
from recon_streams.identity.keys import (
    PrivateKey,
    PublicKey,
    new_key,
    public_key,
    read_private_key,
    read_public_key,
    thumbprint,
)
from recon_streams.identity.office import replace_file, write_public_key
from recon_streams.identity.operators import (
    Operator,
    OperatorKey,
    OperatorsFile,
    OperatorsList,
    operators_of,
    read_operators,
    signed_file,
    with_key,
    without,
)
from recon_streams.identity.person import Role, folded, is_subject


@pytest.fixture
def root() -> PrivateKey:
    return new_key()


def person(subject: str) -> Operator:
    return Operator(subject=subject, name=subject.title(), roles=(Role.MAKER,))


def listed(root: PrivateKey, **keys: PublicKey) -> OperatorsList:
    found = OperatorsList(root_kid=root.public.kid)
    for subject, key in keys.items():
        found = with_key(found, person(subject), key)
    return found


def flaw_of(content: bytes, root: PublicKey) -> IdentityFlaw:
    with pytest.raises(NotBelieved) as caught:
        operators_of(content, root)
    return caught.value.flaw


def test_the_thumbprint_is_that_of_the_example_in_rfc_8037() -> None:
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert thumbprint(x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_who_signed_is_the_owner_of_the_key(root: PrivateKey) -> None:
    key = new_key()
    operators = operators_of(signed_file(listed(root, ada=key.public), root), root.public)
    known = operators.verified(kid=key.public.kid, signature=key.sign(b"x"), payload=b"x")
    assert (known.subject, known.roles) == ("ada", frozenset({Role.MAKER}))
    with pytest.raises(NotBelieved) as caught:
        operators.verified(kid=key.public.kid, signature=key.sign(b"y"), payload=b"x")
    assert caught.value.flaw is IdentityFlaw.BAD_SIGNATURE


def test_every_change_has_a_higher_version_and_keeps_what_was_revoked(root: PrivateKey) -> None:
    one, two = new_key(), new_key()
    before = listed(root, ada=one.public)
    more = with_key(before, person("ada"), two.public)
    less = without(more, "ada", one.public.kid)
    assert [each.version for each in (before, more, less)] == [2, 3, 4]
    operators = operators_of(signed_file(less, root), root.public)
    with pytest.raises(NotBelieved) as caught:
        operators.verified(kid=one.public.kid, signature=one.sign(b"x"), payload=b"x")
    assert caught.value.flaw is IdentityFlaw.REVOKED
    assert operators.verified(kid=two.public.kid, signature=two.sign(b"x"), payload=b"x")


def test_a_file_that_another_root_signed_or_that_was_edited_is_refused(root: PrivateKey) -> None:
    content = signed_file(listed(root, ada=new_key().public), root)
    assert flaw_of(content, new_key().public) is IdentityFlaw.UNKNOWN_ROOT
    assert flaw_of(content.replace(b'"Ada"', b'"Eve"'), root.public) is IdentityFlaw.BAD_SIGNATURE
    more_roles = content.replace(b'"maker"', b'"checker"')
    assert flaw_of(more_roles, root.public) is IdentityFlaw.BAD_SIGNATURE
    for wrong in (b"", b"{}", b"\xff", b"[]", content + b"x", b'{"signed": {}, "signature": ""}'):
        assert flaw_of(wrong, root.public) is IdentityFlaw.UNREADABLE


def test_a_file_that_a_stranger_signed_in_the_name_of_the_root_is_refused(
    root: PrivateKey,
) -> None:
    stranger = new_key()
    content = signed_file(listed(root, ada=new_key().public), stranger)
    assert flaw_of(content, root.public) is IdentityFlaw.BAD_SIGNATURE


def test_a_key_of_two_subjects_and_a_subject_that_stands_twice_are_refused(
    root: PrivateKey,
) -> None:
    key = new_key().public
    with pytest.raises(NotBelieved) as caught:
        signed_file(listed(root, ada=key, ben=key), root)
    assert caught.value.flaw is IdentityFlaw.KEY_OF_TWO
    twice = OperatorsList(root_kid=root.public.kid, operators=(person("ada"), person("ada")))
    with pytest.raises(NotBelieved) as caught:
        signed_file(twice, root)
    assert caught.value.flaw is IdentityFlaw.SUBJECT_TWICE


@pytest.mark.parametrize("subject", ["", "Ada", "a da", "ada\n", "\u0430da", "-ada", "a" * 65])
def test_a_subject_has_one_spelling(root: PrivateKey, subject: str) -> None:
    assert not is_subject(subject)
    with pytest.raises(NotBelieved) as caught:
        signed_file(OperatorsList(root_kid=root.public.kid, operators=(person(subject),)), root)
    assert caught.value.flaw is IdentityFlaw.BAD_SUBJECT


def test_case_space_and_form_do_not_make_another_person() -> None:
    assert {folded(each) for each in ("ada", "ADA", " a d a\t", "\uff41da")} == {"ada"}


def test_a_key_bears_its_own_name_and_has_one_spelling(root: PrivateKey) -> None:
    key = new_key().public
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other_x = key.x[:-1] + last[last.index(key.x[-1]) + 1]
    for wrong in (
        replace(key, kid=new_key().public.kid),
        public_key(other_x),
        public_key("AAAA"),
        public_key("\u00e4"),
    ):
        owner = replace(person("ada"), keys=(OperatorKey(key=wrong),))
        with pytest.raises(NotBelieved) as caught:
            signed_file(OperatorsList(root_kid=root.public.kid, operators=(owner,)), root)
        assert caught.value.flaw is IdentityFlaw.NOT_A_KEY


def test_what_others_may_read_or_write_is_refused(root: PrivateKey, tmp_path: Path) -> None:
    private = tmp_path / "root.pem"
    root.write(private)
    assert read_private_key(private).public == root.public
    with pytest.raises(FileExistsError):
        root.write(private)
    for mode in (0o640, 0o604, 0o666, 0o700):
        private.chmod(mode)
        with pytest.raises(NotBelieved) as caught:
            read_private_key(private)
        assert caught.value.flaw is IdentityFlaw.WRONG_MODE
    operators = tmp_path / "operators.json"
    replace_file(operators, signed_file(listed(root), root), mode=0o644)
    assert read_operators(operators, root.public).listed.version == 1
    operators.chmod(0o664)
    with pytest.raises(NotBelieved) as caught:
        read_operators(operators, root.public)
    assert caught.value.flaw is IdentityFlaw.WRONG_MODE


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    rsa = generate_private_key(65_537, 2_048)
    contents = [
        b"",
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    ]
    for content in contents:
        replace_file(file, content, mode=0o600)
        with pytest.raises(NotBelieved) as caught:
            read_private_key(file)
        assert caught.value.flaw is IdentityFlaw.NOT_A_KEY
    with pytest.raises(NotBelieved) as caught:
        read_private_key(tmp_path / "none.pem")
    assert caught.value.flaw is IdentityFlaw.UNREADABLE


def test_a_public_key_is_read_as_it_was_written(root: PrivateKey, tmp_path: Path) -> None:
    file = tmp_path / "root.json"
    old_mask = os.umask(0)
    try:
        write_public_key(file, root.public)
    finally:
        os.umask(old_mask)
    assert read_public_key(file) == root.public
    replace_file(file, b'{"kty": "RSA"}', mode=0o644)
    with pytest.raises(NotBelieved):
        read_public_key(file)


def test_the_file_reads_as_it_was_signed(root: PrivateKey) -> None:
    content = signed_file(listed(root, ada=new_key().public), root)
    file = msgspec.json.decode(content, type=OperatorsFile)
    assert operators_of(content, root.public).listed == file.signed
