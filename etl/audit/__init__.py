"""Staged → Approved: what was staged is compared, checked by Great Expectations, and judged once."""

from etl.audit.auditor import Auditor
from etl.audit.data_docs import write_index, write_page
from etl.audit.references import gather_references, joined_tables
from etl.audit.staged_references import references_of_staged
from etl.audit.superseded import refuse_superseded, refuse_unknown
from etl.audit.table_checks import checks_of
from etl.audit.verdict import Approved, References, Verdict, approve
from etl.audit.waivers import Waiver, WaiverRefused, proven_waivers, sign_waiver, store_waiver

__all__ = [
    "Approved",
    "Auditor",
    "References",
    "Verdict",
    "Waiver",
    "WaiverRefused",
    "approve",
    "checks_of",
    "gather_references",
    "joined_tables",
    "proven_waivers",
    "references_of_staged",
    "refuse_superseded",
    "refuse_unknown",
    "sign_waiver",
    "store_waiver",
    "write_index",
    "write_page",
]
