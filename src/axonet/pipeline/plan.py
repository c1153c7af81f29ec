"""The plan of a workflow run: names of files, what each rule depends on, and the flags it passes.

Everything that decides *what is stale* is here, so that it can be tested without Snakemake. Names carry content: a
shard's digest is part of the names of the files made from it, and the hash of the settings names their folder.
"""

from __future__ import annotations

import shlex
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast

from axonet.core.bucket import in_bucket, version_of
from axonet.core.config import Settings, setting_values, to_flags
from axonet.core.errors import UserError
from axonet.core.files import read_json, sha256_file, short_hash
from axonet.datasets.splits import SplitSettings
from axonet.explore.settings import ExportSettings, PageSettings
from axonet.pipeline.code_epochs import StageCode
from axonet.pipeline.places import Folder, Place, place
from axonet.pipeline.root_config import RootConfig
from axonet.sources.listing import check_folder, check_manifest, listing_digest

CATALOG = "results/acquire/catalog.parquet"
INDEX = "results/acquire/index.json"
QUALITY_PAGE = "results/quality.html"
EXPLORER_PAGE = "results/explorer.html"
PARTS: dict[str, type[Settings]] = {"export": ExportSettings, "explore": PageSettings}  # of the section `explore`
PENDING = "pending"  # stands for a digest that only the acquire step can tell


class Explored(NamedTuple):
    """Stands for the wildcards of a rule that has none: the run it is about."""

    run: str


class Plan:
    """Names, digests and flags of one ``config.yaml``.

    Args:
        config: the checked root config.
        code: the state of every stage's code (:mod:`axonet.pipeline.code_epochs`).
        home: where the run's files lie; default: the working directory.

    Attributes:
        home: where the run's files lie.
        data: where catalog, measurements and views lie: at home, if the config names no other place.
    """

    def __init__(self, config: RootConfig, code: dict[str, StageCode], home: Place | None = None) -> None:
        self.config = config
        self.code = {stage: state.token for stage, state in code.items()}
        self.home = Folder(Path()) if home is None else home
        self.data = self.home if config.data is None else place(config.data)
        self._digests: dict[tuple[str, int, int], str] = {}

    # Folders that are named by the settings that made their content -------------------------------------------------

    @cached_property
    def measure_hash(self) -> str:
        """Names the folder of the measurements: there are no settings, only the code's epoch."""
        return short_hash(["measure", self.code["measure"]], 8)

    @cached_property
    def render_hash(self) -> str:
        """Names the folder of the packed views: render settings, the seed of the views, the code's epoch."""
        # What draws, and the (absent) cache, change no pixel.
        values = {
            k: v for k, v in setting_values(self.config.render).items() if k not in ("no_cache", "backend", "device")
        }
        return short_hash([values, self.config.seed, self.code["render"]], 8)

    def split_settings(self, run: str) -> SplitSettings:
        """The split of a run: the section ``split`` with what the run says otherwise."""
        own = self.config.runs[run].model_dump(include={"split_by", "split_seed"}, exclude_none=True)
        return self.config.split.model_copy(update=own)

    def run_seed(self, run: str) -> int:
        """The training seed of a run."""
        seed = self.config.runs[run].seed
        return self.config.seed if seed is None else seed

    def split_file(self, run: str) -> str:
        """The split file of a run, named by its settings and by who is in which split.

        The second name is computed from the catalog by the function that the split step itself uses. So metadata that
        moves no neuron asks for a file that is there already, and retrains nothing.
        """
        return f"{self.split_folder(run)}/{self.assignments(run)}.parquet"

    def split_folder(self, run: str) -> str:
        """Folder of the versions of a run's split file; runs that split alike share it."""
        return f"results/splits/{self.split_hash(run)}"

    def split_hash(self, run: str) -> str:
        """Names a split: scheme, seed, ratios and the code's epoch."""
        return short_hash([setting_values(self.split_settings(run)), self.code["split"]], 8)

    def run_of_split(self, split_hash: str) -> str:
        """One of the runs that use a split."""
        return next(run for run in self.config.runs if self.split_hash(run) == split_hash)

    def assignments(self, run: str) -> str:
        """Digest of who is in which split, once the split file is up to date."""
        from axonet.datasets.splits import planned_digest

        versions = self.home.files(self.split_folder(run))
        catalog = self._acquired(CATALOG)
        key = (self.split_hash(run), catalog.stat().st_mtime_ns, len(versions))
        if key not in self._digests:
            self._digests[key] = planned_digest(catalog, versions, self.split_settings(run))
        return self._digests[key]

    # Models -----------------------------------------------------------------------------------------------------

    def given(self, stage: str) -> str | None:
        """The path of a checkpoint that the config gives for a stage, if any."""
        path: str | None = getattr(self.config, stage).checkpoint
        if path is None:
            return None
        if not (version_of(path) if in_bucket(path) else Path(path).is_file()):
            raise UserError(f"config.yaml: {stage}.checkpoint: no such file {path!r}")
        return path

    def checkpoint(self, run: str, stage: str) -> str:
        """The checkpoint of a run's stage: the given one, or the one that the run trains."""
        return self.given(stage) or f"results/runs/{run}/{stage}/best.ckpt"

    def model(self, run: str, stage: str) -> str:
        """Names the folder of the vectors: a given model's is shared by all runs, a trained one belongs to its run."""
        given = self.given(stage)
        if given is None:
            return f"{run}.{stage}"
        digest = short_hash(version_of(given)) if in_bucket(given) else sha256_file(given)[:12]
        return f"given.{stage}.{digest}"

    def checkpoint_of_model(self, model: str) -> str:
        """The inverse of :meth:`model`."""
        run, stage = model.rsplit(".", 1) if not model.startswith("given.") else ("", model.split(".")[1])
        return self.given(stage) or f"results/runs/{run}/{stage}/best.ckpt"

    def check_inputs(self) -> None:
        """Look at what the config names before anything is run.

        Raises:
            UserError: a checkpoint, the folder of SWC files, its metadata or the manifest is not there.
        """
        for stage in ("stage1", "stage2"):
            self.given(stage)
        if "folder" in self.config.acquire.sources:
            check_folder(self.config.acquire.folder)
        if "manifest" in self.config.acquire.sources:
            check_manifest(self.config.acquire.manifest.file)

    def gpus(self, stage: str) -> int:
        """How many GPUs the training of a stage asks for: its setting ``devices``, one by default, none on the CPU."""
        settings = getattr(self.config, stage)
        return 0 if settings.accelerator == "cpu" else settings.devices or 1

    @property
    def explored(self) -> Explored:
        """The run that the explorer shows: the one that the config names, or the first."""
        run: str | None = cast(Any, self.config.explore).run
        return Explored(run or next(iter(self.config.runs)))

    @property
    def frozen(self) -> bool:
        """Whether Stage 2 trains on vectors of Stage 1 instead of images."""
        return bool(root_values(self.config)["stage2"]["freeze_encoder"])

    @property
    def joins(self) -> bool:
        """Whether a Stage 2 model may take measurements: it is trained so, or it is given and only it knows."""
        stage2 = root_values(self.config)["stage2"]
        return bool(stage2["morphometrics"]) or stage2["checkpoint"] is not None

    # What the acquire step told --------------------------------------------------------------------------------

    def shards(self) -> list[str]:
        """Names ``{shard}-{digest}`` of the shards that hold neurons."""
        rows = read_json(self._acquired(INDEX))["shards"]
        return [f"{row['shard']}-{row['digest']}" for row in rows if row["n"]]

    def measures(self) -> list[str]:
        """Files of the measurements."""
        return [f"results/measure/{self.measure_hash}/{shard}.parquet" for shard in self.shards()]

    def views(self) -> list[str]:
        """Files of the packed views."""
        return [f"results/render/{self.render_hash}/{shard}.arrow" for shard in self.shards()]

    def vectors(self, run: str, stage: str) -> list[str]:
        """Files of a run's vectors after a stage."""
        return [f"results/encode/{self.model(run, stage)}/{shard}.parquet" for shard in self.shards()]

    def _acquired(self, name: str) -> Path:
        file = self.data.find(name)
        if file is None:
            raise UserError(f"{self.data.address(name)}: no such file; run the workflow first")
        return file

    def listing(self) -> str:
        """Digest of what the local sources hold: makes acquire stale."""
        return listing_digest(self.config.acquire)

    def metadata_digest(self) -> str:
        """Digest of the metadata of all neurons."""
        index = self.data.find(INDEX)
        return PENDING if index is None else str(read_json(index)["metadata"])

    # Flags ------------------------------------------------------------------------------------------------------

    def flags(self, name: str, run: str | None = None) -> str:
        """The flags that a rule passes to its command, quoted for the shell.

        Args:
            name: a section of the config, or ``export`` for what the section ``explore`` says about the export alone
                (``explore`` then says the rest, so that another size of the page exports nothing again).
            run: the run whose seed (and split) counts; without one the config's own seed.
        """
        settings: Settings = self.split_settings(run) if name == "split" and run else self._section(name)
        arguments = to_flags(settings.model_copy(update={"checkpoint": None}) if name.startswith("stage") else settings)
        if name in ("stage1", "stage2") and run:
            arguments += ["--seed", str(self.run_seed(run))]
        if name == "render":
            arguments += ["--seed", str(self.config.seed)]
        return shlex.join(arguments)

    def _section(self, name: str) -> Settings:
        if name not in PARTS:
            section: Settings = getattr(self.config, name)
            return section
        return PARTS[name](**setting_values(cast(Settings, self.config.explore), list(PARTS[name].model_fields)))


def describe_drift(code: dict[str, StageCode]) -> str | None:
    """One line about outputs that are kept although the code that made them has changed."""
    drifted = [stage for stage, state in code.items() if state.drifted]
    if not drifted:
        return None
    return (
        f"The code of {', '.join(drifted)} has changed since the outputs in results/ were made; they are kept. "
        "Make them anew with --config code='{policy: rerun}'."
    )


def root_values(config: RootConfig) -> dict[str, Any]:
    """The checked config as plain data, every default filled in."""
    return config.model_dump(mode="json")
