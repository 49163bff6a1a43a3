"""Kraken spot in a box: a real HTTP and WebSocket server on loopback that unmodified clients take for the exchange."""

from cambist.simulators.kraken.limits import Limits
from cambist.simulators.kraken.server import KrakenServer
from cambist.simulators.kraken.signing import is_secret
from cambist.simulators.market import Customer

__all__ = ["Customer", "KrakenServer", "Limits", "is_secret"]
