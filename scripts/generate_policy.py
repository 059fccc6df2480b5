"""Writes masking/POLICY.md: what may become of which class of values, and every rule that `kagemusha lint` checks.

Usage: python scripts/generate_policy.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from masking.card_numbers import LONGEST, SHORTEST  # noqa: E402
from masking.formats import SCHEMES  # noqa: E402 - the checkout comes first on the path
from masking.leaks.brands import ISSUER_RANGES, STATE_OF  # noqa: E402
from masking.policy import POLICY, RULES, Profile  # noqa: E402
from schemas.lint import CONTRACT_FITS, NAMES_FIT, VIEW_READS  # noqa: E402

TARGET = ROOT / "masking" / "POLICY.md"
_PREFIXES, _BY_CHECK_DIGIT = 10**4, 10


CERTAINTIES = """
Masked rows are looked at once more before they leave the worker, and again by `kagemusha scan-leaks`. Three rules:

- **Own cards.** `[cards] own_iins` in the settings and `own_iins` in a contract name the first 6 to 8 digits of the
  issuer's cards, house cards of any scheme and length too. A number of 10 to 19 digits that begins so and passes Luhn
  stops the table, in any column and spelling, and nothing allows it. By chance that is one number in ten million.
- **Other cards.** A number counts when its range and length fit a brand (below) and its Luhn check digit is right: of
  random numbers of 16 digits one in {of_16}, of 13 to 19 digits one in {of_any}. So a column is told by the *share*
  of its numbers of 12 to 19 digits that pass Luhn: card numbers nearly all do, others one in ten. When so many
  distinct values pass as chance gives less than once in a billion columns (Chernoff's bound: nine of nine, 41 of 82,
  101,900 of a million), it is a column of card numbers whatever its first digits are. Visa's 13 digits count in text
  only: as a whole value they are rather a JAN code.
- **Declared numbers.** What else has so many digits says so in its contract, and fits what it says.
"""

DECLARED = """
`format:` on a kept column of class `none` names a scheme below, or gives a pattern and why. Every value must fit: one
that does not stops the table. What fits may look like a card number, a My Number or a phone, but never be an own card,
and the audit refuses the column when more of its values pass Luhn than chance allows. The gate's message names the
formats that fit what it found.

```yaml
jan:      {type: string, class: none, mask: {strategy: keep, why: an article}, format: jan}
order_no: {type: string, class: none, mask: {strategy: keep, why: our order number},
           format: {pattern: "2[0-9]{15}", why: numbered by our shop since 2019}}
help:     {type: string, class: none, mask: {strategy: keep, why: the shop's own line}, may_look_like: [phone]}
```

`may_look_like: [my_number, email, phone]` is for what is no number of a scheme: a public contact's address or line.
Tokens of `fpe` look like any number; their columns are known by their mask, and no token is an own card.
"""

READING = """
Gate, `scrub_text`, `scan-leaks`, `discover --sample` and the normalizers read a text alike: JSON and Unicode escapes,
percent and form encoding and HTML, up to three deep; decimal digits of every script; without invisible signs; numbers
in scientific notation. Groups as cards print them belong together whatever up to six signs but letters stand between
them; leading zeros, and an expiry or verification code glued behind, hide nothing. Every byte is looked at a fixed
number of times, and around a number at most 80 more: hostile text takes no longer than other text of its length.

Not read, and why: base64, quoted-printable, octal escapes, hexadecimal dumps, compressed and encrypted content and
pictures (a guess at every run of letters would take words for numbers; mask such columns by `drop`); circled, raised
and Chinese numerals (notes and addresses are full of them); escapes with an invisible sign inside them, or more than
three deep (nothing that decodes text reads `%`, U+200B, `20` as a space); foreign phone numbers without `+` or an exit
code (nothing tells them from ids); numbers whose digits a program has rounded away.
"""

SOURCES = """
W: Wikipedia, "Payment card number", in public copies (one of 2024-07-19). B: github.com/braintree/credit-card-type,
`src/lib/card-types.ts` at commit 0bac61c. `masking/leaks/brands.py` says what was left out of them, and why.
"""


def _paragraphs(text: str) -> Iterator[str]:
    yield from text.strip().splitlines()


def main() -> int:
    """Writes the page, or with --check tells whether it is up to date."""
    page = "\n".join(written()) + "\n"
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(page, encoding="utf-8")
        return 0
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == page:
        return 0
    print("masking/POLICY.md is out of date: run python scripts/generate_policy.py", file=sys.stderr)
    return 1


def written() -> Iterator[str]:
    """Yields the page, line by line."""
    yield "# Policy"
    yield ""
    yield "Generated by `scripts/generate_policy.py` from `masking/policy/`, `masking/leaks/` and `schemas/lint.py`;"
    yield "do not edit."
    yield ""
    yield "`kagemusha lint` checks contracts against these rules and prints `file:line:column`, the rule, the"
    yield "clause and what to do. An error ends with exit code 2; a warning does not."
    yield from classes()
    yield from rules()
    yield from leaks()


def classes() -> Iterator[str]:
    """Yields the table of classes."""
    yield ""
    yield "## Classes"
    yield ""
    yield "| class | values | allowed strategies | otherwise | clause |"
    yield "|---|---|---|---|---|"
    for name, policy in POLICY.items():
        if policy.allowed is None:
            yield f"| `{name}` | {policy.about} | every strategy | | |"
            continue
        allowed = ", ".join(f"`{strategy}`" for strategy in sorted(policy.allowed))
        yield f"| `{name}` | {policy.about} | {allowed} | {policy.rule} | {policy.clause} |"


def rules() -> Iterator[str]:
    """Yields one section a rule."""
    yield ""
    yield "## Rules"
    for rule in (*RULES.values(), CONTRACT_FITS, NAMES_FIT, VIEW_READS):
        scope = "" if rule.profile == Profile.PCI else f", profile `{rule.profile}` only"
        yield ""
        yield f"### {rule.id}: {rule.demand}"
        yield ""
        yield f"{rule.severity.value.capitalize()}{scope}. Source: {rule.clause}."
        yield ""
        yield rule.todo


def one_in(*lengths: int) -> int:
    """Returns of how many random numbers of these lengths one is taken for a card number by chance."""
    taken = {
        (prefix, length) for _, low, high, of, _ in ISSUER_RANGES for prefix in range(low, high + 1) for length in of
    }
    fitting = sum(length in lengths for _, length in taken)
    return round(_BY_CHECK_DIGIT * _PREFIXES * len(lengths) / fitting)


def leaks() -> Iterator[str]:
    """Yields what the leak gate is certain of, the issuer ranges of the brands, and the schemes of declared numbers."""
    yield ""
    yield "## What the leak gate is certain of"
    yield ""
    yield from _paragraphs(CERTAINTIES.format(of_16=one_in(16), of_any=one_in(*range(SHORTEST, LONGEST + 1))))
    yield ""
    yield "### Declared numbers"
    yield ""
    yield from _paragraphs(DECLARED)
    yield ""
    yield "| `format` | values | pass Luhn |"
    yield "|---|---|---|"
    for name, scheme in SCHEMES.items():
        yield f"| `{name}` | {scheme.about} | {'all' if scheme.rate >= 1 else '1 in 10'} |"
    yield ""
    yield "### How text is read"
    yield ""
    yield from _paragraphs(READING)
    yield ""
    yield f"### Issuer ranges of the brands, {STATE_OF}"
    yield ""
    yield from _paragraphs(SOURCES)
    yield ""
    yield "| brand | first digits | lengths | read in |"
    yield "|---|---|---|---|"
    for brand, low, high, lengths, sources in ISSUER_RANGES:
        first = str(low) if low == high else f"{low} to {high}"
        yield f"| {brand} | {first} | {', '.join(map(str, lengths))} | {sources} |"


if __name__ == "__main__":
    sys.exit(main())
