"""One file a use case, named by its verb."""
