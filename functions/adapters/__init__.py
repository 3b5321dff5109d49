"""Vendors at the ports: models, stores, buckets; one SDK a file, imported when it is chosen."""
