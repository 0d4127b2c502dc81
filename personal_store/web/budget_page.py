"""The page "my budget": a year of weeks beside a budget, published figures, and a what-if.

Both forms are questions, not changes: they are sent by GET, keep nothing and can be bookmarked.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from carbon.modes import ModeGroup
from carbon.other_mode import Otherwise
from personal_store.errors import StoreError
from personal_store.jobs import pipeline
from personal_store.settings import Language
from personal_store.vocabulary import FIGURE_NAMES, OTHERWISE_NAMES
from personal_store.web import budget_contexts
from personal_store.web.budget_contexts import Question
from personal_store.web.pages import Pages, to
from personal_store.whatif import ENGINES

Year = Annotated[int | None, Query(ge=2000, le=9998)]
BudgetKg = Annotated[float | None, Query(ge=1, le=1_000_000)]
UnderKm = Annotated[float, Query(gt=0, le=40_000)]


def budget_routes(pages: Pages) -> APIRouter:
    """Return the route of this page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/{language}/budget")
    def budget(  # noqa: PLR0917 -- the fields of the forms
        language: Language,
        request: Request,
        year: Year = None,
        budget_kg: BudgetKg = None,
        instead_of: ModeGroup = ModeGroup.CAR,
        by: Otherwise | None = None,
        under_km: UnderKm = 5.0,
    ) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        if instead_of not in ENGINES:
            # A group that the form does not offer: the request was made by hand.
            raise HTTPException(400)
        question = Question(instead_of=instead_of, by=by, under_km=under_km)
        return _budget(pages, language, year, budget_kg, question)

    return router


def _budget(
    pages: Pages,
    language: Language,
    year: int | None,
    budget_kg: float | None,
    question: Question,
) -> Response:
    store = pages.store
    try:
        pipeline.take_news(store.engine)
        page = budget_contexts.budget_page(
            store,
            year or budget_contexts.newest_year(store),
            budget_kg=budget_kg or budget_contexts.usual_budget_kg(),
            question=question,
        )
    except StoreError as error:
        return pages.render(
            "error.html", language, status=409, week=None, trouble=error.say(language)
        )
    return pages.render(
        "budget.html",
        language,
        page=page,
        measures=FIGURE_NAMES,
        otherwise=OTHERWISE_NAMES,
        usual=budget_kg is None,
    )
