"""Compiled loops. They know arrays only, and nothing of skdgm.

Every kernel takes the range of rows (or units) that it is to work on, releases the
GIL, and computes each row without looking at the others: so any split into blocks,
on any number of threads, gives the same result bit for bit.

The layout of rows as lists, which most of them share, is that of
:class:`skdgm.utils.lists.Lists`.
"""
