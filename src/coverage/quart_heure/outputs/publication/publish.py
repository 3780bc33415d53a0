"""The publication: one folder of pages and tables that lead to each other, written as one set."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from quart_heure.errors import OutputError
from quart_heure.file_sets import replacing_set
from quart_heure.files import replacing, sha256_of
from quart_heure.labels import LANGUAGES
from quart_heure.outputs.discretion import publishable, without_own
from quart_heure.outputs.dossier.content import Dossiers
from quart_heure.outputs.dossier.dossier import file_names, shaped_districts, write_dossiers
from quart_heure.outputs.dossier.maps import MapMaker
from quart_heure.outputs.dossier.pdf import PdfMaker
from quart_heure.outputs.dossier.words import Words
from quart_heure.outputs.map.map import write_map
from quart_heure.outputs.proposals.proposal import Proposal
from quart_heure.outputs.publication.links import (
    DOSSIERS,
    DOSSIERS_FOLDER,
    HOME,
    MAP,
    METHOD,
    REPORT,
    TABLES,
    TABLES_FOLDER,
    WHOLE,
    site_links,
)
from quart_heure.outputs.publication.pages import FileLine, SitePages, size_words
from quart_heure.outputs.publication.pictures import AreaMaps
from quart_heure.outputs.publication.whole import Part, join
from quart_heure.outputs.publication.workbook import write_tables
from quart_heure.outputs.report.structure import Report
from quart_heure.outputs.results.manifest import describe_run, write_manifest
from quart_heure.outputs.results.office import CsvStyle, styled_csv, styled_text
from quart_heure.outputs.results.write import dictionary_of, text_tables, write_layers

if TYPE_CHECKING:
    import geopandas as gpd

    from quart_heure.outputs.runs.compare import Run
    from quart_heure.study.coverage import Coverage

__all__ = ["write_publication"]

CONTENTS = "publication.json"
"""Lists the files of a publication: what a later one may replace or take away."""


def write_publication(
    coverage: Coverage,
    folder: Path,
    *,
    lang: str = "fr",
    background: gpd.GeoDataFrame | None = None,
    what_if: bool = True,
    csv: CsvStyle = "office",
    pdf: bool = False,
    since: Run | None = None,
    proposals: Sequence[Proposal] = (),
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write everything that is published of a coverage into a folder, all of it or nothing.

    Parameters
    ----------
    coverage
        What an analysis found. Discreet places are removed here.
    folder
        Where the pages go; made if it does not exist. Files of an earlier publication are
        replaced or go, others are left alone.
    lang
        ``fr`` or ``en``.
    background
        Water, parks … to draw: columns kind, name and geometry.
    what_if
        Whether readers of the map may open, close and move services.
    csv
        Whether the CSV is written for offices or for programs.
    pdf
        Whether all of it is printed into one PDF, too.
    since
        An earlier run: each dossier then says what has moved most since.
    proposals
        Those to show with it.
    progress
        Called with each step as it begins.

    Returns
    -------
    list of Path
        The files, the first page first.

    Raises
    ------
    InputFileError
        If no district has an outline, or a proposal or the earlier run is of another study.
    OutputError
        If there is no such language, nothing to print with, or a file cannot be written. What
        the folder held before is then still there.
    """
    if lang not in LANGUAGES:
        msg = f"There is no publication in language {lang!r}."
        raise OutputError(msg, hint=f"Languages: {', '.join(LANGUAGES)}.")
    say = progress or (lambda _: None)
    printer = PdfMaker() if pdf else None
    coverage = without_own(publishable(coverage))
    dossiers = Dossiers(coverage, lang=lang, since=since, proposals=proposals)
    districts = shaped_districts(coverage, ())
    pages = SitePages(dossiers, file_names(districts))
    with replacing_set(folder, former=_files_of(folder)) as made:
        write_dossiers(
            coverage,
            made / DOSSIERS_FOLDER,
            lang=lang,
            background=background,
            since=since,
            proposals=proposals,
            site=site_links(pages.say, here=DOSSIERS, up="../"),
            progress=say,
        )
        say("map")
        write_map(
            coverage,
            made / MAP,
            lang=lang,
            background=background,
            what_if=what_if,
            proposals=proposals,
            dossiers={
                each: f"{DOSSIERS_FOLDER}/{name}" for each, name in file_names(districts).items()
            },
            site={each: site_links(Words(each, "dossier", "publication"), here=MAP)
                  for each in LANGUAGES},
        )  # fmt: skip
        say("tables")
        files = _write_tables(coverage, dossiers.report, made, pages.say, csv)
        say("report")
        maps = AreaMaps(coverage, MapMaker(coverage, background))
        texts = {
            HOME: pages.home(pdf=printer is not None),
            REPORT: pages.report(maps),
            TABLES: pages.tables(files, office=csv == "office"),
            METHOD: pages.method(),
        }
        for name, text in texts.items():
            (made / name).write_text(text, encoding="utf-8", newline="\n")
        if printer is not None:
            say("PDF")
            _print_whole(made, printer, coverage, dossiers, districts)
        written = sorted(path.relative_to(made).as_posix() for path in _files_in(made))
        hashes = {name: sha256_of(made / name) for name in written}
        contents = json.dumps({"publication": hashes}, indent=1) + "\n"
        (made / CONTENTS).write_text(contents, encoding="utf-8")
    return [folder / name for name in (HOME, *(n for n in written if n != HOME), CONTENTS)]


def write_zip(folder: Path, path: Path, *, created: str = "") -> Path:
    """Pack the files of a publication into one, to be sent by e-mail: the same bytes for the same.

    Parameters
    ----------
    folder
        The publication.
    path
        The file; inside, everything is in a folder of its name.
    created
        Time of the run, which its files bear.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    digits = [int(part) for part in created[:19].replace("T", "-").replace(":", "-").split("-")] \
        if len(created) >= 19 else [1980, 1, 1, 0, 0, 0]  # fmt: skip
    year, month, day, hour, minute, second = digits
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted([*_files_of(folder), CONTENTS]):
            about = zipfile.ZipInfo(f"{path.stem}/{name}", (year, month, day, hour, minute, second))
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            archive.writestr(about, (folder / name).read_bytes())
    return path


def check_publication(folder: Path) -> None:
    """Refuse a folder that holds something else under the names of a publication.

    Raises
    ------
    OutputError
        If it does: a folder of results, say.
    """
    foreign = [name for name in (HOME, REPORT, MAP, TABLES, METHOD) if (folder / name).exists()]
    if foreign and not _files_of(folder):
        msg = f"{folder}: holds a {foreign[0]} that is not of a publication."
        raise OutputError(msg, hint="Choose another folder, or take its pages away first.")


def _files_of(folder: Path) -> list[str]:
    """Return the files of the publication that a folder holds; none if it holds none."""
    try:
        contents = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
        names = [str(name) for name in contents["publication"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    # A list that somebody has changed takes nothing away elsewhere.
    inside = folder.resolve()
    return [name for name in names if (inside / name).resolve().is_relative_to(inside)]


def _files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _write_tables(
    coverage: Coverage, report: Report, made: Path, say: Words, csv: CsvStyle
) -> list[FileLine]:
    """Write the tables in every form, and say what each file holds."""
    folder = made / TABLES_FOLDER
    folder.mkdir()
    manifest = describe_run(coverage)
    unit = report["district_word"]
    tables = text_tables(coverage)
    rows: dict[str, int] = {}
    for table, (frame, columns) in tables.items():
        text = styled_csv(frame, columns, style=csv, lang=say.lang)
        (folder / f"{table}.csv").write_text(text, encoding="utf-8", newline="\n")
        rows[f"{table}.csv"] = len(frame)
    write_tables(tables, report, folder / "tables.xlsx")
    write_layers(coverage, folder / "coverage.gpkg", lang=say.lang)
    dictionary = dictionary_of(coverage)
    rows["dictionary.csv"] = len(dictionary)
    text = styled_text(dictionary, style=csv, lang=say.lang)
    (folder / "dictionary.csv").write_text(text, encoding="utf-8", newline="\n")
    write_manifest(manifest, folder / "manifest.json")
    told = {
        "tables.xlsx": say("workbook_holds"),
        **{f"{table}.csv": say(f"t_{table}", unit=unit) for table in tables},
        "coverage.gpkg": say("geopackage_holds", unit=unit),
        "dictionary.csv": say("dictionary_holds"),
        "manifest.json": say("manifest_holds"),
    }
    return [
        FileLine(
            path=f"{TABLES_FOLDER}/{name}",
            name=name,
            text=text,
            rows=rows.get(name),
            size=size_words((folder / name).stat().st_size, say),
        )
        for name, text in told.items()
    ]


def _print_whole(
    made: Path, printer: PdfMaker, coverage: Coverage, dossiers: Dossiers, districts: Sequence[str]
) -> None:
    """Print the pages that are for paper into one file, in which they lead to each other."""
    say = Words(dossiers.lang, "dossier", "publication")
    names = file_names(districts)
    parts = [
        (REPORT, say("report")),
        (DOSSIERS, say("to_index", unit=dossiers.unit)),
        *((f"{DOSSIERS_FOLDER}/{names[each]}", dossiers.title(each)) for each in districts),
        (METHOD, say("method")),
    ]
    created = str(coverage.manifest.get("created", ""))
    printed = []
    for number, (name, title) in enumerate(parts):
        path = made / f"{number}.pdf"
        printer.write(made / name, path, created=created)
        printed.append(Part(page=made / name, title=title, pdf=path))
    title = say("report.title", area=dossiers.area, threshold=dossiers.threshold)
    join(printed, made / WHOLE, title=title, lang=dossiers.lang, created=created)
    for part in printed:
        part.pdf.unlink()
