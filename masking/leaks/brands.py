"""The issuer ranges of the card brands: first digits and lengths of their numbers.

State of 2026-01-01. Sources: ISO/IEC 7812-1 (major industry identifiers); the brands' own documents for merchants and
acquirers: Visa Core Rules (13 digits are no longer issued, 18 never were), Mastercard Quick Reference (2-series since
2017; Maestro), American Express and Diners Club / Discover Network range tables, JCB and UnionPay acceptance guides
(UnionPay's second range is 8100 to 8171), NPCI (RuPay), NSPK (Mir), Interswitch (Verve), Elo and Hipercard bulletins,
UATP's rules (first digit 1), Nets (Dankort), BKM (Troy), NAPAS, HUMO and Uzcard. Ranges are cut to four digits: what
is wider than a brand's own is checked by its neighbors' lengths and the check digit alone.
"""

from __future__ import annotations

from typing import Final

STATE_OF: Final = "2026-01-01"

_16_TO_19: Final = (16, 17, 18, 19)

ISSUER_RANGES: Final[tuple[tuple[str, int, int, tuple[int, ...]], ...]] = (
    # brand, first and last four digits, lengths of its numbers
    ("Visa", 4000, 4999, (13, 16, 19)),
    ("Mastercard", 5100, 5599, (16,)),
    ("Mastercard", 2221, 2720, (16,)),
    ("JCB", 3528, 3589, _16_TO_19),
    ("JCB, earlier", 2131, 2131, (15,)),
    ("American Express", 3400, 3499, (15,)),
    ("American Express", 3700, 3799, (15,)),
    ("Diners Club", 3000, 3059, (14, *_16_TO_19)),
    ("Diners Club", 3095, 3095, (14, *_16_TO_19)),
    ("Diners Club", 3600, 3699, (14, *_16_TO_19)),
    ("Diners Club", 3800, 3999, (14, *_16_TO_19)),
    ("Discover", 6011, 6011, _16_TO_19),
    ("Discover", 6440, 6599, _16_TO_19),
    ("UnionPay", 6200, 6299, _16_TO_19),
    ("UnionPay", 8100, 8171, _16_TO_19),
    ("Maestro", 5018, 5018, (13, 14, 15, *_16_TO_19)),
    ("Maestro", 5020, 5020, (13, 14, 15, *_16_TO_19)),
    ("Maestro", 5038, 5038, (13, 14, 15, *_16_TO_19)),
    ("Maestro", 5893, 5893, (13, 14, 15, *_16_TO_19)),
    ("Maestro", 6304, 6304, (13, 14, 15, *_16_TO_19)),
    ("Maestro", 6759, 6763, (13, 14, 15, *_16_TO_19)),
    ("Mir", 2200, 2204, _16_TO_19),
    ("Verve", 5060, 5061, (16, 18, 19)),
    ("Verve", 5078, 5079, (16, 18, 19)),
    ("Elo", 5041, 5041, (16,)),
    ("Elo", 5066, 5067, (16,)),
    ("Elo", 5090, 5099, (16,)),
    ("Elo", 6362, 6363, (16,)),
    ("Hipercard", 6062, 6062, (13, 16, 19)),
    ("UATP", 1000, 1999, (15,)),
    ("Dankort", 5019, 5019, (16,)),
    ("RuPay", 5085, 5089, (16,)),
    ("RuPay", 6069, 6085, (16,)),
    ("RuPay", 8172, 8201, (16,)),
    ("Troy", 9792, 9792, (16,)),
    ("NAPAS", 9704, 9704, (16, 19)),
    ("HUMO", 9860, 9860, (16,)),
    ("Uzcard", 8600, 8600, (16,)),
)
