"""``python -m functions.cli``."""

from functions.cli import main

main()
