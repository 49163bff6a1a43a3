"""What every `Journal` keeps to: inherit `JournalContract`, give ``open_journal``, ``account``, ``other_account``."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.book import a_movement, entries, fresh

from cambist.domain.errors import JournalFenced, NotFound, StorageFailed
from cambist.ports.book import Journal

OpenJournal = Callable[[], Journal]
"""Opens the same journal as another engine would."""

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)


class JournalContract:
    @pytest.fixture
    def journal(self, open_journal: OpenJournal) -> Journal:
        return open_journal()

    def test_what_is_appended_is_read_in_order_by_another_engine(self, open_journal, journal, account):
        written = entries(account, 1, 3, body='{"price":"0.1","note":"é ☃"}')
        journal.append(written[:1])
        journal.append(written[1:])
        assert list(open_journal().read(account)) == written
        assert list(open_journal().read(account, after_seq=2)) == written[2:]
        assert list(journal.read(account, after_seq=3)) == []

    def test_nothing_is_nothing(self, journal, account):
        journal.append([])
        assert list(journal.read(account)) == []
        assert list(journal.ledger(account)) == []
        assert journal.last_snapshot(account) is None

    def test_accounts_count_on_their_own_also_within_one_append(self, journal, account, other_account):
        mixed = [*entries(account, 1, 2), *entries(other_account, 1, 1), *entries(account, 3, 3)]
        journal.append(mixed)
        assert list(journal.read(account)) == entries(account, 1, 3)
        assert list(journal.read(other_account)) == entries(other_account, 1, 1)

    @pytest.mark.parametrize(
        "sequence",
        [[3], [5], [4, 6], [4, 4], [4, 5, 4], [1]],
        ids=["last", "gap", "gap within", "twice", "back", "first"],
    )
    @pytest.mark.parametrize("anew", [False, True], ids=["same engine", "engine that starts"])
    def test_a_seq_that_is_not_the_next_is_fenced_and_nothing_is_written(
        self, open_journal, journal, account, sequence, anew
    ):
        journal.append(entries(account, 1, 3))
        writer = open_journal() if anew else journal
        wrong = [replace_seq for seq in sequence for replace_seq in entries(account, seq, seq)]
        with pytest.raises(JournalFenced, match=account):
            writer.append(wrong, [(account, a_movement("m", Decimal(1)))])
        assert list(journal.read(account)) == entries(account, 1, 3)
        assert list(journal.ledger(account)) == []
        writer.append(entries(account, 4, 4))

    def test_the_first_entry_of_an_account_is_number_one(self, journal, account):
        for seq in (0, 2):
            with pytest.raises(JournalFenced):
                journal.append(entries(account, seq, seq))

    def test_of_two_engines_that_write_on_the_slower_is_fenced(self, open_journal, account):
        first, second = open_journal(), open_journal()
        first.append(entries(account, 1, 2))
        second.append(entries(account, 3, 4, body='"second"'))
        with pytest.raises(JournalFenced):
            first.append(entries(account, 3, 3, body='"first"'))
        second.append(entries(account, 5, 5))
        assert [entry.body for entry in first.read(account, 2)] == ['"second"', '"second"', "{}"]
        first.append(entries(account, 6, 6))  # it may go on once it knows what has happened

    def test_a_fenced_account_takes_the_others_of_the_append_with_it(self, journal, account, other_account):
        journal.append(entries(account, 1, 1))
        with pytest.raises(JournalFenced):
            journal.append([*entries(other_account, 1, 1), *entries(account, 1, 1)])
        assert list(journal.read(other_account)) == []
        journal.append(entries(other_account, 1, 1))

    def test_an_account_that_is_not_registered_is_refused_with_near_names(self, journal, account):
        with pytest.raises(NotFound, match=account):
            journal.append(entries(account + "x", 1, 1))
        with pytest.raises(NotFound, match=account):
            journal.append([], [(account + "x", a_movement("m", Decimal(1)))])
        with pytest.raises(NotFound, match=account):
            journal.snapshot(account + "x", 1, "{}")

    def test_what_is_read_in_part_can_be_left(self, journal, account):
        journal.append(entries(account, 1, 5))
        assert list(islice(journal.read(account), 2)) == entries(account, 1, 2)
        journal.append(entries(account, 6, 6))

    def test_what_is_appended_during_a_read_is_no_hole(self, journal, account):
        journal.append(entries(account, 1, 2))
        reading = journal.read(account)
        first = next(reading)
        journal.append(entries(account, 3, 4))
        assert [first, *reading] == entries(account, 1, 4)

    # -- snapshots

    def test_the_newest_snapshot_is_kept_whatever_comes_late(self, open_journal, journal, account, other_account):
        journal.snapshot(account, 5, '{"five":5}')
        journal.snapshot(account, 9, '{"nine":9}')
        journal.snapshot(account, 7, '{"seven":7}')
        journal.snapshot(other_account, 1, "{}")
        assert open_journal().last_snapshot(account) == (9, '{"nine":9}')
        journal.snapshot(account, 9, '{"nine":"again"}')
        assert journal.last_snapshot(account) == (9, '{"nine":"again"}')

    def test_a_large_snapshot_comes_back_whole(self, journal, account):
        body = '{"state":"' + "0123456789" * 200_000 + '"}'
        journal.snapshot(account, 1, body)
        assert journal.last_snapshot(account) == (1, body)

    # -- the ledger

    def test_the_ledger_comes_back_in_the_order_of_its_bookings(self, open_journal, journal, account, other_account):
        booked = [a_movement(name, Decimal("0.1"), Decimal("-7")) for name in ("b", "a", "c")]
        journal.append(entries(account, 1, 1), [(account, booked[0]), (other_account, booked[2]), (account, booked[1])])
        journal.append(entries(account, 2, 2), [(account, booked[2])])
        assert list(open_journal().ledger(account)) == booked
        assert list(open_journal().ledger(other_account)) == booked[2:]

    def test_nothing_is_booked_twice(self, journal, account, other_account):
        movement = a_movement("fill-1", Decimal("0.1"))
        journal.append(entries(account, 1, 1), [(account, movement)])
        with pytest.raises(StorageFailed, match="fill-1") as refused:
            journal.append(entries(account, 2, 2), [(account, movement)])
        assert not isinstance(refused.value, JournalFenced)
        assert list(journal.read(account)) == entries(account, 1, 1)
        journal.append(entries(account, 2, 2), [(other_account, movement)])
        assert list(journal.ledger(account)) == [movement]

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(amounts=st.lists(AMOUNTS, min_size=1, max_size=5))
    def test_no_digit_of_money_is_lost(self, journal, account, amounts):
        movement = a_movement(fresh("m"), Decimal(0))
        movement = replace(movement, lines=tuple(replace(movement.lines[0], amount=amount) for amount in amounts))
        journal.append([], [(account, movement)])
        *_, found = journal.ledger(account)
        assert repr(found) == repr(movement)

    @pytest.mark.parametrize("amount", [0.1, Decimal("NaN"), Decimal("Infinity"), 1])
    def test_what_is_no_exact_amount_is_never_written(self, journal, account, amount):
        movement = a_movement("m", Decimal(1))
        wrong = replace(movement, lines=(replace(movement.lines[0], amount=amount),))
        with pytest.raises(TypeError, match="finite Decimal"):
            journal.append(entries(account, 1, 1), [(account, wrong)])
        assert list(journal.read(account)) == []
