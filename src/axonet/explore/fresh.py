"""Whether an export still shows what the results hold."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from axonet.core.errors import UserError
from axonet.core.files import read_json
from axonet.datasets.selection import shard_files
from axonet.explore.export import FILES, FORMAT
from axonet.explore.origin import Origin


def is_fresh(folder: Path, origin: Origin, root: Path) -> bool:
    """Whether an export is whole, of these files, and no older than the vectors and the catalog.

    Args:
        folder: the exported folder.
        origin: what it should be made of.
        root: what the paths start from.
    """
    if not all((folder / name).is_file() for name in FILES):
        return False
    try:
        meta = read_json(folder / "meta.json")
        files = origin.below(root)
        sources = [files["metadata"], *shard_files(files["shards"], files["encode_dir"], ".parquet")]
        newest = max(path.stat().st_mtime for path in sources)
    except (UserError, OSError):
        return True  # the results are not all here any more: what was exported is what there is
    same = meta.get("format") == FORMAT and meta.get("origin") == asdict(origin)
    return bool(same and (folder / "meta.json").stat().st_mtime >= newest)
