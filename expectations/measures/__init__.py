"""What Great Expectations asks of data, counted over Arrow batches by whoever holds them; counts and bounds come out.

Great Expectations is not imported here: workers count, and `expectations.questions` puts its questions into measures.
"""

from expectations.measures.aggregates import Extreme, Mean, Sum
from expectations.measures.counting import UNDECIDED, Answer, Count, Counter, Measure, Undecided
from expectations.measures.uniqueness import Unique

__all__ = [
    "UNDECIDED",
    "Answer",
    "Count",
    "Counter",
    "Extreme",
    "Mean",
    "Measure",
    "Sum",
    "Undecided",
    "Unique",
]
