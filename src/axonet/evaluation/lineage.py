"""Which neurons made a model: told by the digests in its checkpoint or the record of its run, never taken on trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axonet.core.errors import UserError
from axonet.core.files import read_json, sha256_file
from axonet.metadata.index import RecordIndex

if TYPE_CHECKING:
    from axonet.learning.clip_views import Views

Measures = Mapping[str, Mapping[str, Any]]
TRAINER = "axonet.training.clip_trainer"


@dataclass(frozen=True)
class Lineage:
    """The neurons of a model's Stage 2.

    Attributes:
        known: whether they are those that are here; otherwise the sets are empty.
        trained: ids of the neurons that it learned the words of.
        selected: ids of the neurons that chose its epoch; none where the training value did.
    """

    known: bool
    trained: frozenset[str] = frozenset()
    selected: frozenset[str] = frozenset()


def find_lineage(
    recorded: Mapping[str, str],
    training: Views | None,
    selection: Views | None,
    index: RecordIndex,
    measures: Measures,
) -> Lineage:
    """Compare what a checkpoint recorded of its data with what is here.

    Args:
        recorded: digests of views, metadata and measurements of the training (``train``) and validation neurons
            (``val``; absent where there were none); empty for a checkpoint that tells nothing.
        training: what it may have learned from.
        selection: what may have chosen its epoch.
        index: metadata of all these neurons.
        measures: their measurements.
    """
    trained = _with_digest(recorded.get("train"), training, index, measures)
    if trained is None:
        return Lineage(False)
    if "val" not in recorded:
        return Lineage(True, trained)
    selected = _with_digest(recorded["val"], selection, index, measures)
    return Lineage(False) if selected is None else Lineage(True, trained, selected)


def _with_digest(
    digest: str | None, views: Views | None, index: RecordIndex, measures: Measures
) -> frozenset[str] | None:
    """Ids of the neurons that the views are of; None when their digest is another."""
    if digest is None or views is None:
        return None
    from axonet.learning.clip_fit import ClipData  # the trainer's own digest; takes seconds to import
    from axonet.learning.clip_neurons import describe_neurons

    neurons, _ = describe_neurons(views, index, measures, "train")
    own = ClipData(neurons, views, None, None, []).digests["train"]
    return frozenset(neurons.ids) if own == digest else None


def trained_by_split_file(checkpoint: Path, splits: Path) -> bool:
    """Whether the record of the run beside a checkpoint says that it was trained by this very split file.

    A trainer that reads vectors of a frozen encoder has a digest of these vectors, which evaluation does not have.
    """
    try:
        record = read_json(checkpoint.parent / "run.json")
    except UserError:
        return False
    if not isinstance(record, dict) or record.get("command") != TRAINER:
        return False
    inputs = record.get("inputs")
    return isinstance(inputs, dict) and sha256_file(splits) in inputs.values()
