"""Other programs that draw neurons as solids, driven as a user would: a mesh is built once and drawn from many sides.

Each gives silhouettes for our cameras at the resolution of our samples, where the same rule makes pixels of them.
Nothing here is imported before it is asked for.
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from axonet.morphology.neuron import Neuron
from axonet.rendering import Camera

TUBE_POINTS = 8
"""Corners of a tube's cross section: the default of navis and of vispy."""

Mask = NDArray[np.bool_]


class Tool(Protocol):
    """A program, ready to draw images of ``n`` samples a side."""

    packages: tuple[str, ...]

    def build(self, neuron: Neuron) -> Any:
        """What is drawn: done once per neuron."""

    def draw(self, built: Any, camera: Camera) -> Mask:
        """The samples that are covered, seen from a camera (orthographic)."""


def versions(packages: tuple[str, ...]) -> str:
    """Names and versions."""
    return ", ".join(f"{name} {version(name)}" for name in packages)


def pose_of(camera: Camera, distance: float) -> NDArray[np.float64]:
    """Right, up and backward axes and the place of the eye as OpenGL wants them, ``(4, 4)``."""
    right, up, forward = camera.basis
    pose = np.eye(4)
    # Our basis has right = forward x up, as on a photograph; so these columns are right-handed.
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, up, -forward, camera.center - distance * forward
    return pose


def tube_mesh(neuron: Neuron) -> Any:
    """Swept tubes by navis, a ``trimesh.Trimesh`` in um."""
    navis, pandas = import_module("navis"), import_module("pandas")
    navis.set_loggers("ERROR")
    parent = np.where(neuron.parent < 0, -1, neuron.parent + 1)
    columns = {"node_id": np.arange(1, neuron.n_nodes + 1), "label": neuron.swc_type, "parent_id": parent}
    columns |= {axis: neuron.xyz[:, k] for k, axis in enumerate("xyz")} | {"radius": neuron.radius}
    skeleton = navis.TreeNeuron(pandas.DataFrame(columns), units="um")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return navis.conversion.tree2meshneuron(skeleton, tube_points=TUBE_POINTS, warn_missing_radii=False).trimesh


class Pyrender:
    """A tube mesh by navis, drawn by pyrender with EGL: depth only, the fastest it has."""

    packages = ("navis", "trimesh", "pyrender")

    def __init__(self, n_samples: int) -> None:
        os.environ["PYOPENGL_PLATFORM"] = "egl"
        vars(np)["infty"] = np.inf  # pyrender 0.1.45 asks for a name that numpy 2 has no more
        self.pyrender = import_module("pyrender")
        self.renderer = self.pyrender.OffscreenRenderer(n_samples, n_samples)

    def build(self, neuron: Neuron) -> Any:
        """See :class:`Tool`."""
        mesh = tube_mesh(neuron)
        scene = self.pyrender.Scene()
        scene.add(self.pyrender.Mesh.from_trimesh(mesh, smooth=False))
        return scene, float(np.ptp(mesh.vertices, axis=0).max())

    def draw(self, built: Any, camera: Camera) -> Mask:
        """See :class:`Tool`."""
        scene, extent = built
        half = 0.5 * camera.width * camera.um_per_px
        lens = self.pyrender.OrthographicCamera(half, half, znear=0.01 * extent, zfar=4.0 * extent)
        node = scene.add(lens, pose=pose_of(camera, 2.0 * extent))
        depth = self.renderer.render(scene, flags=self.pyrender.RenderFlags.DEPTH_ONLY)
        scene.remove_node(node)
        return np.asarray(depth > 0.0)


class Octarine:
    """A tube mesh by navis, drawn by octarine (pygfx, wgpu) without a window."""

    packages = ("navis", "octarine3d", "pygfx", "wgpu")

    def __init__(self, n_samples: int) -> None:
        os.environ.setdefault("WGPU_FORCE_OFFSCREEN", "1")
        os.environ.setdefault("RENDERCANVAS_FORCE_OFFSCREEN", "1")
        octarine = import_module("octarine")
        self.viewer = octarine.Viewer(offscreen=True, size=(n_samples, n_samples))
        self.viewer.set_bgcolor("black")
        self.n_samples = n_samples

    def build(self, neuron: Neuron) -> Any:
        """See :class:`Tool`."""
        return tube_mesh(neuron)

    def draw(self, built: Any, camera: Camera) -> Mask:
        """See :class:`Tool`."""
        viewer = self.viewer
        if getattr(self, "shown", None) is not built:
            viewer.clear()
            viewer.add_mesh(built, color="white", center=False)
            self.shown, self.extent = built, float(np.ptp(built.vertices, axis=0).max())
        eye = viewer.camera
        eye.fov, eye.zoom = 0, 1.0
        eye.width = eye.height = camera.width * camera.um_per_px
        eye.depth_range = (0.01 * self.extent, 4.0 * self.extent)
        eye.local.matrix = pose_of(camera, 2.0 * self.extent)
        image = np.asarray(viewer.screenshot(None, size=(self.n_samples, self.n_samples), pixel_ratio=1, alpha=False))
        return np.asarray(image[..., :3].max(axis=2) > 0)


class Vispy:
    """A vispy Tube per unbranched section, on the context that we open (vispy's own needs a screen)."""

    packages = ("vispy",)

    def __init__(self, n_samples: int) -> None:
        from axonet.rendering.gl_context import open_context

        open_context()
        self.scene = import_module("vispy.scene")
        self.transforms = import_module("vispy.visuals.transforms")
        app = import_module("vispy.app").Application("egl")
        self.canvas = self.scene.SceneCanvas(app=app, size=(n_samples, n_samples), bgcolor="black", show=False)
        self.canvas.set_current()
        self.view = self.canvas.central_widget.add_view()
        self.n_samples = n_samples

    def build(self, neuron: Neuron) -> Any:
        """See :class:`Tool`."""
        tubes = self.scene.Node()
        for section in sections(neuron):
            points, radius = neuron.xyz[section], neuron.radius[section]
            self.scene.visuals.Tube(points, radius, color="white", shading=None, tube_points=TUBE_POINTS, parent=tubes)
        return tubes

    def draw(self, built: Any, camera: Camera) -> Mask:
        """See :class:`Tool`."""
        if built.parent is not self.view.scene:
            for child in list(self.view.scene.children):
                child.parent = None
            built.parent = self.view.scene
        scale = self.n_samples / (camera.width * camera.um_per_px)
        matrix = np.zeros((4, 4))
        matrix[:3, 0], matrix[:3, 1] = camera.basis[0] * scale, -camera.basis[1] * scale
        matrix[:3, 2] = 1e-4 * camera.basis[2] * scale  # within -1 and 1, where nothing is clipped
        matrix[3, :2] = 0.5 * self.n_samples
        matrix[3, 3] = 1.0
        matrix[3, :3] -= camera.center @ matrix[:3, :3]
        built.transform = self.transforms.MatrixTransform(matrix)
        return np.asarray(self.canvas.render(alpha=False)[..., :3].max(axis=2) > 0)


def sections(neuron: Neuron) -> list[list[int]]:
    """Rows of each unbranched path, from a branch point or root to the next."""
    children = np.bincount(neuron.parent[neuron.parent >= 0], minlength=neuron.n_nodes)
    paths = []
    for row in np.flatnonzero(children != 1):
        path = [int(row)]
        while neuron.parent[path[-1]] >= 0:
            path.append(int(neuron.parent[path[-1]]))
            if children[path[-1]] > 1:
                break
        if len(path) > 1 and (neuron.xyz[path[0]] != neuron.xyz[path[-1]]).any():
            paths.append(path[::-1])
    return paths


TOOLS: dict[str, type[Any]] = {"pyrender": Pyrender, "octarine": Octarine, "vispy": Vispy}


def missing(name: str) -> str | None:
    """Why a tool cannot be used; None if it can."""
    for package in TOOLS[name].packages:
        try:
            version(package)
        except Exception as error:  # PackageNotFoundError, or broken metadata
            return f"{package} is not installed ({type(error).__name__})"
    return None


def log(line: str) -> None:
    """Say something beside the table."""
    print(line, file=sys.stderr)
