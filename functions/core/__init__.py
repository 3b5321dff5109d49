"""Pure rules and nouns: the standard library only, no input, no output."""
