"""Says what may become of which kind of value, and finds masks that break it."""

from masking.policy.check import Finding, PolicyColumn, PolicyJoin, check_column, check_policy
from masking.policy.classes import POLICY, ClassPolicy, ColumnClass
from masking.policy.rules import RULES, Profile, Rule, Severity

__all__ = [
    "POLICY",
    "RULES",
    "ClassPolicy",
    "ColumnClass",
    "Finding",
    "PolicyColumn",
    "PolicyJoin",
    "Profile",
    "Rule",
    "Severity",
    "check_column",
    "check_policy",
]
