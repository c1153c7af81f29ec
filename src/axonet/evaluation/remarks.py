"""What a reader must know about how a run's questions were asked, in sentences for the report."""

from __future__ import annotations

from collections.abc import Sequence

from axonet.evaluation.answers import NEIGHBORS
from axonet.evaluation.data import EvaluationData
from axonet.evaluation.folds import Question
from axonet.evaluation.sampling import FEWEST_OF_A_CLASS
from axonet.evaluation.settings import EvaluationSettings


def remarks(questions: Sequence[Question], data: EvaluationData) -> list[str]:
    """Few neurons to learn from, and folds that do not keep groups apart."""
    items, most = data.embedding, max(NEIGHBORS)
    fewest = [(q.field.words, min(len(items.items_of(fold.train)) for fold in q.folds)) for q in questions]
    few = [f"{words} ({n})" for words, n in fewest if n < most]
    loose = [question.field.words for question in questions if question.kept_apart == "neuron"]
    found = []
    if few:
        found.append(
            f"There are fewer than {most} to learn from for: {', '.join(few)}. {most} neighbors are all of them there: "
            "the commonest class, with distance breaking ties."
        )
    if loose:
        found.append(
            f"Cross-validation of {', '.join(loose)} keeps single neurons apart, not donors or publications: too few "
            "classes have two such groups. Neurons of one laboratory are on both sides, which flatters every figure."
        )
    return found


def sample_notes(questions: Sequence[Question], n_ranked: int, n_known: int, settings: EvaluationSettings) -> list[str]:
    """What was judged of a sample alone.

    Args:
        questions: of the probes.
        n_ranked: neurons whose captions are ranked.
        n_known: judged neurons with metadata.
        settings: sizes of the samples.
    """
    found = []
    if any(question.sampled for question in questions):
        found.append(
            f"Probes and baselines learn on at most {settings.most_neurons:,} neurons and are judged on at most as "
            f"many, drawn from all by class; rare classes keep {FEWEST_OF_A_CLASS} (--most-neurons)."
        )
    if n_ranked < n_known:
        found.append(
            f"Captions are ranked among {n_ranked:,} judged neurons, drawn from {n_known:,} (--most-ranked): with more "
            "candidates every figure of retrieval would be lower, and so would chance."
        )
    return found
