"""Pictures that cannot be passed on, decoded in a process of their own.

``decoders`` starts and watches the processes, ``worker`` is one, ``decode`` is what it does:
``libvips``, ``pillow``, ``raw`` and ``svg`` read the formats.
"""
