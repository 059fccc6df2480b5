"""The rules of the policy: id, what it demands, the clause behind it, what to do, and how grave it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from masking.policy.classes import POLICY, ColumnClass


class Severity(StrEnum):
    """Whether a finding stops a change; a note only tells a reviewer what to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Profile(StrEnum):
    """Which rules apply: `pci` is the base; `pseudonymized` adds what 仮名加工情報 demands."""

    PCI = "pci"
    PSEUDONYMIZED = "pseudonymized"


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand on a contract."""

    id: str
    demand: str
    clause: str
    todo: str
    severity: Severity = Severity.ERROR
    profile: Profile = Profile.PCI

    def applies(self, profile: Profile) -> bool:
        """Tells whether the rule belongs to a profile; every profile contains `pci`."""
        return self.profile in {Profile.PCI, profile}


def _of(column_class: ColumnClass, demand: str) -> Rule:
    policy = POLICY[column_class]
    return Rule(policy.rule, demand, policy.clause, policy.todo)


RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        _of(ColumnClass.SENSITIVE_AUTHENTICATION, "Sensitive authentication data never leaves the database."),
        _of(ColumnClass.PAN, "A card number is unreadable wherever it is stored, and no hash of it is unkeyed."),
        _of(ColumnClass.NATIONAL_ID, "My Number never leaves the database."),
        Rule(
            "KG004",
            "What names a person or a card directly is not published as it is.",
            "PCI DSS v4.0.1 3.2.1; APPI (個人情報保護法) art. 41; Enforcement Rules art. 31",
            "Choose a strategy that the class allows.",
        ),
        _of(ColumnClass.FREE_TEXT, "Free text is not published as it is."),
        Rule(
            "KG006",
            "No dataset holds a token or hash of card numbers beside a truncation of them, or two truncation formats.",
            "PCI DSS v4.0.1 3.5.1; PCI SSC FAQ 1091, 1308",
            "Keep one form of the card number in the dataset, publish the other elsewhere, "
            "or name the compensating control in the column's contract.",
        ),
        Rule(
            "KG007",
            "Format-preserving encryption has at least 1,000,000 possible values.",
            "NIST SP 800-38G 5.1; PCI DSS v4.0.1 3.5.1",
            "Keep fewer digits readable, or use tokenize.",
        ),
        Rule(
            "KG008",
            "Columns that join are masked alike: same strategy, same domain, same normalization.",
            "Kagemusha: equal values get equal tokens in every table",
            "Give both columns the same `mask`.",
        ),
        Rule(
            "KG009",
            "A domain belongs to one strategy.",
            "NIST SP 800-57 Part 1 5.2 (one key, one purpose)",
            "Give one of the columns another domain, or the same strategy.",
        ),
        Rule(
            "KG010",
            "Pseudonymized information (仮名加工情報) holds nothing that a key could turn back.",
            "APPI (個人情報保護法) art. 41; Enforcement Rules art. 31",
            "Use pseudonymize instead of tokenize or fpe.",
            profile=Profile.PSEUDONYMIZED,
        ),
        Rule(
            "KG011",
            "A join leads to a column that is published.",
            "Kagemusha: equal values get equal tokens in every table",
            "Correct the table or column after `joins`, or publish the column there.",
        ),
        Rule(
            "KG012",
            "A column that is published as nobody's is not named like personal or card data.",
            "PCI DSS v4.0.1 12.5.2 (scope is confirmed); APPI (個人情報保護法) art. 41",
            "Correct the `class` and its mask; if the name misleads or somebody decided so, say why in `control:`.",
            severity=Severity.WARNING,
        ),
        Rule(
            "KG013",
            "Columns of one domain are normalized alike.",
            "Kagemusha: equal values get equal tokens in every table",
            "Give all columns of the domain the same `normalize`.",
            severity=Severity.WARNING,
        ),
        Rule(
            "KG014",
            "A table with fpe tokens has a token of tokenize in every row, which names the key version of the row.",
            "PCI DSS v4.0.1 3.7.4 (keys are changed at the end of their cryptoperiod)",
            "Tokenize a column of the `key` or one with `nullable: false`, or use tokenize instead of fpe.",
        ),
        Rule(
            "KG015",
            "A column named like authentication data or a national id is dropped, whatever class it is given.",
            f"{POLICY[ColumnClass.SENSITIVE_AUTHENTICATION].clause}; {POLICY[ColumnClass.NATIONAL_ID].clause}",
            "Write `mask: {strategy: drop}`; if it holds something else, give it another name by a view at the source.",
        ),
        Rule(
            "KG020",
            "A declared number says what it is, and a reviewer knows how many of its values look like card numbers.",
            "PCI DSS v4.0.1 3.5.1, 12.5.2 (scope is confirmed)",
            "Nothing, if the numbers are what the contract says; the audit refuses a column of card numbers.",
            severity=Severity.NOTE,
        ),
        Rule(
            "KG021",
            "A declared number is of class none: what names a person or a card is masked, not declared.",
            "PCI DSS v4.0.1 3.5.1; APPI (個人情報保護法) art. 41",
            "Mask the column as its class demands, or correct the class.",
        ),
        Rule(
            "KG022",
            "What a mask shows or writes of itself is nothing that the leak gate would stop.",
            "Kagemusha: no token trips the leak gate",
            "Show fewer characters, write another constant, or use tokenize inside a document.",
        ),
    )
}
