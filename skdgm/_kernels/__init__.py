"""Compiled loops over arrays, which do not depend on the rest of skdgm.

A kernel processes a range of rows or units and releases the GIL. Each row is computed
independently of the others, so that results are bit for bit the same for any number of
threads. Most kernels take rows as lists, in the format of
:class:`skdgm.utils.lists.Lists`.
"""
