"""Where the GL backend draws: programs, buffers of instances, and images of samples and of pixels."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from axonet.core.errors import UserError
from axonet.rendering.gl_context import GLContext
from axonet.rendering.gl_instances import INSTANCE_SIZE
from axonet.rendering.gl_shaders import CONE_FRAGMENT, CONE_VERTEX, POOL_FRAGMENT, POOL_VERTEX

_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Targets:
    """Images of one size, and what draws into them; numbers are OpenGL's names of objects.

    Attributes:
        rows: image height in samples.
        columns: image width in samples.
        factor: samples per pixel side.
        samples: framebuffer of the samples, with a depth buffer.
        pixels: framebuffer of the pixels.
        sample_texture: what ``samples`` draws into.
        pixel_texture: what ``pixels`` draws into.
        depth: depth buffer of ``samples``.
        cones: draws instances into samples.
        pool: draws samples into pixels.
        vertices: layout of the instances.
        instances: buffer of the instances.
    """

    rows: int
    columns: int
    factor: int
    samples: int
    pixels: int
    sample_texture: int
    pixel_texture: int
    depth: int
    cones: Program
    pool: Program
    vertices: int
    instances: int


class Program:
    """A linked program and the places of its uniforms."""

    def __init__(self, gl: Any, vertex: str, fragment: str) -> None:
        self._gl = gl
        self.name = gl.glCreateProgram()
        for kind, source in ((gl.GL_VERTEX_SHADER, vertex), (gl.GL_FRAGMENT_SHADER, fragment)):
            shader = gl.glCreateShader(kind)
            gl.glShaderSource(shader, source)
            gl.glCompileShader(shader)
            if not gl.glGetShaderiv(shader, gl.GL_COMPILE_STATUS):
                raise UserError(f"--backend gl: the driver refuses a shader: {_log(gl.glGetShaderInfoLog(shader))}")
            gl.glAttachShader(self.name, shader)
            gl.glDeleteShader(shader)
        gl.glLinkProgram(self.name)
        if not gl.glGetProgramiv(self.name, gl.GL_LINK_STATUS):
            raise UserError(f"--backend gl: the driver refuses a program: {_log(gl.glGetProgramInfoLog(self.name))}")
        self._places: dict[str, int] = {}

    def use(self, uniforms: dict[str, tuple[float, ...]]) -> None:
        """Make it the current program and set its floats and pairs of floats."""
        gl = self._gl
        gl.glUseProgram(self.name)
        for name, values in uniforms.items():
            (gl.glUniform1f if len(values) == 1 else gl.glUniform2f)(self.place(name), *values)

    def place(self, name: str) -> int:
        """Location of a uniform."""
        if name not in self._places:
            self._places[name] = self._gl.glGetUniformLocation(self.name, name)
        return self._places[name]


def _log(text: bytes | str) -> str:
    return " ".join((text.decode(errors="replace") if isinstance(text, bytes) else text).split())[:300]


def targets_of(context: GLContext, height: int, width: int, factor: int) -> Targets:
    """Images for pictures of a size; kept in the context until another size is asked for.

    Args:
        context: current.
        height: of a picture in pixels.
        width: of a picture in pixels.
        factor: samples per pixel side.

    Raises:
        UserError: the driver cannot do it.
    """
    gl, kept = context.gl, context.kept
    size = (height * factor, width * factor, factor)
    made: Targets | None = kept.get("targets")
    if made is not None:
        if (made.rows, made.columns, made.factor) == size:
            return made
        _delete(gl, kept.pop("targets"))
    largest = int(gl.glGetIntegerv(gl.GL_MAX_TEXTURE_SIZE))
    if max(size[:2]) > largest:
        raise UserError(
            f"--backend gl: {context.renderer} draws at most {largest} samples a side, not {max(size[:2])}; lower "
            "width, height or supersample_factor, or use --backend cpu"
        )
    if "tools" not in kept:
        programs = (Program(gl, CONE_VERTEX, CONE_FRAGMENT), Program(gl, POOL_VERTEX, POOL_FRAGMENT))
        kept["tools"] = (*programs, *_instance_buffer(gl))
    sample_texture, pixel_texture = _texture(gl, size[0], size[1]), _texture(gl, height, width)
    depth = int(gl.glGenRenderbuffers(1))
    gl.glBindRenderbuffer(gl.GL_RENDERBUFFER, depth)
    gl.glRenderbufferStorage(gl.GL_RENDERBUFFER, gl.GL_DEPTH_COMPONENT32F, size[1], size[0])
    framebuffers = (_framebuffer(gl, sample_texture, depth), _framebuffer(gl, pixel_texture, None))
    kept["targets"] = made = Targets(*size, *framebuffers, sample_texture, pixel_texture, depth, *kept["tools"])
    return made


def _texture(gl: Any, n_rows: int, n_columns: int) -> int:
    """A texture of 32-bit values."""
    texture = int(gl.glGenTextures(1))
    gl.glBindTexture(gl.GL_TEXTURE_2D, texture)
    for parameter in (gl.GL_TEXTURE_MIN_FILTER, gl.GL_TEXTURE_MAG_FILTER):
        gl.glTexParameteri(gl.GL_TEXTURE_2D, parameter, gl.GL_NEAREST)
    gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_R32UI, n_columns, n_rows, 0, gl.GL_RED_INTEGER, gl.GL_UNSIGNED_INT, None)
    return texture


def _framebuffer(gl: Any, texture: int, depth: int | None) -> int:
    """A framebuffer that draws into a texture, with a depth buffer or without."""
    name = int(gl.glGenFramebuffers(1))
    gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, name)
    gl.glFramebufferTexture2D(gl.GL_FRAMEBUFFER, gl.GL_COLOR_ATTACHMENT0, gl.GL_TEXTURE_2D, texture, 0)
    if depth is not None:
        gl.glFramebufferRenderbuffer(gl.GL_FRAMEBUFFER, gl.GL_DEPTH_ATTACHMENT, gl.GL_RENDERBUFFER, depth)
    status = gl.glCheckFramebufferStatus(gl.GL_FRAMEBUFFER)
    if status != gl.GL_FRAMEBUFFER_COMPLETE:
        raise UserError(
            f"--backend gl: the driver cannot draw 32-bit integers (0x{int(status):04x}); use --backend cpu"
        )
    return name


def _instance_buffer(gl: Any) -> tuple[int, int]:
    """Vertex array and buffer that hold instances."""
    array, buffer = int(gl.glGenVertexArrays(1)), int(gl.glGenBuffers(1))
    gl.glBindVertexArray(array)
    gl.glBindBuffer(gl.GL_ARRAY_BUFFER, buffer)
    stride = INSTANCE_SIZE * _FLOAT_BYTES
    for place in range(INSTANCE_SIZE // 4):
        gl.glEnableVertexAttribArray(place)
        offset = ctypes.c_void_p(4 * place * _FLOAT_BYTES)
        gl.glVertexAttribPointer(place, 4, gl.GL_FLOAT, gl.GL_FALSE, stride, offset)
        gl.glVertexAttribDivisor(place, 1)
    return array, buffer


def _delete(gl: Any, targets: Targets) -> None:
    """Give the memory of images back."""
    gl.glDeleteFramebuffers(2, [targets.samples, targets.pixels])
    gl.glDeleteTextures([targets.sample_texture, targets.pixel_texture])
    gl.glDeleteRenderbuffers(1, [targets.depth])
