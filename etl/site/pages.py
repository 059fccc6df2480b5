"""The pages of a site: one function a kind, each yields its place and what its template needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from etl.reports.evidence import back, clause, number, used
from etl.reports.facts.catalog import TableFacts
from etl.reports.facts.installation import Facts
from etl.reports.facts.runs import RunFacts
from etl.reports.proof.answer import Answer
from etl.reports.proof.looks import event_said
from etl.reports.words.wording import Wording, wording
from etl.site import run_charts
from etl.site.boards import Board
from etl.site.charts.diagram import diagram
from etl.site.place import Place
from etl.site.render import render
from etl.site.search_index import search_script
from schemas.words import LANGUAGES, Language

Values = dict[str, Any]  # Any: what a template shows
_NO_CHARTS: tuple[str, ...] = ()


@dataclass(frozen=True)
class Site:
    """What a site is made of.

    Attributes:
        facts: of the installation.
        boards: the views' pictures, by view.
        first: the language of its root.
        least: how many persons a group has at least that is drawn.
    """

    facts: Facts
    boards: Mapping[str, Board]
    first: Language
    least: int


def files(site: Site) -> Iterator[tuple[str, str]]:
    """Yields the path and text of every page and index, one after another."""
    for language in (site.first, *(one for one in LANGUAGES if one != site.first)):
        say = wording(language)
        yield Place("search.js", language, site.first).file, search_script(site.facts.catalog, say)
        for path, template, here, values in _pages(site, say):
            place = Place(path, language, site.first)
            shared = {"place": place, "facts": site.facts, "here": here, "least": site.least}
            yield place.file, render(template, say, {**shared, **values})


def _pages(site: Site, say: Wording) -> Iterator[tuple[str, str, str, Values]]:
    facts, charts = site.facts, run_charts.run_charts(site.facts.runs, say)
    tables, views = facts.catalog.tables, facts.catalog.views
    common = {"tables": tables, "views": views, "datasets": _datasets(tables), "charts": charts, "boards": site.boards}
    yield "index.html", "index.html", "overview", {**common, **_overview(facts, say)}
    yield "catalog.html", "catalog.html", "catalog", {**common, "map": _map(facts, say)}
    yield "runs.html", "runs.html", "runs", {**common, "runs": facts.runs}
    yield "evidence.html", "evidence.html", "evidence", _evidence(facts, say)
    yield "dashboards.html", "dashboards.html", "dashboards", common
    for table in tables.values():
        yield f"tables/{table.table}.html", "table.html", "catalog", _table(facts, table, say)
    for view in views.values():
        values = {"view": view, "board": site.boards[view.name], "catalog": facts.catalog}
        yield f"views/{view.name}.html", "view.html", "catalog", values
    for run in facts.runs:
        yield f"runs/{run.run_id}.html", "run.html", "runs", {"run": run, "tables": tables, **_run(run, say)}


def _datasets(tables: Mapping[str, TableFacts]) -> dict[str, list[TableFacts]]:
    found: dict[str, list[TableFacts]] = {}
    for one in sorted(tables.values(), key=lambda each: each.publish):
        found.setdefault(one.dataset, []).append(one)
    return found


def _map(facts: Facts, say: Wording) -> str:
    joins = [join for table in facts.catalog.tables.values() for join in table.joins]
    return diagram(say.text("catalog.joins_map"), joins, lambda table: f"tables/{table}.html")


def _overview(facts: Facts, say: Wording) -> Values:
    columns = [one for table in facts.catalog.tables.values() for one in table.columns]
    return {
        "run": facts.last_run,
        "published": sum(one.fate != "dropped" for one in columns),
        "masked": sum(one.fate == "masked" for one in columns),
        "dropped": sum(one.fate == "dropped" for one in columns),
        "concerns": list(_concerns(facts, say)),
    }


def _concerns(facts: Facts, say: Wording) -> Iterator[tuple[str, str, str]]:
    """Yields what somebody should look at: how bad it is, where it is shown, and what it is."""
    run = facts.last_run
    for load in run.loads if run else ():
        page = f"runs/{load.run_id}.html"
        if load.failure:
            found = f"{page}#f-{load.table}" if load.failed_checks else page
            yield "bad", found, say.text("overview.failed", table=load.table, failure=load.failure)
        for check in load.failed_checks if not load.failure else ():
            yield "warn", f"{page}#f-{load.table}", say.text("overview.warned", table=load.table, check=check.name)
    newest = max((one.status.through for one in _standing(facts) if one.status and one.status.through), default=None)
    for table in _standing(facts):
        through = table.status.through if table.status else None
        if through and newest and through < newest:
            days = (newest - through).days
            yield "warn", f"tables/{table.table}.html", say.text("overview.lagging", table=table.table, days=days)


def _run(run: RunFacts, say: Wording) -> Values:
    last = {load.table: load for load in run.loads if load.audited}.values()
    return {
        "seconds": run_charts.table_seconds(run, say),
        "audited": len(last),
        "told": [load for load in last if load.told_whole],
        "failing": list({load.table: load for load in run.loads if load.failed_checks}.values()),
    }


def _standing(facts: Facts) -> list[TableFacts]:
    return [one for one in facts.catalog.tables.values() if one.status]


def _table(facts: Facts, table: TableFacts, say: Wording) -> Values:
    loads = run_charts.history(table.table, facts.runs)
    every = [load for run in facts.runs for load in run.loads if load.table == table.table]
    return {
        "table": table,
        "loads": loads,
        "last": loads[-1] if loads else None,
        "audited": next((one for one in every if one.told_whole), None),
        "rows_line": run_charts.rows_line(loads, say),
        "null_lines": run_charts.null_lines(loads),
    }


def _evidence(facts: Facts, say: Wording) -> Values:
    proof = facts.evidence
    standards: dict[str, list[Answer]] = {}
    for one in proof.answers if proof else ():
        standards.setdefault(one.standard, []).append(one)
    keys = proof.records.keys_used if proof else {}
    told = [say.text("evidence.version_kcv", version=version, kcv=kcv) for version, kcv in sorted(keys.items())]
    return {
        "proof": proof,
        "standards": standards,
        "comparison": facts.comparison,
        "keys_used": ", ".join(told) or say.text("site.none"),
        "number": number,
        "used": used,
        "back": back,
        "clause": clause,
        "event": event_said,
    }
