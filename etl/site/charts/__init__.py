"""Charts as inline SVG: no library, no script; colors come from the style sheet, so that they follow light and dark."""
