"""The vault over both databases: what is sealed opens for those for whom it was sealed, and for nobody else."""

import base64
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cambist.adapters.storage.secrets import SqlSecrets
from cambist.adapters.vault.envelope import EnvelopeVault
from cambist.adapters.vault.keys import LocalKeys, add_key, local_keys
from cambist.domain.errors import NotFound, StorageFailed

_users = count(1)


@pytest.fixture(scope="module")
def rows(database_url: str) -> SqlSecrets:
    return SqlSecrets(database_url)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "vault.key"


@pytest.fixture(scope="module")
def passed() -> list[str]:
    return []


@pytest.fixture(scope="module")
def vault(rows: SqlSecrets, file: Path, passed: list[str]) -> EnvelopeVault:
    return EnvelopeVault(rows, local_keys(file, None), opened=passed.append)


@pytest.fixture
def user() -> int:
    return next(_users)


def test_a_secret_is_sealed_opened_replaced_and_forgotten(vault, user):
    assert not vault.holds(user, "main", "api_key")
    with pytest.raises(NotFound):
        vault.open(user, "main", "api_key")
    vault.seal(user, "main", "api_key", "first")
    vault.seal(user, "main", "api_key", "second é\n")
    vault.seal(user, "main", "secret", "")
    vault.seal(user, "other", "secret", "third")
    assert vault.open(user, "main", "api_key") == "second é\n"
    assert vault.open(user, "main", "secret") == ""
    assert vault.holds(user, "main", "api_key")
    assert vault.forget(user, "main", "api_key") == 1
    assert vault.forget(user, "main", "api_key") == 0
    assert vault.forget(user, "main") == 1
    assert vault.open(user, "other", "secret") == "third"


def test_the_first_who_seals_once_wins(vault, user):
    assert vault.seal_once(user, "main", "key", "mine") == "mine"
    assert vault.seal_once(user, "main", "key", "theirs") == "mine"


def test_whatever_passes_is_told_to_the_logs(vault, user, passed):
    vault.seal(user, "main", "key", "a secret that passes")
    assert "a secret that passes" in passed
    passed.clear()
    vault.open(user, "main", "key")
    assert passed == ["a secret that passes"]


def test_the_row_shows_nothing(vault, rows, user):
    vault.seal(user, "main", "key", "canary-canary")
    row = rows.find(user, "main", "key")
    assert b"canary" not in row.sealed + row.wrapped_key
    assert "canary" not in repr(row)
    assert repr(row.sealed) not in repr(row)


def test_two_secrets_that_are_alike_do_not_look_alike(vault, rows, user):
    for purpose in ("one", "two"):
        vault.seal(user, "main", purpose, "the same")
    one, two = rows.find(user, "main", "one"), rows.find(user, "main", "two")
    assert one.sealed != two.sealed
    assert one.wrapped_key != two.wrapped_key


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=12)
PLACES = st.tuples(st.integers(0, 2**31 - 1), WORDS, WORDS)


@settings(max_examples=60, deadline=None)
@given(one=PLACES, other=PLACES, secret=st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_blob_copied_to_another_row_does_not_open(vault, rows, one, other, secret):
    vault.seal(*one, secret)
    assert vault.open(*one) == secret
    row = rows.find(*one)
    if one != other:
        user_id, record, purpose = other
        rows.keep(replace(row, user_id=user_id, record=record, purpose=purpose))
        with pytest.raises(StorageFailed):
            vault.open(*other)
        vault.seal(*other, "a secret of its own")  # nor does it with the other row's data key
        own = rows.find(*other)
        rows.keep(replace(own, sealed=row.sealed))
        with pytest.raises(StorageFailed):
            vault.open(*other)
        vault.forget(*other)
    vault.forget(*one)


@settings(max_examples=40, deadline=None)
@given(
    part=st.sampled_from(["sealed", "wrapped_key"]), at=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans()
)
def test_a_blob_that_was_changed_does_not_open(vault, rows, part, at, bit, cut):
    place = (next(_users), "main", "key")
    vault.seal(*place, "a secret")
    row = rows.find(*place)
    blob = bytearray(getattr(row, part))
    blob[at % len(blob)] ^= 1 << bit
    changed = bytes(blob[: at % len(blob)]) if cut else bytes(blob)
    rows.keep(replace(row, **{part: changed}))
    with pytest.raises(StorageFailed):
        vault.open(*place)


def test_a_rotation_wraps_anew_and_leaves_the_secrets_closed(rows, user, tmp_path):
    for row in rows.wrapped_otherwise(""):  # what other tests have broken
        rows.forget(row.user_id, row.record, row.purpose)
    file = tmp_path / "vault.key"
    told: list[str] = []
    vault = EnvelopeVault(rows, local_keys(file, None), opened=told.append)
    for purpose in ("one", "two"):
        vault.seal(user, "main", purpose, f"secret {purpose}")
    before = [rows.find(user, "main", purpose) for purpose in ("one", "two")]
    told.clear()
    add_key(file)
    assert vault.open(user, "main", "one") == "secret one"  # a server that runs takes the new key up by itself
    told.clear()
    assert vault.rotate() == 2
    assert told == []
    after = [rows.find(user, "main", purpose) for purpose in ("one", "two")]
    assert [row.sealed for row in after] == [row.sealed for row in before]
    assert all(new.key_id != old.key_id for new, old in zip(after, before, strict=True))
    assert vault.rotate() == 0
    newest = file.read_text().splitlines()[0]
    alone = EnvelopeVault(rows, local_keys(tmp_path / "none", newest), opened=told.append)
    assert [alone.open(user, "main", purpose) for purpose in ("one", "two")] == ["secret one", "secret two"]
    assert not (tmp_path / "none").exists()


def test_a_secret_that_does_not_open_keeps_no_other_from_a_rotation(rows, user, tmp_path):
    lost = EnvelopeVault(rows, local_keys(tmp_path / "lost", None), opened=lambda _: None)
    lost.seal(user, "a", "secret", "whose key is gone")
    keys = local_keys(tmp_path / "keys", None)
    vault = EnvelopeVault(rows, keys, opened=lambda _: None)
    vault.seal(user, "b", "secret", "sound")
    before = keys.key_id
    add_key(tmp_path / "keys")
    with pytest.raises(StorageFailed, match="not here"):
        vault.rotate()
    row = rows.find(user, "b", "secret")
    assert row is not None
    assert row.key_id == keys.key_id != before
    assert vault.open(user, "b", "secret") == "sound"
    lost.forget(user, "a")


def test_a_secret_that_is_sealed_anew_during_a_rotation_is_left_alone(rows, user, tmp_path):
    vault = EnvelopeVault(rows, local_keys(tmp_path / "vault.key", None), opened=lambda _: None)
    vault.seal(user, "main", "key", "old")
    read = rows.find(user, "main", "key")
    vault.seal(user, "main", "key", "new")
    assert not rows.rewrap(read, "some key", b"wrapped")
    assert vault.open(user, "main", "key") == "new"


def test_without_its_key_a_secret_stays_closed_and_the_error_names_the_key(rows, user):
    keys = [[bytes([number]) * 32] for number in (1, 2)]
    EnvelopeVault(rows, LocalKeys(lambda: keys[0]), opened=lambda _: None).seal(user, "main", "key", "secret")
    other = EnvelopeVault(rows, LocalKeys(lambda: keys[1]), opened=lambda _: None)
    with pytest.raises(StorageFailed, match=rows.find(user, "main", "key").key_id) as failed:
        other.open(user, "main", "key")
    assert base64.b64encode(keys[0][0]).decode() not in str(failed.value)
