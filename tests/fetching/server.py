"""A server on this machine that behaves, breaks, or lies, and what it offers."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from neocog.fetch import Published, PublishedFile

__all__ = ["CONTENT", "WRONG", "Server", "published", "sha"]

CONTENT = bytes(range(256)) * 9000  # 2.3 MB
WRONG = b"x" * len(CONTENT)


class Server:
    """What the server is told to do, and what it was asked."""

    def __init__(self):
        self.files = {}
        self.ranges = True
        self.breaks = {}  # path -> after how many bytes of each answer, for how many answers
        self.asked = []
        self.status = {}
        self.length = True
        self.wrong_range = False

    def start(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def stop(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()

    def answer(self, request):
        asked = request.headers.get("Range")
        self.asked.append((request.path, asked))
        if request.path in self.status or request.path not in self.files:
            request.send_error(self.status.get(request.path, 404))
            return
        content, start = self.files[request.path], 0
        if asked and self.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            request.send_error(416)
            return
        request.send_response(206 if start else 200)
        if start:
            said = start + 1 if self.wrong_range else start
            request.send_header("Content-Range", f"bytes {said}-{len(content) - 1}/{len(content)}")
        if self.length:
            request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        body = content[start:]
        after, times = self.breaks.get(request.path, (0, 0))
        if times:
            self.breaks[request.path] = (after, times - 1)
            body = body[:after]
        request.wfile.write(body)


def published(server, *mirrors, content=CONTENT, name="data.bin", unpacked=b"", brief=False):
    """What is offered, in brief by no size and the first digits of its hash."""
    digits, size = (sha(content)[:8], None) if brief else (sha(content), len(content))
    file = PublishedFile(name, size, digits, sha(unpacked) if unpacked else "")
    return Published("Thing/raw", (file,), tuple(f"{server.address}/{mirror}/" for mirror in mirrors))


def sha(content):
    return hashlib.sha256(content).hexdigest()
