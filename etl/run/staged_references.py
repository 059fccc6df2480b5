"""What staged tables of an earlier run are compared with when they are audited again."""

from __future__ import annotations

from collections.abc import Mapping

from etl.audit.references import gather_references, joined_tables
from etl.audit.verdict import References
from etl.cloud.storage.bucket import StagingBucket
from etl.installation import Installation
from etl.ledger.loads import load_history
from etl.stage.manifest import Manifest, read_manifest, staged_tables
from etl.stage.staged import Staged
from schemas.contract import Contract


def staged_references(
    installation: Installation, contracts: Mapping[str, Contract], run_id: str, manifests: Mapping[str, Manifest]
) -> dict[str, References]:
    """Returns the references of each table: joined tables as the same run staged them, as long as their files stay.

    Args:
        installation: where files are staged and tables published.
        contracts: every known one.
        run_id: of the run that staged the tables.
        manifests: of the tables to audit.
    """
    bucket, warehouse = installation.bucket, installation.warehouse
    day = max(manifest.staged.plan.mask.day for manifest in manifests.values())
    history = load_history(warehouse, manifests, day)
    here = {*staged_tables(run_id, bucket)} & {*contracts}
    found = {}
    for name, manifest in manifests.items():
        joined = joined_tables(manifest.staged.plan.contract) & here
        others = {one: manifests.get(one) or read_manifest(run_id, contracts[one], bucket) for one in joined}
        whole = {one: other.staged for one, other in others.items() if _all_there(other.staged, bucket)}
        found[name] = gather_references(manifest.staged, day, contracts, whole, history, warehouse)
    return found


def _all_there(staged: Staged, bucket: StagingBucket) -> bool:
    """Tells whether every staged file of a table can still be read."""
    folder = f"{bucket.target.prefix}/{staged.run_id}/{staged.plan.table}/"
    return {one.name for one in bucket.stored(folder)} >= {file.name for file in staged.files}
