"""How long to wait before trying again: waits that double, with a jitter that is the same on every run."""

from zlib import crc32


def wait_s(attempt: int, *, first_s: float = 0.5, longest_s: float = 30.0, seed: str = "") -> float:
    """Return the wait in seconds after the failed try ``attempt`` (1, 2, ...).

    ``first_s`` doubles with each try up to ``longest_s``; a share of up to one half is taken away by a jitter that
    depends on ``seed`` and ``attempt`` alone: many who lost their connection together do not return all at once.
    """
    full = min(longest_s, first_s * 2.0 ** min(attempt - 1, 60))
    return full * (1 - crc32(f"{seed}:{attempt}".encode()) / 2**33)
