"""Where pages lie: the same names below the site's root and, in the other language, below a folder of that language."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.words import LANGUAGES, Language


@dataclass(frozen=True)
class Place:
    """A page's place, from which links to others are written: relative, so that the site may lie anywhere.

    Attributes:
        path: below the folder of the language, such as `tables/cards.html`.
        language: of the page.
        first: the language of the site's root.
    """

    path: str
    language: Language
    first: Language

    @property
    def file(self) -> str:
        """The page's path below the site's root."""
        return self.path if self.language == self.first else f"{self.language}/{self.path}"

    @property
    def root(self) -> str:
        """The way from the page to the folder of its language."""
        return "../" * self.path.count("/")

    @property
    def top(self) -> str:
        """The way from the page to the site's root."""
        return "../" * self.file.count("/")

    def to(self, path: str) -> str:
        """Returns the link to another page of the same language."""
        return self.root + path

    @property
    def translated(self) -> str:
        """The link to the same page in the other language."""
        (other,) = (one for one in LANGUAGES if one != self.language)
        return self.top + Place(self.path, other, self.first).file
