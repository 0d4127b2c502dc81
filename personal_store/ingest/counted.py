"""What comes out of a compressed stream, counted against what may come out.

A small file can be made to unpack into a disk full of zeros. Both zip and gzip go through here, so
that the bounds of `limits.py` are kept in one place, on what really comes out.

>>> import gzip, io
>>> unpacked(io.BytesIO(gzip.compress(b"abc")), packed_bytes=23).read()
b'abc'
"""

import gzip
import io
import zlib
from collections.abc import Callable
from typing import IO, BinaryIO, Final, TypeVar, cast

from personal_store.ingest import refusals
from personal_store.ingest.limits import (
    ZIP_MEMBER_BYTES,
    ZIP_RATIO,
    ZIP_RATIO_FREE_BYTES,
    ZIP_TOTAL_BYTES,
)

T = TypeVar("T")

_GZIP_DAMAGE: Final = (gzip.BadGzipFile, zlib.error, EOFError)


class Budget:
    """How many bytes all the members of an archive may still give."""

    def __init__(self) -> None:
        """Start with what `limits.py` allows."""
        self.left_bytes = ZIP_TOTAL_BYTES


class Counted(io.BufferedIOBase):
    """A compressed member's bytes, counted as they come out."""

    def __init__(self, unpacking: IO[bytes], *, packed_bytes: int, budget: Budget) -> None:
        """Give the bytes of `unpacking`, which takes `packed_bytes` in the file."""
        self._unpacking = unpacking
        self._budget = budget
        self._given_bytes = 0
        self._most_bytes = min(
            ZIP_MEMBER_BYTES, max(ZIP_RATIO_FREE_BYTES, packed_bytes * ZIP_RATIO)
        )

    def readable(self) -> bool:
        """Tell that the stream reads."""
        return True

    def seekable(self) -> bool:
        """Tell that the stream can go back."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, or refuse the file."""
        return self._count(self._unpacking.read(-1 if size is None else size))

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line, or refuse the file."""
        return self._count(self._unpacking.readline(-1 if size is None else size))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go back to the beginning, or on to a place that was reached before."""
        return self._unpacking.seek(offset, whence)

    def _count(self, given: bytes) -> bytes:
        self._given_bytes += len(given)
        self._budget.left_bytes -= len(given)
        if self._given_bytes > self._most_bytes or self._budget.left_bytes < 0:
            raise refusals.hostile_archive()
        return given


class _Gzip(Counted):
    """The same for gzip, whose damage is said in our words."""

    def read(self, size: int | None = -1, /) -> bytes:
        return _in_our_words(lambda: super(_Gzip, self).read(size))

    def readline(self, size: int | None = -1, /) -> bytes:
        return _in_our_words(lambda: super(_Gzip, self).readline(size))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return _in_our_words(lambda: super(_Gzip, self).seek(offset, whence))


def unpacked(stream: BinaryIO, *, packed_bytes: int, budget: Budget | None = None) -> BinaryIO:
    """Return what a gzip stream of `packed_bytes` holds, as a stream that can go back.

    Reading raises `UnreadableFile` where it is cut or damaged, `HostileFile` past the bounds.
    """
    opened = gzip.GzipFile(fileobj=stream, mode="rb")
    counted = _Gzip(cast("IO[bytes]", opened), packed_bytes=packed_bytes, budget=budget or Budget())
    return cast("BinaryIO", counted)


def _in_our_words(read: Callable[[], T]) -> T:
    try:
        return read()
    except EOFError:
        raise refusals.truncated("gzip") from None
    except _GZIP_DAMAGE:
        raise refusals.damaged("gzip") from None
