"""Where the files of a run lie: in the working directory, or in a bucket that jobs read and write through copies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from axonet.core.bucket import in_bucket, local_copy, names_below, write_bytes

COPIES = Path(".snakemake") / "axonet"


@dataclass(frozen=True)
class Folder:
    """A folder of this machine.

    Attributes:
        root: of the names of files.
    """

    root: Path

    def find(self, name: str) -> Path | None:
        """A file, or None where there is none."""
        path = self.root / name
        return path if path.is_file() else None

    def files(self, folder: str) -> list[Path]:
        """The Parquet files of a folder, sorted."""
        return sorted((self.root / folder).glob("*.parquet"))

    def holder(self, folder: str) -> Path:
        """A folder of this machine that holds :meth:`files`."""
        return self.root / folder

    def address(self, name: str) -> str:
        """What names a file from everywhere."""
        return (self.root / name).as_posix()

    def keep(self, name: str, source: Path) -> None:
        """Take in a file; in a folder it is there already."""


@dataclass(frozen=True)
class Bucket:
    """A part of a bucket.

    Attributes:
        root: ``gs://bucket/folder``.
        copies: folder of this machine for copies of what is read.
    """

    root: str
    copies: Path = COPIES

    def find(self, name: str) -> Path | None:
        """A copy of a file, as new as the file; None where there is none."""
        return local_copy(self.address(name), self.copies)

    def files(self, folder: str) -> list[Path]:
        """Copies of the Parquet files of a folder, sorted."""
        found = [name for name in names_below(self.address(folder)) if name.endswith(".parquet")]
        return [copy for name in found if (copy := local_copy(name, self.copies)) is not None]

    def holder(self, folder: str) -> Path:
        """A folder of this machine that holds :meth:`files`."""
        return self.copies / self.address(folder).removeprefix("gs://")

    def address(self, name: str) -> str:
        """What names a file from everywhere."""
        return f"{self.root.rstrip('/')}/{name}"

    def keep(self, name: str, source: Path) -> None:
        """Take in a file."""
        write_bytes(self.address(name), source.read_bytes())


Place = Folder | Bucket


def place(root: str | Path | None) -> Place:
    """The place that an address or a path names; the working directory without one."""
    if root is not None and in_bucket(root):
        return Bucket(str(root))
    return Folder(Path(root or ""))
