"""Speed and size of the whole way, beside the plain sample's: ``python -m tools.bench.bench``."""
