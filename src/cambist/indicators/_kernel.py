"""How loops are compiled: cached on disk, without the interpreter's lock, NaN and infinities as IEEE 754 has them.

Only ``contract`` (multiply and add in one rounding) of the fast-math flags is on: it shortens the chain of dependent
operations, by which recursive averages are bound, and breaks no promise about NaN. Division by zero gives what the
processor gives instead of raising, which keeps a check out of each loop; where it can happen, the kernels ask first.

Importing this file costs most of a second, so only indicators that gain from it do.
"""

from numba import njit

compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
