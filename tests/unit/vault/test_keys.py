import base64
import os
import threading

import pytest

from cambist.adapters.vault.keys import VARIABLE, LocalKeys, add_key, local_keys, name_of
from cambist.domain.errors import BadInput, StorageFailed

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")


def wrapped(keys: LocalKeys) -> bytes:
    return keys.unwrap(*keys.wrap(b"d" * 32, b"bound"), b"bound")


def test_the_file_is_made_when_it_is_first_needed(tmp_path):
    file = tmp_path / "deep" / "vault.key"
    keys = local_keys(file, None)
    assert not file.exists()
    assert wrapped(keys) == b"d" * 32
    assert len(base64.b64decode(file.read_text().strip())) == 32
    assert [path.name for path in file.parent.iterdir()] == ["vault.key"]
    assert wrapped(local_keys(file, None)) == b"d" * 32


@posix
def test_it_is_its_owners_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        _ = local_keys(tmp_path / "vault.key", None).key_id
        add_key(tmp_path / "vault.key")
    finally:
        os.umask(before)
    assert (tmp_path / "vault.key").stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path, mode):
    file = tmp_path / "vault.key"
    keys = local_keys(file, None)
    _ = keys.key_id
    file.chmod(mode)
    with pytest.raises(StorageFailed, match=f"{mode:o}"):
        _ = keys.key_id
    with pytest.raises(StorageFailed):
        add_key(file)


def test_many_who_make_it_at_once_make_one(tmp_path):
    file, gate, found = tmp_path / "vault.key", threading.Barrier(8), []

    def look() -> None:
        gate.wait()
        found.append(local_keys(file, None).key_id)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_new_key_stands_in_front_and_the_old_ones_still_unwrap(tmp_path):
    file = tmp_path / "vault.key"
    keys = local_keys(file, None)
    old = keys.wrap(b"d" * 32, b"bound")
    add_key(file)
    assert keys.key_id != old[0]
    assert len(file.read_text().splitlines()) == 2
    assert keys.unwrap(*old, b"bound") == b"d" * 32


@pytest.mark.parametrize("text", ["x", base64.b64encode(b"short").decode(), base64.b64encode(b"k" * 33).decode(), ",,"])
def test_what_is_no_key_is_told_without_being_repeated(tmp_path, text):
    with pytest.raises(BadInput, match=VARIABLE) as refused:
        _ = local_keys(tmp_path / "none", text).key_id
    assert len(text) < 3 or text not in str(refused.value)
    file = tmp_path / "vault.key"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(BadInput, match=r"vault\.key"):
        _ = local_keys(file, None).key_id


def test_several_keys_stand_in_the_variable(tmp_path):
    texts = [base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2)]
    old = local_keys(tmp_path / "none", texts[1]).wrap(b"d" * 32, b"bound")
    both = local_keys(tmp_path / "none", ",".join(texts))
    assert both.key_id == name_of(b"\x01" * 32)
    assert both.unwrap(*old, b"bound") == b"d" * 32


def test_what_is_bound_elsewhere_does_not_unwrap(tmp_path):
    keys = local_keys(tmp_path / "vault.key", None)
    key_id, blob = keys.wrap(b"d" * 32, b"here")
    with pytest.raises(StorageFailed):
        keys.unwrap(key_id, blob, b"there")
