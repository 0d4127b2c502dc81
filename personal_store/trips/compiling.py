"""Run the engine's loops: compiled by numba where that pays, as plain Python otherwise.

A loop is an ordinary function over columns: it only indexes them, so the same text runs both ways
and gives the same bytes. numba is imported only for long tracks, so that a resident's server,
which handles a few days at a time, never loads it. It knows no rule of trips.
"""

from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
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
    helpers = sorted(_called_by(loop, set()), key=lambda each: (each.__module__, each.__qualname__))
    for helper in helpers:
        register_jitable(helper)
    named = _named_by_content(loop, helpers)
    try:
        kept: Callable[..., int] = numba.njit(cache=True, nogil=True)(named)
    except RuntimeError:
        # No folder to keep machine code in (a read-only image): compile again in each process.
        kept = numba.njit(nogil=True)(named)
    return kept


def _named_by_content(loop: Callable[..., int], helpers: Sequence[FunctionType]) -> FunctionType:
    """Return the loop under a name that tells its text, its helpers' and the constants they read.

    numba keeps machine code by name and by the date of the loop's own file: without this it would
    go on using what was made with a helper of another file that has changed since.
    """
    if not isinstance(loop, FunctionType):
        raise TypeError(f"expected a plain function as a loop, seen {type(loop).__name__}")
    content = sha256()
    for each in (loop, *helpers):
        code = each.__code__
        read = {name: each.__globals__.get(name) for name in code.co_names}
        numbers = {name: value for name, value in read.items() if isinstance(value, int | float)}
        content.update(repr((code.co_code, code.co_consts, code.co_names, numbers)).encode())
    named = FunctionType(loop.__code__, loop.__globals__, loop.__name__)
    named.__module__ = loop.__module__
    named.__qualname__ = f"{loop.__qualname__}_{content.hexdigest()[:12]}"
    return named


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
