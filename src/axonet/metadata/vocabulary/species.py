"""Species as they are shown: common names in lower case, Latin names with a capital genus."""

from __future__ import annotations

from axonet.metadata.vocabulary.words import said, without_brackets

# Words that keep a capital are written with one; everything is looked up without regard to case.
SPECIES: tuple[str, ...] = (
    "African wild dog", "agouti", "Apis mellifera", "Aplysia", "axolotl", "baboon", "bat", "blind mole-rat", "blowfly",
    "blue wildebeest", "bonobo", "bottlenose dolphin", "C. elegans", "calango lizard", "capuchin monkey", "caracal",
    "cat", "cheetah", "chicken", "chimpanzee", "clam worm", "clouded leopard", "cow", "crab", "cricket",
    "Crisia eburnea", "dog", "domestic dog", "domestic pig", "dragonfly", "Drosophila melanogaster",
    "Drosophila sechellia", "elephant", "ferret", "frog", "giant anteater", "giraffe", "goldfish", "gorilla",
    "grasshopper", "greater kudu", "guinea pig", "hamster", "hippopotamus", "human", "humpback whale", "lemur",
    "leopard", "lion", "locust", "manatee", "marmoset", "minke whale", "mongoose", "monkey", "mormyrid fish", "moth",
    "mouse", "opossum", "orangutan", "pig", "porpoise", "potto", "pouched lamprey", "praying mantis", "proechimys",
    "rabbit", "Rana esculenta", "Ranitomeya imitator", "rat", "red panda", "rhesus monkey", "Rhinella arenarum",
    "ruddy turnstone", "salamander", "Scinax granulatus", "sea lamprey", "semipalmated plover",
    "semipalmated sandpiper", "sheep", "silkmoth", "sloth", "spiny lobster", "squid", "Steller's sculpin", "tiger",
    "toadfish", "tree shrew", "turtle", "wallaby", "western tarsier", "Xenopus laevis", "Xenopus tropicalis", "zebra",
    "zebra finch", "zebrafish",
)  # fmt: skip

SPECIES_ALIASES: dict[str, str] = {
    "ambystoma mexicanum": "axolotl",
    "bos taurus": "cow",
    "caenorhabditis elegans": "C. elegans",
    "callithrix jacchus": "marmoset",
    "carassius auratus": "goldfish",
    "cavia porcellus": "guinea pig",
    "danio rerio": "zebrafish",
    "felis catus": "cat",
    "gallus gallus": "chicken",
    "homo sapiens": "human",
    "macaca mulatta": "monkey",
    "mus musculus": "mouse",
    "mustela putorius furo": "ferret",
    "oryctolagus cuniculus": "rabbit",
    "rattus norvegicus": "rat",
    "sus scrofa": "pig",
    "taeniopygia guttata": "zebra finch",
    "treeshrew": "tree shrew",
}

_DISPLAY = {name.casefold(): name for name in SPECIES} | SPECIES_ALIASES


def is_known_species(name: str) -> bool:
    """Whether the display name stands in the table."""
    return name.casefold() in _DISPLAY


def species_name(word: object) -> str | None:
    """Display name of a species: ``Mus musculus`` gives ``mouse``; unknown words stay as they are."""
    text = said(word)
    if text is None:
        return None
    bare = without_brackets(text) or text
    return _DISPLAY.get(bare.casefold(), bare)
