"""Templates and what every page shows: for the pages of everyone and the stewards' own."""

from pathlib import Path
from typing import Any, Protocol, cast

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from consents.typography import french_page
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.settings import Language
from coop_aggregator.web import contexts
from coop_aggregator.web.languages import translations
from coop_aggregator.web.wording import wording_for

TEMPLATES = Path(__file__).with_name("templates")
_PAGE_HEADERS = {"Cache-Control": "public, max-age=60"}


class PageContext(Protocol):
    """What every context has."""

    @property
    def site(self) -> contexts.Site:
        """Return what every page shows."""


class Renderer:
    """The templates of one language."""

    def __init__(self, language: Language) -> None:
        """Prepare the environment; templates are compiled on first use."""
        self.environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        catalogue = translations(language)
        cast("Any", self.environment).install_gettext_translations(catalogue, newstyle=True)
        self.wording = wording_for(language)

    def page(self, template: str, context: PageContext, *, status: int = 200) -> Response:
        """Render `template` with `context`, a page's frozen dataclass."""
        html = self.environment.get_template(template).render(page=context, site=context.site)
        language = context.site.language.value
        if context.site.language is Language.FRENCH:
            html = french_page(html)
        return HTMLResponse(
            html, status_code=status, headers=_PAGE_HEADERS | {"Content-Language": language}
        )


def site(leader_or_helper: Leader | Helper, language: Language, path: str) -> contexts.Site:
    """Return what every page shows, with this page's address in the other language."""
    other = Language.ENGLISH if language is Language.FRENCH else Language.FRENCH
    return contexts.Site(
        language=language,
        other_language=other,
        other_path=f"/{other.value}/{path}",
        name=leader_or_helper.who.name,
        helper=isinstance(leader_or_helper, Helper),
    )
