"""How much of the reader a run may use: turns to connect, the heartbeat, and what CloudWatch reports."""
