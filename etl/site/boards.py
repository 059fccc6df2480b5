"""The pictures of all views of an installation: asked once, drawn in each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.cloud.bigquery import Warehouse
from etl.reports.facts.at_once import at_once
from etl.reports.facts.catalog import Catalog
from etl.settings import Settings
from etl.site.charts.drawing import Chart
from etl.site.pictures import Groups, drawn, groups_of
from schemas.contract_file import BUNDLED
from schemas.pictures import Picture, load_pictures
from schemas.words import Language

_AT_ONCE: Final = 8
_GIB: Final = 2**30


@dataclass(frozen=True)
class Board:
    """One view's picture: how it is drawn, and its groups."""

    view: str
    picture: Picture | None
    groups: Groups

    def chart(self, language: Language) -> Chart | None:
        """Returns the picture in a language; None where there is nothing to draw."""
        return drawn(self.picture, self.groups, language) if self.picture and self.groups.values else None


def boards(
    warehouse: Warehouse, settings: Settings, catalog: Catalog, folder: Path | None = None
) -> Mapping[str, Board]:
    """Returns the board of every view, those that cannot be drawn too.

    Raises:
        ContractInvalid: the file of pictures is wrong.
    """
    pictures = load_pictures((folder or BUNDLED) / "views")
    most, least = int(settings.site.chart_gib * _GIB), settings.bigquery.views.smallest_group

    def board(name: str) -> Board:
        view, picture = catalog.views[name], pictures.get(name)
        return Board(name, picture, groups_of(warehouse, view.publish, picture, least, most))

    return {one.view: one for one in at_once(board, catalog.views, _AT_ONCE)}
