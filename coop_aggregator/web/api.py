"""The HTTP interface for stores and stewards: JSON in, JSON out, no domain logic.

Not the pages (`web.pages`). Handlers are plain functions that the server runs on its threads: each
is one short transaction.
"""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError

from consents.tlog.log import InclusionProof
from contributions.errors import ContributionsError
from contributions.jws import public_jwk
from contributions.messages import Enrolment
from contributions.release import Release
from coop_aggregator import intake
from coop_aggregator.asking.enrolment import enrol
from coop_aggregator.asking.territory import territory_document
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import releases as releases_db
from coop_aggregator.db.engine import unreachable
from coop_aggregator.db.identity import load_identity
from coop_aggregator.db.keepers import both_keepers
from coop_aggregator.db.shards import load_shards
from coop_aggregator.db.territories import load_zones, outlines_document
from coop_aggregator.db.witnessed import latest_witnessed
from coop_aggregator.errors import EnrolmentRefused
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.tlog.dropbox import receive_withdrawal, slips_after
from coop_aggregator.tlog.erasure import erase
from coop_aggregator.tlog.showing import chains_for
from coop_aggregator.tlog.witness import add_checkpoint, origin_path

_DIGEST = re.compile(r"[0-9a-f]{64}")
_WEEK = re.compile(r"\d{4}-W\d{2}")
_TEXT = "text/plain; charset=utf-8"
_JWS = r"^[A-Za-z0-9_.-]+$"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class MemberJwk(_Body):
    """A member's public key."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class EnrolmentBody(_Body):
    """A store asks to join."""

    code: Annotated[str, Field(min_length=1, max_length=128)]
    member_jwk: MemberJwk
    zone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class EventBody(_Body):
    """A consent event and the member's word for it, where it gives or changes anything."""

    leaf: Annotated[str, Field(max_length=65_535, pattern=_JWS)]
    membership: Annotated[str | None, Field(max_length=32_768, pattern=_JWS)] = None


class ChainBody(_Body):
    """A signed request for the consents that name a key."""

    request: Annotated[str, Field(max_length=32_768, pattern=_JWS)]


class DropboxBody(_Body):
    """A withdrawal that the cooperative did not answer."""

    leaf: Annotated[str, Field(max_length=65_535, pattern=_JWS)]


class FetchBody(_Body):
    """The cooperative's signed request for slips."""

    request: Annotated[str, Field(max_length=4_096, pattern=_JWS)]


class ErasureBody(_Body):
    """A resident's signed request to erase a consent."""

    request: Annotated[str, Field(max_length=4_096, pattern=_JWS)]


class ReportBody(_Body):
    """A report of the trust mode `local`."""

    report: Annotated[str, Field(max_length=32_768, pattern=_JWS)]


def health_router(leader_or_helper: Leader | Helper) -> APIRouter:
    """Return `/healthz` (the process answers) and `/readyz` (so does its database)."""
    router = APIRouter()

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    def readyz() -> dict[str, str]:
        try:
            with leader_or_helper.database.read() as connection:
                load_identity(connection)
        except SQLAlchemyError as error:
            raise unreachable() from error
        return {"status": "ready", "database": leader_or_helper.database.dialect}

    return router


def leader_router(leader: Leader) -> APIRouter:
    """Return the leader's interface."""
    router = APIRouter(prefix="/v1")
    _add_intake(router, leader)
    _add_reports(router, leader)
    _add_questions(router, leader)
    _add_territory(router, leader)
    _add_notices(router, leader)
    _add_releases(router, leader)
    return router


def helper_router(helper: Helper) -> APIRouter:
    """Return the stewards' witness (C2SP tlog-witness) and drop-box."""
    router = APIRouter()

    @router.post("/add-checkpoint", response_class=Response)
    def submit(body: Annotated[bytes, Depends(_raw_body)]) -> Response:
        return Response(add_checkpoint(helper, body), media_type=_TEXT)

    @router.get("/{digest}/checkpoint", response_class=Response)
    def checkpoint(digest: str) -> Response:
        with helper.database.read() as connection:
            every = load_shards(connection).every
            shard = next((each for each in every if origin_path(each.origin) == digest), None)
            latest = None if shard is None else latest_witnessed(connection, shard)
        if latest is None:
            raise HTTPException(404)
        return Response(latest.note, media_type=_TEXT)

    @router.post("/v1/dropbox", status_code=201)
    def leave(body: DropboxBody) -> dict[str, str]:
        slip = receive_withdrawal(helper, body.leaf.encode("ascii"))
        return {"slip": slip.decode("ascii")}

    @router.post("/v1/dropbox/slips")
    def slips(body: FetchBody) -> dict[str, Any]:
        found = slips_after(helper, body.request.encode("ascii"))
        return {
            "slips": [
                {"sequence": each.sequence, "slip": each.slip.decode("ascii")} for each in found
            ]
        }

    return router


async def _raw_body(request: Request) -> bytes:
    return await request.body()


def _add_intake(router: APIRouter, leader: Leader) -> None:
    @router.post("/enrolments", status_code=201)
    def enrolments(body: EnrolmentBody) -> dict[str, Any]:
        try:
            request = Enrolment(code=body.code, member_x=body.member_jwk.x, zone=body.zone)
        except ContributionsError as error:
            raise EnrolmentRefused(
                fr="Inscription mal formée. Mettez votre espace à jour.",
                en="Malformed enrolment. Update your store.",
                status=422,
            ) from error
        with leader.database.write() as connection:
            member = enrol(connection, request)
            keepers = both_keepers(connection)
            log = load_shards(connection).current
        return {
            "member_id": member.member_id,
            "log_vkey": log.vkey,
            "task_key_jwk": public_jwk(leader.keys.task.public_key()),
            "keepers": [keeper.to_json() for keeper in keepers],
            "log_origin": log.origin,
        }

    @router.post("/events", status_code=201)
    def events(body: EventBody, response: Response) -> dict[str, Any]:
        word = None if body.membership is None else body.membership.encode("ascii")
        received = intake.receive_event(leader, leaf=body.leaf.encode("ascii"), membership=word)
        answer: dict[str, Any] = {"promise": received.promise.decode("ascii")}
        receipt = received.logged
        if receipt is None or received.root is None:
            response.status_code = 202
            return answer
        response.status_code = 201 if received.fresh else 200
        proof = InclusionProof(
            index=receipt.index, size=receipt.size, root=received.root, hashes=receipt.hashes
        )
        return answer | {
            "index": receipt.index,
            "proof": proof.to_mapping(),
            "checkpoint": receipt.checkpoint,
        }

    @router.post("/chains")
    def chains(body: ChainBody) -> dict[str, Any]:
        found = chains_for(leader, body.request.encode("ascii"))
        return {"chains": [[leaf.decode("ascii") for leaf in each] for each in found]}


def _add_reports(router: APIRouter, leader: Leader) -> None:
    @router.post("/erasures")
    def erasures(body: ErasureBody) -> dict[str, Any]:
        erased = erase(leader, body.request.encode("ascii"))
        return {
            "shredded": [
                {
                    "target": each.target,
                    "entry": each.entry.to_bytes().decode(),
                    "commitment_key": each.commitment_key,
                }
                for each in erased.shredded
            ],
            "reports_kept": erased.reports_kept,
        }

    @router.post("/reports", status_code=201)
    def reports(body: ReportBody) -> dict[str, Any]:
        report = intake.receive_report(leader, body.report.encode("ascii"))
        return {"report_id": report.report_id}


def _add_questions(router: APIRouter, leader: Leader) -> None:
    @router.get("/tasks")
    def tasks() -> dict[str, Any]:
        with leader.database.read() as connection:
            known = questions_db.all_tasks(connection)
        return {"tasks": [{"jws": task.jws} for task in known if task.jws is not None]}

    @router.get("/zones")
    def zones() -> dict[str, Any]:
        with leader.database.read() as connection:
            known = load_zones(connection)
        return {"zones": [{"code": zone.code, "name": zone.name} for zone in known]}

    @router.get("/purposes")
    def purposes() -> dict[str, Any]:
        with leader.database.read() as connection:
            return {"purposes": list(questions_db.purpose_digests(connection))}

    @router.get("/purposes/{digest}", response_class=Response)
    def purpose(digest: str) -> Response:
        # PostgreSQL refuses texts that no digest can be, such as a NUL: they name nothing.
        if _DIGEST.fullmatch(digest) is None:
            raise HTTPException(404)
        with leader.database.read() as connection:
            body = questions_db.purpose_body(connection, digest)
        if body is None:
            raise HTTPException(404)
        return Response(body, media_type="application/json")


def _add_territory(router: APIRouter, leader: Leader) -> None:
    @router.get("/territory", response_class=Response)
    def territory_now() -> Response:
        with leader.database.read() as connection:
            known = load_zones(connection)
        if not known:
            raise HTTPException(404)
        return Response(territory_document(known), media_type="application/geo+json")

    @router.get("/territories/{digest}", response_class=Response)
    def territory(digest: str) -> Response:
        if _DIGEST.fullmatch(digest) is None:
            raise HTTPException(404)
        with leader.database.read() as connection:
            document = outlines_document(connection, digest)
        if document is None:
            raise HTTPException(404)
        return Response(document, media_type="application/geo+json")


def _add_notices(router: APIRouter, leader: Leader) -> None:
    @router.get("/purposes/{digest}/notice", response_class=Response)
    def notice(digest: str) -> Response:
        if _DIGEST.fullmatch(digest) is None:
            raise HTTPException(404)
        with leader.database.read() as connection:
            body = questions_db.notice_body(connection, digest)
        if body is None:
            raise HTTPException(404)
        return Response(body, media_type="application/json")


def _add_releases(router: APIRouter, leader: Leader) -> None:
    def stored(week: str) -> bytes:
        if _WEEK.fullmatch(week) is None:
            raise HTTPException(404)
        with leader.database.read() as connection:
            release = releases_db.release_by_week(connection, week)
        if release is None:
            raise HTTPException(404)
        return release.body

    @router.get("/releases")
    def releases() -> dict[str, Any]:
        with leader.database.read() as connection:
            return {"weeks": list(releases_db.release_weeks(connection))}

    @router.get("/releases/{week}.json", response_class=Response)
    def as_json(week: str) -> Response:
        body = stored(week)
        return Response(body, media_type="application/json", headers=_download(week, "json"))

    @router.get("/releases/{week}.csv", response_class=Response)
    def as_csv(week: str) -> Response:
        return Response(
            Release.parse(stored(week)).to_csv(),
            media_type="text/csv; charset=utf-8; header=present",
            headers=_download(week, "csv"),
        )


def _download(week: str, kind: str) -> dict[str, str]:
    # `week` names a stored release by now, hence is digits, a dash and a W.
    return {"Content-Disposition": f'inline; filename="mobilites-{week}.{kind}"'}
