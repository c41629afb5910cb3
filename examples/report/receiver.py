"""Prints every report that is posted to it, and answers with a receipt."""

from http.server import BaseHTTPRequestHandler, HTTPServer

ADDRESS = ("127.0.0.1", 8099)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        print(f"--- {self.path}")
        for name in ("Authorization", "Idempotency-Key"):
            if name in self.headers:
                print(f"{name}: {self.headers[name]}")
        print(body.decode(errors="replace").rstrip(), flush=True)
        receipt = f"received {len(body)} bytes".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(receipt)))
        self.end_headers()
        self.wfile.write(receipt)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    print("listening on http://%s:%d" % ADDRESS, flush=True)
    try:
        HTTPServer(ADDRESS, Receiver).serve_forever()
    except KeyboardInterrupt:
        pass
