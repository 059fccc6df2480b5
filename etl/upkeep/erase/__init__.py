"""Erasure: a person's tokens are found in every published table of a domain, and the contracts say what follows."""
