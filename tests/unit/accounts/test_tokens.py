import base64
import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.accounts import tokens
from cambist.domain.errors import NotSignedIn
from cambist.domain.person import SCOPES, Role

NOW = 1_800_000_000_000
KEY = b"k" * 32
SCOPE = SCOPES[Role.TRADE]


@pytest.fixture
def ours() -> tokens.AccessTokens:
    return tokens.AccessTokens(KEY)


def issued(ours: tokens.AccessTokens) -> str:
    return ours.issue(7, "sid", Role.TRADE, SCOPE, NOW)


def test_an_access_token_says_whose_it_is_for_a_quarter_of_an_hour(ours):
    token = issued(ours)
    assert ours.read(token, NOW) == tokens.Claims(7, "sid", NOW + 900_000)
    assert ours.read(token, NOW + 899_999) == tokens.Claims(7, "sid", NOW + 900_000)
    with pytest.raises(NotSignedIn, match="expired"):
        ours.read(token, NOW + 900_000)


def test_its_claims(ours):
    claims = jwt.decode(issued(ours), options={"verify_signature": False})
    assert claims == {
        "sub": "7",
        "sid": "sid",
        "role": "trade",
        "scopes": ["account", "read", "trade"],
        "iat": NOW // 1000,
        "exp": NOW // 1000 + 900,
        "iss": "cambist",
        "aud": "cambist-api",
    }


def forged(**changes: object) -> str:
    claims = jwt.decode(issued(tokens.AccessTokens(KEY)), options={"verify_signature": False}) | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, KEY, algorithm="HS256")


def test_what_is_not_ours_is_refused(ours):
    header, body, signature = issued(ours).split(".")
    other = tokens.AccessTokens(b"x" * 32).issue(7, "sid", Role.TRADE, SCOPE, NOW)
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    grown = json.loads(base64.urlsafe_b64decode(body + "=="))
    grown["sub"] = "1"
    raised = base64.urlsafe_b64encode(json.dumps(grown).encode()).decode().rstrip("=")
    wrong = [
        other,
        f"{none}.{body}.",
        f"{header}.{raised}.{signature}",
        f"{header}.{body}",
        "",
        "x",
        "....",
        "\ud800",
        forged(iss="elsewhere"),
        forged(aud="another"),
        forged(sid=None),
        forged(exp=None),
        forged(sub="somebody"),
        forged(exp="soon"),
        jwt.encode(jwt.decode(issued(ours), options={"verify_signature": False}), b"k" * 64, algorithm="HS512"),
    ]
    for token in wrong:
        with pytest.raises(NotSignedIn):
            ours.read(token, NOW)


@given(randomness=st.binary(min_size=48, max_size=48))
def test_a_pair_reads_back_and_fits_only_its_own_secret(randomness):
    made = tokens.made(randomness)
    assert tokens.pair(made.pair) == made
    assert tokens.api_token(made.api_token) == made
    assert tokens.is_api_token(made.api_token)
    assert not tokens.is_api_token(made.pair)
    assert made.fits(made.kept)
    assert made.secret not in made.kept
    assert made.secret not in repr(made)
    other = tokens.made(bytes(48), made.id)
    assert other.id == made.id
    assert other.fits(made.kept) == (randomness[16:] == bytes(32))


@pytest.mark.parametrize("text", ["", ".", "cambist_", "a.b", "0" * 32 + "." + "0" * 63, "G" * 32 + "." + "0" * 64])
def test_what_is_no_pair_is_told_so(text):
    with pytest.raises(NotSignedIn):
        tokens.pair(text)
    with pytest.raises(NotSignedIn):
        tokens.api_token(text)
