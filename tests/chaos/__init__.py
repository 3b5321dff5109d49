"""Faults of every kind, at every step, and the promise checked after each run.

One upload has one effect; every upload ends in a state that a person can read; the bill is
bounded. ``python -m tests.chaos`` runs for minutes and prints the figures; the tests run the
same for seconds.
"""
