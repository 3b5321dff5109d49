"""The HTML files of a static site, and the alt text that is missing in them.

::

    bytes -> encoding -> markup (where images stand) -> places (which object is meant)
          -> known (its words) -> words (as an attribute) -> filling (put into the same bytes)
"""
