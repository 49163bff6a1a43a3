"""The peers' environments: one each under .envs/, made on first use with exact versions."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.measure import Failed
from bench.work import ENVS

PYTHON = "3.11"
UV = Path(sys.executable).parent / "uv"


@dataclass(frozen=True)
class Peer:
    """A peer and the packages that it was measured with."""

    name: str
    pins: tuple[str, ...]


PEERS = {
    peer.name: peer
    for peer in (
        Peer("vectorbt", ("vectorbt==1.2.0", "vectorbt-rust==1.2.0", "numba==0.68.1", "numpy==2.4.6", "pandas==3.1.1")),
        Peer("backtesting", ("backtesting==0.6.6", "bokeh==3.9.2", "numpy==2.4.6", "pandas==3.1.1")),
        Peer("nautilus", ("nautilus_trader==1.221.0", "numpy==2.4.6", "pandas==2.3.3", "pyarrow==26.0.1")),
    )
}


@cache
def python_of(peer: Peer) -> Path | Failed:
    """Return the interpreter of ``peer``'s environment, made now if it is missing or was made of other versions."""
    folder = ENVS / peer.name
    python, made_of = folder / "bin" / "python", folder / ".pins"
    pins = "\n".join((PYTHON, *peer.pins))
    if python.exists() and made_of.exists() and made_of.read_text() == pins:
        return python
    print(f"  making the environment of {peer.name}", file=sys.stderr, flush=True)
    for command in (
        ("venv", "-q", "--clear", "--python", PYTHON, str(folder)),
        ("pip", "install", "-q", "--compile-bytecode", "--python", str(python), *peer.pins),
    ):
        try:
            end = subprocess.run((str(UV), *command), capture_output=True, text=True, check=False)
        except OSError as error:
            return Failed(f"could not be installed ({error.strerror})")
        if end.returncode:
            print(end.stderr, file=sys.stderr)
            return Failed("could not be installed")
    made_of.write_text(pins)
    return python
