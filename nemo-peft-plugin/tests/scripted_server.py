"""A server that says what a test tells it: what the real ones cannot be brought to say at a given moment."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    # Done before it is said, in the server's thread.
    first: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Call:
    line: str
    body: Any


@dataclass
class ScriptedServer:
    """``replies``: by ``METHOD /path`` without its query, said in turn, the last for ever; anything else is a 404."""

    url: str = ""
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def says(self, line: str, *replies: Reply) -> None:
        self.replies[line] = list(replies)

    def bodies(self, line: str) -> list[Any]:
        return [call.body for call in self.calls if call.line == line]

    def answer(self, line: str, body: Any) -> Reply:
        self.calls.append(Call(line, body))
        replies = self.replies.get(line)
        if not replies:
            return Reply(404, {"detail": f"no {line}"})
        return replies.pop(0) if len(replies) > 1 else replies[0]


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    script = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply = script.answer(f"{self.command} {self.path.split('?')[0]}", _parsed(content))
            reply.first()
            sent = json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = _answer

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name in the base class)
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
