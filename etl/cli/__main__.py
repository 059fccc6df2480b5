"""`python -m etl.cli` is `kagemusha`."""

from etl.cli import main

main()
