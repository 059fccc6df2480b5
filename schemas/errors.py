"""Errors of contracts: the file, the place in it, what to write instead."""

from __future__ import annotations

from masking.errors import KagemushaError


class ContractInvalid(KagemushaError):
    """A contract, a suite or a settings file cannot be read as what it claims to be."""

    advice = "Correct the file; `kagemusha lint` shows every finding with its line."


class TypeUnsupported(KagemushaError):
    """A source type has no exact way to BigQuery, or the contract gives the column another type."""

    advice = "Give the column a type from the types table (schemas/types.py), or `mask: {strategy: drop}`."


class DomainRefused(KagemushaError):
    """A domain is in no contract, or its tokens cannot be turned back."""
