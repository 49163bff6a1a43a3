"""Where two columns cross, both ways in one pass."""

import numpy as np

from cambist.indicators._kernel import compiled


@compiled
def crosses(one, other):  # type: ignore[no-untyped-def]
    """Return where ``one`` rises above ``other`` and where it falls below; the first is False, NaN never crosses."""
    rises, falls = np.empty(one.size, np.bool_), np.empty(one.size, np.bool_)
    rises[:1] = falls[:1] = False
    for i in range(1, one.size):
        rises[i] = (one[i] > other[i]) & (one[i - 1] <= other[i - 1])
        falls[i] = (one[i] < other[i]) & (one[i - 1] >= other[i - 1])
    return rises, falls
