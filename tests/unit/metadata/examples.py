"""Twenty captions and the facts that they follow from; the facts are of real cells where a comment does not say so."""

from __future__ import annotations

from typing import Any, NamedTuple

from axonet.metadata.adapters.neuromorpho import neuromorpho_record
from axonet.metadata.adapters.table import record_of
from axonet.metadata.record import NeuronRecord
from axonet.metadata.shape import Bins

# Of an imaginary training set: cable length, branch points per mm, path distance, apical length.
BINS = Bins({"size": (1000, 5000), "branching": (5, 20), "reach": (100, 1000), "apical_extent": (300, 1500)})


class Example(NamedTuple):
    level: str
    caption: str
    record: NeuronRecord
    measures: dict[str, Any] | None = None


def archived(**fields: Any) -> NeuronRecord:
    """A record as NeuroMorpho.Org gives it."""
    return neuromorpho_record({"neuron_id": 7, "neuron_name": "some_cell", "archive": "Somebody"} | fields)


def patched(**fields: Any) -> NeuronRecord:
    """A record of a patch-seq cell."""
    return record_of(fields, "601", "601_transformed.swc", "allen")


MONKEY = {
    "species": "monkey",
    "brain_region": ["neocortex", "prefrontal", "layer 3"],
    "cell_type": ["Local projecting", "pyramidal", "principal cell"],
}
EXAMPLES = (
    Example("broad", "a mouse neuron", archived(species="mouse")),
    Example("broad", "a human glial cell", archived(species="human", cell_type=["microglia", "Glia"])),
    Example("standard", "a monkey pyramidal neuron from the prefrontal neocortex", archived(**MONKEY)),
    Example(
        "standard",
        "a rat spiny stellate neuron from the barrel cortex",
        archived(
            species="rat",
            brain_region=["neocortex", "somatosensory", "barrel", "layer 4"],
            cell_type=["Spiny", "stellate", "principal cell"],
        ),
    ),
    Example(
        "standard",
        "a C. elegans interneuron from the dorsal ganglion",
        archived(
            species="C. elegans",
            brain_region=["somatic nervous system", "dorsal ganglion"],
            cell_type=["interneuron"],
        ),
    ),
    Example(
        "standard",
        "a Drosophila melanogaster uniglomerular projection neuron from the antennal lobe",
        archived(
            species="drosophila melanogaster",
            brain_region=["antennal lobe", "glomerulus DL2", "dorsal"],
            cell_type=["principal cell", "uniglomerular projection"],
        ),
    ),
    Example(
        "standard",
        "a rat pyramidal neuron from the hippocampus",
        archived(species="rat", brain_region=["hippocampus", "CA1"], cell_type=["pyramidal", "principal cell"]),
    ),
    Example(
        "standard",
        "a mouse spiny neuron from the primary visual cortex",
        patched(species="Mus musculus", region="VISp5", layer="5", cell_type="spiny"),
    ),
    Example(
        "detailed",
        "a mouse VISp layer 5 pyramidal neuron with an extensive apical dendrite",
        patched(species="mouse", region="VISp5", cell_type=["pyramidal"]),
        {"cable_length": 4000.0, "n_branch_points": 40, "apical_cable_length": 2000.0, "basal_cable_length": 1500.0},
    ),
    Example(
        "detailed",
        "a monkey pyramidal neuron from layer 3 of the prefrontal neocortex, traced without its axon",
        archived(domain="Dendrites, Soma, No Axon", **MONKEY),
    ),
    Example(
        "detailed",
        "a mouse Vip-expressing neuron with sparsely spiny dendrites from layer 4 of the posteromedial visual area",
        patched(species="mouse", region="VISpm4", cell_type="sparsely spiny", t_type="Vip Gpc3 Slc18a3"),
    ),
    Example(
        "detailed",
        "a human spiny neuron of the Exc L2-3 LINC00507 FREM3 type with an intact apical dendrite, "
        "from the middle temporal gyrus",
        patched(
            species="human",
            region="MTG",
            cell_type="spiny",
            apical_status="intact",
            t_type="Exc L2-3 LINC00507 FREM3",
        ),
    ),
    Example(  # made up
        "detailed",
        "a large, densely branched rat Purkinje cell from the cerebellum",
        archived(species="rat", brain_region=["cerebellum"], cell_type=["Purkinje", "principal cell"]),
        {"cable_length": 9000.0, "n_branch_points": 450},
    ),
    Example(  # made up
        "detailed",
        "a guinea pig somatostatin-positive Martinotti cell from the stratum oriens of hippocampal area CA1",
        archived(
            species="guinea pig",
            brain_region=["hippocampus", "CA1", "stratum oriens"],
            cell_type=["Martinotti", "somatostatin (SOM)-positive", "interneuron"],
        ),
    ),
    Example(
        "detailed",
        "the axon of a rat sensory neuron from a dorsal root ganglion, traced without its soma and dendrites",
        archived(
            species="rat",
            brain_region=["peripheral nervous system", "dorsal root ganglion"],
            cell_type=["sensory"],
            domain="No Dendrites, No Soma, Axon",
        ),
    ),
    Example(  # made up
        "detailed",
        "a mouse unipolar brush cell with a single short dendrite, from the granular layer of the cerebellum",
        archived(
            species="mouse",
            brain_region=["cerebellum", "granular layer"],
            cell_type=["unipolar brush", "interneuron"],
        ),
        {
            "n_stems": 1,
            "max_path_distance": 60.0,
            "axon_cable_length": 40.0,
            "basal_cable_length": 150.0,
            "soma_radius": 4.0,
        },
    ),
    Example(
        "morphometric",
        "a mouse pyramidal neuron from the visual cortex with 127 branch points and a total length of 4.2 mm",
        archived(species="mouse", brain_region=["neocortex", "visual"], cell_type=["pyramidal", "principal cell"]),
        {"n_branch_points": 127.0, "cable_length": 4204.0},
    ),
    Example(
        "morphometric",
        "a Drosophila melanogaster neuron with 193 branch points, one primary process and a total length of 4.27 mm",
        archived(species="drosophila melanogaster"),
        {"n_branch_points": 193.0, "n_stems": 1.0, "cable_length": 4267.38},
    ),
    Example(  # made up
        "morphometric",
        "a rat granule cell from the dentate gyrus with one branch point and a total length of 812 µm",
        archived(
            species="rat",
            brain_region=["hippocampus", "dentate gyrus"],
            cell_type=["granule", "principal cell"],
        ),
        {"n_branch_points": 1.0, "cable_length": 812.4},
    ),
    Example(  # made up
        "morphometric",
        "an unbranched axolotl ganglion cell from the retina with a total length of 1.06 mm",
        archived(species="Axolotl", brain_region=["retina"], cell_type=["ganglion", "principal cell"]),
        {"n_branch_points": 0.0, "cable_length": 1058.0},
    ),
)
