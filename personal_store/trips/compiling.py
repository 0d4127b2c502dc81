"""Run the engine's loops: compiled by numba where that pays, as plain Python otherwise.

A loop is an ordinary function over columns: it only indexes them, so the same text runs both ways
and gives the same bytes. numba is imported only for long tracks, so that a resident's server,
which handles a few days at a time, never loads it. It knows no rule of trips.
"""

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

COMPILE_FROM: Final = 50_000
"""Rows from which loops are compiled: plain Python takes about 0.3 s for so many (2026), and
loading numba costs as much."""


def run_loop(
    loop: Callable[..., int],
    inputs: tuple[Any, ...],
    outputs: tuple[NDArray[Any], ...],
    *,
    compile_from: int = COMPILE_FROM,
) -> int:
    """Call `loop(*inputs, *outputs)`, which fills the outputs, and return the count it returns.

    `inputs` are columns and numbers, the first one a column as long as the work. A loop may call
    other functions of the same kind and the standard `math`.
    """
    compiled = _compiled(loop) if len(inputs[0]) >= compile_from else None
    if compiled is not None:
        return int(compiled(*inputs, *outputs))
    # Lists: Python indexes them several times as fast as arrays.
    lists = [column.tolist() for column in outputs]
    given = [value.tolist() if isinstance(value, np.ndarray) else value for value in inputs]
    count = loop(*given, *lists)
    for column, values in zip(outputs, lists, strict=True):
        column[:] = values
    return int(count)


@cache
def _compiled(loop: Callable[..., int]) -> Callable[..., int] | None:
    """Return the loop compiled by numba, None on a machine where numba does not work."""
    try:
        import numba  # noqa: PLC0415 - 100 MB that an idle server does without
        from numba.extending import register_jitable  # noqa: PLC0415
    except ImportError:
        return None
    for helper in sorted(_called_by(loop, set()), key=lambda function: function.__qualname__):
        register_jitable(helper)
    try:
        kept: Callable[..., int] = numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:
        # No folder to keep machine code in (a read-only image): compile again in each process.
        kept = numba.njit(nogil=True)(loop)
    return kept


def _called_by(function: Callable[..., Any], found: set[FunctionType]) -> set[FunctionType]:
    """Return the plain functions that a loop calls by name, and those that they call."""
    if not isinstance(function, FunctionType):
        return found
    for name in function.__code__.co_names:
        callee = function.__globals__.get(name)
        if isinstance(callee, FunctionType) and callee not in found:
            found.add(callee)
            _called_by(callee, found)
    return found
