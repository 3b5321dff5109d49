"""A folder as the bucket: the functions of main.py, served on this machine."""
