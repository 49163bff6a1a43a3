import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cambist.domain.errors import BadInput, ParseError
from cambist.domain.webhook import Defaults, asked, one_time_id, same_market, sent_ms
from cambist.domain.webhook_body import (
    FORM,
    HIDDEN,
    MEANT,
    pieces,
    read_text,
    secrets_in,
    without_secrets,
)

DATA = Path(__file__).parents[4] / "shared" / "data" / "06-webhooks-chat"
DEFAULTS = Defaults(unit="fraction", size=Decimal("0.5"), stop_loss=Decimal("0.03"))
SPOT, PERPETUAL = "BTC/USDT", "BTC/USDT:USDT"
SYMBOLS = (SPOT, "ETH/USDT")


def told(body, *, symbols=SYMBOLS, defaults=DEFAULTS, content_type=""):
    text = body if isinstance(body, str) else json.dumps(body)
    return asked(pieces(read_text(text.encode()), content_type), symbols, defaults)


def wish(body, **how):
    (one,) = told(body, **how).wishes
    return one


def refusal(body, **how):
    with pytest.raises(BadInput) as caught:
        told(body, **how)
    return caught.value.field, caught.value.value, caught.value.key


# -- the bodies that people send --------------------------------------------------------------------------------------

PLACEHOLDER, COMMENT = "webhook.placeholder", "webhook.json_comment"
SYMBOLS_SENT = ("EUR/USD", "BTC/USD", "GBP/JPY", "GBP/USD", "XAU/USD", "CVX/USDT")
BUY, SELL = {"kind": "enter", "side": "buy"}, {"kind": "enter", "side": "sell"}
SENT = [
    ("ticker", "{{ticker}}", PLACEHOLDER),
    ("symbol", "{{ticker}}", PLACEHOLDER),
    ("symbol", "{{ticker}}", PLACEHOLDER),
    BUY | {"stop_loss": "0.002764976959", "take_profit": "0.005529953917"},
    ("body", "// Chart symbol", COMMENT),
    ("symbol", "{{ticker}}", PLACEHOLDER),
    ("symbol", "{{ticker}}", PLACEHOLDER),
    ("symbol", "{{ticker}}", PLACEHOLDER),
    ("symbol", "{{ticker}}", PLACEHOLDER),
    ("user_uuid", "{{user_uuid}}", PLACEHOLDER),
    BUY | {"stop_loss": "0.001129305477", "take_profit": "0.001693958216"},
    BUY | {"stop_loss": "0.001583113456", "take_profit": "0.003693931398"},
    ("body", "// Required", COMMENT),
    SELL | {"stop_loss": "0.03", "take_profit": None},
    BUY | {"stop_loss": "0.03", "take_profit": None},
    ("symbol", "{{ticker}}", PLACEHOLDER),
    ("symbol", "{{ticker}}", PLACEHOLDER),
    ("symbol", "{{ticker}}", PLACEHOLDER),
    ("sloffset", "0.002", "webhook.guard"),
    ("marketposition", "long", "webhook.part"),
    ("symbol", "{{ticker}}", PLACEHOLDER),
]
"""For each body of the file in turn: the wish that it becomes on perpetuals, or why it does not."""


def real_bodies():
    file = DATA / "tradingview_alert_bodies_open.json"
    if not file.is_file():
        pytest.skip("needs shared/data/06-webhooks-chat")
    return [one["body"] for one in json.loads(file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("number", range(len(SENT)))
def test_every_real_body_becomes_a_wish_or_is_refused_with_a_sentence(number):
    bodies, expected = real_bodies(), SENT[number]
    assert len(bodies) == len(SENT)
    symbols = tuple(f"{symbol}:{symbol.partition('/')[2]}" for symbol in SYMBOLS_SENT)
    if isinstance(expected, tuple):
        assert refusal(bodies[number], symbols=symbols) == expected
        return
    found = wish(bodies[number], symbols=symbols)
    assert found == {"limit": None, "trailing_stop": None, "fraction": "0.5"} | expected


def test_what_tradingview_puts_in_place_of_its_placeholders_is_understood():
    file = DATA / "tradingview_webhook_facts.json"
    if not file.is_file():
        pytest.skip("needs shared/data/06-webhooks-chat")
    values = json.loads(file.read_text(encoding="utf-8"))["placeholders"]
    bodies = [one for one in real_bodies() if "{{strategy.order.action}}" in one and "contracts" in one]
    assert bodies
    for body in bodies:
        for name, value in values.items():
            body = body.replace(name, value)
        body = body.replace("50000", "70000")
        assert refusal(body)[2] == "webhook.no_price"  # it gives a stop-loss as a price, and no price beside it
        body = body.replace("}", ', "price": 67432.50}')
        assert wish(body)["quantity"] == "0.1"


# -- forms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"action": "buy", "symbol": "BTCUSDT", "qty": 0.1},
        {"data": {"strategy-order-action": "BUY", "ticker": "BTC/USDT", "orderQty": "0.1"}, "key": "k"},
        {"strategy": {"order": {"action": "buy", "contracts": "0.1", "id": "Long"}}, "ticker": "BINANCE:BTCUSDT"},
        {"order": {"side": "Buy", "quantity": "0.10"}, "pair": "btc_usdt"},
        "action=buy symbol=BTCUSDT qty=0.1",
        "action = buy, symbol = BINANCE:BTCUSDT, contracts=0.1",
        "action=buy;symbol=BTC-USDT;size=0.1",
        "action: buy\nticker: BINANCE:BTCUSDT\nquantity: 0.1\ncomment: the first of many",
        "action:long\r\nsymbol:BTCUSDT.P\r\namount:0.1 BTC",
        "action='enter long' symbol=\"BTCUSDT\" qty=0.1".replace("'enter long'", "enter_long"),
        "BUY BTCUSDT 0.1",
        "btcusdt long 0.1",
        "enter long BTCUSDT 0.1",
        "BUY BTCUSDT qty=0.1 comment=as it was",
        "action=buy&symbol=BTCUSDT&qty=0.1",
        "\ufeff\n  BUY BTC/USDT 0.1 \n",
    ],
    ids=str,
)
def test_the_same_wish_comes_in_many_forms(body):
    found = told(body)
    assert found.symbol == SPOT
    (one,) = found.wishes
    assert Decimal(one.pop("quantity")) == Decimal("0.1")
    assert one == BUY | {"limit": None, "stop_loss": "0.03", "take_profit": None, "trailing_stop": None}


def test_a_form_is_decoded():
    text = "action=buy&symbol=BINANCE%3ABTCUSDT&percent=10%25"
    assert wish(text, content_type=FORM)["fraction"] == "0.1"
    assert wish("BUY BTCUSDT 10%", content_type=FORM)["fraction"] == "0.1"  # as curl -d sends words


def test_what_means_nothing_is_told():
    assert told({"action": "buy", "symbol": "BTCUSDT", "leverage": 10, "Comment": "x"}).aside == ("comment", "leverage")


@pytest.mark.parametrize(
    ("text", "symbol", "same"),
    [
        ("BINANCE:BTCUSDT", SPOT, True),
        ("BYBIT:BTCUSDT.P", PERPETUAL, True),
        ("BTCUSDTPERP", PERPETUAL, True),
        ("BTC-USDT-SWAP", PERPETUAL, True),
        ("BTC/USDT:USDT", PERPETUAL, True),
        ("BINANCE:BTC/USDT", SPOT, True),
        ("BTC-USD", SPOT, False),
        ("BTCUSD", "BTC/USDT", False),
        ("WBTCUSDT", SPOT, False),
        ("1INCHUSDT", "1INCH/USDT", True),
    ],
)
def test_markets_are_named_in_many_ways(text, symbol, same):
    assert same_market(text, symbol) is same


def test_of_spot_and_perpetual_the_one_that_is_named_is_traded():
    both = (SPOT, PERPETUAL)
    assert told("BUY BTCUSDT", symbols=both).symbol == SPOT
    assert told("BUY BTCUSDT.P", symbols=both).symbol == PERPETUAL
    assert told("BUY BTCUSDT", symbols=(PERPETUAL,)).symbol == PERPETUAL
    assert told("BUY", symbols=(PERPETUAL,)).symbol == PERPETUAL
    assert refusal("BUY", symbols=both) == ("symbol", "", "webhook.no_symbol")
    assert refusal("BUY BTC-USD") == ("symbol", "BTC-USD", "webhook.symbol")


# -- actions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "spot", "perpetual"),
    [
        ({"action": "buy"}, "buy", "buy"),
        ({"side": "Long"}, "buy", "buy"),
        ({"signal": "enter_long"}, "buy", "buy"),
        ({"order": "buy", "type": "market"}, "buy", "buy"),
        ({"action": "entry", "side": "long"}, "buy", "buy"),
        ({"action": "sell"}, "exit", "sell"),
        ({"action": "sell", "reduce_only": True}, "exit", "exit"),
        ({"action": "short"}, "webhook.spot_short", "sell"),
        ({"action": "open", "side": "sell"}, "webhook.spot_short", "sell"),
        ({"action": "close"}, "exit", "exit"),
        ({"action": "exit", "side": "long"}, "exit", "exit"),
        ({"action": "flat"}, "exit", "exit"),
        ({"action": "CLOSE_ALL"}, "exit", "exit"),
        ({"action": "cancel"}, "cancel", "cancel"),
        ({"action": "cancel", "side": "buy"}, "cancel", "cancel"),
        ({"market_position": "long"}, "buy", "buy"),
        ({"market_position": "flat", "prev_market_position": "long"}, "exit", "exit"),
        ({"market_position": "short", "prev_market_position": "flat"}, "webhook.spot_short", "sell"),
        ({"action": "buy", "market_position": "long", "prev_market_position": "flat"}, "buy", "buy"),
        ({"action": "buy", "market_position": "long", "prev_market_position": "long"}, "buy", "buy"),
        ({"action": "buy", "market_position": "flat", "prev_market_position": "short"}, "exit", "exit"),
        ({"action": "sell", "market_position": "flat", "prev_market_position": "long"}, "exit", "exit"),
        ({"action": "sell", "market_position": "short", "prev_market_position": "long"}, "exit", "sell"),
        ({"action": "sell", "market_position": "long", "prev_market_position": "long"}, "webhook.part", "webhook.part"),
        ({"action": "buy", "market_position": "short"}, "webhook.part", "webhook.part"),
        ({"action": "buy", "side": "sell"}, "webhook.differs", "webhook.differs"),
        ({"action": "cancel", "side": "exit"}, "webhook.differs", "webhook.differs"),
        ({"action": "open"}, "webhook.open_what", "webhook.open_what"),
        ({"action": "hold"}, "webhook.action", "webhook.action"),
        ({"action": "buy|sell"}, "webhook.action", "webhook.action"),
        ({"market_position": "long", "prev_market_position": "long"}, "webhook.same_position", "webhook.same_position"),
        ({"market_position": "2"}, "webhook.position", "webhook.position"),
        ({"price": 5}, "webhook.no_action", "webhook.no_action"),
        ({"action": "close", "qty": "50%"}, "webhook.part_exit", "webhook.part_exit"),
        ({"action": "close", "qty": "100%"}, "exit", "exit"),
    ],
    ids=str,
)
def test_what_an_action_means(fields, spot, perpetual):
    for symbol, meaning in ((SPOT, spot), (PERPETUAL, perpetual)):
        if "." in meaning:
            assert refusal(fields, symbols=(symbol,))[2] == meaning
        else:
            found = wish(fields, symbols=(symbol,))
            assert found.get("side", found["kind"]) == meaning


# -- sizes and protections --------------------------------------------------------------------------------------------


def buying(**more):
    return {"action": "buy", "symbol": "BTCUSDT", **more}


@pytest.mark.parametrize(
    ("more", "unit", "size"),
    [
        ({}, "fraction", "0.5"),
        ({"qty": ""}, "fraction", "0.5"),
        ({"qty": None}, "fraction", "0.5"),
        ({"qty": "10%"}, "fraction", "0.1"),
        ({"percent": 10}, "fraction", "0.1"),
        ({"percent": "100%"}, "fraction", "1"),
        ({"usdt": "100.50"}, "notional", "100.50"),
        ({"amount": "100 usdt"}, "notional", "100"),
        ({"contracts": 0.1}, "quantity", "0.1"),
        ({"size": "1e-3"}, "quantity", "0.001"),
        ({"quantity": "0.123456789012345678"}, "quantity", "0.123456789012345678"),
    ],
    ids=str,
)
def test_a_size_has_a_unit(more, unit, size):
    assert wish(buying(**more))[unit] == size


@pytest.mark.parametrize(
    ("more", "field", "key"),
    [
        ({"qty": "0"}, "qty", "webhook.number"),
        ({"qty": "-1"}, "qty", "webhook.number"),
        ({"qty": "NaN"}, "qty", "webhook.number"),
        ({"qty": "1,5"}, "qty", "webhook.number"),
        ({"qty": "١"}, "qty", "webhook.number"),
        ({"qty": [1]}, "qty", "webhook.number"),
        ({"qty": True}, "qty", "webhook.number"),
        ({"qty": "5 ETH"}, "qty", "webhook.unit"),
        ({"percent": "101%"}, "percent", "webhook.percent"),
        ({"qty": 1, "percent": 5}, "qty", "webhook.differs"),
        ({"sl_offset": 5}, "sloffset", "webhook.guard"),
        ({"tp1": 5}, "tp1", "webhook.guard"),
        ({"stopLossTicks": 5}, "stoplossticks", "webhook.guard"),
        ({"targets": [5, 6]}, "targets", "webhook.guard"),
        ({"trailing_stop": "500"}, "trailingstop", "webhook.trail"),
        ({"sl": "2%", "stop_loss": 95}, "stoploss", "webhook.differs"),
        ({"sl": 95}, "sl", "webhook.no_price"),
        ({"sl": 105, "price": 100}, "sl", "webhook.guard_side"),
        ({"sl": 2, "price": 100}, "sl", "webhook.guard_side"),
        ({"tp": 95, "price": 100}, "tp", "webhook.guard_side"),
        ({"type": "stop"}, "type", "webhook.order_type"),
        ({"type": "limit"}, "limit", "webhook.no_limit"),
        ({"type": "market", "limit": 5}, "limit", "webhook.market_limit"),
    ],
    ids=str,
)
def test_what_would_be_guessed_is_refused(more, field, key):
    found = refusal(buying(**more))
    assert (found[0], found[2]) == (field, key)


def test_protections_are_distances_from_the_price():
    found = wish(buying(price="100", sl=98, tp="110", trailing_stop="1.5%"))
    assert (found["stop_loss"], found["take_profit"], found["trailing_stop"]) == ("0.02", "0.1", "0.015")
    found = wish({"action": "short", "price": 100, "sl": 102, "tp": 90}, symbols=(PERPETUAL,))
    assert (found["stop_loss"], found["take_profit"]) == ("0.02", "0.1")
    found = wish(buying(stop_loss_percent=2, tp="4%"))
    assert (found["stop_loss"], found["take_profit"]) == ("0.02", "0.04")
    assert wish(buying(sl=None))["stop_loss"] == "0.03"


def test_a_price_is_a_limit_only_if_it_is_called_so():
    assert wish(buying(price=100))["limit"] is None
    assert wish(buying(price=100, type="limit"))["limit"] == "100"
    assert wish(buying(price=100, order_type="LIMIT", limit=99, sl=98.01))["limit"] == "99"
    assert wish(buying(price=100, order_type="LIMIT", limit=99, sl=98.01))["stop_loss"] == "0.01"


def test_the_size_of_a_turned_position_is_not_that_of_its_order():
    turned = {"action": "sell", "contracts": "3", "market_position": "short", "prev_market_position": "long"}
    assert refusal(turned, symbols=(PERPETUAL,)) == ("contracts", "3", "webhook.reversal")
    assert wish(turned | {"position_size": "-1"}, symbols=(PERPETUAL,))["quantity"] == "1"
    assert "quantity" not in wish({**turned, "contracts": None}, symbols=(PERPETUAL,))


# -- what is said twice, or not at all ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field", "key"),
    [
        ('{"action": "buy", "action": "sell"}', "action", "webhook.twice"),
        ('{"stop_loss": 1, "stopLoss": 2}', "stoploss", "webhook.twice"),
        ("qty=1 qty=2 BUY", "qty", "webhook.twice"),
        ("BUY BTCUSDT ETHUSDT", "body", "webhook.word"),
        ("BUY BTCUSDT now!", "body", "webhook.word"),
        ("qty=1,5 BUY BTCUSDT", "body", "webhook.word"),
        ("= BUY", "body", "webhook.no_name"),
        ('{"action": "buy",}', "body", "webhook.json"),
        ('{"action": buy}', "body", "webhook.json"),
        ('{"action": "buy", "qty": NaN}', "body", "webhook.number"),
        ('["buy"]', "body", "webhook.json_object"),
        ('{"action": "buy"} // now', "body", "webhook.json_comment"),
        ('{"note": "{{plot_0}}"}', "note", PLACEHOLDER),
        ("price: {{close}}", "price", PLACEHOLDER),
        ("{{strategy.order.action}}", "body", PLACEHOLDER),
    ],
)
def test_a_body_that_is_broken_is_refused_where_it_breaks(body, field, key):
    found = refusal(body)
    assert (found[0], found[2]) == (field, key)


@pytest.mark.parametrize("body", [b"", b" \n", b"\xff\xfe", b"[" * 16_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000])
def test_what_is_no_message_at_all_is_a_parse_error(body):
    with pytest.raises(ParseError):
        asked(pieces(read_text(body)), SYMBOLS, DEFAULTS)


# -- times, ids, secrets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "ms"),
    [
        ({}, None),
        ({"time": "2025-01-15T14:30:00Z"}, 1_736_951_400_000),
        ({"time": "2025-01-15T14:30:00.250+01:00"}, 1_736_947_800_250),
        ({"timestamp": "2025-01-15 14:30:00"}, 1_736_951_400_000),
        ({"timestamp": 1_736_951_400}, 1_736_951_400_000),
        ({"timestamp": "1736951400.5"}, 1_736_951_400_500),
        ({"timestamp": 1_736_951_400_123}, 1_736_951_400_123),
        ({"time": "2025-01-15T14:00:00Z", "timenow": "2025-01-15T14:30:00Z"}, 1_736_951_400_000),
    ],
    ids=str,
)
def test_when_it_was_sent(fields, ms):
    assert sent_ms(pieces(json.dumps({"action": "buy", **fields}))) == ms


@pytest.mark.parametrize("text", ["2025-11-09...", "yesterday", "1736951400123456"])
def test_a_time_that_cannot_be_read_is_refused(text):
    with pytest.raises(BadInput, match="1970"):
        sent_ms({"time": text})


def test_the_label_of_an_order_is_no_id_of_an_alert():
    """TradingView's {{strategy.order.id}} is what the strategy calls its orders: "Long" each time."""
    assert one_time_id(pieces('{"order_id": "Long", "strategy": {"order": {"id": "Long"}}}')) is None
    assert one_time_id(pieces('{"order": {"id": "Long"}}')) is None
    assert one_time_id(pieces('{"alert_id": 7}')) == "7"
    assert one_time_id(pieces('{"data": {"id": "a b"}}')) == "a b"


@pytest.mark.parametrize(
    "body",
    [
        '{"action": "buy", "secret": "s3-cret_"}',
        '{"passphrase" : "s3-cret_", broken',
        "BUY BTCUSDT secret=s3-cret_",
        "key: s3-cret_\nBUY",
        "token = 's3-cret_', action=buy",
        "auth=s3-cret_&action=buy",
        '{"data": {}, "api_key": "s3-cret_"}',
    ],
)
def test_secrets_are_found_and_hidden_in_any_form(body):
    assert secrets_in(body) == ["s3-cret_"]
    hidden = without_secrets(body)
    assert "s3-cret_" not in hidden
    assert hidden == body.replace("s3-cret_", HIDDEN)


def test_a_known_secret_is_hidden_wherever_it_stands():
    assert without_secrets("note=abc BUY abc", ["abc"]) == f"note={HIDDEN} BUY {HIDDEN}"
    assert json.loads(without_secrets('{"key": 123, "n": 1}')) == {"key": HIDDEN, "n": 1}


# -- whatever comes ---------------------------------------------------------------------------------------------------

NOISE = ["buy", "short", "flat", "BTCUSDT", "10%", "1e99", "-1", "0", "null", "\\ud800", "\\u0000", "2025-01-01"]
EDGES = [*'=:,;"{}[ \n', "{{", "}}", "//", "0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59"]
WORDS = st.sampled_from([*sorted(MEANT), *NOISE, *EDGES])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.lists(WORDS, max_size=30).map(lambda words: "".join(words).encode()),
    st.dictionaries(WORDS, VALUES, max_size=6).map(lambda fields: json.dumps(fields).encode()),
)


@settings(max_examples=600, deadline=None)
@given(body=BODIES, content_type=st.sampled_from(["", FORM]), symbols=st.sampled_from([SYMBOLS, (PERPETUAL,)]))
@example(body=b'{"action": "buy", "sl": 1e-99, "price": 1e99}', content_type="", symbols=(PERPETUAL,))
def test_whatever_comes_is_understood_or_refused(body, content_type, symbols):
    try:
        text = read_text(body)
        found = pieces(text, content_type)
        sent_ms(found)
        one_time_id(found)
        told = asked(found, symbols, DEFAULTS)
    except (BadInput, ParseError) as error:
        str(error).encode()  # every refusal can be told
        return
    assert told.symbol in symbols
    (one,) = told.wishes
    json.dumps(one)
    if one["kind"] == "enter":
        sizes = [Decimal(one[unit] or 0) for unit in ("fraction", "notional", "quantity") if unit in one]
        assert len(sizes) == 1
        assert sizes[0] > 0
        assert one["side"] == "buy" or symbols == (PERPETUAL,)
        for guard in ("stop_loss", "trailing_stop"):
            assert one[guard] is None or 0 < Decimal(one[guard] or 0) < 1


@settings(max_examples=300, deadline=None)
@given(body=BODIES)
def test_hiding_secrets_leaves_none_and_never_fails(body):
    text = body.decode("utf-8", "replace")
    hidden = without_secrets(text, ["canary"])
    assert "canary" not in hidden
    assert set(secrets_in(hidden)) <= {HIDDEN, ""}
