"""Numbers that only look like card numbers or phones, and that a contract may declare: JAN, RRN, IMEI and the like."""

from masking.formats.declared import NumberFormat, PatternFormat, fitting, format_named
from masking.formats.schemes import SCHEMES, Scheme, SchemeName
from masking.formats.shares import LuhnShare, luhn_share

__all__ = [
    "SCHEMES",
    "LuhnShare",
    "NumberFormat",
    "PatternFormat",
    "Scheme",
    "SchemeName",
    "fitting",
    "format_named",
    "luhn_share",
]
