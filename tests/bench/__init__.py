"""Speed and size of the whole way, beside the plain sample's: ``python -m tests.bench.bench``."""
