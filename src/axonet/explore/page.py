"""The page: as the server sends it, and as one file that needs no server."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from axonet.core.errors import UserError
from axonet.core.files import to_json, write_bytes
from axonet.core.progress import say
from axonet.core.seeds import rng
from axonet.explore.blobs import pack_blobs
from axonet.explore.folder import ExploreFolder
from axonet.explore.skeleton import skeleton_bytes

STATIC = Path(__file__).parent / "static"
MOST_VECTORS = 20_000  # more are too slow to search in the page; neighbors are written instead
_SPARE = 8192  # bytes for the words on what is missing, and the tags around each piece
_STYLE, _SCRIPT, _POLICY = "<!--STYLE-->", "<!--SCRIPT-->", "<!--POLICY-->"

# Unpacks the program and runs it: a third of its size, and one short script for the policy to name.
_LOADER = (
    '(async()=>{const t=document.getElementById("program").textContent.trim();'
    "const b=Uint8Array.from(atob(t),c=>c.charCodeAt(0));"
    'const s=new Blob([b]).stream().pipeThrough(new DecompressionStream("gzip"));'
    "new Function(await new Response(s).text())()})()"
)


def server_page() -> str:
    """The page of the server, which asks for style, program and data by relative addresses."""
    text = (STATIC / "page.html").read_text(encoding="utf-8")
    text = text.replace(_POLICY, "").replace(_STYLE, '<link rel="stylesheet" href="explore.css">')
    return text.replace(_SCRIPT, '<script src="explore.js" defer></script>')


class Layers:
    """Pieces of data for the page, taken one after the other as long as there is room.

    Args:
        room: bytes that they may take in the page.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken: dict[str, str] = {}
        self.left_out: dict[str, str] = {}

    def add(self, name: str, data: bytes, words: str) -> bool:
        """Take a piece if it fits; else note that it is missing, in words for the reader."""
        text = packed(data)
        if len(text) > self.room:
            self.left_out[name] = words
            return False
        self.room -= len(text)
        self.taken[name] = text
        return True


def packed(data: bytes) -> str:
    """Bytes as text: compressed, in base64."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def write_page(folder: ExploreFolder, out: Path, max_mb: float) -> None:
    """Write the explorer as one file that works from a disk, without a network.

    What fits is taken in this order: table, vectors, thumbnails, words, skeletons, views; each for all neurons or for
    none. Where the table alone is too large, neurons are drawn at random. The page and the log say what is missing.

    Args:
        folder: the exported folder.
        out: file to write.
        max_mb: its largest size.

    Raises:
        UserError: not even the program fits.
    """
    program = packed((STATIC / "explore.js").read_bytes())
    frame = _frame(program, {}, "")
    about = len(packed(to_json(_meta(folder, np.arange(len(folder)), {})).encode()))
    layers = Layers(int(max_mb * 1e6) - len(frame.encode()) - about - _SPARE)
    if layers.room <= 0:
        raise UserError(f"--max-mb {max_mb:g}: the program alone takes {(len(frame) + about) / 1e6:.2f} MB")
    rows, table = _rows_that_fit(folder, layers.room)
    layers.add("points", table, "the table")
    _add_layers(folder, rows, layers)
    if len(rows) < len(folder):
        layers.left_out["neurons"] = (
            f"{len(folder) - len(rows):,} of {len(folder):,} neurons (these were drawn at random)"
        )
    data = {**layers.taken, "meta": packed(to_json(_meta(folder, rows, layers.left_out)).encode())}
    write_bytes(out, _frame(program, data, str(folder.meta["title"])).encode())
    size = out.stat().st_size / 1e6
    missing = f"; not in it: {', '.join(layers.left_out.values())}" if layers.left_out else ""
    say(f"{out}: {len(rows):,} neurons in {size:.2f} MB{missing}")


def _rows_that_fit(folder: ExploreFolder, room: int) -> tuple[np.ndarray[Any, Any], bytes]:
    """All rows, or as many drawn at random as there is room for, and their table."""
    rows = np.arange(len(folder))
    table = _table_bytes(folder, rows)
    while (size := len(packed(table))) > room and len(rows) > 1:
        n_kept = max(1, int(0.95 * len(rows) * room / size))
        rows = np.sort(rng(0, "page_sample", n_kept).choice(len(folder), n_kept, replace=False))
        table = _table_bytes(folder, rows)
    return rows, table


def _add_layers(folder: ExploreFolder, rows: np.ndarray[Any, Any], layers: Layers) -> None:
    everybody = len(rows) == len(folder)
    if len(rows) <= MOST_VECTORS:
        layers.add("vectors", int8_rows(np.asarray(folder.vectors[rows])), "vectors (no search by neuron)")
    elif (near := _neighbors(folder, rows)) is not None:
        layers.add("neighbors", near, "neighbors of each neuron")
    else:
        layers.left_out["vectors"] = f"vectors (more than {MOST_VECTORS:,} neurons; no search by neuron)"
    layers.add("thumbs", pack_blobs([folder.thumbs[int(k)] for k in rows]), "thumbnails")
    words = folder.word_vectors
    if "vectors" in layers.taken and words is not None:
        table = {
            "words": list(words.words),
            "scale": [float(f"{value:.5g}") for value in words.scale],
            "bias": [float(f"{value:.5g}") for value in words.bias],
            "codes": base64.b64encode(words.codes.tobytes()).decode(),
            "fidelity": [words.fidelity, words.n_texts, words.n_best],
        }
        layers.add("words", to_json(table).encode(), "search by any words")
    if not everybody and len(rows) > MOST_VECTORS:
        return
    for name, make, what in (
        ("skeletons", lambda k: [_skeleton(folder, k)], "3D skeletons"),
        ("views", folder.views, "views"),
    ):
        _add_if_it_may_fit(name, make, what, rows, layers)


def _neighbors(folder: ExploreFolder, rows: np.ndarray[Any, Any]) -> bytes | None:
    """Neighbors of every neuron: u32 ``k``, i32 rows ``(n, k)``, f32 cosines ``(n, k)``; None without an exported list.

    Neurons that are not in the page have row -1.
    """
    table = folder.neighbors
    if table is None:
        return None
    ids, cosines = table
    new = np.full(len(folder), -1, "<i4")
    new[rows] = np.arange(len(rows))
    head = np.array(ids.shape[1], "<u4").tobytes()
    return bytes(head + new[ids[rows]].tobytes() + cosines[rows].astype("<f4").tobytes())


def _add_if_it_may_fit(
    name: str, make: Callable[[int], list[bytes]], what: str, rows: np.ndarray[Any, Any], layers: Layers
) -> None:
    """Add pieces of every neuron; a few of them tell first whether it is worth making them all."""
    some = rows[:: max(1, len(rows) // 16)]
    sample = [make(int(k)) for k in some]
    expected = len(packed(b"".join(piece for pieces in sample for piece in pieces))) * len(rows) / len(some)
    if expected > 1.2 * layers.room:
        layers.left_out[name] = what
        return
    every = [make(int(k)) for k in rows]
    most = max((len(pieces) for pieces in every), default=0)
    layers.add(name, pack_blobs([p for pieces in every for p in [*pieces, *[b""] * (most - len(pieces))]]), what)


def _skeleton(folder: ExploreFolder, row: int) -> bytes:
    """The skeleton, or nothing where the SWC is gone: the page says so."""
    from axonet.morphology.swc import SWCError

    try:
        return skeleton_bytes(folder.neuron(row))
    except (UserError, SWCError):
        return b""


def int8_rows(vectors: np.ndarray[Any, Any]) -> bytes:
    """Unit vectors in int8, each scaled by its largest value; cosines stay within a percent.

    Args:
        vectors: ``(n, d)``.
    """
    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12)
    codes: np.ndarray[Any, Any] = np.rint(vectors / largest * 127).astype(np.int8)
    return bytes(codes.tobytes())


def _table_bytes(folder: ExploreFolder, rows: np.ndarray[Any, Any]) -> bytes:
    from axonet.explore.table import ipc_bytes

    if len(rows) == len(folder):
        return (folder.path / "points.arrow").read_bytes()
    return ipc_bytes(folder.points.take(rows))


def _meta(folder: ExploreFolder, rows: np.ndarray[Any, Any], left_out: Mapping[str, str]) -> dict[str, Any]:
    """What the page needs of ``meta.json``: no paths of this machine, prompts for the rows that it has."""
    meta = {key: value for key, value in folder.meta.items() if key != "origin"}
    if len(rows) < len(folder):
        new = {int(old): number for number, old in enumerate(rows)}
        kept = []
        for prompt in meta["prompts"]:
            pairs = [(new[r], c) for r, c in zip(prompt["rows"], prompt["cosines"], strict=True) if r in new]
            if pairs:
                kept.append({**prompt, "rows": [r for r, _ in pairs], "cosines": [c for _, c in pairs]})
        meta |= {"prompts": kept, "n": len(rows)}
    return {**meta, "not_in_page": list(left_out.values())}


def _frame(program: str, data: Mapping[str, str], title: str) -> str:
    """The page around the data."""
    style = (STATIC / "explore.css").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; connect-src 'none'; script-src '{_digest(_LOADER)}' 'unsafe-eval'; "
        f"style-src '{_digest(style)}'; img-src blob: data:; base-uri 'none'; form-action 'none'"
    )
    text = (STATIC / "page.html").read_text(encoding="utf-8")
    blobs = "\n".join(_blob(name, value) for name, value in data.items())
    text = text.replace(_POLICY, f'<meta http-equiv="Content-Security-Policy" content="{policy}">')
    text = text.replace(_STYLE, f"<style>{style}</style>").replace(
        "<title></title>", f"<title>{_escaped(title)}</title>"
    )
    script = (
        f'{blobs}\n<script type="application/x-program" id="program">{program}</script>\n<script>{_LOADER}</script>'
    )
    return text.replace(_SCRIPT, script)


def _blob(name: str, value: str) -> str:
    return f'<script type="application/x-data" id="data-{name}">{value}</script>'


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _escaped(text: str) -> str:
    pairs: Iterable[tuple[str, str]] = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
    for sign, name in pairs:
        text = text.replace(sign, name)
    return text
