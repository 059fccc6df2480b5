"""Looks for readable card numbers and people wherever data lies, and gives counts only."""
