"""All configured sources into one list of neurons."""

from __future__ import annotations

from pathlib import Path

from axonet.core.progress import say
from axonet.sources.demo import find_demo_neurons
from axonet.sources.folder import find_folder_neurons
from axonet.sources.found import FoundNeuron
from axonet.sources.settings import AcquireSettings


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
        if source == "demo":
            found = find_demo_neurons(settings.demo, folder / "demo")
        else:  # the settings let only available sources through
            found = find_folder_neurons(settings.folder)
        say(f"source {source}: {len(found)} neurons")
        neurons += found
    return neurons
