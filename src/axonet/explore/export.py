"""Write the folder that the explorer, the one-file page and other tools read."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from axonet.core.errors import UserError
from axonet.core.files import atomic_folder, write_bytes, write_json, write_table
from axonet.core.progress import say, track, warn
from axonet.explore import words
from axonet.explore.blobs import Blobs, write_blobs
from axonet.explore.collection import Collection, read_collection
from axonet.explore.layout import Layout, arrange
from axonet.explore.neighbors import nearest, neighbor_lists
from axonet.explore.origin import Origin
from axonet.explore.settings import ExportSettings
from axonet.explore.table import COLORS, NUMBERS, ipc_bytes, neuron_table, with_images, with_neighbors

if TYPE_CHECKING:
    from axonet.explore.neighbors import Floats
    from axonet.inference.embed import EmbeddingModel

FORMAT = 1
N_NEIGHBORS = 10
MOST_WITH_PICTURES = 50_000  # above, the server reads views and finds neighbors when they are asked for
FILES = (
    "meta.json",
    "neurons.parquet",
    "points.arrow",
    "vectors.npy",
    "thumbs.bin",
    "views.bin",
    "word_vectors.npz",
)


def export(origin: Origin, root: Path, out: Path, settings: ExportSettings, run: str) -> Path:
    """Export a run.

    Args:
        origin: its files.
        root: what relative paths in ``origin`` start from.
        out: folder to write; what was there is replaced.
        settings: what to write.
        run: its name.

    Returns:
        ``out``.

    Raises:
        UserError: a file is missing, broken, or of another model.
    """
    files = origin.below(root)
    neurons = read_collection(files)
    say(
        f"{len(neurons):,} neurons with vectors"
        + "".join(f", {n:,} without ({why})" for why, n in neurons.left_out.items())
    )
    layout = arrange(neurons.vectors, settings.map_seed)
    model, no_words = _open_model(files["checkpoint"], neurons)
    table = neuron_table(neurons, layout.xy, _captions(neurons, model))
    missing: dict[str, str] = {}
    with atomic_folder(out) as folder:
        sink = io.BytesIO()
        np.save(sink, neurons.vectors, allow_pickle=False)
        write_bytes(folder / "vectors.npy", sink.getvalue())
        write_bytes(folder / "points.arrow", ipc_bytes(table))
        _write_pictures(folder, files, neurons)
        if len(neurons) <= MOST_WITH_PICTURES:
            thumbs = Blobs(folder / "thumbs.bin")
            table = with_images(table, [thumbs[k] for k in range(len(thumbs))])
            table = with_neighbors(table, *neighbor_lists(neurons.vectors, N_NEIGHBORS))
        else:
            reason = f"more than {MOST_WITH_PICTURES:,} neurons; the server makes them when they are asked for"
            missing |= {"views": reason, "image": reason, "neighbors": reason}
        write_table(folder / "neurons.parquet", table)
        prompts = _write_words(folder, neurons, model, no_words, settings, missing)
        write_json(folder / "meta.json", _meta(neurons, layout, origin, run, prompts, missing))
    for name, reason in missing.items():
        say(f"left out: {name} ({reason})")
    return out


def _open_model(checkpoint: Path, neurons: Collection) -> tuple[EmbeddingModel | None, str]:
    """The model for texts, or None and the reason."""
    from axonet.inference.embed import load_model

    try:
        model = load_model(checkpoint)
        if model.fingerprint != neurons.checkpoint:
            raise UserError(
                f"{checkpoint} is {model.fingerprint}, but the vectors are of checkpoint {neurons.checkpoint}; "
                "run the workflow again"
            )
    except ModuleNotFoundError as error:
        return None, f"{error.name} is not installed"
    return model, ""


def _captions(neurons: Collection, model: EmbeddingModel | None) -> list[str]:
    """The standard caption of every neuron, in the model's own words of size."""
    from axonet.metadata.captions import NeuronTextGenerator

    generator = NeuronTextGenerator() if model is None else NeuronTextGenerator.from_json(model.captions)
    pairs = zip(neurons.records, neurons.measures, strict=True)
    return [generator.caption(record, row or None, "detailed").text for record, row in pairs]


def _write_pictures(folder: Path, files: Mapping[str, Path], neurons: Collection) -> None:
    """Thumbnails of all neurons; larger views unless there are too many neurons."""
    from axonet.datasets.view_store import ViewStore
    from axonet.explore.views import pictures_of_store, shard_paths

    thumbs: dict[str, bytes] = {}
    views: dict[str, list[bytes]] = {}
    with_views = len(neurons) <= MOST_WITH_PICTURES
    wanted = set(neurons.ids)
    paths = shard_paths(files["shards"], files["render_dir"])
    for path in track(paths, "pictures: shards"):
        for name, (thumbnail, larger) in pictures_of_store(ViewStore.from_shards([path])):
            if name in wanted:
                thumbs[name] = thumbnail
                if with_views:
                    views[name] = larger
    write_blobs(folder / "thumbs.bin", (thumbs.get(name, b"") for name in neurons.ids), len(neurons))
    write_blobs(folder / "views.bin", *_padded(views, neurons.ids if with_views else ()))


def _padded(views: Mapping[str, Sequence[bytes]], ids: Sequence[str]) -> tuple[Iterator[bytes], int]:
    """As many views for each neuron, empty where one has fewer."""
    from axonet.explore.pictures import N_VIEWS

    def each() -> Iterator[bytes]:
        for name in ids:
            own = list(views.get(name, ()))
            yield from [*own, *[b""] * (N_VIEWS - len(own))]

    return each(), N_VIEWS * len(ids)


def _write_words(
    folder: Path,
    neurons: Collection,
    model: EmbeddingModel | None,
    no_words: str,
    settings: ExportSettings,
    missing: dict[str, str],
) -> list[dict[str, Any]]:
    """Word vectors, and the answers to prompts; what cannot be made is noted with the reason."""
    from axonet.metadata.captions import NeuronTextGenerator

    table: words.WordVectors | str | None = None
    prompts: list[dict[str, Any]] = []
    if model is not None:
        embed: Callable[[Sequence[str]], Floats] = model.embed_text
        try:
            texts = words.prompt_texts(neurons, settings.sentences)
            prompts = answers(texts, embed(texts), neurons.vectors) if texts else []
            generator = NeuronTextGenerator.from_json(model.captions)
            training = words.training_texts(neurons, generator, settings.map_seed)
            table = words.fit_word_vectors(training, embed, neurons.vectors, settings.map_seed)
        except UserError as error:  # the text encoder is not here: the map is worth having all the same
            no_words = str(error)
            warn(f"no word search in the page: {error}")
    if isinstance(table, str):
        missing["word vectors"], table = table, None
    elif table is None:
        missing |= {"prompts": no_words, "word vectors": no_words}
    words.write_word_vectors(folder / "word_vectors.npz", table, neurons.vectors.shape[1])
    return prompts


def answers(texts: Sequence[str], queries: Floats, vectors: Floats) -> list[dict[str, Any]]:
    """The best neurons for each text, as rows and cosines."""
    rows, cosines = nearest(vectors, queries, words.N_ANSWERS)
    found = zip(texts, rows.tolist(), np.round(cosines, 4).astype(float).tolist(), strict=True)
    return [{"text": text, "rows": row, "cosines": [round(c, 4) for c in cosine]} for text, row, cosine in found]


def _meta(
    neurons: Collection,
    layout: Layout,
    origin: Origin,
    run: str,
    prompts: Sequence[Mapping[str, Any]],
    missing: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "title": f"{len(neurons):,} neurons, run {run}",
        "run": run,
        "n": len(neurons),
        "dim": int(neurons.vectors.shape[1]),
        "checkpoint": neurons.checkpoint,
        "colors": list(COLORS),
        "numbers": list(NUMBERS),
        "map": {
            "method": layout.method,
            "trustworthiness": layout.trustworthiness,
            "random": layout.random,
            "n_arranged": layout.n_arranged,
        },
        "left_out": dict(neurons.left_out),
        "missing": dict(missing),
        "prompts": list(prompts),
        "origin": asdict(origin),
    }
