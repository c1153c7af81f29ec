"""Pictures of neurons out of the packed views of a results folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from axonet.datasets.selection import shard_names
from axonet.datasets.view_store import ViewStore
from axonet.explore.pictures import THUMBNAIL, VIEW, chosen_views, view_picture

Pictures = tuple[bytes, list[bytes]]


def pictures_of_store(store: ViewStore) -> Iterator[tuple[str, Pictures]]:
    """Thumbnail and larger views of each neuron of a store, by neuron id.

    Raises:
        UserError: an image is missing or damaged.
    """
    columns = store.rows.select(["neuron_id", "tier"]).to_pylist()
    start = 0
    while start < len(columns):
        name, end = columns[start]["neuron_id"], start
        while end < len(columns) and columns[end]["neuron_id"] == name:
            end += 1
        images = [store.read(start + k, zoom=False)[:2] for k in chosen_views(columns[start:end])]
        thumbnail = view_picture(*images[0], THUMBNAIL)
        yield name, (thumbnail, [view_picture(*image, VIEW) for image in images])
        start = end


def shard_paths(index: Path, render_dir: Path) -> list[Path]:
    """The packed files of an index, in its order."""
    return [render_dir / f"{name}.arrow" for name in shard_names(index)]


def pictures_of_neuron(index: Path, render_dir: Path, shard: str, neuron_id: str) -> Pictures | None:
    """Pictures of one neuron, when they are not exported: its shard alone is opened.

    Args:
        index: of the shards.
        render_dir: folder of the packed views.
        shard: the neuron's shard in the catalog.
        neuron_id: the neuron.

    Returns:
        None where it has no views.
    """
    from axonet.datasets.selection import keep_neurons

    file = next((path for path in shard_paths(index, render_dir) if path.name.startswith(f"{shard}-")), None)
    if file is None or not file.is_file():
        return None
    store = keep_neurons(ViewStore.from_shards([file]), [neuron_id])
    return next((pictures for _, pictures in pictures_of_store(store)), None)
