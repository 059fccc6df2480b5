"""How much of the reader a run may use: turns, heartbeat, and what CloudWatch says."""
