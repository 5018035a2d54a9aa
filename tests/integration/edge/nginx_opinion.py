"""nginx as a second opinion on HTTP: every request of http_cases.py, sent to it as well.

    nginx_opinion.py EDGE-SERVER

What both answer must be of one class (2xx, 4xx, 5xx). Where that is not so, the case is named below, with the reason; a
name below that has no difference any more fails, too, so that the list stays true.
"""

import concurrent.futures
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import edge

PATIENCE = 3  # seconds until a server that says nothing is taken to wait for more bytes
CONFIG = """
daemon off;
master_process off;
pid {here}/pid;
error_log {here}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {here}/body;
    proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi;
    uwsgi_temp_path {here}/uwsgi;
    scgi_temp_path {here}/scgi;
    client_max_body_size 100000;
    client_header_buffer_size 1k;
    large_client_header_buffers 4 1k;
    lingering_close off;
    server {{
        listen unix:{here}/front;
        location = /hello {{ limit_except GET {{ deny all; }} try_files /hello.txt =500; root {here}; }}
        location /files/ {{ alias {folder}/; index index.html; }}
        location = /echo {{ proxy_pass http://unix:{here}/back; proxy_http_version 1.1; }}
        location = /small {{ client_max_body_size 16; proxy_pass http://unix:{here}/back; proxy_http_version 1.1; }}
        location = /query {{ if ($args !~ "(^|&)(q|%71)(=|&|$)") {{ return 400; }} return 200 "value"; }}
        location ~ "^/items/[^/]+/parts/[^/]+$" {{ return 200 "item"; }}
        location = /api/hello {{ return 200 "{{}}"; }}
        location / {{ return 404; }}
    }}
    server {{
        listen unix:{here}/back;
        location / {{ return 200 "echo"; }}
    }}
}}
"""

# What nginx answers otherwise, and why we do not.
DIFFERENCES = {
    r"five empty lines before it": "nginx overlooks any number; RFC 9112 section 2.2 asks for one, we take four",
    r"request line 'GET /hello'": "nginx answers as HTTP/0.9, without a head",
    r"request line 'GET( |  |\\t)/hello.*": "nginx takes several spaces, as RFC 9112 section 3 lets it; we ask for exactly one",
    r"request line 'GET /hello HTTP/11'": "nginx reads a version that it does not know; it is none",
    r"request line 'GET /hello HTTP/1.10'": "nginx reads any number of digits; RFC 9112 section 2.3 has one",
    r"request line 'GET /hello#x HTTP/1.1'": "nginx cuts the fragment off; no target may have one (RFC 9112 section 3.2)",
    r"request line 'GET ftp://x/hello HTTP/1.1'": "nginx takes any scheme; we serve http and its kin alone",
    r"version HTTP/0\..|HTTP/2's preface": "nginx: malformed; we: 505, a version that is not ours (RFC 9110 section 15.6.6)",
    r"CONNECT.*": "nginx refuses it as malformed, or for the place; we do not implement it at all (501)",
    r"unknown method .*": "nginx refuses by the place or as malformed; a method that nobody knows is 501 (RFC 9110 section 9.1)",
    r"GET where .*|a wrong method below the API": "nginx is not told which methods a location takes",
    r"OPTIONS of .*": "nginx knows no OPTIONS by itself",
    r"bare LF .*|chunked: bare LF .*": "nginx takes LF for a line's end, as RFC 9112 section 2.2 lets it: a way to smuggle, so we do not",
    r"CR CR LF": "nginx skips the CR; RFC 9112 section 2.2: invalid, or a space",
    r"no colon|character .. in a name": "nginx ignores a field with a malformed name, and answers; to us the request is malformed",
    r"character .. in a value": "nginx passes control characters on; RFC 9110 section 5.5 calls them dangerous, we refuse",
    r"host ''": "nginx asks for a name; RFC 9112 section 3.2 wants an empty Host from who has none",
    r"bad host .*": "nginx cuts the name off, or takes it; RFC 9112 section 3.2: invalid is 400",
    r"chunked: a trailer .*|chunked: endless .*": "nginx does not look into trailers and extensions; we check and limit them",
    r"Transfer-Encoding .*": "nginx: 501, not implemented; where chunked is not the last, RFC 9112 section 6.3 asks for 400",
    r"target over its limit|a header too many|a large header": "other limits: nginx limits each line, and no number of fields",
    r"an encoded slash stays in its segment": "nginx decodes before it looks for the place",
    r"no route .*|no file /files/(.*\.\./.*|/a.txt|\./a.txt)": "nginx decodes and cleans paths up; we serve a path as it is spelled, or not",
    r"no file /files/sub": "nginx redirects to the folder",
    r"no file /files/(\.|%2e).*": "nginx serves hidden files",
    r"no file /files/(link|inner).*": "nginx follows symbolic links",
}


class Nginx:
    def __init__(self, folder):
        self.temporary = tempfile.TemporaryDirectory(prefix="edge-nginx-")
        self.here = self.temporary.name
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        with open(f"{self.here}/hello.txt", "w", encoding="ascii") as file:
            file.write("hello\n")
        with open(f"{self.here}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(CONFIG.format(here=self.here, folder=folder))
        self.process = subprocess.Popen([program, "-p", self.here, "-c", f"{self.here}/nginx.conf"],
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + edge.DEADLINE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                with open(f"{self.here}/error.log", encoding="utf-8") as file:
                    raise RuntimeError(f"nginx did not start: {file.read()}")
            time.sleep(0.01)

    def answers(self):
        try:
            self.connect().close()
            return True
        except OSError:
            return False

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(edge.DEADLINE)
        sock.connect(f"{self.here}/front")
        return sock

    def stop(self):
        self.process.terminate()
        self.process.wait(edge.DEADLINE)
        self.temporary.cleanup()


def final_status(sock, data):
    """The status of the first answer that is none of 1xx; 0 when there is none."""
    edge.send(sock, data, edge.WHOLE)
    reply, status = b"", None
    sock.settimeout(PATIENCE)
    while not status:
        try:
            part = sock.recv(1 << 16)
        except TimeoutError:
            return 0
        except ConnectionError:
            part = b""
        reply += part
        status = re.search(rb"^HTTP/1\.[01] ([2-5]\d\d) ", reply, re.M)
        if not part:
            break
    return int(status[1]) if status else 0


class Opinion(edge.Suite):
    """Instead of running the cases, asks nginx."""

    def run(self):
        nginx = Nginx(self.folder)

        def ask(request):
            with nginx.connect() as sock:
                return final_status(sock, request[1])

        try:
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(ask, self.requests))
        finally:
            nginx.stop()
        differences = {name: (due, status) for (name, _, due), status in zip(self.requests, answers)
                       if status // 100 != due // 100}
        return edge.judge_differences("nginx", len(self.requests), differences, DIFFERENCES)


if __name__ == "__main__":
    edge.Suite = Opinion
    runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "http_cases.py"), run_name="__main__")
