"""Train Stage 1 without the neurons of a fold, once per setting: what is there is not trained again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from benchmarks.study.prepare import Prepared
from benchmarks.study.protocols import Cohort, in_um

from axonet.core.config import setting_values
from axonet.core.files import read_table, short_hash, write_json
from axonet.core.progress import say
from axonet.core.seeds import stable_seed
from axonet.datasets.selection import keep_neurons
from axonet.datasets.view_store import ViewStore
from axonet.learning.settings import Stage1Settings
from axonet.learning.stage1 import train_stage1

VALIDATION_SHARE = 20  # one group in twenty shows how the loss goes on neurons that are not learned from
VALIDATION_VIEWS = 2
WITHOUT_EFFECT = ("num_workers", "accelerator", "devices", "save_minutes", "max_epochs", "early_stopping", "patience")


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        settings: of Stage 1.
        scheme: ``donors`` or ``labs``: what is held out.
        fold: its number; -1 holds nothing out.
        share: of the training groups that are used.
    """

    settings: Stage1Settings
    scheme: str = "donors"
    fold: int = 0
    share: float = 1.0

    @property
    def key(self) -> str:
        """Name of the run's folder."""
        values = {name: v for name, v in setting_values(self.settings).items() if name not in WITHOUT_EFFECT}
        return f"{self.scheme}{self.fold}-{short_hash([values, self.share], 10)}"


def study_settings(**changes: object) -> Stage1Settings:
    """Stage 1 at the size of the study, as a CPU trains it in minutes; everything else is at its default."""
    values = {
        "base_channels": 12,
        "max_channels": 96,
        "latent_channels": 64,
        "patch": 2,
        "levels": 3,
        "batch_size": 64,
        "views_per_neuron": 2,
        "decode_every": 4,
        "max_steps": 600,
        "lr": 2e-3,
        "lr_warmup_steps": 30,
        "gradient_clip_val": 1.0,
        "kld_weight": 1.0,
        "free_nats": 0.05,
        "kl_warmup_steps": 120,
        "skip_dropout": 0.3,
        "rotation": 14.0,
        "magnification": [0.95, 1.2],
        "zoom": True,
        "num_workers": 0,
        "accelerator": "cpu",
    }
    return Stage1Settings.model_validate(values | changes)


def learned_from(cohort: Cohort, run: Run) -> npt.NDArray[np.bool_]:
    """``(n,)`` the neurons that a run may see: not of its fold, of known unit, a share of the groups."""
    folds = cohort.folds if run.scheme == "donors" else cohort.lab_folds
    kept = (folds != run.fold) & in_um(cohort) & ~cohort.apart
    draw = np.array([stable_seed("share", group) % 10_000 for group in cohort.neurons.groups])
    return np.asarray(kept & (draw < run.share * 10_000))


def train_run(run: Run, cohort: Cohort, store: ViewStore, prepared: Sequence[Prepared], out: Path) -> Path:
    """The last checkpoint of a run, which is trained if it is not there; an interrupted one goes on.

    The learning rate ends at zero, so the last epoch is judged; a choice by some tens of neurons would be a lottery.

    Args:
        run: what to train.
        cohort: the neurons.
        store: their views.
        prepared: where their measurements are.
        out: folder of runs.
    """
    folder = out / run.key
    last = folder / "last.ckpt"
    if (folder / "best.ckpt").is_file():  # written when all is done
        return last
    mine = learned_from(cohort, run)
    chosen = np.array([stable_seed("validation", g) % VALIDATION_SHARE == 0 for g in cohort.neurons.groups])
    ids = np.array(cohort.neurons.ids)
    train = keep_neurons(store, ids[mine & ~chosen].tolist())
    val = keep_neurons(store, ids[mine & chosen].tolist())
    val = val.subset(np.flatnonzero(np.asarray(val.rows.column("view")) < VALIDATION_VIEWS))
    about = {"scheme": run.scheme, "fold": run.fold, "share": run.share, "settings": setting_values(run.settings)}
    write_json(folder / "run_of_study.json", about)
    say(f"{run.key}: {(mine & ~chosen).sum()} neurons to learn from, {(mine & chosen).sum()} to validate with")
    resume = "auto" if last.is_file() else None
    rows = [row for one in prepared for row in read_table(one.measures).to_pylist()]
    measures = {row["neuron_id"]: row for row in rows}
    logs = folder / "logs"
    train_stage1(run.settings, train, val, save_dir=folder, log_dir=logs, resume=resume, measures=measures)
    return last
