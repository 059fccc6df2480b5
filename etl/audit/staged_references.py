"""What staged tables of an earlier run are compared with when they are audited again."""

from __future__ import annotations

from collections.abc import Mapping

from etl.audit.references import gather_references, joined_tables
from etl.audit.verdict import References
from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket
from etl.ledger import load_history
from etl.stage import Manifest, Staged, read_manifest, staged_tables
from masking.keyring import Keyring
from schemas.contract import Contract


def references_of_staged(
    bucket: StagingBucket,
    warehouse: Warehouse,
    keys: Keyring,
    contracts: Mapping[str, Contract],
    run_id: str,
    manifests: Mapping[str, Manifest],
) -> dict[str, References]:
    """Returns the references of each table: joined tables as the same run staged them, as long as their files stay.

    Args:
        bucket: where files are staged.
        warehouse: where tables are published.
        keys: the keyring under which stages are signed.
        contracts: every known one.
        run_id: of the run that staged the tables.
        manifests: of the tables to audit.
    """
    day = max(manifest.staged.plan.mask.day for manifest in manifests.values())
    history = load_history(warehouse, manifests, day)
    here = {*staged_tables(run_id, bucket)} & {*contracts}
    found = {}
    for name, manifest in manifests.items():
        joined = joined_tables(manifest.staged.plan.contract) & here
        others = {one: manifests.get(one) or read_manifest(run_id, contracts[one], bucket, keys) for one in joined}
        whole = {one: other.staged for one, other in others.items() if _all_there(other.staged, bucket)}
        found[name] = gather_references(manifest.staged, day, contracts, whole, history, warehouse)
    return found


def _all_there(staged: Staged, bucket: StagingBucket) -> bool:
    """Tells whether every staged file of a table can still be read."""
    folder = f"{bucket.target.prefix}/{staged.run_id}/{staged.plan.table}/"
    return {one.name for one in bucket.stored(folder)} >= {file.name for file in staged.files}
