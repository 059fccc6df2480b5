"""Discovery: a proposed contract for each table that has none, from the source's catalogue."""

from etl.authoring.discover.discover import Proposal, discover

__all__ = ["Proposal", "discover"]
