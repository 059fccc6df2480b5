"""Reads how views are drawn: `views/pictures.yaml`, one picture a view; the numbers are the view's, in groups."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from schemas.errors import ContractInvalid
from schemas.reviewed import Name, Reviewed
from schemas.words import Text
from schemas.written import written_problems

_NAME: Final = "pictures.yaml"


class People(Reviewed):
    """How many persons a group has at least: groups of too few are not drawn."""

    column: Name = Field(description="The view's count of persons, or of what a person has one of.")
    adds: bool = Field(
        default=False, description="True where no person is in two rows of a group; else the largest row counts."
    )


class Picture(Reviewed):
    """One picture of a view."""

    title: Text
    shape: Literal["columns", "lines", "bars", "funnel", "heat"]
    x: Name | None = Field(
        default=None, description="The column across: a day, a month, a category; none for a funnel."
    )
    by: Name | None = Field(default=None, description="The column whose values are told apart by color, or are rows.")
    measures: tuple[Name, ...] = Field(min_length=1, description="Columns that are summed up in each group.")
    over: Name | None = Field(default=None, description="The sum by which the only measure is divided: a rate.")
    stacked: bool = Field(default=True, description="Whether what is told apart are parts of a whole.")
    percent: bool = Field(default=False, description="Whether values are shares.")
    most: int = Field(default=400, ge=2, le=1000, description="Groups at most: the largest, or the latest.")
    people: People

    @model_validator(mode="after")
    def _drawable(self) -> Picture:
        if (self.x is None) != (self.shape == "funnel"):
            raise ValueError("x belongs to every shape but funnel")
        if len(self.measures) > 1 and (self.by or self.over):
            raise ValueError("by and over belong to pictures of one measure")
        if self.shape == "heat" and not self.by:
            raise ValueError("a heat map needs `by` for its rows")
        for problem in written_problems((str(self.title), self.title.ja), "the title"):
            raise ValueError(problem)
        return self


_PICTURES: Final = TypeAdapter(dict[Name, Picture])


def load_pictures(views: Path) -> dict[str, Picture]:
    """Returns the pictures of a folder of views, by view; none where it declares none.

    Raises:
        ContractInvalid: the file is no YAML, or a picture is wrong; named by its place.
    """
    file = views / _NAME
    if not file.is_file():
        return {}
    problem = ""
    try:
        return _PICTURES.validate_python(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError:
        problem = "is no YAML"
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        problem = f"is wrong at {'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"
    raise ContractInvalid(
        f"The file of pictures {problem}.", not_done="No picture was drawn.", where={"file": f"views/{_NAME}"}
    )
