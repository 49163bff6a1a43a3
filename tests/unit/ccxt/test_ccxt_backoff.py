import pytest

from cambist.adapters.venues.ccxt.backoff import Backoff
from cambist.domain.errors import RateLimited, VenueRefused, VenueUnavailable


class Venue:
    """Raises what it was given, one error per question, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "candles"


def unavailable() -> VenueUnavailable:
    return VenueUnavailable("venue.unavailable", venue="kraken", detail="503")


def limited(seconds: float | None) -> RateLimited:
    return RateLimited("venue.rate_limited", seconds, venue="kraken", detail="429")


def test_it_asks_again_until_the_venue_answers():
    slept: list[float] = []
    venue = Venue(unavailable(), unavailable(), limited(None))
    assert Backoff(tries=4).ask(venue, "kraken", slept.append) == "candles"
    assert venue.asked == 4
    assert len(slept) == 3


def test_it_gives_up_after_so_many_tries_and_says_what_to_do():
    venue = Venue(*(unavailable() for _ in range(9)))
    with pytest.raises(VenueUnavailable, match=r"503; gave up after 3 tries\. Check the connection"):
        Backoff(tries=3).ask(venue, "kraken", lambda _: None)
    assert venue.asked == 3


def test_a_refusal_is_not_asked_again():
    venue = Venue(VenueRefused("venue.refused", venue="kraken", detail="no"))
    with pytest.raises(VenueRefused):
        Backoff().ask(venue, "kraken", lambda _: None)
    assert venue.asked == 1


def test_waits_double_up_to_the_longest_with_a_jitter_below_one_half():
    backoff = Backoff(first_s=1.0, longest_s=8.0)
    for attempt, full in enumerate((1, 2, 4, 8, 8, 8), start=1):
        assert full / 2 <= backoff.wait_s(attempt) <= full


def test_the_jitter_is_the_same_for_a_seed_and_another_for_another():
    waits = [[Backoff(seed=seed).wait_s(attempt) for attempt in range(1, 7)] for seed in (1, 1, 2)]
    assert waits[0] == waits[1] != waits[2]


def test_retry_after_is_a_lower_bound():
    slept: list[float] = []
    Backoff(first_s=0.1).ask(Venue(limited(7.5)), "kraken", slept.append)
    assert slept == [7.5]


def test_a_long_ban_is_not_waited_for():
    venue = Venue(limited(3_600))
    with pytest.raises(RateLimited, match="60 more minutes") as caught:
        Backoff(patience_s=300).ask(venue, "kraken", lambda _: None)
    assert caught.value.retry_after_s == 3_600
    assert venue.asked == 1


def test_after_the_last_try_it_still_says_that_it_was_limited():
    with pytest.raises(RateLimited) as caught:
        Backoff(tries=2).ask(Venue(limited(1), limited(2)), "kraken", lambda _: None)
    assert caught.value.retry_after_s == 2
