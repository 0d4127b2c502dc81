"""The keepers' doors: one for stores, open at both, and three at the helper for the leader.

`GET /v1/keeper` says who this keeper is; `POST /v1/sealed-reports` takes in a store's upload. The
leader asks the helper at `/v1/keeper/tasks`, `/jobs` and `/collections`, in signed messages: the
signature is the access control, and a refusal is the same whatever is wrong.
"""

from concurrent.futures import Executor
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from contributions.noise import OpenDPLaplace
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.keepers.answers import answer_job
from coop_aggregator.keepers.cards import own_card
from coop_aggregator.keepers.collection import answer_collection
from coop_aggregator.keepers.cosigning import receive_proposal
from coop_aggregator.keepers.intake import receive_share

_SIGNED = "application/jose"
_LATER = 202


async def _raw_body(request: Request) -> bytes:
    return await request.body()


def _executor(request: Request) -> Executor:
    executor = request.app.state.executor
    assert isinstance(executor, Executor), "the composition root gives every helper an executor"
    return executor


_Body = Annotated[bytes, Depends(_raw_body)]


def keeper_router(side: Leader | Helper) -> APIRouter:
    """Return the doors of one keeper."""
    router = APIRouter(prefix="/v1")

    @router.get("/keeper", response_class=Response)
    def card() -> Response:
        known = own_card(side)
        if known is None:
            raise HTTPException(404)
        return Response(known.to_bytes(), media_type="application/json")

    @router.post("/sealed-reports", status_code=201)
    def sealed_reports(body: _Body) -> dict[str, str]:
        return receive_share(side, body)

    if isinstance(side, Helper):
        _add_questions(router, side)
    return router


def _add_questions(router: APIRouter, helper: Helper) -> None:
    @router.post("/keeper/tasks", response_class=Response)
    def tasks(body: _Body) -> Response:
        signature = receive_proposal(helper, body)
        if signature is None:
            return Response(status_code=_LATER)
        return Response(signature, media_type=_SIGNED)

    @router.post("/keeper/jobs", response_class=Response)
    def jobs(body: _Body, executor: Annotated[Executor, Depends(_executor)]) -> Response:
        return Response(answer_job(helper, body, executor=executor), media_type=_SIGNED)

    @router.post("/keeper/collections", response_class=Response)
    def collections(body: _Body) -> Response:
        return Response(answer_collection(helper, body, noise=OpenDPLaplace()), media_type=_SIGNED)
