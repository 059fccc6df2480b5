"""Templates, the style sheet and the script of the site."""
