"""A reader of captions that knows English and the measurements, and nothing of how captions are made."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from axonet.metadata.record import NeuronRecord

# What must never be read in a caption, and why.
ENGLISH = {
    "double blank or blank at an end": r"\s\s|^\s|\s$",
    "dangling comma": r"\s,|,,|,$|, ?(?:and|of)\b",
    "full stop or brackets": r"[.]$|[()\[\]{}<>|;:?!\"]",
    "no answer as a word": r"(?i)\bnot (?:reported|applicable|available)|\b(?:unknown|unspecified|none|null|nan|n/a)\b",
    "double word": r"(?i)\b(\w+) \1\b",
    "double head noun": r"\b(?:neuron|cell|interneuron|motoneuron|astrocyte|fiber)s? (?:neuron|cell)s?\b",
    "double plural": r"\b\w*(?:neuron|cell|point|tip|dendrite|layer|fiber|cyte)ss\b|\bprocesseses\b|\bglias\b",
    "plural of one": r"\bone \w+ ?(?:\w+s|processes)\b(?<!process)",
    "singular of many": r"\b(?:[2-9]|\d{2,}) (?:branch point|primary process|tip)(?!s|es)\b",
    "digit for none or one": r"\b[01] (?:branch|primary|tip)|\bno (?:branch|primary|tip)",
    "two articles": r"(?i)\b(?:a|an|the) (?:a|an|the)\b",
    "no article in front": r"^(?!an? |the )",
    "capital at the start": r"^[A-Z]",
    "unit slip": r"\b0 (?:µm|mm)|\b\d{4,} µm|\b0\.\d+ mm|\bum\b|\bmicrons?\b|\d(?:µm|mm)|µm of|\d{3,}\.\d+ mm",
    "thickness that was not measured": r"\bthin\b|\bthick\b(?!-)",
    "layer behind its region": r"from (?:the )?[\w ]+ layers? \d",
    "plain hyphen in layers": r"layers \d-\d",
    "identity": r"(?i)\.swc|\barchive\b|\blab(?:oratory)?\b|https?:|\bdonor\b",
    "class as a genus": r"\b(?:Mus|Homo|Rattus|Caenorhabditis)\b|drosophila|\bhomo\b",
}
# The sound of a first word, written down anew.
_A = re.compile(r"^(?:uni[^mn]|eu|European|one\b|U[A-Z]|use|ubi|uro)")
_SPELLED_SPELLED_AN = re.compile(r"^[AEFHILMNORSX](?:[A-Z]|[a-z]?\d|-[A-Z]|\b|[b-df-hj-np-tv-xz]{2,}\b)")
_SPELLED_AN = re.compile(r"^[AEFHILMNORSX](?:[A-Z]|[a-z]?\d|-[A-Z]|\b|[b-df-hj-np-tv-xz]{2,}\b)")
_FIGURE = re.compile(r"(?P<count>one|\d+) (?P<noun>branch point|primary process|tip)(?:s|es)?\b")
_LENGTH = re.compile(r"(?:an? |with )(?P<what>total length|longest path|axon) of (?P<number>[\d.]+) (?P<unit>µm|mm)")
_COUNTED = {"branch point": "n_branch_points", "primary process": "n_stems", "tip": "n_tips"}
_LENGTHS = {"total length": "cable_length", "longest path": "max_path_distance", "axon": "axon_cable_length"}


def complaints(text: str, record: NeuronRecord, measures: Mapping[str, Any] | None) -> list[str]:
    """What is wrong with a caption of this neuron; empty where nothing is."""
    found = [f"{name}: {match.group()!r}" for name, rule in ENGLISH.items() if (match := re.search(rule, text))]
    return [*found, *_articles(text), *_secrets(text, record), *_unsupported(text, measures or {})]


def _articles(text: str) -> Iterator[str]:
    for article, rest in re.findall(r"\b([Aa]n?) (\S+)", text):
        if re.match(r"^[a-z]", rest):
            vowel = bool(re.match(r"^(?:[aeio]|u|hour|honest)", rest)) and not _A.match(rest)
            vowel = vowel or bool(re.match(r"^n[A-Z]", rest)) or bool(re.match(r"^m[A-Z]", rest))
        elif re.match(r"^\d", rest):
            vowel = bool(re.match(r"^(?:8|11\b|18\b)", rest))
        else:
            vowel = bool(_SPELLED_AN.match(rest)) or (bool(re.match(r"^[AEIO][a-z]", rest)) and not _A.match(rest))
        if vowel != (article.lower() == "an"):
            yield f"article: {article} {rest}"


def _secrets(text: str, record: NeuronRecord) -> Iterator[str]:
    stem = re.sub(r"(?i)(\.cng)?\.swc$", "", record.swc)
    for name in (record.id, record.neuron_id, stem, record.archive, record.donor, record.publication):
        if name and len(name) > 2 and re.search(rf"(?i)(?<![\w-]){re.escape(name)}(?![\w-])", text):
            yield f"identity: {name}"


def _unsupported(text: str, measures: Mapping[str, Any]) -> Iterator[str]:
    """Figures and parts that the traced compartments do not show."""
    measured = measures.get("status") == "ok"
    doubtful = not {"suspicious_units", "long_edge"}.isdisjoint(measures.get("warnings") or ())

    def value(name: str) -> float:
        got = measures.get(name) if measured else None
        return math.nan if got is None else float(got)

    for match in _FIGURE.finditer(text):
        told = 1.0 if match["count"] == "one" else float(match["count"])
        if value(_COUNTED[match["noun"]]) != told:
            yield f"count: {match.group()!r}, measured {value(_COUNTED[match['noun']])}"
    for match in _LENGTH.finditer(text):
        told = float(match["number"]) * (1000 if match["unit"] == "mm" else 1)
        if doubtful or not abs(told - value(_LENGTHS[match["what"]])) <= 0.01 * told + 0.5:
            yield f"length: {match.group()!r}, measured {value(_LENGTHS[match['what']])}"
    if not measured:
        if re.search(r"\b(?:large|small), |branched|extensive|single (?:short|primary)", text):
            yield "shape of what was not measured"
        return
    lengths = (value("basal_cable_length"), value("apical_cable_length"))
    dendrites = sum(length for length in lengths if not math.isnan(length))
    typed = dendrites > 0 and not value("other_cable_length") > 0
    if "apical dendrite" in text and not value("apical_cable_length") >= 150:
        yield f"apical dendrite of {value('apical_cable_length'):.0f} um"
    if re.search(r"single \w+ dendrite|spiny dendrites", text) and not dendrites > 0:
        yield "dendrites that are not there"
    gone = re.search(r"traced without its ([\w ,]+)$", text)
    if gone and "axon" in gone[1] and value("axon_cable_length") > 0:
        yield "an axon that is there is called untraced"
    if gone and "soma" in gone[1] and value("soma_radius") > 0:
        yield "a soma that is there is called untraced"
    if gone and "dendrites" in gone[1] and (dendrites > 0 or value("soma_radius") > 0):
        yield "dendrites that are there, or may be, are called untraced"
    if typed and text.startswith("the axon of"):
        yield "a picture with dendrites is called an axon"
    if "unbranched" in text and value("n_branch_points") != 0:
        yield "unbranched, with branch points"
