"""The live view: what an engine's run looks like, in windows of every size, in both languages, without colour too."""

import asyncio
import io
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from tests.unit.engine.floors import floor, market, two_bots

from cambist.adapters.bus.inprocess import InProcessBus
from cambist.apps.cli.floor_view import ViewState, render, show
from cambist.domain.account import BotStatus, Mode
from cambist.domain.errors import BusFailed
from cambist.domain.standing import AccountStanding
from cambist.domain.text import speak
from cambist.domain.trading import BreakerStage, TradingState
from cambist.domain.wire import codec
from cambist.ports.bus import ALERTS, AUDIT, CANDLES, HEARTBEAT, Delivery

TOPICS = (AUDIT, HEARTBEAT, CANDLES, ALERTS)


@pytest.fixture(autouse=True)
def english():
    yield
    speak("en")


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> list[Delivery]:
    """What the bus carries of a run at whose end positions are open."""

    async def run() -> list[Delivery]:
        bus, series = InProcessBus(keep=100_000), market(330)
        url = f"sqlite:///{tmp_path_factory.mktemp('floor')}/book.db"
        found = []

        async def listen() -> None:
            async for delivery in bus.subscribe(*TOPICS, group="test", consumer="test", from_start=True):
                await bus.ack("test", delivery)
                found.append(delivery)

        async with floor(url, series, bus, every_s=0.01) as opened:
            listening = asyncio.create_task(listen())
            await two_bots(opened, series)
            await opened.run(series)
            await opened.audit.settled()
            async with asyncio.timeout(30):
                while not any(_last(delivery, opened.lane.seq) for delivery in found):
                    await asyncio.sleep(0)
            await bus.close()
            await listening
        return found

    return asyncio.run(run())


def _last(delivery: Delivery, seq: int) -> bool:
    return delivery.message.get("kind") == "standing" and delivery.message["seq"] == seq


@pytest.fixture
def state(told) -> ViewState:
    found = ViewState(title="a test")
    for position, delivery in enumerate(told):
        found.now_s = position / 10
        found.take(Delivery(delivery.topic, delivery.key, _again(delivery.message)))
    return found


def _again(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message of one's own: reading a standing uses it up."""
    return {**message, "standing": dict(message["standing"])} if "standing" in message else message


def text(state: ViewState, width: int = 160, height: int = 50, **how: Any) -> str:
    console = Console(width=width, height=height, file=io.StringIO(), record=True, **how)
    console.print(render(state, ConsoleDimensions(width, height)))
    return console.export_text()


def paper(state: ViewState) -> AccountStanding:
    return state.accounts["paper"]


def changed(state: ViewState, bot: str, **how: Any) -> None:
    bots = tuple(replace(one, **how) if one.id == bot else one for one in paper(state).bots)
    state.accounts["paper"] = replace(paper(state), bots=bots)


# -- what is seen -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("width", [80, 100, 139, 140, 160, 200])
def test_what_matters_is_seen_in_every_width(state, width, language):
    speak(language)
    seen = text(state, width, 60)
    assert state.unread == 0
    for bot in paper(state).bots:
        assert bot.id in seen
        assert bot.symbol in seen
        assert bot.strategy in seen
        for order in bot.orders:
            assert f"{abs(order.quantity).normalize():f}".replace(".", "," if language == "fr" else ".") in seen
    assert any(bot.quantity for bot in paper(state).bots)
    assert ("at the venue" if language == "en" else "à la bourse") in seen
    assert "Ctrl-C" in seen
    assert "cambist bot --help" in seen
    assert ("entered" if language == "en" else "est entré") in seen
    assert "▁" in seen
    assert "█" in seen


@pytest.mark.parametrize("width", [40, 80, 110, 160, 200])
@pytest.mark.parametrize("height", [8, 16, 24, 40])
def test_it_fits_into_the_window(state, width, height):
    lines = text(state, width, height).splitlines()
    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width


@pytest.mark.parametrize(("height", "room"), [(16, False), (24, True), (60, True)])
def test_what_was_told_at_the_start_stays_in_sight_where_there_is_room(state, height, room):
    state.notes = ["The API is not served: port 8000 is taken.", "Another thing that is not as it should be."]
    lines = text(state, 80, height).splitlines()
    assert len(lines) <= height
    assert ([line.rstrip() for line in lines[-3:-1]] == state.notes) is room
    assert "Ctrl-C" in lines[-1]


def test_a_small_window_shows_the_bots_first(state):
    seen = text(state, 80, 12)
    assert all(bot.id in seen for bot in paper(state).bots)


def test_orders_by_hand_are_no_bots(state):
    account = paper(state)
    known = next(bot for bot in account.bots if bot.orders)
    state.accounts["paper"] = replace(
        account, bots=(*account.bots, replace(known, id="hand:BTC/USDT", strategy="hand"))
    )
    shown = text(state, 120, 40)
    assert "bots: 2" in shown
    assert "hand:" not in shown
    assert "by hand" in shown, "whose the order is"


def test_bots_without_room_are_counted_and_those_that_need_a_look_come_first(state):
    (one, other) = paper(state).bots
    calm = [replace(other, id=f"calm{i}", quantity=Decimal(0), orders=()) for i in range(30)]
    bare = replace(one, id="zz-bare", quantity=Decimal(1), protection="none_wanted", closing=False, orders=())
    state.accounts["paper"] = replace(paper(state), bots=(*calm, bare))
    seen = text(state, 80, 24)
    assert "zz-bare" in seen
    assert "UNPROTECTED" in seen
    (heading,) = (line for line in seen.splitlines() if line.startswith("Bots"))
    assert f"… and {30 - seen.count('calm')} more" in heading
    assert seen.index("zz-bare") < seen.index("calm")


@pytest.mark.parametrize("width", [80, 160])
def test_a_bare_position_is_called_so_in_words(state, width):
    changed(state, "trend", quantity=Decimal("0.5"), entry_price=Decimal(1), protection="none_wanted", closing=False)
    assert "UNPROTECTED" in text(state, width, no_color=True)
    speak("fr")
    assert "SANS PROTECT" in text(state, width, no_color=True)


@pytest.mark.parametrize(
    ("protection", "closing", "words"),
    [
        ("native", False, "protected at the venue"),
        ("emulated", False, "watched by Cambist"),
        ("none_wanted", True, "being closed"),
    ],
)
def test_protections_have_words(state, protection, closing, words):
    held = {"quantity": Decimal("-0.5"), "entry_price": Decimal(1)}
    changed(state, "trend", protection=protection, closing=closing, **held)
    assert words in text(state)
    assert "−0.5" in text(state), "a short has its sign"


def test_what_is_not_as_it_should_be_is_seen(state):
    state.accounts["paper"] = replace(
        paper(state),
        trading=TradingState.HALTED,
        breaker=BreakerStage.FLATTEN,
        frozen=(("BTC/USDT", "1 / 2"),),
        unknown=("c1",),
        foreign=("x",),
        ready=False,
        mode=Mode.LIVE,
    )
    changed(state, "cross", status=BotStatus.PAUSED)
    seen = text(state, 200)
    for words in ("halted", "breaker: flatten", "BTC/USDT frozen (1 / 2)", "not connected", "REAL MONEY", "PAUSED"):
        assert words in seen


def test_the_heartbeat_that_stops_is_silent(state):
    assert "beating" in text(state)
    beat = state.beat
    assert beat.signals > 600
    state.now_s = beat.heard_s + 5.1 + 3 * beat.shortest_ms / 1_000 / beat.speed
    assert "SILENT" in text(state)
    assert "waiting for the first candle" in text(ViewState())


def test_the_speed_is_that_of_the_market(state):
    """An hour passes in the market for two candles, a tenth of a second apart and more."""
    first, last = state.beat.samples[1], state.beat.samples[-1]
    assert state.beat.speed == pytest.approx((last[1] - first[1]) / 1_000 / (last[0] - first[0]))
    assert f"×{state.beat.speed:,.0f}" in text(state)


def test_positions_are_worth_the_last_price_that_was_heard(state):
    (account,) = state.standings()
    held = next(bot for bot in account.bots if bot.quantity)
    shown = state.market_of("simulated", held.symbol)
    ts = shown.ts + shown.timeframe.ms
    candle = {"ts": ts, "close": str(held.price + 7)}
    message = {"id": "new", "venue": "simulated", "symbol": held.symbol, "timeframe": "1h", "candle": candle}
    state.take(Delivery(CANDLES, "1", message))
    (after,) = state.standings()
    moved = next(bot for bot in after.bots if bot.id == held.id)
    assert moved.unrealised - held.unrealised == 7 * held.quantity == moved.equity - held.equity
    assert after.equity - account.equity == 7 * held.quantity


def test_nothing_is_needed_to_begin():
    for width in (80, 160):
        seen = text(ViewState(title="a test"), width, 24)
        for words in (
            "a test",
            "No candle has closed yet.",
            "There is no bot yet.",
            "No account",
            "Nothing to report.",
        ):
            assert words in seen


# -- what is heard ----------------------------------------------------------------------------------------------------


def test_a_message_twice_changes_nothing(state, told):
    before = text(state)
    for delivery in told[-30:]:
        state.take(Delivery(delivery.topic, delivery.key, _again(delivery.message)))
    assert text(state) == before


def test_an_old_standing_does_not_replace_a_new_one(state):
    now = paper(state)
    old = codec(AccountStanding)[0](replace(now, seq=1, bots=()))
    state.take(Delivery(AUDIT, "1", {"id": "old", "kind": "standing", "standing": old}))
    assert paper(state) == now


def test_an_account_that_left_is_gone(state):
    state.take(Delivery(AUDIT, "1", {"id": "left", "kind": "left", "account": "paper"}))
    assert state.accounts == {}
    assert "No account" in text(state)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"id": "a"},
        {"id": "a", "kind": "standing", "standing": {"no": 1}},
        {"id": "a", "candle": 3, "timeframe": "9x"},
    ],
)
@pytest.mark.parametrize("topic", [AUDIT, HEARTBEAT, CANDLES])
def test_what_cannot_be_read_is_counted_and_said(state, topic, message):
    state.take(Delivery(topic, "1", dict(message)))
    assert state.unread == 1
    assert "messages of another version: 1" in text(state)


def test_an_alert_without_words_is_shown_by_its_type(state):
    message = {"id": "x", "type": "whale_seen", "key": "no.such", "params": {}, "timestamp": "2026-01-02T03:04:05Z"}
    state.take(Delivery(ALERTS, "1", message))
    assert "03:04:05 ·  whale_seen" in text(state)


def test_the_curve_of_a_long_run_keeps_its_beginning():
    state = ViewState()
    for gain in range(5_000):
        state._note_gain("USDT", float(gain))
    points = state.gains["USDT"]
    assert len(points) < 256
    assert (points[0], points[-1]) == (0.0, 4_999.0)
    assert points == sorted(points)


def test_accounts_that_join_do_not_move_the_curve(state):
    before = state.gains["USDT"][-1]
    joined = replace(paper(state), id="other", bots=tuple(replace(bot, equity=bot.budget) for bot in paper(state).bots))
    message = {"id": "j", "kind": "standing", "standing": codec(AccountStanding)[0](joined)}
    state.take(Delivery(AUDIT, "1", message))
    assert state.gains["USDT"][-1] == before
    assert len(state.accounts) == 2
    assert "paper" in text(state)
    assert "other" in text(state)


# -- live -------------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_lives_on_the_bus_until_it_is_stopped(told):
    async def run() -> str:
        bus, stop, out = InProcessBus(keep=100_000), asyncio.Event(), Terminal()
        console = Console(file=out, width=100, height=30, force_terminal=True, color_system="standard")
        showing = asyncio.create_task(show(bus, title="a test", console=console, stop=stop))
        for delivery in told:
            await bus.publish(delivery.topic, _again(delivery.message))
        async with asyncio.timeout(30):
            while "donchian_trend" not in out.getvalue():
                await asyncio.sleep(0.01)
        stop.set()
        await showing
        await bus.close()
        return out.getvalue()

    seen = asyncio.run(run())
    screen, given_back, rest = seen.partition("\x1b[?1049l")
    assert screen.startswith("\x1b[?1049h"), "on a screen of its own"
    assert given_back
    assert "donchian_trend" in rest, "the last picture stays"


def test_where_there_is_no_terminal_one_picture_is_printed(told):
    async def run() -> str:
        bus, stop, out = InProcessBus(keep=100_000), asyncio.Event(), io.StringIO()
        for delivery in told:
            await bus.publish(delivery.topic, _again(delivery.message))
        showing = asyncio.create_task(show(bus, title="a test", console=Console(file=out, width=100), stop=stop))
        reading = next(iter(bus._topics.values()))
        async with asyncio.timeout(30):
            while not reading.groups or any(group.following <= reading.last for group in reading.groups.values()):
                await asyncio.sleep(0)
        stop.set()
        await showing
        return out.getvalue()

    seen = asyncio.run(run())
    assert "\x1b" not in seen
    assert seen.count("Ctrl-C") == 1


def test_a_view_that_is_cancelled_gives_the_screen_back(told):
    async def run() -> str:
        bus, out = InProcessBus(), Terminal()
        console = Console(file=out, width=100, height=30, force_terminal=True)
        showing = asyncio.create_task(show(bus, title="a test", console=console, stop=asyncio.Event()))
        async with asyncio.timeout(30):
            while "a test" not in out.getvalue():
                await asyncio.sleep(0.001)
        showing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await showing
        await bus.close()
        return out.getvalue()

    assert "\x1b[?1049l" in asyncio.run(run())


class Refusing(InProcessBus):
    """A bus that refuses the first who asks, and never hears that something was dealt with."""

    refused = False

    def subscribe(self, *topics: str, **how: Any):
        if not self.refused:
            self.refused = True
            raise BusFailed("bus.failed", where="here", why="refused")
        return super().subscribe(*topics, **how)

    async def ack(self, group: str, delivery: Delivery) -> None:
        raise BusFailed("bus.failed", where="here", why=f"{group} {delivery.key}")


def test_a_bus_that_refuses_is_shown_and_asked_again(told, monkeypatch):
    monkeypatch.setattr("cambist.apps.cli.floor_view._RETRY_S", 0.2)
    monkeypatch.setattr("cambist.apps.cli.floor_view.FRAMES_S", 0.01)

    async def run() -> str:
        bus, stop, out = Refusing(keep=100_000), asyncio.Event(), Terminal()
        for delivery in told:
            await bus.publish(delivery.topic, _again(delivery.message))
        console = Console(file=out, width=100, height=30, force_terminal=True)
        showing = asyncio.create_task(show(bus, title="a test", console=console, stop=stop))
        async with asyncio.timeout(30):
            while "donchian_trend" not in out.getvalue():
                await asyncio.sleep(0.01)
        stop.set()
        await showing
        return out.getvalue()

    before, _, after = asyncio.run(run()).partition("donchian_trend")
    assert "refused" in before
    assert "refused" not in after.rpartition("Ctrl-C")[0]


def test_a_picture_that_cannot_be_drawn_stops_nobody(told, monkeypatch, caplog):
    def broken(*_: object) -> None:
        raise RuntimeError("no picture")

    monkeypatch.setattr("cambist.apps.cli.floor_view.render", broken)

    async def run() -> None:
        stop = asyncio.Event()
        showing = asyncio.create_task(
            show(InProcessBus(), title="a test", console=Console(file=io.StringIO()), stop=stop)
        )
        await asyncio.sleep(0)
        stop.set()
        await showing

    asyncio.run(run())
    assert "could not be drawn" in caplog.text


def test_without_colour_it_says_the_same(state):
    plain = Console(width=160, height=50, file=io.StringIO(), record=True, no_color=True, force_terminal=True)
    plain.print(render(state, ConsoleDimensions(160, 50)))
    assert plain.export_text() == text(state)
