"""The web page: its files lie in the package, are read once, and may load nothing from anywhere else."""

import hashlib
import mimetypes
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.errors import NotFound

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    # Asked for each time and mostly answered with 304: a new release is seen at once.
    "Cache-Control": "no-cache",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class PageFile:
    """A file with what a browser needs to know of it."""

    body: bytes
    media_type: str
    tag: str


def register(app: FastAPI) -> None:
    """Serve `/` and `/assets/…`."""
    files = load(resources.files("gateway_service") / "pages")

    async def serve(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in files:
            raise NotFound
        return _answer(request, files[name])

    app.router.routes.append(Route("/", serve, methods=["GET", "HEAD"], include_in_schema=False))
    app.router.routes.append(Route("/assets/{name}", serve, methods=["GET", "HEAD"], include_in_schema=False))


def load(folder: Traversable) -> dict[str, PageFile]:
    """Every file of the folder, by name."""
    return {entry.name: _read(entry) for entry in folder.iterdir() if entry.is_file()}


def _read(entry: Traversable) -> PageFile:
    body = entry.read_bytes()
    suffix = entry.name[entry.name.rfind(".") :]
    media_type = MEDIA_TYPES.get(suffix) or mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
    return PageFile(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _answer(request: Request, file: PageFile) -> Response:
    headers = {**HEADERS, "ETag": file.tag}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    body = b"" if request.method == "HEAD" else file.body
    return Response(body, headers=headers, media_type=file.media_type)
