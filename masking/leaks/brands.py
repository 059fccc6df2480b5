"""The issuer ranges of the card brands: first digits and lengths of their numbers, each with where it was read.

Read on 2026-11-28 from two public tables that disagree in details, and where they do the wider one is taken:

- `W`: Wikipedia, "Payment card number", its table of issuer identification numbers, as public copies have it, one of
  which is of 2024-07-19;
- `B`: github.com/braintree/credit-card-type, `src/lib/card-types.ts` at commit 0bac61c, with six digits where it can.

Hipercard's 19 digits are those of the expression that Brazil's shops use (`606282` and 10 or 13 digits). Ranges are cut
to four digits: where a brand's own is narrower, its neighbors' lengths and the check digit decide alone. Not taken, and
why: Visa's 18 digits (`B`; no issuer has them), UnionPay's 14 and 15 (`B`), Maestro's 12 (a My Number's length) and
Maestro's account ranges 50, 56 to 59, 6 (`B`; they route, and hold what others issue), GPN's 50, 56, 58, 60 to 63 (`W`;
two digits for few issuers), and brands that issue no more (Solo, Switch, Laser, Bankcard, enRoute). A column of such
cards is told by its share of numbers that pass Luhn.
"""

from __future__ import annotations

from typing import Final

STATE_OF: Final = "2026-11-28"

_16_TO_19: Final = (16, 17, 18, 19)
_13_TO_19: Final = (13, 14, 15, *_16_TO_19)
_DINERS: Final = (14, *_16_TO_19)

ISSUER_RANGES: Final[tuple[tuple[str, int, int, tuple[int, ...], str], ...]] = (
    # brand, first and last four digits, lengths of its numbers, where it was read
    ("Visa", 4000, 4999, (13, 16, 19), "W, B"),
    ("Mastercard", 5100, 5599, (16,), "W, B"),
    ("Mastercard", 2221, 2720, (16,), "W, B"),
    ("JCB", 3528, 3589, _16_TO_19, "W, B"),
    ("JCB, earlier", 2131, 2131, (15,), "B"),
    ("American Express", 3400, 3499, (15,), "W, B"),
    ("American Express", 3700, 3799, (15,), "W, B"),
    ("Diners Club", 3000, 3099, _DINERS, "W"),
    ("Diners Club", 3600, 3699, _DINERS, "W, B"),
    ("Diners Club", 3800, 3999, _DINERS, "W, B"),
    ("China T-Union", 3100, 3199, (19,), "W"),
    ("Discover", 6011, 6011, _16_TO_19, "W, B"),
    ("Discover", 6440, 6599, _16_TO_19, "W, B"),
    ("UnionPay", 6200, 6299, _16_TO_19, "W, B"),
    ("UnionPay", 8100, 8171, _16_TO_19, "B"),
    ("Maestro", 5018, 5018, _13_TO_19, "W, B"),
    ("Maestro", 5020, 5020, _13_TO_19, "W, B"),
    ("Maestro", 5038, 5038, _13_TO_19, "W, B"),
    ("Maestro", 5893, 5893, _13_TO_19, "W, B"),
    ("Maestro", 6304, 6304, _13_TO_19, "W, B"),
    ("Maestro", 6759, 6759, _13_TO_19, "W, B"),
    ("Maestro", 6761, 6763, _13_TO_19, "W, B"),
    ("Maestro of the United Kingdom", 6767, 6767, _13_TO_19, "W, B"),
    ("Mir", 2200, 2204, _16_TO_19, "W, B"),
    ("BORICA", 2205, 2205, (16,), "W"),
    ("Verve", 5060, 5061, (16, 18, 19), "W, B"),
    ("Verve", 5078, 5079, (16, 18, 19), "W, B"),
    ("Elo", 5041, 5041, (16,), "B"),
    ("Elo", 5066, 5067, (16,), "B"),
    ("Elo", 5090, 5099, (16,), "B"),
    ("InterPayment, Elo", 6360, 6369, _16_TO_19, "W, B"),
    ("InstaPayment, Hiper", 6370, 6399, (16,), "W, B"),
    ("Hipercard", 6062, 6062, (16, 19), "B"),
    ("UATP", 1000, 1999, (15,), "W"),
    ("Dankort", 5019, 5019, (16,), "W"),
    ("RuPay", 5080, 5089, (16,), "W"),
    ("RuPay", 6000, 6099, (16,), "W"),
    ("RuPay", 8100, 8299, (16,), "W"),
    ("UkrCard", 6040, 6042, _16_TO_19, "W"),
    ("Troy", 9792, 9792, (16,), "W"),
    ("NAPAS", 9704, 9704, (16, 19), "W"),
    ("HUMO", 9860, 9860, (16,), "W"),
    ("Uzcard", 5614, 5614, (16,), "W"),
    ("Uzcard", 8600, 8600, (16,), "W"),
    ("AfriGo", 5644, 5644, (18,), "W"),
    ("GPN", 1946, 1946, (16, 18, 19), "W"),
)
