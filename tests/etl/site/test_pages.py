"""The pages of a site, read as files: whole, linked, searchable, small, and of nobody else's host."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from etl.reports.links import links, table_links
from etl.reports.proof.contracts_of_run import RanUnder
from etl.reports.words.wording import wording
from etl.site.pages import files
from etl.site.writer import write_folder
from schemas.contract_file import load_contracts
from schemas.view_file import SMALLEST_GROUP, load_views
from schemas.words import LANGUAGES, Language
from tests.etl.site.made_up import BUNDLED, SETTINGS, evidence, records, site

_VOID = {"meta", "link", "input", "br", "hr", "img"}
GOOGLE = {"lookerstudio.google.com", "console.cloud.google.com", "docs.google.com"}
_OUTWARD = re.compile(r'<a class="button" rel="noreferrer" href="(https://[^"]+)">')
_SELF_CLOSED = {"rect", "line", "path", "circle"}
_MOST_SECONDS, _MOST_BYTES = 10.0, 20 * 2**20


class Reader(HTMLParser):
    """Reads a page strictly: each element is closed where it was opened, each id is there once."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.problems: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        said = dict(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        if len(said) != len(attrs):
            self.problems.append(f"{tag} repeats an attribute")
        self.ids += [said["id"] or ""] if "id" in said else []
        if tag == "a":
            self.links.append(said.get("href") or "")
        if tag in {"script", "link", "img"}:
            self.loaded.append(said.get("src") or said.get("href") or "")
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(tag)
        if "style" in said or any(name.startswith("on") for name in said):
            self.problems.append(f"{tag} has a style or a script of its own")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of SVG without content."""
        del attrs
        if tag not in _SELF_CLOSED:
            self.problems.append(f"{tag} closes itself")

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"{tag} is not closed where it was opened")


def read(page: Path) -> Reader:
    """Returns a page, read."""
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    reader.close()
    return reader


def pages(folder: Path) -> dict[Path, Reader]:
    """Returns every page of a site, read."""
    return {page: read(page) for page in sorted(folder.rglob("*.html"))}


def test_every_page_is_there_in_both_languages(written: Path) -> None:
    """Overview, catalog, runs, evidence, dashboards, and a page for every table, view and run; the same in Japanese."""
    english = {str(page.relative_to(written)) for page in written.rglob("*.html") if "ja" not in page.parts}
    japanese = {str(page.relative_to(written / "ja")) for page in (written / "ja").rglob("*.html")}
    assert english == japanese
    assert {f"tables/{name}.html" for name in load_contracts()} < english
    assert {f"views/{view.name}.html" for view in load_views()} < english
    assert {"index.html", "catalog.html", "runs.html", "evidence.html", "dashboards.html"} < english
    assert len([name for name in english if name.startswith("runs/")]) == 5


def test_pages_are_whole(written: Path) -> None:
    """Elements nest, ids are there once, one h1 a page comes first, no element brings a style or script of its own."""
    for page, found in pages(written).items():
        assert not found.problems, (page, found.problems[:3])
        assert not found.open, (page, found.open)
        assert len(found.ids) == len(set(found.ids)), page
        assert found.headings[0] == "h1", page
        assert found.headings.count("h1") == 1, page


def test_every_link_leads_somewhere(written: Path) -> None:
    """Each link, style sheet and script is a file of the site, each fragment an id there, or it is Google's."""
    read_pages = pages(written)
    for page, found in read_pages.items():
        outward = {link for link in found.links if urlsplit(link).netloc in GOOGLE}
        for link in [*(one for one in found.links if one not in outward), *found.loaded]:
            path, _, fragment = unquote(link).partition("#")
            target = (page.parent / path).resolve() if path else page
            if link == "data:,":
                continue
            assert target.is_file(), (page, link)
            assert target.is_relative_to(written), (page, link)
            if fragment:
                assert fragment in read_pages[target].ids, (page, link)


def test_no_other_host_is_named(written: Path) -> None:
    """No file of the site names an address that a browser could ask by itself; what a person may click is Google's."""
    for file in sorted(written.rglob("*")):
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            assert {urlsplit(one).netloc for one in _OUTWARD.findall(text)} <= GOOGLE, file
            assert not re.search(r"https?://|(?:src|href)=[\"']//|@import|url\(", _OUTWARD.sub("", text)), file


@pytest.mark.parametrize("language", LANGUAGES)
def test_views_and_tables_open_where_the_links_say(written: Path, language: Language) -> None:
    """A view's page has the links of `kagemusha links` and says whose rights to choose; a table's has its own."""
    folder, say = written / language if language == "ja" else written, wording(language)
    for links_of in links(SETTINGS.bigquery, load_views(), language):
        page = (folder / "views" / f"{links_of.view}.html").read_text(encoding="utf-8")
        found = [unescape(one) for one in _OUTWARD.findall(page)]
        assert found == [links_of.report, links_of.console, links_of.sheet]
        assert all(one in unescape(page) for one in (links_of.sheet_steps, say.text("open.credentials")))
        assert SMALLEST_GROUP not in page, "a query to copy has the settings' number in it"
    table = (folder / "tables" / "payments.html").read_text(encoding="utf-8")
    wanted = table_links(SETTINGS.bigquery, "ledger.payments", language)
    assert [unescape(one) for one in _OUTWARD.findall(table)] == [wanted.console, wanted.sheet]
    assert wanted.sheet_steps in unescape(table)


def test_nothing_opens_where_tables_are_on_a_local_server() -> None:
    """With a server of one's own there is nothing at Google, and the page says so."""
    local = SETTINGS.bigquery.model_copy(update={"endpoint": "http://127.0.0.1:9050"})
    made = site(2, settings=SETTINGS.model_copy(update={"bigquery": local}))
    told = {name: text for name, text in files(made) if name.startswith(("views/", "tables/"))}
    assert told
    assert not any(_OUTWARD.search(text) for text in told.values())
    assert "on a local server" in told["views/daily_gmv.html"]


def test_names_in_links_are_escaped() -> None:
    """A project whose name holds signs of HTML and of URLs comes through as it is, in text and in links."""
    odd = SETTINGS.bigquery.model_copy(update={"project": 'example.com:a"><script>&b'})
    made = site(2, settings=SETTINGS.model_copy(update={"bigquery": odd}))
    page = dict(files(made))["views/daily_gmv.html"]
    assert "<script>&" not in page
    (console,) = (one for one in map(unescape, _OUTWARD.findall(page)) if "console" in one)
    assert dict(parse_qsl(urlsplit(console).query))["p"] == odd.project


def test_the_index_finds_every_column(written: Path) -> None:
    """Each published and each dropped column of each table is in the search index, with its page."""
    for name in ("search.js", "ja/search.js"):
        script = (written / name).read_text(encoding="utf-8")
        entries = json.loads(script.removeprefix("window.INDEX=").removesuffix(";\n"))
        found = {(entry[0], entry[1]): entry[2] for entry in entries}
        for table, contract in load_contracts().items():
            for column in (*contract.published, *(one for one in contract.columns if contract.columns[one].dropped)):
                assert found[column, table] == f"tables/{table}.html#{column}"


def test_charts_are_drawn_and_can_be_read_without_eyes(written: Path) -> None:
    """Every view has a picture, named for screen readers, colored by the style sheet, with its numbers beside it."""
    page = (written / "dashboards.html").read_text(encoding="utf-8")
    drawn = re.findall(
        r'<svg viewBox="[^"]+" role="img" class="chart"><title>[^<]+</title>(.*?)</svg>', page, re.DOTALL
    )
    assert len(drawn) == len(load_views())
    assert all(len(re.findall(r"<(?:rect|path|circle)", one)) >= 3 for one in drawn)
    assert not re.search(r'\b(?:fill|stroke)="', page), "a color that the dark page would not change"
    assert page.count("<summary>Numbers</summary>") == len(drawn)
    assert "2 groups of fewer than 10 are not drawn." in page


def test_the_evidence_is_there_as_json(written: Path) -> None:
    """What the page says is a file for programs too: the run, each requirement, and what changed."""
    told = json.loads((written / "evidence.json").read_text(encoding="utf-8"))
    assert told["evidence"]["records"]["run"]["run_id"] == "20230831-made-up"
    assert {one["number"] for one in told["evidence"]["answers"]} >= {"3.3", "3.5.1", "12.10.7", "41"}
    assert told["comparison"]["since"] == "20230830-made-up"


def test_japanese_is_complete(written: Path) -> None:
    """No sentence of the English catalog of words stands on a Japanese page, and descriptions are in Japanese too."""
    page = (written / "ja" / "evidence.html").read_text(encoding="utf-8")
    assert '<html lang="ja">' in page
    for english in ("From which record", "What this does not answer", "No table was stopped", "columns about persons"):
        assert english not in page
    assert "これでは答えられないこと" in page
    table = (written / "ja" / "tables" / "payments.html").read_text(encoding="utf-8")
    assert load_contracts()["payments"].about.ja in table
    assert "One row for each" not in table


NAMES = {
    "PCI DSS", "Looker Studio", "Data Docs", "AWS KMS", "Object Lock", "kagemusha scan-leaks", "kagemusha forget",
}  # fmt: skip


def spoken(page: Path) -> list[str]:
    """Returns the texts of a page that people read or hear, without code, queries and the other language's name."""
    text = re.sub(
        r"<(code|pre|head|script)\b.*?</\1>|<a class=\"tongue\".*?</a>", " ", page.read_text("utf-8"), flags=re.DOTALL
    )
    labels = re.findall(r'(?:aria-label|placeholder|data-done|data-none)="([^"]*)"', text)
    return [unescape(one).strip() for one in (*re.findall(r">([^<]+)<", text), *labels)]


def test_no_english_is_left_on_japanese_pages(written: Path) -> None:
    """No two English words stand together but in names, and nothing that the English catalog says otherwise."""
    english, japanese = wording("en").texts, wording("ja").texts
    only_english = {text for key, text in english.items() if text != japanese[key]} - {*japanese.values(), "payments"}
    for page in sorted((written / "ja").rglob("*.html")):
        for said in spoken(page):
            found = re.findall(r"[A-Za-z][A-Za-z'-]{2,}(?: [A-Za-z'-]{2,})+", said)
            assert set(found) <= NAMES, (page, said)
            assert said not in only_english, (page, said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_removed_record_is_told_on_the_page(language: Language) -> None:
    """Without key events, audits, access log or contract the page names what is missing and from which record."""
    say, whole = wording(language), site()
    run = whole.facts.runs[0]
    tables = tuple(
        replace(one, load=replace(one.load, checks=()), ran=RanUnder(None, "none"))
        for one in records(run, BUNDLED).tables
    )
    proof = evidence(run, BUNDLED, key_events=(), looks=None, tables=tables)
    path = "evidence.html" if language == "en" else "ja/evidence.html"
    page, before = (
        unescape(dict(files(replace(whole, facts=replace(whole.facts, evidence=one))))[path])
        for one in (proof, whole.facts.evidence)
    )
    for key, values in (
        ("missing.key_events", {"version": "1"}), ("evidence.no_looks", {}), ("missing.access_log", {}),
        ("evidence.proof_none", {}),
    ):  # fmt: skip
        assert say.text(key, **values) in page
        assert say.text(key, **values) not in before
    assert page.count(say.text("evidence.no_record")) > before.count(say.text("evidence.no_record"))


def test_evidence_tells_uses_of_keys_waivers_and_erasures(written: Path) -> None:
    """Who turned tokens back, who made some, what was let pass, and an erasure that is not complete."""
    for language, folder in (("en", written), ("ja", written / "ja")):
        said, say = spoken(folder / "evidence.html"), wording(language)  # type: ignore[arg-type]
        for text in (
            "an-officer", say.text("evidence.looks"), "the-app", say.text("evidence.made"), "審査済み",
            say.text("event.signed"), say.text("catalog.erasure_nullify"), say.text("event.incomplete"),
        ):  # fmt: skip
            assert text in said


@pytest.mark.timeout(120)
@pytest.mark.long
def test_three_hundred_tables_are_written_in_time_and_small(tmp_path: Path) -> None:
    """A site of 300 tables takes under ten seconds of the processor, and under 20 MB."""
    made = site(tables=300, nights=20)
    began = time.process_time()
    write_folder(made, tmp_path)
    assert time.process_time() - began < _MOST_SECONDS
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) < _MOST_BYTES


def test_nothing_that_a_load_says_becomes_markup() -> None:
    """Errors, names of checks, codes and owners with signs of HTML are text on every page."""
    whole = site()
    run = whole.facts.runs[0]
    odd = '<img src=x onerror="a">&'
    check = replace(run.loads[0].checks[0], passed=False, name=odd, error=odd, waived_by=odd)
    load = replace(run.loads[0], error=odd, outcome="failed: AuditFailed", checks=(check, *run.loads[0].checks[1:]))
    changed = replace(whole.facts, runs=(replace(run, loads=(load, *run.loads[1:])), *whole.facts.runs[1:]))
    for name, text in files(replace(whole, facts=changed)):
        assert "<img" not in text, name
    page = dict(files(replace(whole, facts=changed)))[f"runs/{run.run_id}.html"]
    assert page.count("&lt;img src=x") >= 3
