"""The page of who withdraws for somebody else, or for themselves after a loss.

Nothing of this store is used but its way out: the file says where to go, a key or the code who
asks. Keys and proofs are handed out once (`handouts`) and kept nowhere.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, File, Form, HTTPException, Request, UploadFile
from fastapi.responses import Response

from consents.jws import thumbprint
from personal_store import vault
from personal_store.choices import own_log, standing_in
from personal_store.choices.parent_key import MAX_KEY_FILE_BYTES, new_parent_key, parse_parent_key
from personal_store.choices.sheets import MAX_SHEET_BYTES, Sheet, paper_sheet, parse_sheet
from personal_store.choices.standing_in import Outside
from personal_store.db.consents import KeptEvent
from personal_store.errors import StoreError
from personal_store.settings import Language
from personal_store.store import Store
from personal_store.web.handouts import Handout, Handouts, zipped
from personal_store.web.pages import Pages

PATH = "consents/for-another"
KEY_FILE = "mandataire.pem"
PROOFS_FILE = "preuves.zip"
_FileField = Annotated[UploadFile | None, File()]
_Text = Annotated[str, Form(max_length=1024)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedPage:
    """What came of it: consents that the cooperative took back, that stewards hold, or neither.

    `proofs` is the token of the archive that proves them, None where there is nothing to prove.
    """

    withdrawn: int
    left: int
    proofs: str | None
    trouble: str | None


def for_another_routes(pages: Pages) -> APIRouter:
    """Return the routes of this page."""
    router = APIRouter(prefix="/{language}/" + PATH, include_in_schema=False)
    handouts = Handouts()

    @router.get("")
    def form(language: Language, request: Request) -> Response:
        return pages.guarded(request, language, lambda: _form(pages, language))

    @router.post("/key")
    def make_key(language: Language, request: Request) -> Response:
        return pages.guarded(request, language, lambda: _made(pages, handouts, language))

    @router.post("/mandate")
    def by_mandate(
        language: Language, request: Request, sheet: _FileField = None, key: _FileField = None
    ) -> Response:
        def ends() -> Iterator[KeptEvent]:
            signer = parse_parent_key(_read(key, MAX_KEY_FILE_BYTES))
            known = parse_sheet(_read(sheet, MAX_SHEET_BYTES))
            return standing_in.withdraw(known, signer, _outside(pages.store, language))

        return pages.guarded(request, language, lambda: _ended(pages, handouts, language, ends))

    @router.post("/code")
    def by_code(
        language: Language,
        request: Request,
        *,
        code: _Text = "",
        sheet: _FileField = None,
        url: _Text = "",
        log_key: _Text = "",
    ) -> Response:
        def ends() -> Iterator[KeptEvent]:
            secret = vault.read_code(code.strip())
            known = _sheet(_read(sheet, MAX_SHEET_BYTES), url, log_key)
            return standing_in.recover(known, secret, _outside(pages.store, language))

        return pages.guarded(request, language, lambda: _ended(pages, handouts, language, ends))

    @router.get("/files/{token}")
    def file(language: Language, request: Request, token: str) -> Response:
        return pages.guarded(request, language, lambda: _handed_out(handouts, token))

    return router


def _form(pages: Pages, language: Language, *, trouble: str | None = None) -> Response:
    status = 200 if trouble is None else 409
    return pages.render("for_another.html", language, status=status, trouble=trouble)


def _made(pages: Pages, handouts: Handouts, language: Language) -> Response:
    pem = new_parent_key()
    token = handouts.keep(Handout(name=KEY_FILE, media_type="application/x-pem-file", content=pem))
    kid = thumbprint(parse_parent_key(pem).public_key())
    return pages.render("mandate_key.html", language, kid=kid, token=token, name=KEY_FILE)


def _ended(
    pages: Pages,
    handouts: Handouts,
    language: Language,
    ends: Callable[[], Iterator[KeptEvent]],
) -> Response:
    ended: list[KeptEvent] = []
    trouble: str | None = None
    try:
        ended.extend(ends())
    except StoreError as error:
        trouble = error.say(language)
    if trouble is not None and not ended:
        return _form(pages, language, trouble=trouble)
    page = EndedPage(
        withdrawn=sum(each.promise is not None for each in ended),
        left=sum(each.promise is None for each in ended),
        proofs=_proofs(handouts, ended) if ended else None,
        trouble=trouble,
    )
    return pages.render("ended.html", language, page=page, name=PROOFS_FILE)


def _proofs(handouts: Handouts, ended: Sequence[KeptEvent]) -> str:
    archive = zipped(own_log.proof_files(ended))
    return handouts.keep(Handout(name=PROOFS_FILE, media_type="application/zip", content=archive))


def _handed_out(handouts: Handouts, token: str) -> Response:
    handout = handouts.of(token)
    if handout is None:
        raise HTTPException(404)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{handout.name}"',
    }
    return Response(handout.content, media_type=handout.media_type, headers=headers)


def _sheet(file: bytes, url: str, log_key: str) -> Sheet:
    """Return the sheet of a file, else of what was copied from paper; raise StoreError."""
    return parse_sheet(file) if file else paper_sheet(url, log_key)


def _read(upload: UploadFile | None, limit: int) -> bytes:
    return b"" if upload is None else upload.file.read(limit)


def _outside(store: Store, language: Language) -> Outside:
    return Outside(
        connect=store.connect,
        now=store.clock.now(),
        randomness=store.randomness,
        language=language,
    )
