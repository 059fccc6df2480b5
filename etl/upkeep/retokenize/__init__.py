"""Renews published tokens after a rotation of keys, without reading the source."""
