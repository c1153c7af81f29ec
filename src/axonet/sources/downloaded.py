"""Downloads as sources of the catalog: one call fills a folder, or brings it up to date, and gives its neurons."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from axonet.sources.allen.settings import AllenSettings
from axonet.sources.found import FoundNeuron
from axonet.sources.neuromorpho.settings import NeuroMorphoSettings


def find_neuromorpho_neurons(settings: NeuroMorphoSettings, folder: Path) -> list[FoundNeuron]:
    """Download what the settings ask for from NeuroMorpho.Org.

    Args:
        settings: which neurons, and how to ask.
        folder: of the download; what an earlier run finished is not asked for again.

    Returns:
        The neurons of this selection whose file is there, by id. Others are rows with a reason in ``status.jsonl``.

    Raises:
        UserError: the download cannot go on; what is finished is kept.
    """
    from axonet.sources.neuromorpho.download import download_neuromorpho

    download_neuromorpho(settings, folder)
    return read_download(folder, "neuromorpho")


def find_allen_neurons(settings: AllenSettings, folder: Path) -> list[FoundNeuron]:
    """Download what the settings ask for from the Allen Institute; see :func:`find_neuromorpho_neurons`."""
    from axonet.sources.allen.download import download_allen

    download_allen(settings.model_copy(update={"include_metadata": True}), folder)
    return read_download(folder, "table")


def read_download(folder: Path, dialect: Literal["neuromorpho", "table"]) -> list[FoundNeuron]:
    """The neurons of the last selection that was downloaded into a folder, as far as their files are there.

    Args:
        folder: of the download.
        dialect: of its metadata.
    """
    from axonet.metadata.adapters import load_records
    from axonet.sources.ledger import Ledger
    from axonet.sources.outputs import METADATA, SWC_FOLDER

    with Ledger(folder) as ledger:
        listing = ledger.get("listing", 0)
        finished = {str(neuron_id) for (neuron_id, _) in ledger.rows("swc", f"listing = {int(listing)} AND is_ok = 1")}
    found = [
        FoundNeuron(record, folder / SWC_FOLDER / record.swc)
        for record in load_records(folder / METADATA, dialect)
        if record.id in finished
    ]
    return sorted(found, key=lambda neuron: neuron.record.id)
