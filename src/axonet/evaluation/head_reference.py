"""The reference that is trained here: a Stage 2 head that gets the neurons' morphometrics and no pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from axonet.evaluation.data import Embedding, Neurons, join_vectors
from axonet.evaluation.settings import EvaluationSettings
from axonet.inference.morphometrics import fit_morphometrics, morphometric_features
from axonet.metadata.captions import NeuronTextGenerator
from axonet.morphology.morphometrics import MORPHOMETRICS

if TYPE_CHECKING:
    from axonet.inference.embed import EmbeddingModel

HEAD = "morphometrics_head"
MOST_NEURONS = 20_000  # that it learns on
FEWEST_NEURONS = 8


def morphometrics_head(
    model: EmbeddingModel, neurons: Neurons, n_judged: int, settings: EvaluationSettings
) -> tuple[dict[str, Embedding], tuple[dict[str, object], ...]]:
    """Train the head on the neurons that probes learn on, and embed all neurons.

    It takes the morphometrics that need no compartment types, learns the captions of the judged model, and has no
    pictures; so what the judged model has over it is what the pictures give.

    Args:
        model: whose text encoder and caption bins are used.
        neurons: the judged ones first.
        n_judged: how many are judged.
        settings: has the seed.

    Returns:
        The embedding by its name, or a row that says why there is none.
    """
    learned = [i for i in range(n_judged, len(neurons)) if neurons.records[i] is not None and neurons.measures[i]]
    if len(learned) < FEWEST_NEURONS:
        reason = f"fewer than {FEWEST_NEURONS} neurons to learn on have metadata and measurements"
        return {}, ({"task": HEAD, "class": None, "n": None, "n_train": len(learned), "reason": reason},)
    from axonet.core.seeds import rng
    from axonet.evaluation.threads import one_thread
    from axonet.learning.clip_captions import NeuronCaptions, TextVectors
    from axonet.learning.clip_head import head_vectors, train_head
    from axonet.learning.clip_neurons import Neurons as Described
    from axonet.learning.clip_settings import ClipSettings

    if len(learned) > MOST_NEURONS:
        drawn = rng(settings.seed, HEAD).choice(len(learned), MOST_NEURONS, replace=False)
        learned = [learned[i] for i in np.sort(drawn)]
    records = [record for i in learned if (record := neurons.records[i]) is not None]
    names = [name for name, measure in MORPHOMETRICS.items() if not measure.compartment]
    measures = [neurons.measures[i] for i in learned]
    inputs = fit_morphometrics(measures, names)
    described = Described(
        tuple(neurons.ids[i] for i in learned),
        tuple(records),
        tuple(measures),
        tuple(np.zeros(0, np.int64) for _ in learned),
    )
    captions = NeuronCaptions(described, NeuronTextGenerator.from_json(model.captions), settings.seed)
    clip = ClipSettings(seed=settings.seed, batch_size=96, clip_embed_dim=min(model.dim, 64), lr=1e-3)
    with one_thread():
        head = train_head(morphometric_features(measures, inputs), captions, TextVectors(model.text_encoder), clip)
        vectors = head_vectors(head, morphometric_features(neurons.measures, inputs))
    return {HEAD: join_vectors(neurons.ids, vectors, neurons.ids)}, ()
