"""The lazy loading leans on how ccxt lays out its files: here it is held to what a plain import gives."""

import json
import subprocess
import sys

import pytest

# Each runs in a process of its own: what is imported in one would serve the other.
LAZY = """
import json, sys
from cambist.adapters.venues.ccxt.lazy import exchange_class, venues
flavour = sys.argv[1]
loaded = {venue: exchange_class(venue, flavour) for venue in ("binance", "binanceusdm", "kraken", "bybit")}
modules = sum(name.startswith("ccxt") for name in sys.modules)
"""
PLAIN = """
import json, sys
from importlib import import_module
flavour = sys.argv[1]
package = import_module(flavour)
loaded = {venue: getattr(package, venue) for venue in ("binance", "binanceusdm", "kraken", "bybit")}
modules = sum(name.startswith("ccxt") for name in sys.modules)
"""
ABOUT = """
print(json.dumps({
    "modules": modules,
    "names": {venue: sorted(dir(cls)) for venue, cls in loaded.items()},
    "bases": {venue: [f"{base.__module__}.{base.__name__}" for base in cls.__mro__] for venue, cls in loaded.items()},
    "described": {venue: json.dumps(cls().describe(), default=str, sort_keys=True) for venue, cls in loaded.items()},
}))
"""
AFTERWARDS = """
import ccxt, ccxt.pro
import ccxt.async_support as ccxt_async
from cambist.adapters.venues.ccxt.lazy import venues
assert set(ccxt.exchanges) == venues(), set(ccxt.exchanges) ^ venues()
assert set(ccxt.pro.exchanges) == venues("ccxt.pro")
assert sys.modules[flavour].kraken is loaded["kraken"]
assert isinstance(ccxt.bitget, type) and ccxt.__version__ and ccxt.NetworkError.__module__ == "ccxt.base.errors"
assert issubclass(ccxt.pro.binance, ccxt_async.binance)
print("{}")
"""


def run(program: str, flavour: str) -> dict:
    done = subprocess.run([sys.executable, "-c", program, flavour], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("flavour", ["ccxt", "ccxt.async_support", "ccxt.pro"])
def test_the_classes_are_those_of_a_plain_import(flavour):
    lazy, plain = run(LAZY + ABOUT, flavour), run(PLAIN + ABOUT, flavour)
    assert lazy.pop("modules") < plain.pop("modules") / 4
    assert lazy == plain


@pytest.mark.parametrize("flavour", ["ccxt", "ccxt.async_support", "ccxt.pro"])
def test_whoever_imports_all_of_ccxt_afterwards_gets_all_of_it(flavour):
    run(LAZY + AFTERWARDS, flavour)


def test_it_loads_beside_a_plain_import():
    run(PLAIN + LAZY.replace("import json, sys", "plain = loaded") + "assert loaded == plain; print('{}')", "ccxt")
