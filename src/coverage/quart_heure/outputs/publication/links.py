"""Links between the pages of a publication, as each page shows them."""

from __future__ import annotations

from quart_heure.outputs.assets import Site, SiteLink
from quart_heure.outputs.dossier.words import Words

HOME, MAP, REPORT, TABLES, METHOD = (
    *("index.html", "map.html", "report.html"),
    *("tables.html", "method.html"),
)
DOSSIERS = "dossiers/index.html"
TABLES_FOLDER, DOSSIERS_FOLDER = "tables", "dossiers"
WHOLE = "publication.pdf"

_PAGES = (
    ("home", HOME),
    ("map", MAP),
    ("report", REPORT),
    ("pages", DOSSIERS),
    ("tables", TABLES),
    ("method", METHOD),
)


def site_links(say: Words, *, here: str = "", up: str = "") -> Site:
    """Return the links of a page to all of them.

    Parameters
    ----------
    say
        Words of the publication.
    here
        The file of the page itself, from the root of the publication.
    up
        What leads from the page to that root: empty, or ``../``.
    """
    links = [SiteLink(label=say(key), file=up + file, here=file == here) for key, file in _PAGES]
    return Site(label=say("site"), links=links)
