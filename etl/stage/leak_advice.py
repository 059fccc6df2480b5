"""What was found in a column, and what helps for it: another class, a declared format, or scrub_text for free text.

Whatever is right data stays as it is: a number that only looks like a card is declared, never scrubbed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from masking.formats import SCHEMES
from masking.leaks import LOOKALIKES, Leak, LeakKind

_LOOKS_LIKE: Final = {
    LeakKind.OWN_CARD: "are the issuer's own card numbers",
    LeakKind.PAN: "look like card numbers",
    LeakKind.TRACK: "look like magnetic stripe data",
    LeakKind.MY_NUMBER: "look like My Numbers",
    LeakKind.EMAIL: "look like e-mail addresses",
    LeakKind.PHONE: "look like phone numbers",
    LeakKind.MISFIT: "do not fit the declared format",
}
_MASKS: Final = {
    LeakKind.OWN_CARD: "class pan with fpe, tokenize, truncate_pan or drop",
    LeakKind.PAN: "class pan with fpe, tokenize, truncate_pan or drop",
    LeakKind.TRACK: "class sensitive_authentication with drop",
    LeakKind.MY_NUMBER: "class national_id with drop",
    LeakKind.EMAIL: "class email with email_domain, tokenize or drop",
    LeakKind.PHONE: "class phone with tokenize, partial or drop",
}
_PUBLIC: Final = frozenset({LeakKind.EMAIL, LeakKind.PHONE})


def found(leak: Leak) -> str:
    """Returns what was found in a column as half a sentence, with counts."""
    said = f"{leak.count} values of {leak.column} {_LOOKS_LIKE[leak.kind]}"
    share = leak.share
    if leak.kind == LeakKind.PAN and share.numbers:
        by_chance = round(share.numbers / 10)
        said += f" ({share.valid} of {share.numbers} numbers pass Luhn, by chance {by_chance} would)"
    return said


def advice(leaks: Iterable[Leak]) -> Iterator[str]:
    """Yields one sentence for each column and way out."""
    for leak in leaks:
        yield from _of_one(leak)


def _of_one(leak: Leak) -> Iterator[str]:
    column, kind = leak.column, leak.kind
    if kind == LeakKind.MISFIT:
        yield f"{column}: correct the rows at the source or the `format`{_proposed(leak)}."
    elif kind == LeakKind.OWN_CARD:
        yield f"{column}: {_MASKS[kind]}{_or_scrub(leak)}; nothing else lets an own card pass."
    elif kind == LeakKind.PAN and leak.share.too_high():
        devices = " or ".join(f"`format: {name}`" for name in leak.fits if SCHEMES[name].rate >= 1)
        other = f"; numbers whose own check digit is Luhn's are declared: {devices}" if devices else ""
        yield f"{column} is a column of card numbers: {_MASKS[kind]}{other}."
    elif leak.in_text * 2 > leak.count:
        yield f"{column} is free text: class free_text with scrub_text or drop."
    elif kind in LOOKALIKES:
        other = f"if these are numbers of another sort, declare them{_proposed(leak)}."
        yield f"{column}: {_MASKS[kind]}; {other}{_public(kind)}"
    else:
        yield f"{column}: {_MASKS[kind]}{_or_scrub(leak)}.{_public(kind)}"


def _proposed(leak: Leak) -> str:
    """Returns the formats that every value fits, as they are written in the contract."""
    if not leak.fits:
        return ": `format: {pattern: …, why: …}`"
    ways = " or ".join(f"`format: {name}`" for name in leak.fits)
    return f": {ways} fits every value seen"


def _or_scrub(leak: Leak) -> str:
    return ", or class free_text with scrub_text where words stand beside it" if leak.in_text else ""


def _public(kind: LeakKind) -> str:
    return f" A public contact's: `may_look_like: [{kind}]`." if kind in _PUBLIC else ""
