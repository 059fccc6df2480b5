"""Turns tokens back into values, for a purpose, after it is written down."""
