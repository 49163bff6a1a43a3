import pytest

from cambist.accounts import passwords
from cambist.domain.errors import BadInput

SALT = b"0123456789abcdef"


def test_a_password_fits_what_was_kept_of_it_and_no_other_does():
    kept = passwords.hashed("correct-horse-battery", SALT)
    assert "correct" not in kept
    assert passwords.fits("correct-horse-battery", kept)
    assert not passwords.fits("correct-horse-batterz", kept)
    assert not passwords.fits("", kept)


def test_the_same_password_is_kept_otherwise_with_another_salt():
    assert passwords.hashed("correct-horse-battery", SALT) != passwords.hashed("correct-horse-battery", SALT[::-1])


def test_nobody_and_who_has_no_password_cost_as_much_as_somebody():
    """The hash that is tried for them must be of the same kind and cost as a new one."""
    settings = passwords.hashed("correct-horse-battery", SALT).split("$")[1:4]
    assert passwords._NOBODY.split("$")[1:4] == settings
    assert not passwords.fits("anything at all", None)
    assert not passwords.fits("anything at all", passwords.NONE)
    assert not passwords.fits(passwords.NONE, passwords.NONE)


def test_accents_fit_however_they_were_typed():
    kept = passwords.hashed("caf\u00e9 cr\u00e8me au lit", SALT)
    assert passwords.fits("cafe\u0301 cre\u0300me au lit", kept)


def test_half_a_sign_is_a_password_like_another():
    kept = passwords.hashed("broken \ud800 sign", SALT)
    assert passwords.fits("broken \ud800 sign", kept)
    assert not passwords.fits("broken \ud801 sign", kept)


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("shorty", "people.password_length"),
        ("123456789", "people.password_length"),
        ("x" * 1_001, "people.password_length"),
        ("Password123", "people.password_common"),
        ("azerty12345", "people.password_common"),
        ("aaaaaaaaaaaa", "people.password_common"),
        ("hieronymus", "people.password_common"),
        ("Hieronymus2024!", "people.password_common"),
    ],
)
def test_what_anybody_would_try_is_refused_and_not_repeated(password, key):
    with pytest.raises(BadInput) as refused:
        passwords.check_new("hieronymus", password)
    assert refused.value.key == key
    assert password not in str(refused.value)
    assert password not in repr(refused.value)


@pytest.mark.parametrize("password", ["correct-horse-battery", "2df909-53617a-f8e981", "dix mots valent mieux"])
def test_others_will_do(password):
    passwords.check_new("hieronymus", password)
