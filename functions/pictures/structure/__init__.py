"""What a file's structure tells without decoding: size, turn, colours, notes, what to cut out.

``survey`` holds what a walk over ``jpeg``, ``png``, ``webp`` or ``heif`` finds; ``tiff`` and
``jxl`` look into files that are decoded; ``icc`` and ``cicp`` read what is said about colours.
"""
