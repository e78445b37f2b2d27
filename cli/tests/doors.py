"""A small real HTTP server on loopback that gives set answers."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextlib.contextmanager
def serving(answers):
    """Yields its port and each (path, headers, body) that it is asked.

    `answers`: path (without the query), after its method or alone, to (status, JSON content), or to several of them in
    turn, the last of which stays.
    """
    asked = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition("?")[0]
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append((path, dict(self.headers), body))
            status, content = self.answer(path)
            told = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def answer(self, path):
            found = answers.get(f"{self.command} {path}", answers.get(path, (404, {})))
            if isinstance(found, list):
                return found.pop(0) if len(found) > 1 else found[0]
            return found

        do_POST = do_PUT = do_GET  # noqa: N815 - the names that the standard library calls

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1], asked
        finally:
            server.shutdown()
            thread.join()
