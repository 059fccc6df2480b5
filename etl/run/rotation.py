"""What a run makes will join what stands, whatever became of the keys meanwhile; looked at once the leases are held."""

from __future__ import annotations

from etl.installation import Installation
from etl.ledger import KeyUse, record_renewed
from etl.publish import refuse_apart
from etl.run.request import Selection


def prove_tokens_join(installation: Installation, selection: Selection, use: KeyUse, run_id: str) -> None:
    """Lets a run pass whose key version is in use, and whose tokens join those that stand, by themselves or by maps.

    Published tokens are looked at only between a rotation and its end, as the ledger knows it.

    Raises:
        KeyRotated: another version came into use since the run began.
        TokensApart: tokens of other versions stand that lead nowhere.
    """
    installation.refuse_rotated()
    keys = installation.keys
    if not use.settled(keys.primary) and not refuse_apart(installation.warehouse, selection.known.values(), keys):
        record_renewed(installation.ledger, keys, run_id)
