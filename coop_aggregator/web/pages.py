"""Pages for everyone, in French and English: what was published, and how it protects.

Rendered on the server, without JavaScript and without a request to anybody else. Handlers read,
build a context and render; sentences and drawings come from `web.figures`.
"""

from collections.abc import Mapping
from typing import Annotated

from babel.dates import format_datetime
from fastapi import APIRouter, Header
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from consents.records.receipt import Purpose
from consents.tlog.checkpoint import read_checkpoint
from contributions.measures import Key
from contributions.release import Release
from contributions.task import Task, TrustMode
from coop_aggregator.db import log as log_db
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import releases as releases_db
from coop_aggregator.db.shards import load_shards
from coop_aggregator.db.territories import load_zones
from coop_aggregator.db.witnessed import recent_witnessed
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.settings import Language
from coop_aggregator.web import contexts, figures
from coop_aggregator.web.languages import preferred_language
from coop_aggregator.web.rendering import Renderer, site
from coop_aggregator.web.steward_pages import steward_pages
from coop_aggregator.web.wording import Wording

SHOWN_WITNESSED = 40
SHOWN_RELEASES = 12


def leader_pages(leader: Leader) -> APIRouter:
    """Return the cooperative's pages, under `/fr/` and `/en/`."""
    router = APIRouter(include_in_schema=False)
    _add_redirect(router)
    for language in Language:
        _add_leader_pages(router, leader, Renderer(language), language)
    return router


def helper_pages(helper: Helper) -> APIRouter:
    """Return the stewards' pages, under `/fr/` and `/en/`."""
    router = APIRouter(include_in_schema=False)
    _add_redirect(router)
    for language in Language:
        renderer = Renderer(language)
        router.include_router(steward_pages(helper, language, renderer))
        _add_helper_page(router, helper, renderer, language)
    return router


def _add_redirect(router: APIRouter) -> None:
    @router.get("/")
    def root(accept_language: Annotated[str, Header()] = "") -> Response:
        language = preferred_language(accept_language)
        return RedirectResponse(
            f"/{language.value}/", status_code=302, headers={"Vary": "Accept-Language"}
        )


def _add_leader_pages(
    router: APIRouter, leader: Leader, renderer: Renderer, language: Language
) -> None:
    prefix = f"/{language.value}"
    wording = renderer.wording

    def missing(path: str) -> Response:
        page = contexts.MissingPage(
            site=site(leader, language, path), title=wording.say("Page introuvable")
        )
        return renderer.page("missing.html", page, status=404)

    @router.get(f"{prefix}/")
    def home() -> Response:
        return renderer.page("home.html", _home(leader, wording))

    @router.get(f"{prefix}/protection")
    def protection() -> Response:
        return renderer.page("protection.html", _protection(leader, wording))

    @router.get(f"{prefix}/publications/{{week}}")
    def release(week: str) -> Response:
        page = _release_page(leader, wording, week)
        return missing("") if page is None else renderer.page("release.html", page)

    @router.get(f"{prefix}/publications/{{week}}/zones/{{measure}}/{{label}}")
    def zones(week: str, measure: str, label: str) -> Response:
        page = _zones_page(leader, wording, week, (measure, label))
        return missing("") if page is None else renderer.page("zones.html", page)

    @router.get(f"{prefix}/{{rest:path}}")
    def nothing(rest: str) -> Response:  # noqa: ARG001 - whatever it is
        return missing("")


def _stored(leader: Leader, week: str) -> Release | None:
    with leader.database.read() as connection:
        stored = releases_db.release_by_week(connection, week)
    return None if stored is None else Release.parse(stored.body)


def _home(leader: Leader, wording: Wording) -> contexts.HomePage:
    with leader.database.read() as connection:
        latest = releases_db.latest_release(connection)
        weeks = releases_db.release_weeks(connection)
        names = _zone_names(connection)
    return contexts.HomePage(
        site=site(leader, wording.language, ""),
        title=wording.say("Les déplacements de la semaine"),
        release=None
        if latest is None
        else figures.release_view(Release.parse(latest.body), wording, zones=names),
        others=tuple(
            contexts.Link(
                href=f"/{wording.language.value}/publications/{week}",
                text=figures.week_title(week, wording),
            )
            for week in weeks[:SHOWN_RELEASES]
        ),
    )


def _release_page(leader: Leader, wording: Wording, week: str) -> contexts.ReleasePage | None:
    release = _stored(leader, week)
    if release is None:
        return None
    with leader.database.read() as connection:
        names = _zone_names(connection)
    return contexts.ReleasePage(
        site=site(leader, wording.language, f"publications/{week}"),
        title=figures.week_title(week, wording),
        release=figures.release_view(release, wording, zones=names),
        zone_pages=_zone_links(release, wording, zones=names),
    )


def _zones_page(
    leader: Leader, wording: Wording, week: str, asked: tuple[str, str]
) -> contexts.ZonesPage | None:
    release = _stored(leader, week)
    key = None if release is None else _key(release, asked)
    if release is None or key is None:
        return None
    published = {row.zone for row in release.rows}
    with leader.database.read() as connection:
        zones = [zone for zone in load_zones(connection) if zone.code in published]
    names = {zone.code: zone.name for zone in zones}
    rows = figures.zone_rows(release, key, zones, wording)
    part = wording.say(
        "{measure} — {part}",
        measure=wording.measure(key[0]),
        part=wording.part(key, names),
    )
    return contexts.ZonesPage(
        site=site(leader, wording.language, f"publications/{week}/zones/{asked[0]}/{asked[1]}"),
        title=wording.say(
            "{part}, par zone : {week}", part=part, week=figures.week_title(week, wording)
        ),
        week=week,
        finding=figures.zones_finding(rows, part, wording),
        map=figures.zone_map(release, key, zones, wording),
        unit=wording.unit(key[0].unit),
        rows=rows,
        minimum=str(release.min_batch_size),
        zone_pages=_zone_links(release, wording, zones=names),
    )


def _key(release: Release, asked: tuple[str, str]) -> Key | None:
    return next((level.key for level in release.noise if level.key == asked), None)


def _zone_names(connection: Connection) -> dict[str, str]:
    return {zone.code: zone.name for zone in load_zones(connection)}


def _zone_links(
    release: Release, wording: Wording, *, zones: Mapping[str, str]
) -> tuple[contexts.LinkGroup, ...]:
    if not release.n:
        return ()
    start = f"/{wording.language.value}/publications/{release.week}/zones"
    return tuple(
        contexts.LinkGroup(
            title=wording.measure(measure),
            links=tuple(
                contexts.Link(
                    href=f"{start}/{measure.value}/{level.label}",
                    text=wording.part(level.key, zones),
                )
                for level in release.noise
                if level.measure is measure
            ),
        )
        for measure in release.measures
    )


def _protection(leader: Leader, wording: Wording) -> contexts.ProtectionPage:
    with leader.database.read() as connection:
        digest = questions_db.purpose_digests(connection)[-1]
        body = questions_db.purpose_body(connection, digest)
        log = leader.log(connection)
        note = log.published()
        modes = _trust_modes(connection)
        cosigned = log_db.last_cosigned_size(connection, shard=log.shard)
    assert body is not None
    purpose = Purpose.parse(body)
    french = wording.language is Language.FRENCH
    return contexts.ProtectionPage(
        site=site(leader, wording.language, "protection"),
        title=wording.say("Comment vos données sont protégées"),
        local=TrustMode.LOCAL in modes,
        two_keepers=TrustMode.TWO_KEEPERS in modes,
        purpose_title=purpose.title_fr if french else purpose.title_en,
        purpose_text=purpose.text_fr if french else purpose.text_en,
        purpose_digest=digest,
        vkey=log.shard.vkey,
        checkpoint=note,
        leaf_count=wording.number(read_checkpoint(note).size),
        cosigned=wording.number(cosigned - log.shard.first) if cosigned else "",
    )


def _trust_modes(connection: Connection) -> frozenset[TrustMode]:
    """Return how the questions that were asked hide answers; before the first, both ways."""
    asked = [task.body for task in questions_db.all_tasks(connection) if task.jws is not None]
    return frozenset(Task.parse(body).trust_mode for body in asked) or frozenset(TrustMode)


def _add_helper_page(
    router: APIRouter, helper: Helper, renderer: Renderer, language: Language
) -> None:
    wording = renderer.wording

    @router.get(f"/{language.value}/")
    def home() -> Response:
        with helper.database.read() as connection:
            seen = recent_witnessed(connection, count=SHOWN_WITNESSED)
            followed = load_shards(connection).current
        page = contexts.HelperPage(
            site=site(helper, language, ""),
            title=wording.say("Témoin du journal des consentements"),
            origin=followed.origin,
            log_vkey=followed.vkey,
            own_vkey=helper.who.own_vkey,
            rows=tuple(
                contexts.WitnessRow(
                    size=wording.number(entry.size),
                    root=entry.root.hex(),
                    at=format_datetime(entry.cosigned_at, "d MMM y HH:mm", locale=wording.locale)
                    + " UTC",
                )
                for entry in seen
            ),
        )
        return renderer.page("helper.html", page)

    @router.get(f"/{language.value}/{{rest:path}}")
    def nothing(rest: str) -> Response:  # noqa: ARG001 - whatever it is
        page = contexts.MissingPage(
            site=site(helper, language, ""), title=wording.say("Page introuvable")
        )
        return renderer.page("missing.html", page, status=404)
