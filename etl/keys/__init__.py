"""Keyrings where they are kept: files and AWS, opened once a process; what travels is a reference."""
