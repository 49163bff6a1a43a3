"""What every `Shelf` keeps to: an adapter's test inherits `ShelfContract` and gives ``open_shelf``."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.result_store import JSON
from tests.contract.room import found_room

from cambist.domain.errors import BadInput, NotFound, Taken, TooMany
from cambist.domain.strategy_text import StoredStrategy
from cambist.ports.strategies import Shelf

OpenShelf = Callable[[int | None], Shelf]
"""Opens the shelf as the user of an id; None is the engine."""

_users = count(1)
CODES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=200)


def a_strategy(user_id: int, **changes: object) -> StoredStrategy:
    plain = StoredStrategy(
        user_id=user_id, name="Croisée", description="Élan", timeframe="1h", created_ms=5, changed_ms=5
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


class ShelfContract:
    @pytest.fixture
    def user(self) -> int:
        """Return a user who has nothing yet."""
        return next(_users)

    @pytest.fixture
    def mine(self, open_shelf: OpenShelf, user: int) -> Shelf:
        return open_shelf(user)

    @pytest.fixture
    def theirs(self, open_shelf: OpenShelf) -> Shelf:
        return open_shelf(next(_users))

    def test_what_is_added_is_there_with_its_code(self, mine, user):
        given_ = a_strategy(user)
        kept = mine.add(given_, "a = 1\n")
        assert kept == replace(given_, id=kept.id)
        assert mine.get(kept.id) == kept
        assert mine.strategies() == [kept]
        assert mine.code(kept.id, 1) == "a = 1\n"
        (version,) = mine.versions(kept.id)
        assert (version.version, version.code, version.created_ms, version.verdict) == (1, "", 5, {})

    def test_no_more_than_a_person_may_have_however_many_are_added_at_once(self, open_shelf, mine, user):
        other = next(_users)
        open_shelf(other).add(a_strategy(other), "")  # does not count
        mine.add(a_strategy(user), "", 1)
        assert found_room(lambda n: mine.add(a_strategy(user, name=f"{n}"), "", 3), TooMany) == 2
        assert len(mine.strategies()) == len({one.name for one in mine.strategies()}) == 3

    def test_strategies_are_listed_by_id(self, mine, user):
        added = [mine.add(a_strategy(user, name=name), "") for name in "cab"]
        assert mine.strategies() == added

    @settings(max_examples=25, deadline=None)
    @given(codes=st.lists(CODES, min_size=1, max_size=4), verdict=st.dictionaries(st.text("ab"), JSON, max_size=3))
    def test_every_version_is_kept_to_the_letter(self, open_shelf, codes, verdict):
        user = next(_users)
        shelf = open_shelf(user)
        kept = shelf.add(a_strategy(user), codes[0])
        for at, code in enumerate(codes[1:], start=1):
            saved = shelf.save(kept.id, code, expected_version=at, now_ms=100 + at)
            assert (saved.version, saved.changed_ms) == (at + 1, 100 + at)
        assert [shelf.code(kept.id, at) for at in range(1, len(codes) + 1)] == codes
        shelf.judge(kept.id, len(codes), verdict)
        assert repr(shelf.version(kept.id, len(codes)).verdict) == repr(verdict)
        assert [one.version for one in shelf.versions(kept.id)] == list(range(1, len(codes) + 1))

    def test_of_two_who_save_at_once_one_is_told(self, mine, user):
        kept = mine.add(a_strategy(user), "first")

        def save(code: str) -> str:
            try:
                mine.save(kept.id, code, expected_version=1, now_ms=9)
            except Taken:
                return "taken"
            return code

        with ThreadPoolExecutor(4) as people:
            outcomes = list(people.map(save, ["a", "b", "c", "d"]))
        assert sorted(outcomes)[1:] == ["taken"] * 3
        assert mine.code(kept.id, 2) == min(outcomes)
        assert [one.version for one in mine.versions(kept.id)] == [1, 2]
        assert mine.get(kept.id).version == 2

    def test_what_is_said_of_a_strategy_can_change_not_its_versions(self, mine, user):
        kept = mine.add(a_strategy(user), "x")
        changed = replace(kept, name="New", description="", timeframe="4h", changed_ms=77)
        mine.change(replace(changed, version=9, created_ms=0))
        assert mine.get(kept.id) == changed

    def test_a_name_is_taken_once_per_user(self, open_shelf, mine, user):
        kept = mine.add(a_strategy(user), "x")
        second = mine.add(a_strategy(user, name="Second"), "y")
        with pytest.raises(Taken, match="Croisée"):
            mine.add(a_strategy(user), "z")
        with pytest.raises(Taken, match="Croisée"):
            mine.change(replace(second, name=kept.name))
        assert mine.strategies() == [kept, second]
        other = next(_users)
        assert open_shelf(other).add(a_strategy(other), "z").name == kept.name

    def test_what_is_deleted_is_gone_and_its_number_with_it(self, mine, user):
        kept = mine.add(a_strategy(user), "x")
        mine.save(kept.id, "y", expected_version=1, now_ms=6)
        mine.forget(kept.id)
        for attempt in (
            lambda: mine.get(kept.id),
            lambda: mine.versions(kept.id),
            lambda: mine.code(kept.id, 1),
            lambda: mine.save(kept.id, "z", expected_version=2, now_ms=7),
            lambda: mine.forget(kept.id),
            lambda: mine.change(kept),
        ):
            with pytest.raises(NotFound, match=str(kept.id)):
                attempt()
        assert mine.add(a_strategy(user), "x").id > kept.id

    def test_a_user_neither_sees_nor_touches_what_is_anothers(self, mine, theirs, user):
        kept = mine.add(a_strategy(user), "secret = 1")
        mine.judge(kept.id, 1, {"ok": True})
        assert theirs.strategies() == []
        for attempt in (
            lambda: theirs.get(kept.id),
            lambda: theirs.versions(kept.id),
            lambda: theirs.version(kept.id, 1),
            lambda: theirs.code(kept.id, 1),
            lambda: theirs.save(kept.id, "mine", expected_version=1, now_ms=7),
            lambda: theirs.judge(kept.id, 1, {}),
            lambda: theirs.change(replace(kept, name="mine")),
            lambda: theirs.forget(kept.id),
        ):
            with pytest.raises(NotFound):
                attempt()
        with pytest.raises(BadInput):
            theirs.add(a_strategy(user, name="Other"), "in another's name")
        assert mine.strategies() == [kept]
        assert (mine.code(kept.id, 1), mine.version(kept.id, 1).verdict) == ("secret = 1", {"ok": True})

    def test_the_engine_reads_everybodys_code(self, open_shelf, mine, user):
        other = next(_users)
        kept = [mine.add(a_strategy(user), "one"), open_shelf(other).add(a_strategy(other), "two")]
        engine = open_shelf(None)
        assert [engine.code(one.id, 1) for one in kept] == ["one", "two"]
        assert engine.save(kept[1].id, "three", expected_version=1, now_ms=7).user_id == other
        assert open_shelf(other).code(kept[1].id, 2) == "three"
