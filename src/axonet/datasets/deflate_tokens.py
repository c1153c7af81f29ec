"""Which literals, runs and copies stand for a nearly empty image (numba): the choice behind :mod:`deflate`.

An image is given by its bytes that are not 0, here *items*, and their places; before each item lies a gap of zeros. A
copy repeats the byte before (a run) or the row above. It starts in the gap before an item or at the item, goes on as
long as items and gaps are those of its source, and ends in the gap where they part. The path from item to item that
takes the fewest bits, by estimate, is what is written.

A token is a literal (0..255), or ``END + length`` of a run, or ``ABOVE + END + length`` of a copy of the row above.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from axonet.rendering.kernel import kernel

Numbers = NDArray[np.int64]
Extent = tuple[int, int, int, int]
"""Of a copy: how many items it holds; bytes from the first to the last, zeros after it, zeros before it, at most."""

END, ABOVE = 256, 1 << 16
SHORTEST, LONGEST = 3, 258
ENOUGH = 8
"""Items of a copy that is long enough to look for no other until it ends."""

BIT = 16
"""Costs are in sixteenths of a bit: whole numbers, so that every machine decides alike."""
UNKNOWN = 1 << 40
"""The cost of what no path leads to."""

_EXTRA_BITS = [0 if n < 11 or n == LONGEST else (n - 3).bit_length() - 3 for n in range(LONGEST + 1)]
COPY_COSTS = BIT * (6 + np.array(_EXTRA_BITS))
"""Of a run, by its length."""
ABOVE_COST = 9 * BIT
"""How much more a copy of the row above takes: the bits of its distance."""
ZERO_COST = 5 * BIT // 2
"""Of a zero as a literal."""
ZEROS_COSTS = np.array([n * ZERO_COST if n < SHORTEST else COPY_COSTS[n] for n in range(LONGEST + 1)])
"""Of zeros after a zero, by their number."""

COST, TAIL, ORIGIN, ORIGIN_WAY, LENGTH, IS_ABOVE = range(6)
"""Columns of the table of copies: bits until its end; zeros that it holds of the gap where it ends; item before which
it begins, and the way by which that was reached; its length; whether it copies the row above."""
BY_LITERAL, BY_COPY = 0, 1
"""Ways to reach the gap before an item."""


@kernel
def choose(values: NDArray[np.uint8], places: Numbers, n_bytes: int, stride: int, tokens: Numbers) -> int:
    """Write the tokens of an image; returns how many.

    Args:
        values: ``(k,)`` the bytes that are not 0.
        places: ``(k,)`` where they are, ascending.
        n_bytes: how many bytes there are, zeros included.
        stride: bytes of a row; 0 copies no rows.
        tokens: written.
    """
    k = len(values)
    gaps = gaps_between(places, n_bytes)
    literals = literal_costs(values)
    by_literal, ways = np.empty(k + 1, dtype=np.int64), np.empty(k + 1, dtype=np.int64)
    copies = np.zeros((k + 1, 6), dtype=np.int64)
    copies[:, COST] = UNKNOWN
    by_literal[0] = 0
    above, settled = 0, 0
    for i in range(k + 1):
        best, ways[i] = by_literal[i] + zeros_cost(gaps[i], False), BY_LITERAL
        if total_at(copies[i], gaps[i]) < best:
            best, ways[i] = total_at(copies[i], gaps[i]), BY_COPY
        if i == k:
            break
        by_literal[i + 1] = best + literals[values[i]]
        while above < i and places[above] < places[i] - stride:
            above += 1
        if i < settled:
            continue
        n_items = 0
        if above < i and places[above] == places[i] - stride and values[above] == values[i]:
            found = extent(i, above, values, places, gaps)
            offer(i, found, True, by_literal, copies, gaps)
            n_items = found[0]
        if gaps[i] == 0 and i > 0 and values[i - 1] == values[i]:
            found = extent(i, i - 1, values, places, gaps)
            offer(i, found, False, by_literal, copies, gaps)
            n_items = max(n_items, found[0])
        if n_items >= ENOUGH:
            settled = i + n_items - 1
    return write(values, gaps, ways, copies, tokens)


@kernel
def gaps_between(places: Numbers, n_bytes: int) -> Numbers:
    """How many zeros lie before each item, and after the last."""
    gaps = np.empty(len(places) + 1, dtype=np.int64)
    position = 0
    for i in range(len(places)):
        gaps[i] = places[i] - position
        position = places[i] + 1
    gaps[len(places)] = n_bytes - position
    return gaps


@kernel
def literal_costs(values: NDArray[np.uint8]) -> Numbers:
    """Cost of a literal, by its value: there are about five tokens to two items."""
    counts = np.zeros(256, dtype=np.int64)
    for value in values:
        counts[value] += 1
    costs = np.zeros(256, dtype=np.int64)
    for value in range(256):
        if counts[value] > 0:
            costs[value] = max(logarithm(5 * len(values) // 2) - logarithm(counts[value]), BIT)
    return costs


@kernel
def logarithm(number: int) -> int:
    """To base 2, in units of ``BIT``; linear between powers of 2, in whole numbers."""
    n_bits = 0
    while number >> (n_bits + 1):
        n_bits += 1
    return BIT * n_bits + (BIT * (number - (1 << n_bits)) >> n_bits)


@kernel
def zeros_cost(n: int, after_zero: bool) -> int:
    """Cost of so many zeros."""
    cost = 0
    if n > 0 and not after_zero:
        cost, n = ZERO_COST, n - 1
    if n > LONGEST:
        cost, n = cost + n // LONGEST * ZEROS_COSTS[LONGEST], n % LONGEST
    return int(cost + ZEROS_COSTS[n])


@kernel
def total_at(copy: Numbers, gap: int) -> int:
    """Cost of a path that ends with a copy, and of the zeros that are left of the gap where it ends."""
    return int(copy[COST] + zeros_cost(gap - copy[TAIL], copy[TAIL] > 0))


@kernel
def extent(i: int, j: int, values: NDArray[np.uint8], places: Numbers, gaps: Numbers) -> Extent:
    """How far an item and what follows are an earlier one and what follows that; the two have one value."""
    n = 1
    while (
        i + n < len(values)
        and values[i + n] == values[j + n]
        and gaps[i + n] == gaps[j + n]
        and places[i + n] - places[i] < LONGEST
    ):
        n += 1
    body = places[i + n - 1] + 1 - places[i]
    after = min(gaps[i + n], gaps[j + n], LONGEST - body)
    return n, body, after, min(gaps[i], gaps[j], LONGEST - body - after)


@kernel
def offer(i: int, found: Extent, is_above: bool, by_literal: Numbers, copies: Numbers, gaps: Numbers) -> None:
    """Keep a copy from the gap before an item on, where it is the cheapest to its end."""
    n_items, body, after, before = found
    target = i + n_items
    for way in range(2):
        covered, cost = (copies[i, TAIL], copies[i, COST]) if way == BY_COPY else (0, by_literal[i])
        left = gaps[i] - covered
        head = min(before, left)
        length = head + body + after
        if length < SHORTEST or cost >= UNKNOWN:
            continue
        cost += zeros_cost(left - head, covered > 0) + COPY_COSTS[length] + (ABOVE_COST if is_above else 0)
        if cost + zeros_cost(gaps[target] - after, after > 0) < total_at(copies[target], gaps[target]):
            copy = copies[target]
            copy[COST], copy[TAIL], copy[ORIGIN], copy[ORIGIN_WAY] = cost, after, i, way
            copy[LENGTH], copy[IS_ABOVE] = length, is_above


@kernel
def write(values: NDArray[np.uint8], gaps: Numbers, ways: Numbers, copies: Numbers, tokens: Numbers) -> int:
    """Write the tokens of the cheapest path; returns how many. It is known from its end, and so followed twice."""
    next_item, way_at = np.zeros(len(gaps), dtype=np.int64), np.zeros(len(gaps), dtype=np.int64)
    item, way = len(values), ways[len(values)]
    way_at[item] = way
    while item > 0:
        former, former_way = item - 1, ways[item - 1]
        if way == BY_COPY:
            former, former_way = copies[item, ORIGIN], copies[item, ORIGIN_WAY]
        next_item[former], way_at[former] = item, former_way
        item, way = former, former_way
    n = 0
    while True:
        covered = copies[item, TAIL] if way_at[item] == BY_COPY else 0
        left, target = gaps[item] - covered, next_item[item]
        if item == len(values):
            return write_zeros(left, covered > 0, tokens, n)
        if way_at[target] == BY_COPY:
            head = copies[target, LENGTH] - copies[target, TAIL]
            for inside in range(item, target):
                head -= 1 + (gaps[inside] if inside > item else 0)
            n = write_zeros(left - head, covered > 0, tokens, n)
            tokens[n] = END + copies[target, LENGTH] + (ABOVE if copies[target, IS_ABOVE] else 0)
        else:
            n = write_zeros(left, covered > 0, tokens, n)
            tokens[n] = values[item]
        n += 1
        item = target


@kernel
def write_zeros(n_zeros: int, after_zero: bool, tokens: Numbers, n: int) -> int:
    """Write zeros as tokens from the n-th on; returns the number of the next."""
    if n_zeros > 0 and not after_zero:
        tokens[n] = 0
        n, n_zeros = n + 1, n_zeros - 1
    while n_zeros >= SHORTEST:
        tokens[n] = END + min(n_zeros, LONGEST)
        n, n_zeros = n + 1, n_zeros - min(n_zeros, LONGEST)
    for _ in range(n_zeros):
        tokens[n] = 0
        n += 1
    return n
