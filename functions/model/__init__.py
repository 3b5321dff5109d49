"""Asks a model: prompt, fallback chain, repair, daily limit, prices."""
