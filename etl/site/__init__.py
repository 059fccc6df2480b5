"""The site of an installation: static pages that say what the facts say, in every language."""
