"""Compression of nearly empty images (numba): zlib streams (RFC 1950, 1951) of runs and of copies of the line above.

A view covers a fiftieth of its image, so the work is proportional to what is covered: stretches of zeros are known from
the places of the other bytes and never looked at. Cable goes on from line to line, so the line above is the one other
distance that pays: more of them gave larger files, as each needs a code. One block has Huffman codes of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axonet.datasets.deflate_tokens import ABOVE, END, LONGEST, choose
from axonet.datasets.nonzero import NonzeroBytes
from axonet.rendering.kernel import kernel

Numbers = NDArray[np.int64]
State = tuple[int, int, int]
"""Of the writing: bits that wait to fill a byte, how many, and how many bytes are written."""

FIRST_LENGTH, N_SYMBOLS = 257, 286
FARTHEST = 32_768
LONGEST_CODE, LONGEST_CODE_OF_CODES = 15, 7
ZEROS_3, ZEROS_11 = 17, 18  # code lengths that stand for 3..10 and for 11..138 times the length 0
ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
LENGTH_BASES = np.array(
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]
)
LENGTH_BITS = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0])
SYMBOL_OF_LENGTH = np.searchsorted(LENGTH_BASES, np.arange(LONGEST + 1), side="right") - 1
DISTANCE_BITS = np.array([max(symbol // 2 - 1, 0) for symbol in range(30)])
DISTANCE_BASES = 1 + np.concatenate([[0], np.cumsum(1 << DISTANCE_BITS)[:-1]])
ADLER = 65521


def compress(image: NonzeroBytes) -> bytes:
    """The zlib stream of the lines of an image; the same image gives the same bytes in every process."""
    return encode(image.values, image.places, image.n_lines * (image.n_columns + 1), image.n_columns + 1).tobytes()


@kernel
def encode(values: NDArray[np.uint8], places: Numbers, n_bytes: int, stride: int) -> NDArray[np.uint8]:
    """The zlib stream of bytes that are 0 but for some.

    Args:
        values: ``(k,)`` the bytes that are not 0.
        places: ``(k,)`` where they are, ascending.
        n_bytes: how many bytes there are, zeros included.
        stride: bytes of a line.
    """
    # A byte and the zeros before it are at most six tokens, but for what is longer than the longest run.
    tokens = np.empty(6 * len(values) + n_bytes // LONGEST + 4, dtype=np.int64)
    stride = stride if stride <= FARTHEST else 0
    n_tokens = choose(values, places, n_bytes, stride, tokens)
    counts = np.zeros(N_SYMBOLS, dtype=np.int64)
    counts[END] = 1
    for k in range(n_tokens):
        counts[symbol_of(tokens[k])] += 1
    lengths = code_lengths(counts, LONGEST_CODE)
    codes = codes_of(lengths)
    # The symbol of the distance of a line.
    above = int(np.searchsorted(DISTANCE_BASES, max(stride, 2), side="right")) - 1
    above_bits = (stride - DISTANCE_BASES[above]) << 1 | 1
    out = np.empty(5 * n_tokens + 1024, dtype=np.uint8)  # no token is longer than 15 + 5 + 1 + 13 bits
    out[0], out[1] = 0x78, 0x01
    state = put_header(lengths, above, out, (0, 0, 2))
    for k in range(n_tokens):
        symbol = symbol_of(tokens[k])
        state = put(codes[symbol], lengths[symbol], out, state)
        if symbol >= FIRST_LENGTH:
            extra = tokens[k] % ABOVE - END - LENGTH_BASES[symbol - FIRST_LENGTH]
            state = put(extra, LENGTH_BITS[symbol - FIRST_LENGTH], out, state)
            # There are two distances, with the codes 0 and 1: that of a run, which is 1, and that of the line above.
            if tokens[k] >= ABOVE:
                state = put(above_bits, 1 + DISTANCE_BITS[above], out, state)
            else:
                state = put(0, 1, out, state)
    state = put(codes[END], lengths[END], out, state)
    state = put(0, -state[1] % 8, out, state)
    state = put(swapped(checksum(values, places, n_bytes)), 32, out, state)
    return out[: state[2]]


@kernel
def symbol_of(token: int) -> int:
    """The symbol of the literal and length alphabet."""
    return int(token if token < END else FIRST_LENGTH + SYMBOL_OF_LENGTH[token % ABOVE - END])


@kernel
def code_lengths(counts: Numbers, longest: int) -> Numbers:
    """Lengths of the Huffman codes of symbols; 0 for those that do not occur.

    Where a code would be too long the counts are made more alike until none is.

    Args:
        counts: ``(n,)`` how often each symbol occurs; at least two do.
        longest: the longest code that is allowed.
    """
    weights = counts.copy()
    lengths = np.zeros(len(counts), dtype=np.int64)
    while True:
        used = np.flatnonzero(weights)
        order = used[np.argsort(weights[used], kind="mergesort")]
        n = len(order)
        weight, parent = np.empty(2 * n - 1, dtype=np.int64), np.zeros(2 * n - 1, dtype=np.int64)
        weight[:n] = weights[order]
        leaf, node = 0, n  # the lightest that are left: leaves are sorted, and nodes are made in order
        for new in range(n, 2 * n - 1):
            weight[new] = 0
            for _ in range(2):
                if leaf < n and (node == new or weight[leaf] <= weight[node]):
                    child = leaf
                    leaf += 1
                else:
                    child = node
                    node += 1
                weight[new] += weight[child]
                parent[child] = new
        depth = np.zeros(2 * n - 1, dtype=np.int64)
        for k in range(2 * n - 3, -1, -1):
            depth[k] = depth[parent[k]] + 1
        if depth.max() <= longest:
            lengths[order] = depth[:n]
            return lengths
        weights[used] = weights[used] // 2 + 1


@kernel
def codes_of(lengths: Numbers) -> Numbers:
    """The canonical codes of code lengths, first bit lowest."""
    codes = np.zeros(len(lengths), dtype=np.int64)
    code = 0
    for length in range(1, lengths.max() + 1):
        for symbol in range(len(lengths)):
            if lengths[symbol] == length:
                for bit in range(length):
                    codes[symbol] |= (code >> bit & 1) << (length - 1 - bit)
                code += 1
        code <<= 1
    return codes


@kernel
def put_header(lengths: Numbers, above: int, out: NDArray[np.uint8], state: State) -> State:
    """Write the header of the last block: its code lengths, themselves in Huffman codes, zeros in runs.

    The only two distances, symbol 0 and ``above``, have codes of one bit.
    """
    all_lengths = np.zeros(N_SYMBOLS + above + 1, dtype=np.int64)
    all_lengths[:N_SYMBOLS] = lengths
    all_lengths[N_SYMBOLS] = all_lengths[N_SYMBOLS + above] = 1
    symbols, repeats = np.empty(len(all_lengths), dtype=np.int64), np.empty(len(all_lengths), dtype=np.int64)
    n, k = 0, 0
    while k < len(all_lengths):
        zeros = 0
        while zeros < 138 and k + zeros < len(all_lengths) and all_lengths[k + zeros] == 0:
            zeros += 1
        symbols[n], repeats[n] = (ZEROS_11 if zeros >= 11 else ZEROS_3 if zeros >= 3 else all_lengths[k]), zeros
        k += zeros if zeros >= 3 else 1
        n += 1
    counts = np.zeros(len(ORDER), dtype=np.int64)
    for k in range(n):
        counts[symbols[k]] += 1
    own = code_lengths(counts, LONGEST_CODE_OF_CODES)
    codes = codes_of(own)
    n_own = len(ORDER)
    while own[ORDER[n_own - 1]] == 0:
        n_own -= 1
    state = put(1 | 2 << 1 | (N_SYMBOLS - 257) << 3 | above << 8 | (n_own - 4) << 13, 17, out, state)
    for k in range(n_own):
        state = put(own[ORDER[k]], 3, out, state)
    for k in range(n):
        state = put(codes[symbols[k]], own[symbols[k]], out, state)
        if symbols[k] == ZEROS_11:
            state = put(repeats[k] - 11, 7, out, state)
        elif symbols[k] == ZEROS_3:
            state = put(repeats[k] - 3, 3, out, state)
    return state


@kernel
def put(bits: int, n_bits: int, out: NDArray[np.uint8], state: State) -> State:
    """Append up to 32 bits, lowest first."""
    waiting, n_waiting, position = state
    waiting |= bits << n_waiting
    n_waiting += n_bits
    while n_waiting >= 8:
        out[position] = waiting & 0xFF
        waiting >>= 8
        n_waiting -= 8
        position += 1
    return waiting, n_waiting, position


@kernel
def swapped(number: int) -> int:
    """The same 32 bits with the order of the bytes turned round."""
    return (number & 0xFF) << 24 | (number >> 8 & 0xFF) << 16 | (number >> 16 & 0xFF) << 8 | number >> 24 & 0xFF


@kernel
def checksum(values: NDArray[np.uint8], places: Numbers, n_bytes: int) -> int:
    """Adler-32 of bytes that are 0 but for some; arguments as :func:`encode`."""
    low, high = 1, n_bytes % ADLER
    for k in range(len(values)):
        low += values[k]
        high += (n_bytes - places[k]) * values[k]
        if k & 0xFFFF == 0xFFFF:  # long before the sum is too large
            high %= ADLER
    return high % ADLER << 16 | low % ADLER
