"""Exact search among unit vectors: no index to build, to tune or to go stale."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_CELLS_AT_A_TIME = 1 << 24  # 64 MB of cosines


def nearest(
    vectors: npt.NDArray[np.floating], queries: npt.NDArray[np.floating], k: int, *, allowed: Ints | None = None
) -> tuple[Ints, Floats]:
    """The ``k`` vectors with the largest cosine to each query, best first; of equals the one with the lower row.

    A query at a time costs ``n * d`` multiplications: 80 ms for 300,000 vectors of 512 numbers on two cores.

    Args:
        vectors: ``(n, d)`` unit vectors, in memory or mapped from a file.
        queries: ``(q, d)`` unit vectors, or ``(d,)`` for one.
        k: how many are wanted; fewer come back when there are fewer.
        allowed: rows to choose from; all by default.

    Returns:
        ``(q, min(k, n))`` rows of ``vectors``, and their cosines.

    Raises:
        ValueError: the vectors have another length than the queries, or ``k`` is negative.
    """
    asked = np.atleast_2d(np.asarray(queries, dtype=np.float32))
    if asked.shape[1] != vectors.shape[1]:
        raise ValueError(f"queries of length {asked.shape[1]}, vectors of length {vectors.shape[1]}")
    if k < 0:
        raise ValueError(f"k is {k}")
    pool = vectors if allowed is None else vectors[allowed]
    n_found = min(k, len(pool))
    rows = np.empty((len(asked), n_found), dtype=np.int64)
    cosines = np.empty((len(asked), n_found), dtype=np.float32)
    for part in _parts(len(asked), len(pool)):
        cosine = asked[part] @ pool.T  # (p, n)
        rows[part], cosines[part] = _best(cosine, n_found)
    return (rows if allowed is None else np.asarray(allowed)[rows]), cosines


def nearest_to_one(
    vectors: npt.NDArray[np.floating],
    query: npt.NDArray[np.floating],
    k: int,
    *,
    without: int | None = None,
    allowed: Ints | None = None,
) -> tuple[Ints, Floats]:
    """As :func:`nearest` for one query ``(d,)``, which may be the vector of a row that is not wanted.

    Args:
        vectors: ``(n, d)`` unit vectors.
        query: ``(d,)`` unit vector.
        k: how many are wanted.
        without: a row that is passed over.
        allowed: rows to choose from; all by default.

    Returns:
        At most ``k`` rows, best first, and their cosines.
    """
    rows, cosines = nearest(vectors, query, k if without is None else k + 1, allowed=allowed)
    kept = np.flatnonzero(rows[0] != without)[:k] if without is not None else np.arange(rows.shape[1])
    return rows[0][kept], cosines[0][kept]


def neighbor_lists(vectors: npt.NDArray[np.floating], k: int) -> tuple[Ints, Floats]:
    """The ``k`` nearest others of every vector, as :func:`nearest`; a vector is never its own neighbor.

    Args:
        vectors: ``(n, d)`` unit vectors.
        k: how many each; at most ``n - 1`` come back.
    """
    n_found = max(min(k, len(vectors) - 1), 0)
    rows = np.empty((len(vectors), n_found), dtype=np.int64)
    cosines = np.empty((len(vectors), n_found), dtype=np.float32)
    for part in _parts(len(vectors), len(vectors)):
        cosine = np.asarray(vectors[part] @ vectors.T, dtype=np.float32)
        own = np.arange(len(vectors))[part]
        cosine[np.arange(len(own)), own] = -np.inf
        rows[part], cosines[part] = _best(cosine, n_found)
    return rows, cosines


def _parts(n_queries: int, n_vectors: int) -> Iterator[slice]:
    """Slices of the queries whose cosines fit in memory."""
    step = max(1, _CELLS_AT_A_TIME // max(n_vectors, 1))
    return (slice(start, min(start + step, n_queries)) for start in range(0, n_queries, step))


def _best(cosine: Floats, k: int) -> tuple[Ints, Floats]:
    """Columns with the ``k`` largest values of each row, the largest first, and the values."""
    if k == 0:
        return np.empty((len(cosine), 0), np.int64), np.empty((len(cosine), 0), np.float32)
    if k < cosine.shape[1]:
        # The k-th largest value decides who is in; of those equal to it the lowest columns are.
        smallest = np.partition(cosine, cosine.shape[1] - k, axis=1)[:, -k][:, None]
        above, equal = cosine > smallest, cosine == smallest
        room = k - above.sum(axis=1, keepdims=True)
        chosen = above | (equal & (np.cumsum(equal, axis=1) <= room))
        columns = np.nonzero(chosen)[1].reshape(len(cosine), k)
    else:
        columns = np.broadcast_to(np.arange(cosine.shape[1]), cosine.shape)
    values = np.take_along_axis(cosine, columns, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1).astype(np.int64), np.take_along_axis(values, order, axis=1)
