"""The page that takes files in: sent by the browser, written to disk as they come, then imported.

A file never passes through memory whole, and never through the system's folder of temporary files:
its pieces go to a folder of the data folder that only its owner reads, and the copy is removed as
soon as it is imported or refused (docs/threat_model.md). The page shows how far each import is,
and asks for itself again while one is under way; no script.

Spec: RFC 7578 (multipart/form-data), read by python-multipart.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from personal_store import home_zone
from personal_store.db import imports
from personal_store.db.connection import reading
from personal_store.db.imports import FileImport, ImportState
from personal_store.errors import NoRoom, StoreError, UnknownZone, UploadRefused
from personal_store.ingest.values import printable
from personal_store.jobs.incoming import LOCAL_TIMES, UPLOADS, waiting_uploads
from personal_store.local_time import home_timezone
from personal_store.settings import Language
from personal_store.store import Store
from personal_store.vocabulary import REASON_NAMES
from personal_store.web.pages import SEE_OTHER, Pages

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

NEWEST: Final = 12
NAME_CHARS: Final = 120
MOST_FILES: Final = 200
KEEP_FREE_BYTES: Final = 200 * 1024 * 1024
"""Left free on the disk: the database needs room for what the files become."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsPage:
    """What the import page shows: files that wait, the last imports, whether one goes on.

    `limit_gb` is the largest that one sending may be, in 10^9 bytes; `home` the zone of home.
    """

    waiting: list[str]
    imports: list[FileImport]
    goes_on: bool
    limit_gb: float
    home: str


def upload_routes(
    pages: Pages, *, limit_bytes: int, wake: Callable[[], None] = lambda: None
) -> APIRouter:
    """Return the routes of the import page; `wake` is called when files have come in."""
    router = APIRouter(include_in_schema=False)

    @router.get("/{language}/import")
    def imports_page(language: Language, request: Request) -> Response:
        if not pages.is_open(request):
            return RedirectResponse(f"/{language}/login", status_code=SEE_OTHER)
        return _show(pages, language, limit_bytes=limit_bytes)

    @router.post("/{language}/import")
    async def take_files(language: Language, request: Request) -> Response:
        if not pages.is_open(request):
            # Before a byte of the body is read.
            return RedirectResponse(f"/{language}/login", status_code=SEE_OTHER)
        try:
            kept = await receive(request, pages.store.folder / UPLOADS)
        except UploadRefused as error:
            status = 507 if isinstance(error, NoRoom) else 400
            return await run_in_threadpool(
                _show, pages, language, limit_bytes=limit_bytes, trouble=error, status=status
            )
        if kept:
            wake()
        return RedirectResponse(f"/{language}/import", status_code=SEE_OTHER)

    @router.post("/{language}/home")
    def change_home(
        language: Language, request: Request, timezone: Annotated[str, Form(max_length=64)] = ""
    ) -> Response:
        if not pages.is_open(request):
            return RedirectResponse(f"/{language}/login", status_code=SEE_OTHER)
        store = pages.store
        try:
            home_zone.change(store.engine, timezone, clock=store.clock)
        except UnknownZone as error:
            return _show(pages, language, limit_bytes=limit_bytes, trouble=error, status=400)
        return RedirectResponse(f"/{language}/import", status_code=SEE_OTHER)

    return router


async def receive(request: Request, folder: Path) -> int:
    """Write the files of a form to `folder` as they come; return how many there were.

    Each lies in a folder of its own, whose name begins with a dot until the file is whole. Raises
    NoRoom where the disk is full, UploadRefused where the form is not one; nothing is left then.
    """
    length = int(request.headers.get("content-length", "0"))
    await run_in_threadpool(_make_room, folder, length_bytes=length)
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or b"boundary" not in options:
        raise _no_form()
    form = _Form(folder)
    parser = MultipartParser(options[b"boundary"], form.callbacks())
    try:
        async for piece in request.stream():
            # Disks wait; the other requests must not.
            await run_in_threadpool(parser.write, piece)
        parser.finalize()
    except FormParserError as error:
        form.drop()
        raise _no_form() from error
    except OSError as error:
        form.drop()
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise _no_room() from error
    except BaseException:
        form.drop()
        raise
    return form.hand_over()


def _make_room(folder: Path, *, length_bytes: int) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < length_bytes + KEEP_FREE_BYTES:
        raise _no_room()


@dataclass(slots=True)
class _Form:
    """The files of a form, while their pieces come in."""

    folder: Path
    whole: list[Path] = field(default_factory=list)
    has_local_times: bool = False
    _header: bytes = b""
    _value: bytes = b""
    _name: str = ""
    _is_local_times: bool = False
    _out: BinaryIO | None = None

    def callbacks(self) -> "MultipartCallbacks":
        """Return what the parser calls."""
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
        }

    def drop(self) -> None:
        """Remove everything that came."""
        if self._out is not None:
            self._out.close()
        for path in self.whole:
            shutil.rmtree(path.parent, ignore_errors=True)

    def hand_over(self) -> int:
        """Let the import see the files; return how many there are. An empty choice sends none."""
        if self._out is not None:
            self.drop()
            raise _no_form()
        for path in self.whole:
            shown = path.parent.name.removeprefix(".") + LOCAL_TIMES * self.has_local_times
            path.parent.rename(path.parent.with_name(shown))
        return len(self.whole)

    def _part_begin(self) -> None:
        self._name = ""
        self._is_local_times = False

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = _safe_name(options.get(b"filename", b""))
            self._is_local_times = options.get(b"name") == b"local_times"
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        self.has_local_times |= self._is_local_times
        if not self._name:
            return
        if len(self.whole) == MOST_FILES:
            raise FormParserError
        # A number first: files are imported in the order in which they came.
        own = self.folder / f".{len(self.whole):03d}-{secrets.token_hex(8)}"
        own.mkdir(mode=0o700)
        self.whole.append(own / self._name)
        owner_only = os.open(own / self._name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._out = os.fdopen(owner_only, "wb")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._out is not None:
            self._out.write(data[start:end])

    def _part_end(self) -> None:
        if self._out is not None:
            self._out.close()
        self._out = None


def _safe_name(raw: bytes) -> str:
    """Return the last part of a file's name as it prints, "" where there is none."""
    name = raw.decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]
    shown = printable(name).strip(". ")
    return shown.encode()[-NAME_CHARS:].decode("utf-8", "ignore")


def _show(
    pages: Pages,
    language: Language,
    *,
    limit_bytes: int,
    trouble: StoreError | None = None,
    status: int = 200,
) -> Response:
    return pages.render(
        "import.html",
        language,
        status=status,
        page=imports_context(pages.store, limit_bytes=limit_bytes),
        trouble=None if trouble is None else trouble.say(language),
        reason_names=REASON_NAMES,
    )


def imports_context(store: Store, *, limit_bytes: int) -> ImportsPage:
    """Return what the import page shows."""
    with reading(store.engine) as connection:
        last = imports.newest(connection, limit=NEWEST)
    waiting = waiting_uploads(store.folder)
    under_way = any(each.state is ImportState.READING for each in last)
    return ImportsPage(
        waiting=waiting,
        imports=last,
        goes_on=bool(waiting) or under_way,
        limit_gb=limit_bytes / 1e9,
        home=home_timezone().key,
    )


def _no_room() -> NoRoom:
    return NoRoom(
        fr="Il n'y a pas assez de place sur le disque pour ces fichiers : libérez de la place, "
        "puis recommencez. Rien n'a été gardé de cet envoi.",
        en="There is not enough room on the disk for these files: make room, then try again. "
        "Nothing of what was sent was kept.",
    )


def _no_form() -> UploadRefused:
    return UploadRefused(
        fr="L'envoi s'est arrêté avant la fin, ou n'a pas la forme attendue : choisissez les "
        "fichiers de nouveau. Rien n'en a été gardé.",
        en="The sending stopped before its end, or is not of the expected form: choose the files "
        "again. Nothing of it was kept.",
    )
