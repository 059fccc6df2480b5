"""TablePlan → Staged: one Spark task a slice reads, masks, looks for leaks and writes Parquet."""

from etl.stage.driver import Stager
from etl.stage.leak_gate import refuse_leaks
from etl.stage.manifest import (
    Manifest,
    StageChanged,
    StageForged,
    StageGone,
    changed_files,
    changed_objects,
    read_manifest,
    staged_tables,
    write_manifest,
)
from etl.stage.quarantine import Quarantine
from etl.stage.slice_file import write_slice
from etl.stage.source_totals import SourceTotals, ask_source_totals
from etl.stage.staged import Staged, StagedFile, manifest_digest
from etl.stage.worker import worker_stage

__all__ = [
    "Manifest",
    "Quarantine",
    "SourceTotals",
    "StageChanged",
    "StageForged",
    "StageGone",
    "Staged",
    "StagedFile",
    "Stager",
    "ask_source_totals",
    "changed_files",
    "changed_objects",
    "manifest_digest",
    "read_manifest",
    "refuse_leaks",
    "staged_tables",
    "worker_stage",
    "write_manifest",
    "write_slice",
]
