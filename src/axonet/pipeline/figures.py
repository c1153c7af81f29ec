"""What a neuron, a view and a job cost: measured figures, each with its source, for ``axonet plan``.

Times are CPU seconds of one core (x86-64, shared; they vary by a third); bytes are those of packed shards.
"""

from __future__ import annotations

# docs/explanation/rendering.md, 48 real neurons, 24 views, 512 px, 2 samples a side.
READ_S = 0.10e-3 * 24
"""Reading a neuron."""
MEASURE_S = 0.16e-3 * 24
"""Measuring it."""
DRAW_S = (1.66 + 0.31) * 1e-3
"""Drawing, pooling, encoding and writing a view at 512 px, two samples a side."""
DRAW_4_S = DRAW_S + (3.90 - 2.23) * 1e-3
"""The same with four samples a side."""
ZOOM_S = (5.60 - 2.23) * 1e-3
"""A zoom window beside it."""
ZOOM_BYTES = 11_583 - 6_259
"""Bytes of a zoom window at 512 px."""

# The 41 demo neurons, adaptive framing, margin 0.1: 1,266, 2,560, 5,947, 14,498 bytes at 64, 128, 256, 512 px.
VIEW_BYTES = 14_498
"""Bytes of a view at 512 px."""
BYTES_GROW = 1.17
"""They grow with this power of the size."""

# The demo's tables: 41 neurons, 24 views.
MEASURE_BYTES = 1_000
"""Measurements of a neuron."""
QUALITY_BYTES = 215
"""Its row in the quality table."""
FLOAT_BYTES = 4.4
"""A number of a view's vector, with its share of names: 1,833 bytes for 321 numbers, 354 for 64."""
CATALOG_BYTES = 250
"""A neuron in the catalog: 200,000 of them (benchmarks/scale.py)."""

# torch's own counter over SegVAE2D, 512 px: 281 GFLOP for an image with 64 channels at full resolution and at most 256,
# 461 with at most 1,024, 95 with 32 and at most 256; 0.23 at 96 px with 8 and at most 64. The sum over the levels of
# channels squared by pixels gives them within 12 %.
GFLOP = 0.0211
"""Arithmetic of the whole network, forward, at 512 px, for each ``sum(channels**2 / 4**level)``."""
ENCODER = 0.49
"""The encoder's share."""
# Stage 1 of the demo: 253 CPU s, 10 of them to start, for 6,000 training images and 5,800 of validation at 0.23 GFLOP.
CORE_TRAINS_GFLOP_S = 23.0
"""Arithmetic that a core does in a second of training."""
# 803 views/s at 64 px with 8 channels (docs/explanation/stage2.md); 1.8 at 256 px with 64 would be 100 and more.
CORE_ENCODES_GFLOP_S = 41.0
"""The same in encoding."""

# Not measured: data sheets say 65, 125, 312 and 989 TFLOP/s in half precision; a fifth of that is a cautious guess.
GPU_TFLOP_S = {"nvidia-tesla-t4": 13.0, "nvidia-tesla-v100": 25.0, "nvidia-tesla-a100": 62.0, "nvidia-h100": 198.0}
"""Arithmetic of a GPU in a second, assumed."""

# The demo: 17 CPU s for 100 epochs over 17 neurons, 8 of them to start; small batches, so an upper bound.
STAGE2_S = 5e-3
"""A neuron in an epoch of Stage 2 over vectors."""
# The demo: 9 CPU s for 18 judged neurons, 6 of them to start; not measured for many.
EVALUATE_S = 0.15
"""A judged neuron."""
ACQUIRE_S = 0.3e-3
"""A neuron of a manifest with SHA-256 (benchmarks/scale.py)."""

START_S = {"here": 3.0, "slurm": 8.0, "google": 150.0}
"""Before a job works: Python and imports; on Slurm also Snakemake itself (both measured); on Google Batch also the
machine and the image (not measured)."""
