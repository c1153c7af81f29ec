import pytest
import torch

from axonet.core.errors import UserError
from axonet.core.input_spec import InputSpec
from axonet.models.checkpoint import (
    KEY,
    build_seg_vae,
    fingerprint,
    load_checkpoint,
    make_checkpoint,
    save_checkpoint,
    stage1_checkpoint,
)
from axonet.models.seg_vae import SegVAE2D

SPEC = InputSpec(width=32, height=32, log_fov_mean=5.0, log_fov_std=0.5)


@pytest.fixture
def model() -> SegVAE2D:
    torch.manual_seed(0)
    return SegVAE2D(3, base_channels=4, latent_channels=6, skip_mode="deterministic").eval()


@pytest.fixture
def checkpoint(model):
    return stage1_checkpoint(model, {"lr": 1e-4}, SPEC)


def test_two_processes_save_the_same_bytes(tmp_path, checkpoint, monkeypatch):
    save_checkpoint(tmp_path / "one.ckpt", checkpoint)
    monkeypatch.setattr("os.getpid", lambda: 123456789)
    save_checkpoint(tmp_path / "other.ckpt", checkpoint)
    assert (tmp_path / "one.ckpt").read_bytes() == (tmp_path / "other.ckpt").read_bytes()


def test_a_reloaded_model_encodes_exactly_alike(tmp_path, model, checkpoint):
    save_checkpoint(tmp_path / "best.ckpt", checkpoint)
    loaded = load_checkpoint(tmp_path / "best.ckpt", stage=1)
    x, fov = (torch.rand(3, 1, 32, 32) < 0.2).float(), torch.randn(3, 1)
    again = build_seg_vae(loaded)
    assert not again.training
    assert torch.equal(again.encode(x, fov), model.encode(x, fov))
    assert InputSpec.model_validate(loaded["input_spec"]) == SPEC
    assert loaded["class_names"][3] == "basal dendrite"
    assert loaded["config"] == {"lr": 1e-4}


def test_the_resumable_file_holds_the_same_checkpoint(tmp_path, checkpoint):
    torch.save({"state_dict": {}, "epoch": 3, KEY: checkpoint}, tmp_path / "last.ckpt")
    assert load_checkpoint(tmp_path / "last.ckpt", stage=1)["fingerprint"] == checkpoint["fingerprint"]


def test_a_stage_2_checkpoint_brings_its_stage_1_model_along(model, checkpoint):
    stage2 = make_checkpoint(2, {}, {}, {}, SPEC, stage1={key: checkpoint[key] for key in ("architecture", "state")})
    x = (torch.rand(1, 1, 32, 32) < 0.2).float()
    assert torch.equal(build_seg_vae(stage2).encode(x), model.encode(x))


def test_the_fingerprint_changes_with_any_parameter_argument_and_input_property(model, checkpoint):
    state, architecture = checkpoint["state"], checkpoint["architecture"]
    spec = SPEC.model_dump(mode="json")
    same = fingerprint({name: value.clone() for name, value in state.items()}, architecture, spec)
    assert same == checkpoint["fingerprint"]
    nudged = dict(state)
    name = next(iter(nudged))
    nudged[name] = nudged[name] + 1e-6
    others = {
        fingerprint(nudged, architecture, spec),
        fingerprint(state, architecture | {"levels": 4}, spec),
        fingerprint(state, architecture, spec | {"margin": 0.1}),
    }
    assert len(others | {same}) == 4


def refusal(path, stage=None) -> str:
    with pytest.raises(UserError) as error:
        load_checkpoint(path, stage)
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_another_stage_is_refused_by_both_names(tmp_path, checkpoint):
    save_checkpoint(tmp_path / "best.ckpt", checkpoint)
    message = refusal(tmp_path / "best.ckpt", stage=2)
    assert "Stage 1 (SegVAE2D)" in message
    assert "Stage 2 (CLIP)" in message


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 broken", b"swc,species\n"])
def test_another_kind_of_file_is_refused(tmp_path, content):
    (tmp_path / "x.ckpt").write_bytes(content)
    assert "not a checkpoint of axonet" in refusal(tmp_path / "x.ckpt")


def test_a_missing_file_a_folder_and_a_foreign_checkpoint_are_refused(tmp_path, checkpoint):
    assert "no such file" in refusal(tmp_path / "absent.ckpt")
    assert "folder" in refusal(tmp_path)
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    assert "not a checkpoint of axonet" in refusal(tmp_path / "foreign.ckpt")
    torch.save(torch.zeros(3), tmp_path / "tensor.ckpt")
    assert "not a checkpoint of axonet" in refusal(tmp_path / "tensor.ckpt")
    save_checkpoint(tmp_path / "newer.ckpt", checkpoint | {"format": 2})
    assert "format 2" in refusal(tmp_path / "newer.ckpt")


def test_a_file_that_would_run_code_is_refused(tmp_path):
    class Trap:
        def __reduce__(self):
            return (print, ("the file ran code",))

    torch.save({"state": Trap()}, tmp_path / "trap.ckpt")
    assert "not a checkpoint of axonet" in refusal(tmp_path / "trap.ckpt")


def test_parameters_that_do_not_fit_the_architecture_are_one_line(checkpoint):
    broken = checkpoint | {"architecture": checkpoint["architecture"] | {"base_channels": 8}}
    with pytest.raises(UserError, match="do not fit") as error:
        build_seg_vae(broken)
    assert "\n" not in str(error.value)
