import base64

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.accounts import second_factor

RFC = second_factor.new_secret(b"12345678901234567890")
"""The secret of RFC 6238, appendix B."""


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_codes_of_the_rfc(seconds, code):
    assert second_factor.step_of(RFC, code, seconds * 1000) == seconds // 30


def test_a_code_is_right_a_little_before_and_after_its_time():
    code = pyotp.TOTP(RFC).at(1_800_000_000)
    step = 1_800_000_000 // 30
    assert [second_factor.step_of(RFC, code, (1_800_000_000 + late) * 1000) for late in (-30, 0, 29, 59)] == [step] * 4
    assert second_factor.step_of(RFC, code, (1_800_000_000 + 60) * 1000) is None
    assert second_factor.step_of(RFC, code, (1_800_000_000 - 31) * 1000) is None


@pytest.mark.parametrize("code", ["", "000000", "abcdef", "28708", "2870822", "２８７０８２", "\ud800"])
def test_a_wrong_code_is_wrong(code):
    assert second_factor.step_of(RFC, code, 59_000) is None


def test_spaces_do_not_matter():
    assert second_factor.step_of(RFC, " 287 082 ", 59_000) == 1


def test_the_address_for_the_picture():
    address = second_factor.address(RFC, "ann")
    assert address.startswith("otpauth://totp/Cambist:ann?")
    assert f"secret={RFC}" in address
    assert base64.b32decode(RFC) == b"12345678901234567890"


@given(randomness=st.binary(min_size=100, max_size=100))
def test_recovery_codes_are_ten_and_known_however_they_are_typed(randomness):
    codes = second_factor.recovery_codes(randomness)
    assert len(codes) == 10
    assert all(len(code) == 19 for code in codes)
    assert b"".join(base64.b32decode(code.replace("-", "").upper()) for code in codes) == randomness
    for code in codes:
        assert second_factor.kept(code.upper().replace("-", " ")) == second_factor.kept(code)
        assert code not in second_factor.kept(code)
