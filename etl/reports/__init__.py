"""Looks back at what ran, and changes nothing."""
