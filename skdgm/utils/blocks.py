"""Tables that are read block by block and are never completely in memory.

A sequential pass reads one block ahead in another thread. An epoch takes blocks in
random order, several at a time (a window), and the rows of a window in random order,
while the next window is read. At most two windows are in memory.
"""

import sys
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# Default number of entries of a block, and number of entries of a window.
BLOCK, WINDOW = 2**23, 2**26
# Seconds between two progress lines.
_PAUSE = 10.0


class Blocks:
    """Table in blocks of rows.

    ``load(number)``, which is called in another thread, returns a block as an ndarray
    of real numbers; ``lengths`` are the numbers of rows of blocks. ``dtype`` is that of
    the values; a block with missing values may have a floating type instead. Names of
    columns are read from ``header``, of shape (n, n_columns).

    ``hashes`` are the content hashes of the rows, and ``sums``, (2, n_columns), are the
    number and sum of the observed entries of each column, once these are computed.
    ``progress(place, n_blocks)``, if set, is called before a block is read, with its
    place in the pass from 1 on.
    """

    ndim = 2

    def __init__(self, load, lengths, n_columns, dtype, header=None):
        self._load, self.dtype = load, np.dtype(dtype)
        self.edges = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        self.shape = int(self.edges[-1]), n_columns
        self.header = np.empty((0, n_columns), self.dtype) if header is None else header
        size = max(1, self.shape[0] * n_columns // max(1, self.n_blocks))
        self.window = max(2, WINDOW // size)
        self.n_loaded, self._pinned = 0, None
        self.hashes = self.sums = self.progress = None
        self._here, self._coming, self._thread = OrderedDict(), {}, None
        self._in_order()

    def __len__(self):
        return self.shape[0]

    @property
    def n_blocks(self):
        """Number of blocks."""
        return len(self.edges) - 1

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)

    def __getitem__(self, index):
        """Rows at a slice or an index array, which must not be modified."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1 and start < stop:
                return self._between(start, stop)
            index = np.arange(start, stop, step)
        index = np.asarray(index)
        pinned = self._of_pinned(index)
        return self._gathered(index) if pinned is None else pinned

    def shuffled(self, rows, generator):
        """Shuffle increasing row numbers, which may repeat, into the order of an epoch,
        and start to read blocks in this order."""
        order = generator.permutation(self.n_blocks)
        self._expect(order.tolist(), self.window)
        # Rows of a block are contiguous in ``rows``, so no sorting is needed.
        edges, out, stop = rows.searchsorted(self.edges), np.empty_like(rows), 0
        for first in range(0, self.n_blocks, self.window):
            start = stop
            for number in order[first : first + self.window]:
                part = rows[edges[number] : edges[number + 1]]
                out[stop : stop + len(part)], stop = (part, stop + len(part))
            generator.shuffle(out[start:stop])
        return out

    def pin(self, index):
        """Keep rows in memory; rows that were pinned before are released."""
        index = np.unique(index)
        self._pinned = None
        self._pinned = index, self[index]

    def _of_pinned(self, index):
        if self._pinned is None or not len(index):
            return None
        pinned_index, rows = self._pinned
        place = pinned_index.searchsorted(index).clip(max=len(pinned_index) - 1)
        return rows[place] if np.array_equal(pinned_index[place], index) else None

    def _between(self, start, stop):
        first, last = self._block_of(np.array([start, stop - 1])).tolist()
        if self._plan != (None, 1) and first == 0:
            self._in_order()
        parts = []
        for number in range(first, last + 1):
            low = self.edges[number]
            parts.append(self._block(number)[max(0, start - low) : stop - low])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _gathered(self, index):
        block_numbers, out = self._block_of(index), None
        needed = np.unique(block_numbers).tolist()
        # Loaded blocks come first, because others replace them.
        for number in sorted(needed, key=self._turn):
            is_in_block = block_numbers == number
            block_rows = self._block(number)[index[is_in_block] - self.edges[number]]
            if out is None:
                out = np.empty((len(index), self.shape[1]), block_rows.dtype)
            elif not np.can_cast(block_rows.dtype, out.dtype):
                out = out.astype(np.result_type(block_rows, out))
            out[is_in_block] = block_rows
        return np.empty((0, self.shape[1]), self.dtype) if out is None else out

    def _turn(self, number):
        return number not in self._here, self._place[number]

    def _block_of(self, rows):
        return self.edges.searchsorted(rows, side="right") - 1

    def _in_order(self):
        self._expect(range(self.n_blocks), 1)
        self._plan = None, 1

    def _expect(self, order, ahead):
        """Set the expected order of blocks, and the number of blocks read ahead."""
        self._order, self._ahead, self._plan = order, ahead, (order, ahead)
        self._place = {number: place for place, number in enumerate(order)}
        for future in self._coming.values():
            future.cancel()
        self._coming.clear()

    def _block(self, number):
        if number in self._here:
            self._here.move_to_end(number)
            return self._here[number]
        if self.progress is not None:
            self.progress(self._place[number] + 1, self.n_blocks)
        future = self._coming.pop(number, None)
        if future is None:
            # All blocks are read in one thread, since reading may not be thread-safe.
            future = self._submit(number)
        block = future.result()
        self._here[number] = block
        while len(self._here) > self.window:
            self._here.popitem(last=False)
        place = self._place[number] + 1
        for other in self._order[place : place + self._ahead]:
            if other not in self._here and other not in self._coming:
                self._coming[other] = self._submit(other)
        return block

    def _submit(self, number):
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "skdgm-blocks")
        return self._thread.submit(self._checked, number)

    def _checked(self, number):
        block = self._load(number)
        length = self.edges[number + 1] - self.edges[number]
        if block.shape != (length, self.shape[1]):
            raise ValueError(
                f"X has a part of {block.shape[0]} rows and {block.shape[1]} columns "
                f"(from row {self.edges[number]} on), where {length} rows and "
                f"{self.shape[1]} columns were announced: its parts differ, or it "
                "changed since."
            )
        self.n_loaded += 1
        return block


class Announcer:
    """Progress lines on stderr, at most every ten seconds, about blocks."""

    def __init__(self, name):
        self.name, self.last = name, time.monotonic()

    def __call__(self, place, n_blocks):
        now = time.monotonic()
        if now - self.last >= _PAUSE:
            self.last = now
            line = f"[{self.name}] Block {place} of {n_blocks} of this pass"
            print(line, file=sys.stderr)
