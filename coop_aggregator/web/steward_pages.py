"""The stewards' own pages: what their audit found, the log day by day, one consent, changed words.

For stewards alone: HTTP Basic with the token of the installation (any name), over TLS or loopback.
Without a token they stay closed. They show counts, places in the log and public texts; a consent is
found by the id that its holder gives, and shows no more than kinds and days. Nothing is computed
here but what a page needs: `jobs.audit` made the report.
"""

import base64
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Annotated
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from consents.audit.purposes import WORDED_MEMBERS, word_changes
from consents.audit.wording import sentence, title
from consents.records.receipt import EventType
from consents.verify.wording import Language as AuditLanguage
from consents.verify.wording import say_verdict
from contributions.weeks import TIME_ZONE_NAME
from coop_aggregator.errors import AggregatorError
from coop_aggregator.installation import Helper
from coop_aggregator.settings import Language
from coop_aggregator.tlog.audit_report import (
    Answered,
    AuditReport,
    PublishedPurpose,
    entries_of,
    read_report,
)
from coop_aggregator.web import contexts
from coop_aggregator.web.rendering import Renderer, site
from coop_aggregator.web.wording import Wording

SHOWN_DAYS = 30
SHOWN_FINDINGS = 6
SHOWN_ENTRIES = 40
SHOWN_VERSIONS = 20
_CID = re.compile(r"[0-9a-f]{32}")
_PRIVATE = {"Cache-Control": "no-store"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="journal", charset="UTF-8"'} | _PRIVATE
EVENT_NAMES = {
    EventType.GIVEN: "accord donné",
    EventType.REFUSED: "refus",
    EventType.DEFERRED: "choix remis à plus tard",
    EventType.WITHDRAWN: "accord retiré",
    EventType.LIMITED: "accord restreint",
    EventType.RENEWED: "accord renouvelé",
    EventType.EXPIRED: "accord expiré",
    EventType.PURPOSE_PUBLISHED: "finalité publiée",
    EventType.BATCH_COMMITTED: "lot inscrit",
    EventType.RELEASE_PUBLISHED: "statistique publiée",
    EventType.BATCH_ERASED: "lot effacé, sa conservation étant finie",
    EventType.BODY_SHREDDED: "texte effacé",
    EventType.KEY_ROTATED: "clé changée",
    EventType.KEY_RECOVERED: "clé perdue, remplacée par les témoins",
    EventType.SIGNER_JOINED: "signataire ajouté",
    EventType.DELEGATE_NAMED: "mandataire nommé",
    EventType.DELEGATE_REVOKED: "mandat repris",
    EventType.RECOVERY_NAMED: "code de retrait lié à l'accord",
    EventType.SHARD_CLOSED: "registre annuel clos",
    EventType.SHARD_OPENED: "registre annuel ouvert",
}
"""French names of what a leaf says, which are also the message ids of their translations."""


def steward_pages(helper: Helper, language: Language, renderer: Renderer) -> APIRouter:
    """Return the pages of one language, each behind the stewards' token."""
    router = APIRouter(prefix=f"/{language.value}/journal", include_in_schema=False)
    wording = renderer.wording

    def guarded(authorization: str, path: str, make: Callable[[], Response]) -> Response:
        if not _is_steward(helper, authorization):
            page = contexts.MissingPage(
                site=site(helper, language, path), title=wording.say("Réservé aux témoins")
            )
            refused = renderer.page("closed.html", page, status=401)
            refused.headers.update(_CHALLENGE)
            return refused
        answer = make()
        answer.headers.update(_PRIVATE)
        return answer

    @router.get("")
    def journal(authorization: Annotated[str, Header()] = "") -> Response:
        return guarded(
            authorization,
            "journal",
            lambda: renderer.page("journal.html", _journal(helper, wording)),
        )

    @router.get("/accord")
    def consent(
        cid: Annotated[str, Query(max_length=64)] = "", authorization: Annotated[str, Header()] = ""
    ) -> Response:
        return guarded(
            authorization,
            "journal/accord",
            lambda: renderer.page("entries.html", _entries(helper, wording, cid)),
        )

    @router.get("/finalites")
    def purposes(
        version: Annotated[int | None, Query(ge=0)] = None,
        authorization: Annotated[str, Header()] = "",
    ) -> Response:
        return guarded(
            authorization,
            "journal/finalites",
            lambda: renderer.page("purposes.html", _purposes(helper, wording, version)),
        )

    return router


def _is_steward(helper: Helper, authorization: str) -> bool:
    scheme, _, credentials = authorization.partition(" ")
    if helper.steward_token is None or scheme.lower() != "basic":
        return False
    try:
        password = base64.b64decode(credentials, validate=True).partition(b":")[2]
    except ValueError:
        return False
    return hmac.compare_digest(password, helper.steward_token.encode())


def _journal(helper: Helper, wording: Wording) -> contexts.JournalPage:
    try:
        report, trouble = read_report(helper.audits), ""
    except AggregatorError as error:
        report, trouble = None, error.say(wording.language.value)
    return contexts.JournalPage(
        site=site(helper, wording.language, "journal"),
        title=wording.say("Journal des consentements : ce que notre audit a vu"),
        trouble=trouble,
        audited=None if report is None else _audited(report, wording),
        size="" if report is None or report.size is None else wording.number(report.size),
        sound=report is not None and report.verdict.exit_code == 0,
        answers=() if report is None else tuple(_answer(each, wording) for each in report.answers),
        days=() if report is None else _days(report, wording),
    )


def _audited(report: AuditReport, wording: Wording) -> str:
    at = report.audited_at.astimezone(ZoneInfo(TIME_ZONE_NAME))
    return format_datetime(at, "d MMMM y HH:mm", locale=wording.locale)


def _answer(answered: Answered, wording: Wording) -> contexts.AnswerRow:
    language = AuditLanguage(wording.language.value)
    shown = answered.findings[:SHOWN_FINDINGS]
    hidden = answered.count - len(shown)
    return contexts.AnswerRow(
        question=title(answered.subject, language),
        conclusion=say_verdict(answered.verdict, language),
        sound=answered.verdict.exit_code == 0,
        findings=tuple(sentence(each, language) for each in shown),
        hidden=wording.number(hidden) if hidden else "",
    )


def _days(report: AuditReport, wording: Wording) -> tuple[contexts.Fact, ...]:
    by_day = [
        (day, list(several)) for day, several in groupby(report.days, key=lambda each: each.day)
    ]
    return tuple(
        contexts.Fact(
            name=format_date(date.fromisoformat(day), "long", locale=wording.locale),
            value=", ".join(
                f"{wording.say(EVENT_NAMES[each.kind])} {wording.number(each.count)}"
                for each in several
            ),
        )
        for day, several in reversed(by_day[-SHOWN_DAYS:])
    )


def _entries(helper: Helper, wording: Wording, cid: str) -> contexts.EntriesPage:
    asked = cid.strip().lower()
    known = _CID.fullmatch(asked) is not None
    report = read_report(helper.audits) if known else None
    found = entries_of(helper, report, cid=asked) if report else []
    return contexts.EntriesPage(
        site=site(helper, wording.language, "journal/accord"),
        title=wording.say("Chercher un accord"),
        asked=cid.strip(),
        malformed=bool(cid) and not known,
        rows=tuple(
            contexts.EntryRow(
                entry=wording.number(each.entry),
                kind=wording.say(EVENT_NAMES[each.kind]),
                day=_day(each.at_s, wording),
            )
            for each in found[:SHOWN_ENTRIES]
        ),
        hidden=wording.number(len(found) - SHOWN_ENTRIES) if found[SHOWN_ENTRIES:] else "",
    )


def _day(at_s: int, wording: Wording) -> str:
    at = datetime.fromtimestamp(at_s, UTC).astimezone(ZoneInfo(TIME_ZONE_NAME))
    return format_date(at.date(), "long", locale=wording.locale)


def _purposes(helper: Helper, wording: Wording, entry: int | None) -> contexts.PurposesPage:
    report = read_report(helper.audits)
    published: Sequence[PublishedPurpose] = () if report is None else report.purposes
    entries = [each.entry for each in published]
    place = entries.index(entry) if entry in entries else len(published) - 1
    prefix = f"/{wording.language.value}/journal/finalites?version="
    return contexts.PurposesPage(
        site=site(helper, wording.language, "journal/finalites"),
        title=wording.say("Finalités, et ce qui a changé d'une version à l'autre"),
        versions=tuple(
            contexts.Link(href=f"{prefix}{each.entry}", text=_named(each, wording))
            for each in published[-SHOWN_VERSIONS:]
        ),
        old=_named(published[place - 1], wording) if place > 0 else "",
        new=_named(published[place], wording) if published else "",
        changes=()
        if place < 1
        else tuple(
            contexts.Change(
                name=wording.say(MEMBER_NAMES[name]),
                parts=word_changes(published[place - 1].purpose, published[place].purpose, name),
            )
            for name in WORDED_MEMBERS
            if getattr(published[place - 1].purpose, name)
            != getattr(published[place].purpose, name)
        ),
    )


MEMBER_NAMES = {
    "title_fr": "Titre, en français",
    "title_en": "Titre, en anglais",
    "text_fr": "Texte, en français",
    "text_en": "Texte, en anglais",
    "dpv_purpose": "Finalité (terme DPV)",
    "controller_name": "Responsable",
    "controller_contact": "Contact",
    "fields": "Données",
    "epsilon_week_micro": "Perte de confidentialité par semaine, en millionièmes de ε",
    "retention_days": "Conservation, en jours",
}
"""French names of a purpose's members, which are also the message ids of their translations."""


def _named(each: PublishedPurpose, wording: Wording) -> str:
    french = wording.language is Language.FRENCH
    purpose = each.purpose
    return wording.say(
        "{title}, version {version} (ligne {entry})",
        title=purpose.title_fr if french else purpose.title_en,
        version=purpose.version,
        entry=wording.number(each.entry),
    )
