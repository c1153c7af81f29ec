"""What is measured over a validation set, against counts by hand."""

import numpy as np
import pytest
import torch

from axonet.core.input_spec import InputSpec
from axonet.inference.view_batch import ViewDataset
from axonet.learning.stage1_inputs import stage1_inputs
from axonet.learning.stage1_validation import ValidationMeasures, confusion_counts, determination
from axonet.models.seg_vae import SegVAEOutput
from axonet.models.variational import Posterior

from .synthetic import APICAL, AXON, BASAL, drawn_store

SPEC = InputSpec(width=32, height=32, log_fov_mean=6.0, log_fov_std=1.0)


class OneProcess:
    @staticmethod
    def reduce(value, reduce_op):
        assert reduce_op == "sum"
        return value


def test_confusion_counts_pixels_by_truth_and_prediction():
    generator = torch.Generator().manual_seed(1)
    predicted, true = (torch.randint(0, 4, (3, 5, 6), generator=generator) for _ in range(2))
    by_hand = np.zeros((4, 4), int)
    for p, t in zip(predicted.ravel().tolist(), true.ravel().tolist(), strict=True):
        by_hand[t, p] += 1
    assert confusion_counts(predicted, true, 4).tolist() == by_hand.tolist()


def output_for(inputs, said, latent_mean, depth=0.5) -> SegVAEOutput:
    logits = 9.0 * torch.nn.functional.one_hot(said, 6).movedim(-1, 1).float() - 4
    mean = torch.full((len(said), 3, 2, 2), 0.0)
    mean[:, 0] = latent_mean
    posterior = Posterior(mean, torch.zeros_like(mean))
    return SegVAEOutput(
        vector=torch.zeros(len(said), 7),
        posteriors={"latent": posterior},
        seg_logits=logits,
        depth=torch.full_like(inputs.depth, depth),
    )


@pytest.fixture
def measured():
    """Two batches in which every axon pixel in the upper half of the batch's images is called basal dendrite."""
    dataset = ViewDataset(drawn_store(3, 2))
    measures, said, true = ValidationMeasures(), [], []
    for rows in ([0, 1, 2, 3], [4, 5]):
        inputs = stage1_inputs(dataset[np.array(rows)], SPEC)
        classes = inputs.classes.clone()
        classes[classes == APICAL] = BASAL
        classes[0][classes[0] == AXON] = BASAL
        measures.add(output_for(inputs, classes, latent_mean=1.0), inputs)
        said.append(classes)
        true.append(inputs.classes)
    return measures, torch.cat(said).numpy(), torch.cat(true).numpy()


def test_dice_and_confusion_are_over_the_whole_set(measured):
    measures, said, true = measured
    values = {name: value.item() for name, value in measures.values(OneProcess).items()}
    dice = {k: 2 * ((said == k) & (true == k)).sum() / ((said == k).sum() + (true == k).sum()) for k in (1, 2, 3, 4)}
    names = {1: "soma", 2: "axon", 3: "basal_dendrite", 4: "apical_dendrite"}
    for k, name in names.items():
        assert values[f"val/dice_{name}"] == pytest.approx(dice[k])
    assert values["val/dice_apical_dendrite"] == 0
    assert "val/dice_other" not in values
    assert values["val/dice"] == pytest.approx(np.mean(list(dice.values())))
    axon = true == AXON
    assert values["val/axon_called_dendrite"] == pytest.approx((said[axon] == BASAL).mean())
    assert 0.2 < values["val/axon_called_dendrite"] < 0.5
    assert values["val/dendrite_called_axon"] == 0
    assert measures.never_predicted == ["apical dendrite"]


def test_depth_stands_beside_what_the_middle_plane_would_give(measured):
    values = measured[0].values(OneProcess)
    assert values["val/depth_mae_um"] == values["val/depth_mae_um_of_middle_plane"] > 10


def test_a_unit_that_carries_nothing_is_not_active(measured):
    assert measured[0].values(OneProcess)["val/active_units"] == 1


def test_the_share_of_explained_variance_is_that_of_the_definition():
    generator = torch.Generator().manual_seed(0)
    true = torch.randn(20, 4, generator=generator) + 3
    predicted = true + 0.5 * torch.randn(20, 4, generator=generator)
    true[:5, 1] = torch.nan
    true[:, 2] = 1.5  # the same for all: there is nothing to explain
    true[1:, 3] = torch.nan  # known of one view alone
    measures = ValidationMeasures(["a", "b", "c", "d"])
    inputs = stage1_inputs(ViewDataset(drawn_store(2, 1))[np.arange(2)], SPEC)
    measures.add(output_for(inputs, inputs.classes, 0.0), inputs)
    for part in (slice(0, 7), slice(7, 20)):
        measures.add_predicted(predicted[part], true[part])
    values = measures.values(OneProcess())
    expected = {}
    for name, column in (("a", 0), ("b", 1)):
        known = torch.isfinite(true[:, column])
        truth, guess = true[known, column], predicted[known, column]
        expected[name] = 1 - ((guess - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert {key for key in values if key.startswith("val/r2_")} == {"val/r2_a", "val/r2_b"}
    for name, value in expected.items():
        assert values[f"val/r2_{name}"].item() == pytest.approx(value.item(), abs=1e-4)
    assert values["val/r2"].item() == pytest.approx(min(v.item() for v in expected.values()), abs=1e-4)


def test_nothing_known_explains_nothing():
    assert determination(["a"], *torch.zeros(4, 1)) == {}


def test_without_a_decoder_there_is_nothing_to_count():
    inputs = stage1_inputs(ViewDataset(drawn_store(2, 1))[np.arange(2)], SPEC)
    output = output_for(inputs, inputs.classes, 2.0)
    measures = ValidationMeasures()
    measures.add(SegVAEOutput(vector=output.vector, posteriors=output.posteriors), inputs)
    assert set(measures.values(OneProcess())) == {"val/active_units"}
