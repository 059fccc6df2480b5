"""What still depends on a key version, and its end."""
