"""One file a model provider: one class, one method, its SDK imported when it is chosen."""
