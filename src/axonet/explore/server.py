"""The explorer's server: a dozen routes over an exported folder."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from axonet.core.errors import UserError
from axonet.explore.folder import ExploreFolder
from axonet.explore.guard import Guard
from axonet.explore.layout import place
from axonet.explore.neighbors import nearest_to_one
from axonet.explore.page import STATIC, server_page
from axonet.explore.skeleton import skeleton_bytes
from axonet.explore.worker import Uploaded, Worker
from axonet.morphology.swc import SWCError

if TYPE_CHECKING:
    from axonet.explore.neighbors import Floats

MOST_RESULTS, LONGEST_QUERY = 200, 300
MOST_UPLOAD_BYTES = 20_000_000
_SKELETONS_KEPT = 256


class Explorer:
    """What the routes answer.

    Args:
        folder: the exported folder.
        worker: embeds texts and uploads.
    """

    def __init__(self, folder: ExploreFolder, worker: Worker) -> None:
        self.folder = folder
        self.worker = worker
        self._searching = threading.Lock()  # one search at a time
        self.skeleton = lru_cache(_SKELETONS_KEPT)(lambda row: skeleton_bytes(folder.neuron(row)))
        self.views = lru_cache(_SKELETONS_KEPT)(folder.views)

    def hits(self, query: Floats, k: int, skip: int | None = None) -> list[dict[str, Any]]:
        """The nearest neurons of a vector, without the one in row ``skip``."""
        with self._searching:
            rows, cosines = nearest_to_one(self.folder.vectors, query, k, without=skip)
        pairs = zip(rows.tolist(), cosines.tolist(), strict=True)
        return [{"row": row, "cosine": round(cosine, 4)} for row, cosine in pairs]

    def search(self, text: str, k: int) -> list[dict[str, Any]]:
        """The neurons that fit a text best."""
        return self.hits(self.worker.embed_text(text), k)

    def similar(self, row: int, k: int) -> list[dict[str, Any]]:
        """The neurons that look most like one of them."""
        return self.hits(np.array(self.folder.vectors[row]), k, skip=row)

    def upload(self, name: str, data: bytes, k: int) -> dict[str, Any]:
        """What is to be shown of a neuron that was brought along."""
        found: Uploaded = self.worker.embed_swc(name, data)
        xy = place(found.vector[None], np.asarray(self.folder.vectors), self.folder.xy)[0]
        return {
            "name": found.name,
            "hits": self.hits(found.vector, k),
            "xy": [float(value) for value in xy],
            "skeleton": base64.b64encode(found.skeleton).decode(),
            "views": [base64.b64encode(view).decode() for view in found.views],
            "measures": found.measures,
            "warnings": list(found.warnings),
        }


def create_app(folder: ExploreFolder, worker: Worker, hosts: tuple[str, ...]) -> Guard:
    """The server's application.

    Args:
        folder: the exported folder.
        worker: embeds texts and uploads.
        hosts: names by which it may be called.
    """
    explorer = Explorer(folder, worker)
    n = len(folder)

    def row_of(request: Request) -> int:
        row = int(request.path_params["row"])
        if not 0 <= row < n:
            raise LookupError(f"there are {n} neurons")
        return row

    async def page(_: Request) -> Response:
        return Response(server_page(), media_type="text/html")

    async def meta(_: Request) -> Response:
        return JSONResponse(folder.meta)

    async def points(_: Request) -> Response:
        return FileResponse(folder.path / "points.arrow", media_type="application/vnd.apache.arrow.file")

    async def thumb(request: Request) -> Response:
        return _picture(folder.thumbs[row_of(request)])

    async def view(request: Request) -> Response:
        pictures = await run_in_threadpool(explorer.views, row_of(request))
        number = int(request.path_params["number"])
        return _picture(pictures[number] if number < len(pictures) else b"")

    async def skeleton(request: Request) -> Response:
        data = await run_in_threadpool(explorer.skeleton, row_of(request))
        return Response(data, media_type="application/octet-stream", headers=_KEEP)

    async def swc(request: Request) -> Response:
        name, data = await run_in_threadpool(folder.swc, row_of(request))
        disposition = f"attachment; filename*=UTF-8''{quote(name)}"
        return Response(data, media_type="text/plain", headers={"content-disposition": disposition})

    async def similar(request: Request) -> Response:
        return JSONResponse({"hits": await run_in_threadpool(explorer.similar, row_of(request), _k(request))})

    async def search(request: Request) -> Response:
        text = request.query_params.get("q", "").strip()
        if not text or len(text) > LONGEST_QUERY:
            return _problem(400, f"a query has 1 to {LONGEST_QUERY} characters")
        try:
            return JSONResponse({"hits": await run_in_threadpool(explorer.search, text, _k(request))})
        except UserError as error:
            return _problem(503, str(error))

    async def upload(request: Request) -> Response:
        data = await _body(request)
        if data is None:
            return _problem(413, f"an SWC file of at most {MOST_UPLOAD_BYTES // 1_000_000} MB can be looked up")
        name = request.query_params.get("name", "")[:200] or "upload.swc"
        try:
            return JSONResponse(await run_in_threadpool(explorer.upload, name, data, _k(request)))
        except UserError as error:
            return _problem(422, str(error))

    def asset(name: str, kind: str) -> Route:
        async def endpoint(_: Request) -> Response:
            return FileResponse(STATIC / name, media_type=kind)

        return Route(f"/{name}", endpoint)

    routes = [
        Route("/", page),
        asset("explore.js", "text/javascript"),
        asset("explore.css", "text/css"),
        Route("/api/meta", meta),
        Route("/api/points", points),
        Route("/api/thumb/{row:int}", thumb),
        Route("/api/view/{row:int}/{number:int}", view),
        Route("/api/skeleton/{row:int}", skeleton),
        Route("/api/swc/{row:int}", swc),
        Route("/api/similar/{row:int}", similar),
        Route("/api/search", search),
        Route("/api/upload", upload, methods=["POST"]),
    ]
    handlers: dict[Any, Callable[[Request, Exception], Response]] = {
        LookupError: lambda _, error: PlainTextResponse(f"{error}\n", 404),
        UserError: lambda _, error: _problem(404, str(error)),
        SWCError: lambda _, error: _problem(404, str(error)),
    }
    return Guard(Starlette(routes=routes, exception_handlers=handlers), hosts)


_KEEP = {"cache-control": "private, max-age=3600"}


def _picture(data: bytes) -> Response:
    return Response(data, media_type="image/webp", headers=_KEEP) if data else Response(status_code=404)


def _problem(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status_code=status)


def _k(request: Request) -> int:
    """How many results are wanted: 1 to 200, 24 by default."""
    text = request.query_params.get("k", "")
    return min(max(int(text), 1), MOST_RESULTS) if text.isascii() and text.isdigit() else 24


async def _body(request: Request) -> bytes | None:
    """The body of a request, None as soon as it is too long."""
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_UPLOAD_BYTES:
            return None
        parts.append(chunk)
    return b"".join(parts)
