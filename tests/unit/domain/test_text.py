"""How sentences are filled in."""

from collections.abc import Iterator

import pytest

from cambist.domain.text import say, speak


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    speak("en")


def test_thousands_are_parted_as_the_language_does():
    wide = {"done": 1, "refused": 0, "added": 1_234_567}
    assert say("candles.import.total", **wide) == "files imported: 1, refused: 0; new candles: 1,234,567"
    assert say("download.rate", rate=1_234.4).startswith("1,234 ")
    speak("fr")
    assert say("candles.import.total", **wide).endswith("nouvelles bougies : 1\u202f234\u202f567")
    assert say("download.rate", rate=1_234.4).startswith("1\u202f234 ")


def test_what_is_filled_in_stays_as_it_is_given():
    speak("fr")
    assert say("error.bad_input", field="a", value="1,5", remedy="{x}, 2.5") == "a : '1,5' ne convient pas. {x}, 2.5"
    with pytest.raises(KeyError):
        say("error.bad_input", field="a")
