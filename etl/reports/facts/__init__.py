"""What an installation can say of itself, as plain values: for the site, the terminal and programs alike."""
