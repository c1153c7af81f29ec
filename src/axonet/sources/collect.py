"""All configured sources into one list of neurons."""

from __future__ import annotations

from pathlib import Path

from axonet.core.progress import say
from axonet.sources.demo import find_demo_neurons
from axonet.sources.downloaded import find_allen_neurons, find_neuromorpho_neurons
from axonet.sources.folder import find_folder_neurons
from axonet.sources.found import FoundNeuron
from axonet.sources.manifest import find_manifest_neurons
from axonet.sources.settings import AcquireSettings, SourceName


def collect_neurons(settings: AcquireSettings, folder: Path) -> list[FoundNeuron]:
    """The neurons of every source, in the order of the sources.

    Args:
        settings: which sources.
        folder: sources that bring files of their own write them into a sub-folder of it.

    Raises:
        UserError: a source cannot be had.
    """
    neurons: list[FoundNeuron] = []
    for source in settings.sources:
        found = _find(source, settings, folder / source)
        say(f"source {source}: {len(found)} neurons")
        neurons += found
    return neurons


def _find(source: SourceName, settings: AcquireSettings, folder: Path) -> list[FoundNeuron]:
    if source == "demo":
        return find_demo_neurons(settings.demo, folder)
    if source == "folder":
        return find_folder_neurons(settings.folder, folder)
    if source == "manifest":
        return find_manifest_neurons(settings.manifest, folder)
    if source == "allen":
        return find_allen_neurons(settings.allen, folder)
    assert settings.neuromorpho is not None  # the settings see to it
    return find_neuromorpho_neurons(settings.neuromorpho, folder)
