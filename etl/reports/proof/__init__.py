"""What a run proves: its records, what they answer of the standards, and what differs between two runs."""
