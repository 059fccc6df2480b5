"""Approved → BigQuery: tables, partitions and merges are loaded, then the views that analysts read."""

from etl.publish.fence import holding
from etl.publish.limits import MODIFICATIONS_A_DAY, PARTITIONS_A_JOB
from etl.publish.published import Published
from etl.publish.publisher import Publisher
from etl.publish.rights.column_tags import tags_of, wanted_tags
from etl.publish.rights.row_policies import row_policies
from etl.publish.rotation import refuse_apart
from etl.publish.token_maps import drop_map, load_map, map_table_name, mapped_domains, old_tokens_sql
from etl.publish.token_versions import is_old, tells_version
from etl.publish.totals import published_totals
from etl.publish.views import publish_views

__all__ = [
    "MODIFICATIONS_A_DAY",
    "PARTITIONS_A_JOB",
    "Published",
    "Publisher",
    "drop_map",
    "holding",
    "is_old",
    "load_map",
    "map_table_name",
    "mapped_domains",
    "old_tokens_sql",
    "publish_views",
    "published_totals",
    "refuse_apart",
    "row_policies",
    "tags_of",
    "tells_version",
    "wanted_tags",
]
