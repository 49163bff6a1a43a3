"""Binance spot in a box: a real HTTP and WebSocket server on loopback that unmodified clients take for the exchange."""

from cambist.simulators.binance.market import Customer
from cambist.simulators.binance.server import ExchangeServer, Served
from cambist.simulators.binance.threaded import BinanceSimulator

__all__ = ["BinanceSimulator", "Customer", "ExchangeServer", "Served"]
