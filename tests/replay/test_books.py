"""Recorded sockets through the real parser into the real book."""

import json
from decimal import Decimal

import pytest
from tests.replay import tapes

from cambist.adapters.venues.binance.messages import BestQuote, parse, read_json
from cambist.domain.errors import ParseError
from cambist.domain.tick import CandleTick, DepthTick, TradeTick
from cambist.market.feed_check import Finding, Flaw, SequenceCheck, TimeCheck, check_levels
from cambist.market.order_book import BookKeeper, BookSnapshot, OrderBook, Step, kraken_checksum, okx_checksum

DAY = 1741046400000  # 2025-03-04


def snapshots() -> dict[str, BookSnapshot]:
    found = {}
    for address, body in tapes.answers("BINANCE.http.0.0"):
        name = address.partition("symbol=")[2].partition("&")[0]
        answer = read_json(body)
        sides = [tuple((Decimal(p), Decimal(q)) for p, q in answer[side]) for side in ("bids", "asks")]
        found[name] = BookSnapshot(symbol=name, last_update=answer["lastUpdateId"], bids=sides[0], asks=sides[1])
    return found


def test_a_recorded_session_keeps_each_book_in_step():
    keepers = {name: BookKeeper(name) for name in snapshots()}
    waiting = snapshots()
    quotes: dict[str, BestQuote] = {}
    seen = dict.fromkeys(("steps", "candles", "trades", "quotes"), 0)
    for received_ms, text in tapes.session("BINANCE.ws.1.0"):
        message = parse(text, {}, received_ms)
        seen["candles"] += isinstance(message, CandleTick)
        seen["trades"] += isinstance(message, TradeTick)
        if isinstance(message, DepthTick):
            keeper = keepers[message.symbol]
            assert keeper.change(message) is not Step.GAP
            if keeper.book is None and message.last_update >= waiting[message.symbol].last_update:
                assert keeper.snapshot(waiting[message.symbol])
            seen["steps"] += 1
            quote = quotes.get(message.symbol)
            if keeper.book is not None and quote is not None and quote.update <= keeper.book.last_update:
                seen["quotes"] += 1
                assert keeper.book.best_bid == (quote.bid, quote.bid_quantity)
                assert keeper.book.best_ask == (quote.ask, quote.ask_quantity)
                assert not keeper.book.crossed
        elif isinstance(message, BestQuote):
            quotes[message.symbol] = message
    assert [keeper.book is not None for keeper in keepers.values()] == [True] * 4
    assert seen["steps"] == 177
    assert (seen["candles"], seen["trades"]) == (2, 2)
    assert seen["quotes"] > 10  # the venue's own best prices, when they last changed


def test_a_valid_recording_of_book_changes_has_no_flaw():
    assert flaws_of_depth("test_positive_binance_difference_depth_stream_spot_trxusdt_04-03-2025") == []


def test_each_corruption_of_a_recording_of_book_changes_is_found_where_it_is():
    assert flaws_of_depth("test_negative_binance_difference_depth_stream_spot_trxusdt_04-03-2025") == [
        (5434434562, "b"),
        (5434434562, "E"),
        (5434434571, Finding(flaw=Flaw.GAP, at=5434434571, expected=5434434570, found=5434434571)),
        (5434434571, Finding(flaw=Flaw.EARLY, at=5434434571, expected=1741046400464, found=1741046400463)),
        (5434456664, Finding(flaw=Flaw.OUTSIDE, at=5434456664, expected=DAY + 86_400_000, found=DAY + 86_400_000)),
    ]


def flaws_of_depth(name: str) -> list[tuple[int, object]]:
    found: list[tuple[int, object]] = []
    order, times = SequenceCheck(), TimeCheck(skew_ms=0, late_ms=1_000, since=DAY, until=DAY + 86_400_000)
    for received, text in tapes.depth_messages(name):
        message, wrong = mended(text)
        found += wrong
        for finding in (
            order.see(message.first_update, message.last_update),
            None if wrong else times.see(message.first_update, message.ts, received // 1000),
        ):
            if finding is not None:
                found.append((message.first_update, finding))
    return found


def mended(text: str) -> tuple[DepthTick, list[tuple[int, object]]]:
    """Return the message with the fields replaced that do not parse, and which those were."""
    data = json.loads(text)["data"]
    wrong: list[tuple[int, object]] = []
    good: dict[str, object] = {"b": [], "a": [], "E": DAY}
    while True:
        try:
            tick = parse(json.dumps(data), {})
        except ParseError as error:
            field = str(error.params["field"])
            assert field in good
            data[field] = good[field]
            wrong.append((data["U"], field))
        else:
            assert isinstance(tick, DepthTick)
            return tick, wrong


def test_the_book_itself_stands_still_at_a_recorded_gap():
    keeper = BookKeeper("TRXUSDT")
    steps = []
    for number, (_, text) in enumerate(
        tapes.depth_messages("test_negative_binance_difference_depth_stream_spot_trxusdt_04-03-2025")
    ):
        tick, _ = mended(text)
        if number == 0:
            snapshot = BookSnapshot(symbol="TRXUSDT", last_update=tick.first_update - 1, bids=(), asks=())
            assert keeper.snapshot(snapshot)
        steps.append(keeper.change(tick))
    at = steps.index(Step.GAP)
    assert steps[:at] == [Step.APPLIED] * at
    assert set(steps[at + 1 :]) == {Step.WAITING}
    assert keeper.lost is not None
    assert (keeper.lost.first, keeper.lost.last) == (5434434570, 5434434570)
    assert keeper.book is None


def test_a_valid_recording_of_trades_has_no_flaw():
    assert flaws_of_trades("test_positive_binance_trade_stream_spot_trxusdt_04-03-2025") == []


def test_each_corruption_of_a_recording_of_trades_is_found_where_it_is():
    assert flaws_of_trades("test_negative_binance_trade_stream_spot_trxusdt_04-03-2025") == [
        Finding(flaw=Flaw.REPEATED, at=348656871, expected=348656872, found=348656871),
        Finding(flaw=Flaw.GAP, at=348656873, expected=348656872, found=348656873),
        Finding(flaw=Flaw.LATE, at=348666869, expected=1741049279150, found=1741132734000),
    ]


def flaws_of_trades(name: str) -> list[Finding]:
    order, times = SequenceCheck(), TimeCheck(skew_ms=0, since=DAY, until=DAY + 86_400_000)
    found = []
    for received, text in tapes.trade_messages(name):
        trade = parse(text, {})
        assert isinstance(trade, TradeTick)
        found += [order.see(trade.id), times.see(trade.id, trade.ts, received // 1000)]
    return [finding for finding in found if finding is not None]


@pytest.mark.parametrize(
    ("name", "flaws"),
    [
        ("test_positive_binance_depth_snapshot_spot_btcusdt_14-04-2025", []),
        ("test_negative_binance_depth_snapshot_spot_btcusdt_14-04-2025", [Flaw.UNEVEN, Flaw.EARLY]),
    ],
)
def test_recorded_snapshots_are_judged(name, flaws):
    books: dict[int, list[dict[str, str]]] = {}
    for row in tapes.rows(name):
        books.setdefault(int(row["LastUpdateId"]), []).append(row)
    times = TimeCheck(skew_ms=0)
    found = []
    for update, levels in books.items():
        sides: list[list[tuple[Decimal, Decimal]]] = [[], []]
        for row in levels:
            sides[int(row["IsAsk"])].append((Decimal(row["Price"]), Decimal(row["Quantity"])))
        snapshot = BookSnapshot(symbol="BTCUSDT", last_update=update, bids=tuple(sides[0]), asks=tuple(sides[1]))
        found.append(check_levels(snapshot, 5_000))
        found += {times.see(update, int(row["TimestampOfRequest"]), int(row["TimestampOfReceive"])) for row in levels}
        book = OrderBook("BTCUSDT")
        book.load(snapshot.bids, snapshot.asks, update)
        assert not book.crossed
        assert book.bids() == list(snapshot.bids)  # the venue sends them best first
        assert book.asks() == list(snapshot.asks)
    assert [finding.flaw for finding in found if finding is not None] == flaws


# -- checksums of other venues ----------------------------------------------------------------------------------------


def test_each_recorded_kraken_checksum_is_ours():
    books: dict[str, OrderBook] = {}
    agreed = 0
    for _, text in tapes.session("KRAKEN.ws.50.0"):
        message = json.loads(text)
        if not isinstance(message, list) or not str(message[-2]).startswith("book"):
            continue
        depth, pair = int(message[-2].partition("-")[2]), message[-1]
        changes = {key: value for part in message[1:-2] for key, value in part.items()}
        sides = {
            key: [(Decimal(price), Decimal(quantity)) for price, quantity, *_ in levels]
            for key, levels in changes.items()
            if key != "c"
        }
        if "as" in sides:
            books[pair] = OrderBook(pair, depth)
            books[pair].load(sides["bs"], sides["as"])
            continue
        book = books[pair]
        book.change(sides.get("b", ()), sides.get("a", ()))
        assert kraken_checksum(book.bids(10), book.asks(10)) == int(changes["c"])
        agreed += 1
    assert agreed == 4269


def test_each_recorded_okx_checksum_is_ours():
    books: dict[str, OrderBook] = {}
    agreed = 0
    for _, text in tapes.session("OKX.ws.1.0"):
        message = json.loads(text)
        if "checksum" not in text:
            continue
        name, data = message["arg"]["instId"], message["data"][0]
        bids, asks = ([(Decimal(row[0]), Decimal(row[1])) for row in data[side]] for side in ("bids", "asks"))
        if message["action"] == "snapshot":
            books[name] = OrderBook(name)
            books[name].load(bids, asks)
        else:
            books[name].change(bids, asks)
        assert okx_checksum(books[name].bids(25), books[name].asks(25)) == data["checksum"]
        agreed += 1
    assert agreed == 290


# -- the 2025 payloads ------------------------------------------------------------------------------------------------


def test_todays_messages_parse():
    bundle = json.loads(tapes.shared("02-books-ws/nautilus_binance_payloads_open.json").read_text())

    def read(name: str) -> object:
        return parse(json.dumps(bundle[name]), {"ETHUSDT": "ETH/USDT", "BTCUSDT": "BTC/USDT"})

    trade = read("py/ws_messages/ws_spot_trade.json")
    assert isinstance(trade, TradeTick)
    assert (trade.symbol, trade.id, trade.price, trade.taker) == ("ETH/USDT", 705291099, Decimal("4149.74"), "sell")
    quote = read("py/ws_messages/ws_spot_ticker_book.json")
    assert isinstance(quote, BestQuote)
    assert (quote.bid, quote.ask_quantity) == (Decimal("4507.24"), Decimal("2.8457"))
    candle = read("futures/market_data_json/kline_stream_open.json")
    assert isinstance(candle, CandleTick)
    assert (candle.timeframe, candle.closed, candle.last_trade) == ("1m", False, 200)
    depth = read("py/ws_messages/ws_futures_depth_update.json")
    assert isinstance(depth, DepthTick)
    assert (depth.first_update, depth.last_update) == (390497796, 390497878)
    assert isinstance(read("futures/market_data_json/agg_trade_stream.json"), TradeTick)
    assert isinstance(read("futures/market_data_json/book_ticker_stream.json"), BestQuote)
    with pytest.raises(ParseError, match="24hrTicker"):
        read("py/ws_messages/ws_spot_ticker_24hr.json")
