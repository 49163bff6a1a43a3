"""What differs between book and venue, and what does not."""

from decimal import Decimal

from cambist.domain.report import Balance
from cambist.execution.reconcile import Contract, HoldingDiffers, holdings

D = Decimal
PERP = "BTC/USDT:USDT"


def held(**amounts: str) -> dict[str, Balance]:
    return {asset.replace("PERP", PERP): Balance(asset, D(amount), D(0)) for asset, amount in amounts.items()}


def test_amounts_are_compared_to_the_last_digit_whether_locked_or_not():
    found = {"BTC": Balance("BTC", D("0.4"), D("0.6")), "USDT": Balance("USDT", D(10), D(0))}
    assert holdings({"BTC": D(1), "USDT": D(10)}, found) == ()
    assert holdings({"BTC": D(1), "USDT": D("10.00000001")}, found) == (
        HoldingDiffers("USDT", D("10.00000001"), D(10)),
    )


def test_what_only_one_side_knows_differs_unless_it_is_nothing():
    assert holdings({"BTC": D(1)}, held(ETH="2", XRP="0")) == (
        HoldingDiffers("BTC", D(1), D(0)),
        HoldingDiffers("ETH", D(0), D(2)),
    )


def test_contracts_may_be_counted_either_way():
    book = {"USDT": D(9_000), PERP: D(10)}  # 10 contracts for 1 000
    contracts = {PERP: Contract("USDT", D(1_000))}
    assert holdings(book, held(USDT="9000", PERP="10"), contracts) == ()  # spent, and listed
    assert holdings(book, held(USDT="10000"), contracts) == ()  # a wallet
    assert holdings(book, held(USDT="10000.00000999"), contracts) == ()  # and rounded
    assert holdings(book, held(USDT="10000", PERP="10"), contracts) == ()


def test_contracts_that_are_not_there_differ():
    book, contracts = {"USDT": D(9_000), PERP: D(10)}, {PERP: Contract("USDT", D(1_000))}
    assert [one.asset for one in holdings(book, held(USDT="9000"), contracts)] == [PERP]
    assert [one.asset for one in holdings(book, held(USDT="10000", PERP="9"), contracts)] == [PERP]


def test_a_wallet_that_differs_differs_by_what_is_too_much():
    book, contracts = {"USDT": D(9_000), PERP: D(10)}, {PERP: Contract("USDT", D(1_000))}
    for found in ("9999", "10000.00002"):
        assert holdings(book, held(USDT=found), contracts) == (HoldingDiffers("USDT", D(10_000), D(found)),)
    assert holdings(book, held(USDT="8999", PERP="10"), contracts) == (HoldingDiffers("USDT", D(9_000), D(8_999)),)
