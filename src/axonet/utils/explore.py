"""Look at a run in the browser: ``axonet explore results/``; or write the page as one file with ``--static``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.config import JsonDict
from pydantic_settings import CliPositionalArg

from axonet.core.config import CommandSettings, run_command
from axonet.explore.settings import PageSettings

if TYPE_CHECKING:
    from axonet.explore.folder import ExploreFolder

IO: JsonDict = {"io": True}
PORT = 8765


class ExploreConfig(PageSettings, CommandSettings):
    """Open the explorer: a map of all neurons, search by words and by SWC, views and 3D skeletons.

    Results that were not exported yet, or that have changed since, are exported first. The page talks to nobody but
    this command, and with --static to nobody at all.
    """

    results: CliPositionalArg[Path] = Field(
        description="the workflow's results folder, or a folder that axonet export wrote", json_schema_extra=IO
    )
    run: str | None = Field(None, description="which run; main or the only one by default", json_schema_extra=IO)
    static: Path | None = Field(
        None, description="write the page as one file that works offline, instead of serving it", json_schema_extra=IO
    )
    host: str = Field("127.0.0.1", description="address to listen on; another one lets other machines in")
    port: int = Field(PORT, ge=0, le=65535, description="port to listen on; another one is found when it is taken")
    allowed_hosts: list[str] = Field(
        [], description="further names by which browsers may call the server, for example behind a proxy"
    )
    browser: bool = Field(True, description="open the page in the browser")
    upload_timeout_s: float = Field(60.0, gt=0, description="an SWC that takes longer to read and draw is given up")


def run(config: ExploreConfig) -> None:
    """Serve or write the page."""
    folder = open_folder(config.results, config.run)
    if config.static is not None:
        from axonet.explore.page import write_page

        write_page(folder, config.static, config.max_mb)
        return
    serve(folder, config)


def open_folder(results: Path, run_name: str | None) -> ExploreFolder:
    """The exported folder, made first where it is missing or was made of other files.

    Raises:
        UserError: there is nothing to export.
    """
    from axonet.core.progress import say
    from axonet.explore.export import export
    from axonet.explore.folder import EXPLORE, ExploreFolder
    from axonet.explore.fresh import is_fresh
    from axonet.explore.origin import find_origin
    from axonet.explore.settings import ExportSettings

    if (results / "meta.json").is_file():
        return ExploreFolder(results)
    origin, name = find_origin(results, run_name)
    out = results / EXPLORE
    if not is_fresh(out, origin, results.parent):
        say(f"{out}: made now, once")
        export(origin, results.parent, out, ExportSettings(), name)
    return ExploreFolder(out)


def serve(folder: ExploreFolder, config: ExploreConfig) -> None:
    """Listen until Ctrl-C."""
    from axonet.core.errors import UserError

    try:
        import uvicorn

        from axonet.explore.server import create_app
    except ModuleNotFoundError as error:
        raise UserError(
            f"{error.name} is not installed: pip install 'axonet[explore]'; or write the page as one file with --static"
        ) from None
    from axonet.core.progress import say
    from axonet.explore.guard import LOCAL
    from axonet.explore.listen import listening_socket, open_when_ready
    from axonet.explore.worker import Worker

    checkpoint = folder.origin.below(folder.root)["checkpoint"]
    worker = Worker(checkpoint, folder.meta["checkpoint"], config.upload_timeout_s)
    app = create_app(folder, worker, (*LOCAL, config.host, *config.allowed_hosts))
    socket = listening_socket(config.host, config.port)
    address = f"http://{'localhost' if config.host in LOCAL else config.host}:{socket.getsockname()[1]}/"
    say(f"{folder.meta['title']}: {address} (Ctrl-C stops it)")
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
    if config.browser:
        open_when_ready(server, address)
    try:
        server.run(sockets=[socket])
    except KeyboardInterrupt:
        say("stopped")
    finally:
        worker.close()
        socket.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run_command(ExploreConfig, run, argv, program="axonet explore")


if __name__ == "__main__":
    sys.exit(main())
