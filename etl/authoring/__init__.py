"""For whoever edits contracts: discovery, drift as a report, the repository's own past, findings in suites."""
