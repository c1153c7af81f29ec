"""The views of a neuron as PNG files: ``images/<neuron>/view_00_mask_bw.png`` and so on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from axonet.core.errors import UserError
from axonet.core.files import atomic_folder
from axonet.datasets.png import decode_png, encode_classes, encode_gray, encode_silhouette
from axonet.datasets.shards import ViewImages

IMAGE_FOLDER = "images"


def image_paths(neuron: str, view: int, *, zoom: bool) -> dict[str, str]:
    """Paths of a view's files below the data directory, by manifest field."""
    stem = f"{IMAGE_FOLDER}/{neuron}/view_{view:02d}_"
    kinds = ["mask_bw", "mask", "mask_color", "depth", *(["zoom_bw"] if zoom else [])]
    return {kind: f"{stem}{kind}.png" for kind in kinds}


def write_png_views(
    root: Path, neuron: str, views: Sequence[ViewImages], palette: NDArray[np.uint8]
) -> list[dict[str, Any]]:
    """Write the files of a neuron's views: all of them, or none.

    ``mask`` holds class ids as gray values, so that every reader gives the ids; ``mask_color`` is the same map with
    a palette.

    Args:
        root: the data directory.
        neuron: name of the image folder.
        views: pictures and rows.
        palette: ``(6, 3)`` colors of the classes.

    Returns:
        The rows completed with the paths of the files.
    """
    rows = []
    with atomic_folder(root / IMAGE_FOLDER / neuron) as folder:
        for view in views:
            paths = image_paths(neuron, view.row["view"], zoom=view.zoom is not None)
            files = dict(zip(("mask", "mask_color", "mask_bw"), encode_classes(view.mask, palette), strict=True))
            files["depth"] = encode_gray(view.depth)
            if view.zoom is not None:
                files["zoom_bw"] = encode_silhouette(view.zoom)
            for kind, data in files.items():
                (folder / Path(paths[kind]).name).write_bytes(data)
            rows.append({**view.row, **paths})
    return rows


class PngImages:
    """Random access to the PNG files that a manifest names."""

    def __init__(self, data_dir: Path, manifest: Path, rows: pa.Table, numbers: NDArray[np.int64]) -> None:
        self._data_dir, self._manifest = Path(data_dir), Path(manifest)
        self._columns = {name: rows.column(name).combine_chunks() for name in ("mask", "depth", "zoom_bw")}
        self._numbers = numbers  # rows may be sorted; messages count as the manifest does

    def read(
        self, position: int, *, zoom: bool = True
    ) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.uint8] | None]:
        """Mask, depth and, if asked for, zoom window of a row.

        Raises:
            UserError: a file is missing or damaged; the message names manifest, row and file.
        """
        mask, depth = (self._image(name, position) for name in ("mask", "depth"))
        if mask is None or depth is None:
            raise UserError(f"{self._where(position)}: names no {'mask' if mask is None else 'depth'} file")
        if mask.dtype != np.uint8 or mask.shape != depth.shape:
            raise UserError(f"{self._where(position)}: mask and depth do not fit together")
        return mask, depth, self._image("zoom_bw", position) if zoom else None

    def _where(self, position: int) -> str:
        return f"{self._manifest}, row {int(self._numbers[position]) + 1}"

    def _image(self, name: str, position: int) -> NDArray[Any] | None:
        relative = self._columns[name][position].as_py()
        if relative is None:
            return None
        file = self._data_dir / relative
        try:
            return decode_png(file.read_bytes())
        except FileNotFoundError:
            raise UserError(f"{self._where(position)}: {file} does not exist; is --data-dir right?") from None
        except OSError as error:
            raise UserError(f"{self._where(position)}: {file} cannot be read ({error})") from error
        except UserError as error:
            raise UserError(f"{self._where(position)}: {file}: {error}") from error
