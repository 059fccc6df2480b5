"""The words that people read: one catalog a language, with the same keys."""
