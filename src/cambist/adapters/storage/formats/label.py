"""What the name of a file tells of its candles: venue, symbol, timeframe, and whether they are prices at all.

Names such as ``BTC_USDT-1h.feather`` (freqtrade), ``BTCUSDT-1m-2023-04.csv`` (Binance), ``XBTUSD_60.csv`` (Kraken),
``binance_usdm_ETHUSDT_5m_2023.parquet``, and the folders around them (``data/binance/futures``).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from cambist.domain.errors import BadInput

_VENUE_NAMES = """
ascendex bequant bigone binance binanceus bingx bitbank bitfinex bitflyer bitget bithumb bitmart bitmex bitso bitstamp
bittrex bitvavo blofin btcturk bybit cex coinbase coinex cryptocom deribit digifinex dydx exmo ftx gate gemini hitbtc
htx hyperliquid kraken krakenfutures kucoin kucoinfutures lbank mexc ndax okcoin okx paradex phemex poloniex probit
upbit whitebit woo xt
"""
_VENUES = frozenset(_VENUE_NAMES.split())
_ALSO_KNOWN_AS = {
    "gdax": "coinbase",
    "coinbasepro": "coinbase",
    "binanceusdm": "binance",
    "binancecoinm": "binance",
    "okex": "okx",
    "huobi": "htx",
    "gateio": "gate",
}
_QUOTES = (
    *("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "USDD", "USDE", "DAI", "USD", "EUR", "GBP", "JPY", "KRW"),
    *("TRY", "BRL", "AUD", "CAD", "CHF", "BTC", "XBT", "ETH", "BNB"),
)
# BNBUSD is BNB/USD and not BN/BUSD: where two quote currencies fit, the better-known base decides
_COIN_NAMES = """
AAVE ADA ALGO APT ARB ATOM AVAX BCH BNB BTC CRV DASH DOGE DOT EOS ETC ETH EUR FET FIL GBP GRT ICP INJ LINK LTC MATIC
MKR NEAR OP PEPE POL SAND SHIB SNX SOL SUI TON TRX UNI USDC USDT WBTC XBT XLM XMR XRP XTZ ZEC
"""
_COINS = frozenset(_COIN_NAMES.split())
_RENAMED = {"XBT": "BTC", "XDG": "DOGE"}
_LINEAR = frozenset(("usdm", "um", "futures", "future", "perp", "perpetual", "swap", "linear"))
_INVERSE = frozenset(("coinm", "cm", "inverse", "delivery"))
_OTHERS = {
    "mark": "candles.kind.mark",
    "markprice": "candles.kind.mark",
    "markpriceklines": "candles.kind.mark",
    "indexpriceklines": "candles.kind.index",
    "premiumindexklines": "candles.kind.index",
    "funding": "candles.kind.funding",
    "fundingrate": "candles.kind.funding",
}
_ENDINGS = (".gz", ".zip", ".csv", ".json", ".parquet", ".feather", ".arrow", ".txt")
_TIMEFRAME = re.compile(r"([0-9]+)(m|min|h|hr|hour|d|day|w|M|mo|month)")
_UNITS = {"min": "m", "hr": "h", "hour": "h", "day": "d", "mo": "M", "month": "M"}
_WORD = re.compile(r"[A-Za-z0-9]+")
_CAPITALS = re.compile(r"(?<![A-Za-z0-9])t?[A-Z0-9]+(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a file's name tells; None or empty where it tells nothing."""

    venues: tuple[str, ...]
    """More than one if the name contradicts itself."""
    symbol: str | None
    timeframe: str | None
    """As text: it may be one that is not known."""
    other: str | None
    """Text key of what the file holds, where its name says that it holds no candles of trades."""
    testnet: bool


def read_label(path: Path) -> Label:
    """Return what the name of ``path`` and those of the seven folders around it tell."""
    stem = path.name
    while stem.lower().endswith(_ENDINGS):
        stem = stem[: stem.rindex(".")]
    words = _WORD.findall(stem)
    lower = [word.lower() for word in words]
    folders = [part.lower() for part in path.absolute().parts[-8:-1]]
    folders.reverse()  # the nearest tells more than those around it
    kind = next((word for word in (*lower, *folders) if word in _LINEAR | _INVERSE | {"spot"}), "spot")
    named = [_venues(lower), *(_venues([folder]) for folder in folders)]
    return Label(
        venues=next((venues for venues in named if venues), ()),
        symbol=_symbol(stem, linear=kind in _LINEAR, inverse=kind in _INVERSE),
        timeframe=next((_timeframe(word) for word in words if _timeframe(word)), None),
        # a folder may bear a person's name: Mark's candles are candles
        other=next((_OTHERS[word] for word in (*lower, *(set(folders) - {"mark"})) if word in _OTHERS), None),
        testnet="testnet" in (*lower, *folders),
    )


def as_symbol(text: str, *, linear: bool = False, inverse: bool = False) -> str | None:
    """Return ``text`` as ccxt writes symbols (``BTC/USDT``, perpetuals ``BTC/USDT:USDT``), None if it is none."""
    if re.fullmatch(r"[A-Za-z0-9.]+/[A-Za-z0-9.]+(:[A-Za-z0-9.-]+)?", text):
        return text
    match re.split("[-_]", text.removeprefix("t") if text[1:].isupper() else text):
        case [base, "PERP"]:  # FTX's perpetuals are paid in dollars
            return f"{_name(base)}/USD:USD"
        case [base, quote, "SWAP" | "PERP"] if quote in _QUOTES:
            return _pair(base, quote, linear=True)
        case [base, quote, settle] if quote in _QUOTES and settle in (base, quote):
            return f"{_pair(base, quote)}:{_name(settle)}"
        case [base, quote] if quote in _QUOTES and base:
            return _pair(base, quote, linear=linear, inverse=inverse)
        case [joined]:
            return _split(joined, linear=linear, inverse=inverse)
    return None


def option_symbol(text: str) -> str:
    """Return the symbol that a person wrote; raise `BadInput` if base and quote cannot be told apart."""
    symbol = as_symbol(text.upper() if "/" not in text else text)
    if symbol is None:
        raise BadInput("--symbol", text, "candles.symbol_form")
    return symbol


def _venues(words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_ALSO_KNOWN_AS.get(word, word) for word in words if word in _VENUES | {*_ALSO_KNOWN_AS}))


def _symbol(stem: str, *, linear: bool, inverse: bool) -> str | None:
    """Return the first symbol in ``stem``; written in small letters only if its base is a well-known coin."""
    for text, known in ((stem, None), (stem.upper(), _COINS)):
        words = _CAPITALS.findall(text)
        # pairs in several words first (BTC_USDT_USDT, BTC-PERP), single words after them (BTCUSDT)
        for size in (3, 2, 1):
            for at in range(len(words) - size + 1):
                if words[at].lower() in _VENUES:
                    continue
                found = as_symbol("_".join(words[at : at + size]), linear=linear, inverse=inverse)
                if found and (known is None or found.split("/")[0] in known):
                    return found
    return None


def _split(joined: str, *, linear: bool, inverse: bool) -> str | None:
    pairs = [(joined.removesuffix(quote), quote) for quote in _QUOTES if joined.endswith(quote)]
    pairs = [(base, quote) for base, quote in pairs if len(base) >= 2 and not base.isdigit()]
    if not pairs:
        return None
    base, quote = next((pair for pair in pairs if pair[0] in _COINS), max(pairs, key=lambda pair: len(pair[1])))
    return _pair(base, quote, linear=linear, inverse=inverse)


def _pair(base: str, quote: str, *, linear: bool = False, inverse: bool = False) -> str:
    base, quote = _name(base), _name(quote)
    return f"{base}/{quote}" + (f":{base}" if inverse else f":{quote}" if linear else "")


def _name(currency: str) -> str:
    return _RENAMED.get(currency, currency)


def _timeframe(word: str) -> str | None:
    match = _TIMEFRAME.fullmatch(word)
    if match is None:
        return None
    text = f"{match[1]}{_UNITS.get(match[2], match[2])}"
    same = {"60m": "1h", "120m": "2h", "240m": "4h", "24h": "1d", "1440m": "1d", "7d": "1w"}
    return same.get(text, text)
