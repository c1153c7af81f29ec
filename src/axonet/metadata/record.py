"""One normalized record per neuron: everything the rest of axonet knows of a neuron besides its shape."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class NeuronRecord:
    """What a source says about one neuron, in the words of one vocabulary.

    None and the empty tuple mean that the source says nothing; words like "Not reported" never get in here. Words that
    the vocabulary does not know are kept as they are.

    Attributes:
        id: identifier, unique within its source; with or without the prefix ``source:``.
        source: dialect or collection it comes from, such as ``neuromorpho``.
        swc: file name of its SWC, without folders.
        species: display name, such as ``mouse`` or ``Drosophila melanogaster``.
        region: named areas, coarse to fine, without cortical layers, bare sides and bare directions.
        cell_class: ``principal cell``, ``interneuron``, ``sensory`` or ``glia``.
        cell_type: the class word, such as ``pyramidal`` or ``Purkinje``.
        modifiers: what else is said about the type, such as ``spiny``; unknown words too.
        markers: molecular markers and driver lines, such as ``parvalbumin``.
        t_type: name of a transcriptomic type.
        layer: cortical layer as the source writes it: ``5``, ``6b``, ``2/3``, ``2-3``.
        sex: ``female``, ``male`` or ``hermaphrodite``.
        stage: age class, such as ``adult``.
        strain: strain of the animal.
        condition: experimental condition; None for a control.
        apical_status: ``intact`` or ``truncated``.
        traced: what was traced, of ``soma``, ``axon``, ``dendrites``, ``neurites``; empty when unknown.
        donor: animal or person, for grouping only.
        publication: DOI, PubMed id or citation, for grouping only.
        archive: archive or laboratory, for grouping only; never in a caption.
        licence: terms of use.
        label: class shown in evaluations, such as ``Purkinje cell``.
        swc_path: path of its SWC as the metadata give it, for the join with files only; empty where there is no more
            than the file name.
    """

    id: str
    source: str
    swc: str
    species: str | None = None
    region: tuple[str, ...] = ()
    cell_class: str | None = None
    cell_type: str | None = None
    modifiers: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    t_type: str | None = None
    layer: str | None = None
    sex: str | None = None
    stage: str | None = None
    strain: str | None = None
    condition: str | None = None
    apical_status: str | None = None
    traced: tuple[str, ...] = ()
    donor: str | None = None
    publication: str | None = None
    archive: str | None = None
    licence: str | None = None
    label: str | None = None
    # Where a file lies says nothing about the neuron, so it takes no part in what records are equal.
    swc_path: str = field(default="", compare=False, repr=False)

    @property
    def neuron_id(self) -> str:
        """The id over all sources, ``source:id``."""
        prefix = f"{self.source}:"
        return self.id if self.id.startswith(prefix) else prefix + self.id

    @property
    def type_label(self) -> str | None:
        """The class that zero-shot answers and probes are judged by."""
        return self.label or self.cell_type


FIELD_NAMES: tuple[str, ...] = tuple(item.name for item in fields(NeuronRecord) if item.compare)
LIST_FIELDS: tuple[str, ...] = ("region", "modifiers", "markers", "traced")
