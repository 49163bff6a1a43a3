"""What Kraken calls things: old currencies have a letter before their name, and bitcoin is XBT."""

_LETTERED = {
    "BTC": "XXBT",
    "DOGE": "XXDG",
    "ETC": "XETC",
    "ETH": "XETH",
    "LTC": "XLTC",
    "XLM": "XXLM",
    "XMR": "XXMR",
    "XRP": "XXRP",
    "ZEC": "XZEC",
    "CAD": "ZCAD",
    "EUR": "ZEUR",
    "GBP": "ZGBP",
    "JPY": "ZJPY",
    "USD": "ZUSD",
}


def asset_id(code: str) -> str:
    """Return the name of a currency in balances: ``BTC`` is ``XXBT``, ``USDT`` is ``USDT``."""
    return _LETTERED.get(code, code)


def asset_name(code: str) -> str:
    """Return the short name of a currency: ``BTC`` is ``XBT``."""
    return _LETTERED[code][1:] if code in _LETTERED else code


def pair_id(symbol: str) -> str:
    """Return the name of a pair in answers: ``BTC/USD`` is ``XXBTZUSD``, ``BTC/USDT`` is ``XBTUSDT``."""
    base, quote = symbol.split("/")
    if base in _LETTERED and quote in _LETTERED and base != "DOGE":
        return asset_id(base) + asset_id(quote)
    return pair_name(symbol)


def pair_name(symbol: str) -> str:
    """Return the short name of a pair: ``BTC/USD`` is ``XBTUSD``."""
    return socket_name(symbol).replace("/", "")


def socket_name(symbol: str) -> str:
    """Return the name of a pair with a stroke: ``BTC/USD`` is ``XBT/USD``."""
    return "/".join(asset_name(code) for code in symbol.split("/"))


def names_of(symbol: str) -> tuple[str, ...]:
    """Return all names by which a pair may be asked for."""
    return pair_id(symbol), pair_name(symbol), socket_name(symbol), symbol, symbol.replace("/", "")
