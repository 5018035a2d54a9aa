"""Conformance of server/http to RFC 9110 and RFC 9112: http_cases.py EDGE-SERVER [substring of case names]."""

import os
import re
import shutil
import sys
import tempfile

from edge import BYTES, WHOLE, Reader, Suite, receive_all, send

suite = Suite("http", sys.argv[1])
LIMITS = {"max_target": 1000, "max_header": 4000, "max_headers": 20, "max_body": 100000}
KEPT, CLOSED = "kept", "closed"

# ---- the files that are served ----

folder = tempfile.mkdtemp(prefix="edge-files-")
outside = tempfile.mkdtemp(prefix="edge-outside-")
BIG = bytes(range(256)) * 8192
FILES = {"index.html": b"<h1>index</h1>", "a.txt": b"text", "app.js": b"js()", "style.css": b"a{}", "data.json": b"{}",
         "empty.txt": b"", "big.bin": BIG, "sub/index.html": b"<h1>sub</h1>", "sub/deep/x.svg": b"<svg/>", "with space.txt": b"space",
         "ümlaut.txt": b"umlaut", "noext": b"?", ".hidden": b"secret", ".git/config": b"secret", "a+b.txt": b"plus", "100%.txt": b"percent"}
for name, content in FILES.items():
    os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)
with open(os.path.join(outside, "secret.txt"), "wb") as file:
    file.write(b"secret")
os.symlink(os.path.join(outside, "secret.txt"), os.path.join(folder, "link.txt"))
os.symlink(outside, os.path.join(folder, "linked"))
os.symlink("a.txt", os.path.join(folder, "inner.txt"))
os.mkfifo(os.path.join(folder, "pipe"))
LIMITS["static"] = suite.folder = folder


class Reply:
    """One response, read as RFC 9112 says."""

    def __init__(self, reader, to_head=False):
        head = reader.until(b"\r\n\r\n").decode("latin-1")
        self.head = head + "\r\n"
        first, *lines = head.split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [A-Za-z -]+", first)
        if not match:
            raise ValueError(f"status line {first!r}")
        self.status = int(match[1])
        self.fields = {}
        for line in lines:
            name, value = line.split(": ", 1)
            self.fields.setdefault(name.lower(), []).append(value)
        self.body = b""
        if self.status >= 200 and "date" not in self.fields:
            raise ValueError("no Date")
        if self.status >= 200 and self.status not in (204, 304):
            length = int(self.fields["content-length"][0])
            if not to_head:
                self.body = reader.exactly(length)
        elif "content-length" in self.fields:
            raise ValueError("a length where no body may be")


def judge(reply, status, body, has, lacks):
    if reply.status != status:
        return f"instead of {status}: {reply.head}{reply.body[:80]}"
    if body is not None and reply.body != body:
        return f"body {reply.body[:100]!r} ({len(reply.body)})"
    for text in has:
        if text.lower() not in reply.head.lower():
            return f"no {text!r} in {reply.head}"
    for text in lacks:
        if text.lower() in reply.head.lower():
            return f"{text!r} in {reply.head}"
    return None


def case(name, request, status, then=KEPT, body=None, has=(), lacks=(), options=None, modes=(WHOLE, BYTES)):
    """Sends a request; the connection must then be good for another one, or be closed."""
    data = request if isinstance(request, bytes) else request.encode()

    def run(mode):
        with suite.server(**{**LIMITS, **(options or {})}).connect() as sock:
            send(sock, data, mode)
            reader = Reader(sock)
            complaint = judge(Reply(reader, data.lstrip().startswith(b"HEAD ")), status, body, has, lacks)
            if complaint:
                return complaint
            if then == CLOSED:
                return f"bytes after the end: {reader.data[:80]!r}" if reader.data or reader.fill() else None
            if reader.data:
                return f"a second reply: {reader.data[:80]!r}"
            sock.sendall(b"GET /hello HTTP/1.1\r\nHost: again\r\n\r\n")
            return judge(Reply(reader), 200, b"hello\n", (), ("Connection: close",))

    suite.add(name, run, modes)
    if not options:
        suite.requests.append((name, data, status))


def get(path="/hello", *fields, method="GET", host="Host: x\r\n", version="HTTP/1.1"):
    return f"{method} {path} {version}\r\n{host}{''.join(field + chr(13) + chr(10) for field in fields)}\r\n"


def post(body, *fields, path="/echo", length=True):
    lines = list(fields) + ([f"Content-Length: {len(body)}"] if length else [])
    return get(path, *lines, method="POST").encode() + body


# ---- request lines ----

case("a plain request", get(), 200, body=b"hello\n", has=["Content-Type: text/plain", "Content-Length: 6"], lacks=["Connection:"])
for before in ("\r\n", "\r\n\r\n"):
    case(f"{len(before) // 2} empty lines before it", before + get(), 200)
case("five empty lines before it", "\r\n" * 5 + get(), 400, CLOSED)
for line in ("GET", "GET /hello", "GET  /hello HTTP/1.1", "GET /hello  HTTP/1.1", " GET /hello HTTP/1.1", "GET /hello HTTP/1.1 ", "GET\t/hello\tHTTP/1.1",
             "GET /hello\tHTTP/1.1", "GET /hel lo HTTP/1.1", "/hello HTTP/1.1", "GET HTTP/1.1", "G@T /hello HTTP/1.1", "G(T /hello HTTP/1.1", "GET: /hello HTTP/1.1",
             "GET /hello HTTP/1", "GET /hello HTTP/1.", "GET /hello HTTP/.1", "GET /hello HTTP/11", "GET /hello HTTP/1.1.1", "GET /hello http/1.1",
             "GET /hello HTP/1.1", "GET /hello HTTP 1.1", "GET /hello HTTP/a.b", "GET /hello HTTP/1,1", "GET /hello HTTP/01.1", "GET /hello HTTP/1.10",
             "GET hello HTTP/1.1", "GET ?x HTTP/1.1", "GET #x HTTP/1.1", "GET /hello#x HTTP/1.1", "GET * HTTP/1.1", "GET //\x01 HTTP/1.1", "GET /\x7f HTTP/1.1",
             "GET /\xff HTTP/1.1", "GET /\u00fc HTTP/1.1", "GET x:80 HTTP/1.1", "GET ftp://x/hello HTTP/1.1", "GET http:///hello HTTP/1.1", "GET http:// HTTP/1.1",
             "\x00GET /hello HTTP/1.1", "GET /he\x00llo HTTP/1.1", "GET /hello\rHTTP/1.1", "\x16\x03\x01\x02\x00\x01", "{\"a\":1}"):
    case(f"request line {line!r}", line.encode("latin-1") + b"\r\nHost: x\r\n\r\n", 400, CLOSED)
for version, status in (("HTTP/0.9", 505), ("HTTP/2.0", 505), ("HTTP/3.0", 505), ("HTTP/9.9", 505), ("HTTP/0.0", 505)):
    case(f"version {version}", get(version=version), status, CLOSED)
for version in ("HTTP/1.2", "HTTP/1.9"):
    case(f"version {version} is read as 1.1", get(version=version), 200)
case("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, CLOSED)
case("HTTP/1.0", get(version="HTTP/1.0"), 200, CLOSED, has=["Connection: close"])
case("HTTP/1.0 without Host", get(version="HTTP/1.0", host=""), 200, CLOSED)
case("HTTP/1.0 kept alive", get("/hello", "Connection: keep-alive", version="HTTP/1.0"), 200, KEPT, has=["Connection: keep-alive"])
case("absolute target", get("http://x/hello"), 200)
case("absolute target in capitals", get("HTTP://X:80/hello"), 200)
case("absolute target with query", get("http://x/query?q=1"), 200, body=b"1")
case("absolute target without path", get("http://x"), 404)
case("absolute target with only a query", get("http://x?q=1"), 404)
case("CONNECT", get("x:443", method="CONNECT"), 501, CLOSED)
case("CONNECT with a path", get("/hello", method="CONNECT"), 501, CLOSED)
for method in ("PUT", "DELETE", "PATCH", "POST", "TRACE", "PROPFIND", "LOCK"):
    case(f"{method} where only GET is", get(method=method), 405, has=["Allow: GET, HEAD, OPTIONS"])
for method in ("FOO", "get", "Get", "GETT", "G", "M-SEARCHX", "X" * 40, "!#$%&'*+-.^_`|~"):
    case(f"unknown method {method}", get(method=method), 501, CLOSED)
case("GET where only POST is", get("/small"), 405, has=["Allow: POST, OPTIONS"])
case("GET where POST and PUT are", get("/echo"), 405, has=["Allow: POST, PUT, OPTIONS"])
case("OPTIONS of a path", get(method="OPTIONS"), 204, has=["Allow: GET, HEAD, OPTIONS"])
case("OPTIONS of everything", get("*", method="OPTIONS"), 204, has=["Allow:"])
case("OPTIONS of nothing", get("/nope", method="OPTIONS"), 404)
case("HEAD", get(method="HEAD"), 200, has=["Content-Length: 6"])
case("HEAD of nothing", get("/nope", method="HEAD"), 404)
case("HEAD of a file", get("/files/a.txt", method="HEAD"), 200, has=["Content-Length: 4", "ETag:"])
case("HEAD of a large file", get("/files/big.bin", method="HEAD"), 200, has=[f"Content-Length: {len(BIG)}"])

# ---- line ends, folds, field syntax ----

for name, text in (("bare LF after the request line", "GET /hello HTTP/1.1\nHost: x\r\n\r\n"), ("bare LF after a field", "GET /hello HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"),
                   ("bare LF at the end", "GET /hello HTTP/1.1\r\nHost: x\r\n\n"), ("bare LF everywhere", "GET /hello HTTP/1.1\nHost: x\n\n"),
                   ("bare CR in a value", get("/hello", "A: b\rc")), ("bare CR in a name", get("/hello", "A\rB: c")), ("CR CR LF", "GET /hello HTTP/1.1\r\nHost: x\r\r\n\r\n"),
                   ("obsolete fold by a space", get("/hello", "A: b", " c")), ("obsolete fold by a tab", get("/hello", "A: b", "\tc")),
                   ("fold before the first field", "GET /hello HTTP/1.1\r\n Host: x\r\n\r\n"), ("space before the colon", get("/hello", "A : b")),
                   ("tab before the colon", get("/hello", "A\t: b")), ("no colon", get("/hello", "nonsense")), ("empty name", get("/hello", ": b")),
                   ("a line of a space", get("/hello", " ")), ("NUL in a value", get("/hello", "A: b\0c")), ("NUL in a name", get("/hello", "A\0: b")),
                   ("a field hidden by CR", get("/hello", "A: b\rContent-Length: 5")), ("Host with space before colon", "GET /hello HTTP/1.1\r\nHost : x\r\n\r\n")):
    case(name, text, 400, CLOSED)
for code in [*range(1, 9), *range(14, 33), *b'"(),/;<=>?@[\\]{}', 127, 128, 255]:
    case(f"character {code:02x} in a name", get().replace("\r\n\r\n", "\r\nA").encode() + bytes([code]) + b"B: c\r\n\r\n", 400, CLOSED)
for code in b"!#$%&'*+-.^_`|~0aZ":
    case(f"character {code:02x} in a name is fine", get("/hello", f"A{chr(code)}B: c"), 200)
for code in [*range(1, 9), 11, 12, *range(14, 32), 127]:
    case(f"character {code:02x} in a value", get().replace("\r\n\r\n", "\r\nA: b").encode() + bytes([code]) + b"c\r\n\r\n", 400, CLOSED)
for code in (9, 32, 33, 126, 128, 200, 255):
    case(f"character {code:02x} in a value is fine", get().replace("\r\n\r\n", "\r\nA: b").encode() + bytes([code]) + b"c\r\n\r\n", 200)
for value in ("", " ", "  x", "x  ", "\tx\t", ":", "a: b: c"):
    case(f"value {value!r} is fine", get("/hello", f"A:{value}"), 200)

# ---- Host ----

for host in ("x", "x:80", "127.0.0.1", "[::1]", "[::1]:8080", "", "a-b.c_d", "x%20y", "*"):
    case(f"host {host!r}", get(host=f"Host: {host}\r\n"), 200)
for host in ("a b", "a/b", "a@b", "a\\b", "x,y", "<x>", "a?b", "a#b", "\"x\""):
    case(f"bad host {host!r}", get(host=f"Host: {host}\r\n"), 400 if host != "x,y" else 200, CLOSED if host != "x,y" else KEPT)
case("no host", get(host=""), 400, CLOSED)
case("two hosts", get(host="Host: x\r\nHost: x\r\n"), 400, CLOSED)
case("two hosts in HTTP/1.0", get(host="Host: x\r\nHost: y\r\n", version="HTTP/1.0"), 400, CLOSED)
case("host in another case", get(host="hOST: x\r\n"), 200)

# ---- bodies by length ----

for size in (0, 1, 2, 100, 4096, 65536, 100000):
    case(f"body of {size} bytes", post(b"b" * size), 200, body=b"b" * size)
case("body over the limit", post(b"b" * 100001), 413, CLOSED, modes=(WHOLE,))
case("body over the limit, announced only", get("/echo", "Content-Length: 100001", method="POST"), 413, CLOSED)
case("body far over the limit, announced only", get("/echo", "Content-Length: 99999999999999999", method="POST"), 413, CLOSED)
case("body at a route's own limit", post(b"b" * 16, path="/small"), 200, body=b"b" * 16)
case("body over a route's own limit", post(b"b" * 17, path="/small"), 413, CLOSED)
case("POST without length", get("/echo", method="POST"), 200, body=b"")
case("GET with a body", get("/hello", "Content-Length: 3") + "abc", 200)
case("body for nobody", post(b"abc", path="/nope"), 404, CLOSED)
case("body for the wrong method", post(b"abc", path="/hello"), 405, CLOSED)
case("binary body", post(bytes(range(256))), 200, body=bytes(range(256)))
case("body that looks like a request", post(get().encode()), 200, body=get().encode())
for value in ("-1", "+5", "0x5", "5 5", "5,5", "5, 5", "5;", "abc", "", " ", "5.0", "1e3", "18446744073709551616", "99999999999999999999999", "\"5\"", "5\t5", "5\t", "٥"):
    case(f"Content-Length {value!r}", get("/echo", f"Content-Length: {value}", method="POST").encode() + b"hello", 400, CLOSED)
for value in ("05", "0000000005", " 5 "):
    case(f"Content-Length {value!r} is five", get("/echo", f"Content-Length:{value}", method="POST") + "hello", 200, body=b"hello")
case("the same length twice", get("/echo", "Content-Length: 5", "Content-Length: 5", method="POST") + "hello", 400, CLOSED)
case("two lengths", get("/echo", "Content-Length: 5", "Content-Length: 6", method="POST") + "hello!", 400, CLOSED)
case("length in two spellings", get("/echo", "Content-Length: 5", "content-length: 5", method="POST") + "hello", 400, CLOSED)

# ---- chunked bodies ----


def chunked(raw, *fields, encoding="Transfer-Encoding: chunked", path="/echo", version="HTTP/1.1"):
    return get(path, encoding, *fields, method="POST", version=version).encode() + (raw if isinstance(raw, bytes) else raw.encode())


for name, raw, body in (("one chunk", "5\r\nhello\r\n0\r\n\r\n", b"hello"), ("two chunks", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"), ("no chunk", "0\r\n\r\n", b""),
                        ("hexadecimal, lower case", "a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"), ("hexadecimal, upper case", "A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
                        ("leading zeros", "0005\r\nhello\r\n000\r\n\r\n", b"hello"), ("an extension", "5;name=value\r\nhello\r\n0\r\n\r\n", b"hello"),
                        ("a quoted extension", "5;name=\"va;lue\"\r\nhello\r\n0\r\n\r\n", b"hello"), ("an extension without value", "5;name\r\nhello\r\n0;x\r\n\r\n", b"hello"),
                        ("trailers", "5\r\nhello\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n", b"hello"), ("CR LF inside", "7\r\na\r\nb\r\nc\r\n0\r\n\r\n", b"a\r\nb\r\nc"),
                        ("a large chunk", "ffff\r\n" + "x" * 65535 + "\r\n0\r\n\r\n", b"x" * 65535), ("many chunks", "1\r\nx\r\n" * 500 + "0\r\n\r\n", b"x" * 500)):
    case(f"chunked: {name}", chunked(raw), 200, body=body)
for name, raw in (("no size", "\r\nhello\r\n0\r\n\r\n"), ("a size that is none", "g\r\nhello\r\n0\r\n\r\n"), ("a negative size", "-5\r\nhello\r\n0\r\n\r\n"), ("a plus", "+5\r\nhello\r\n0\r\n\r\n"),
                  ("0x", "0x5\r\nhello\r\n0\r\n\r\n"), ("too large a size", "fffffffffffffffff\r\nx"), ("a missing CR LF", "5\r\nhello0\r\n\r\n"), ("a chunk too long", "5\r\nhello!\r\n0\r\n\r\n"),
                  ("bare LF after the size", "5\nhello\r\n0\r\n\r\n"), ("bare CR after the size", "5\rhello\r\n0\r\n\r\n"), ("bare LF after the data", "5\r\nhello\n0\r\n\r\n"),
                  ("space before the size", " 5\r\nhello\r\n0\r\n\r\n"), ("bare LF in an extension", "5;a\nhello\r\n0\r\n\r\n"), ("NUL in the size", "5\0\r\nhello\r\n0\r\n\r\n"),
                  ("bare LF in a trailer", "0\r\nA: b\nC: d\r\n\r\n"), ("a trailer without colon", "0\r\nnonsense\r\n\r\n"), ("a trailer with a space before its colon", "0\r\nA : b\r\n\r\n")):
    case(f"chunked: {name}", chunked(raw), 400, CLOSED)
case("chunked: over the limit", chunked("ffff\r\n" + "x" * 65535 + "\r\n" + "ffff\r\n" + "x" * 65535 + "\r\n0\r\n\r\n"), 413, CLOSED, modes=(WHOLE,))
case("chunked: over a route's own limit", chunked("11\r\n" + "x" * 17 + "\r\n0\r\n\r\n", path="/small"), 413, CLOSED)
case("chunked: endless extension", chunked("5;" + "x" * 5000 + "\r\nhello\r\n0\r\n\r\n"), 431, CLOSED, modes=(WHOLE,))
case("chunked: endless trailers", chunked("0\r\n" + "A: bbbbbbbbbbbbbbbbbbb\r\n" * 300 + "\r\n"), 431, CLOSED, modes=(WHOLE,))
case("chunked: trailers are no headers", chunked("5\r\nhello\r\n0\r\nContent-Type: evil\r\n\r\n"), 200, has=["X-Type: \r\n"])
for encoding, status in (("Transfer-Encoding: Chunked", 200), ("Transfer-Encoding: CHUNKED", 200), ("Transfer-Encoding:  chunked ", 200), ("transfer-encoding: chunked", 200)):
    case(f"{encoding!r}", chunked("5\r\nhello\r\n0\r\n\r\n", encoding=encoding), status, body=b"hello")
for encoding, status in (("gzip, chunked", 501), ("gzip", 400), ("identity", 400), ("chunked, gzip", 400), ("chunked, chunked", 400), ("xchunked", 400), ("chunkedx", 400),
                         ("chunked;q=1", 400), ("\"chunked\"", 400), ("", 400), ("chun ked", 400), ("\x0bchunked", 400), ("chunked\x0c", 400), ("x\tchunked", 400), (", chunked", 400)):
    case(f"Transfer-Encoding {encoding!r}", chunked("5\r\nhello\r\n0\r\n\r\n", encoding=f"Transfer-Encoding: {encoding}"), status, CLOSED)
case("both lengths", chunked("0\r\n\r\n", "Content-Length: 5"), 400, CLOSED)
case("both lengths, the other way round", get("/echo", "Content-Length: 5", "Transfer-Encoding: chunked", method="POST") + "0\r\n\r\n", 400, CLOSED)
case("two encodings", chunked("0\r\n\r\n", "Transfer-Encoding: chunked"), 400, CLOSED)
case("an encoding and an empty one", chunked("0\r\n\r\n", "Transfer-Encoding:"), 400, CLOSED)
case("chunked in HTTP/1.0", chunked("0\r\n\r\n", version="HTTP/1.0"), 400, CLOSED)
case("length and hidden encoding", get("/echo", "Content-Length: 5", "Transfer_Encoding: chunked", method="POST") + "hello", 200, body=b"hello")

# ---- expectations ----


def expecting(name, path, size, field, first, status, then):
    def run(mode):
        with suite.server(**LIMITS).connect() as sock:
            send(sock, get(path, f"Content-Length: {size}", field, method="POST").encode(), mode)
            reader = Reader(sock)
            reply = Reply(reader)
            if reply.status != first:
                return f"instead of {first}: {reply.head}"
            if first == 100:
                send(sock, b"b" * size, mode)
                reply = Reply(reader)
            complaint = judge(reply, status, None, (), ())
            return complaint or (f"more: {reader.data!r}" if then == CLOSED and (reader.data or reader.fill()) else None)

    suite.add(name, run)


expecting("Expect: 100-continue", "/echo", 10, "Expect: 100-continue", 100, 200, KEPT)
expecting("Expect in any case", "/echo", 10, "expect: 100-CONTINUE", 100, 200, KEPT)
expecting("Expect, too large", "/echo", 100001, "Expect: 100-continue", 413, 413, CLOSED)
expecting("Expect, nobody there", "/nope", 10, "Expect: 100-continue", 404, 404, CLOSED)
expecting("Expect, wrong method", "/hello", 10, "Expect: 100-continue", 405, 405, CLOSED)
expecting("Expect something else", "/echo", 10, "Expect: magic", 417, 417, CLOSED)
case("Expect without a body", get("/hello", "Expect: 100-continue"), 200)

# ---- limits of the head ----

case("target at its limit", get("/hello?" + "x" * 993), 200)
case("target over its limit", get("/hello?" + "x" * 994), 414, CLOSED)
case("endless target", "GET /" + "x" * 3000, 414, CLOSED)
case("endless method", "G" * 3000, 414, CLOSED)
case("noise longer than a target", "\0" * 3000 + "\r\n", 400, CLOSED)
case("a large header", get("/hello", "A: " + "x" * 3900), 200)
case("a header too large", get("/hello", "A: " + "x" * 4000), 431, CLOSED)
case("an endless header", get()[:-2] + "A: " + "x" * 5000, 431, CLOSED)
case("an endless name", get()[:-2] + "A" * 5000, 431, CLOSED)
case("as many headers as allowed", get("/hello", *[f"A{i}: b" for i in range(19)]), 200)
case("a header too many", get("/hello", *[f"A{i}: b" for i in range(20)]), 431, CLOSED)
case("many small headers", get("/hello", *["A:" for i in range(1000)]), 431, CLOSED)

# ---- keep-alive, pipelining ----

case("Connection: close", get("/hello", "Connection: close"), 200, CLOSED, has=["Connection: close"])
case("Connection: close in a list", get("/hello", "Connection: foo, Close"), 200, CLOSED, has=["Connection: close"])
case("Connection: keep-alive", get("/hello", "Connection: keep-alive"), 200)
case("Connection: unknown", get("/hello", "Connection: foo"), 200)
case("Upgrade to something else", get("/hello", "Connection: Upgrade", "Upgrade: h2c"), 200)
case("Upgrade to something else, with a body", get("/echo", "Connection: Upgrade", "Upgrade: h2c", "Content-Length: 2", method="POST") + "ok", 200, body=b"ok", then=None or KEPT)


def pipeline(name, data, replies, then=KEPT, options=None, modes=(WHOLE, BYTES)):
    """replies: (status, body, is it for HEAD)"""
    raw = data if isinstance(data, bytes) else data.encode()

    def run(mode):
        with suite.server(**{**LIMITS, **(options or {})}).connect() as sock:
            send(sock, raw, mode)
            reader = Reader(sock)
            for status, body, is_head in replies:
                complaint = judge(Reply(reader, is_head), status, body, (), ())
                if complaint:
                    return complaint
            if then == CLOSED:
                return f"more: {reader.data[:80]!r}" if reader.data or reader.fill() else None
            sock.sendall(get().encode())
            return judge(Reply(reader), 200, b"hello\n", (), ())

    suite.add(f"pipeline: {name}", run, modes)


HELLO, LATER = (200, b"hello\n", False), (200, b"later\n", False)
pipeline("two", get() * 2, [HELLO] * 2)
pipeline("a hundred", get() * 100, [HELLO] * 100, modes=(WHOLE,))
pipeline("five thousand", get() * 5000, [HELLO] * 5000, modes=(WHOLE,))
pipeline("with bodies", post(b"one") + post(b"two") + get().encode(), [(200, b"one", False), (200, b"two", False), HELLO])
pipeline("with chunked bodies", chunked("3\r\none\r\n0\r\n\r\n") + chunked("3\r\ntwo\r\n0\r\nA: b\r\n\r\n") + get().encode(),
         [(200, b"one", False), (200, b"two", False), HELLO])
pipeline("deferred replies keep the order", get("/later") + get() + get("/later") + get(), [LATER, HELLO, LATER, HELLO])
pipeline("ten deferred", get("/later") * 10, [LATER] * 10)
pipeline("HEAD between", get(method="HEAD") + get(), [(200, b"", True), HELLO])
pipeline("a large file between", get("/files/big.bin") + get() + get("/files/big.bin") + get(),
         [(200, BIG, False), HELLO, (200, BIG, False), HELLO], modes=(WHOLE,))
pipeline("a hundred files", get("/files/a.txt") * 100, [(200, b"text", False)] * 100, modes=(WHOLE,))
pipeline("an error ends it", get() + get(host="") + get(), [HELLO, (400, None, False)], CLOSED)
pipeline("nonsense behind", get() + "\x01\x02\x03", [HELLO, (400, None, False)], CLOSED)
pipeline("nothing after close", get("/hello", "Connection: close") + get(), [HELLO], CLOSED)
pipeline("nothing after the last allowed", get() * 5, [HELLO] * 3, CLOSED, {"max_requests": 3})
pipeline("404 and 405 do not end it", get("/nope") + get(method="DELETE") + get(), [(404, None, False), (405, None, False), HELLO])
pipeline("empty lines between", get() + "\r\n" + get(), [HELLO] * 2)
pipeline("smuggled by a length", get("/echo", "Content-Length: 6", "Transfer-Encoding: chunked", method="POST") + "0\r\n\r\nG" + get("/peer"),
         [(400, None, False)], CLOSED)
pipeline("smuggled by a bare LF chunk", chunked("5\nhello\r\n0\r\n\r\n") + get("/peer").encode(), [(400, None, False)], CLOSED)
pipeline("a 304 has no body", get("/files/a.txt", "If-None-Match: *") + get(), [(304, b"", False), HELLO])
pipeline("a 204 has no body", get(method="OPTIONS") + get(), [(204, b"", False), HELLO])

# ---- routes, parameters, queries, errors ----

case("parameters", get("/items/7/parts/9"), 200, body=b"7|9")
case("encoded parameters", get("/items/a%20b/parts/%C3%BC"), 200, body="a b|ü".encode())
case("an encoded slash stays in its segment", get("/items/a%2Fb/parts/9"), 200, body=b"a/b|9")
case("a plus is no space in a path", get("/items/a+b/parts/9"), 200, body=b"a+b|9")
for path in ("/items//parts/9", "/items/7/parts/", "/items/7/parts", "/items/7/parts/9/", "/items/7/part/9", "/Hello", "/hello/", "//hello", "/hell", "/helloo", "/", "/./hello", "/x/../hello",
             "/%68ello", "/hello;x", "/%00"):
    case(f"no route {path}", get(path), 404)
for path in ("/items/%/parts/9", "/items/%2/parts/9", "/items/%zz/parts/9"):
    case(f"bad encoding {path}", get(path), 400)
for query, value in (("q=1", b"1"), ("q=", b""), ("q", b""), ("a=1&q=2", b"2"), ("q=1&q=2", b"1"), ("q=a+b", b"a b"), ("q=a%20b", b"a b"), ("q=%C3%BC", "ü".encode()), ("q=a%2Bb", b"a+b"),
                     ("q=a=b", b"a=b"), ("q=%zz", b"%zz"), ("%71=1", b"1"), ("&&q=1&", b"1"), ("q=?/", b"?/"), ("q=a;b", b"a;b")):
    case(f"query {query}", get(f"/query?{query}"), 200, body=value)
for query in ("", "?", "?Q=1", "?qq=1", "?=q"):
    case(f"no such query {query!r}", get(f"/query{query}"), 400, body=b"q is missing\n")
case("an error below the API is JSON", get("/api/nope"), 404, body=b'{"error":"Not Found"}', has=["Content-Type: application/json"])
case("a wrong method below the API", get("/api/hello", method="POST"), 405, body=b'{"error":"Method Not Allowed"}')
case("too large below the API", get("/api/echo", "Content-Length: 100001", method="POST"), 413, CLOSED, body=b'{"error":"Content Too Large"}')
case("an error elsewhere is text", get("/nope"), 404, body=b"Not Found\n", has=["Content-Type: text/plain"])
case("JSON below the API", get("/api/hello"), 200, body=b'{"hello":true}', has=["Content-Type: application/json"])
case("a header is echoed", post(b"x", "Content-Type: image/png"), 200, has=["X-Type: image/png"])

# ---- files ----

for path, body, kind in (("/files/", b"<h1>index</h1>", "text/html"), ("/files/index.html", b"<h1>index</h1>", "text/html"), ("/files/a.txt", b"text", "text/plain"),
                         ("/files/app.js", b"js()", "text/javascript"), ("/files/style.css", b"a{}", "text/css"), ("/files/data.json", b"{}", "application/json"),
                         ("/files/empty.txt", b"", "text/plain"), ("/files/sub/", b"<h1>sub</h1>", "text/html"), ("/files/sub/deep/x.svg", b"<svg/>", "image/svg+xml"),
                         ("/files/with%20space.txt", b"space", "text/plain"), ("/files/%C3%BCmlaut.txt", b"umlaut", "text/plain"), ("/files/noext", b"?", "application/octet-stream"),
                         ("/files/a.txt?v=1", b"text", "text/plain"), ("/files/%61.txt", b"text", "text/plain"), ("/files/a+b.txt", b"plus", "text/plain"),
                         ("/files/100%25.txt", b"percent", "text/plain")):
    case(f"file {path}", get(path), 200, body=body, has=[f"Content-Type: {kind}", "ETag: \"", "Cache-Control: public, max-age=60", "nosniff"])
case("a large file", get("/files/big.bin"), 200, body=BIG)
for path in ("/files", "/files/nope", "/files/sub", "/files/.hidden", "/files/.git/config", "/files/%2ehidden", "/files/link.txt", "/files/linked/secret.txt", "/files/linked/", "/files/inner.txt",
             "/files/pipe", "/files/../files/a.txt", "/files/sub/../a.txt", "/files/%2e%2e/etc/passwd", "/files/..%2f..%2fetc/passwd", "/files//a.txt", "/files/./a.txt", "/files/a.txt/",
             "/files/a.txt%00", "/files/a.txt%00.html", "/files/..\\a.txt", "/files/%5c..%5ca.txt", "/files/%", "/files/%zz", "/files/100%.txt", "/../../etc/passwd", "/files/A.TXT", "/files/a.txt%20"):
    case(f"no file {path}", get(path), 404)
for method in ("POST", "PUT", "DELETE"):
    case(f"{method} to a file", get("/files/a.txt", method=method), 405, has=["Allow: GET, HEAD, OPTIONS"])


def conditional(name, make, status):
    def run(mode):
        with suite.server(**LIMITS).connect() as sock:
            sock.sendall(get("/files/a.txt").encode())
            reader = Reader(sock)
            etag = Reply(reader).fields["etag"][0]
            send(sock, get("/files/a.txt", *make(etag)).encode(), mode)
            reply = Reply(reader)
            return judge(reply, status, b"" if status == 304 else b"text", [f"ETag: {etag}"], [])

    suite.add(f"If-None-Match: {name}", run)


conditional("the same", lambda etag: [f"If-None-Match: {etag}"], 304)
conditional("the same, weak", lambda etag: [f"If-None-Match: W/{etag}"], 304)
conditional("any", lambda etag: ["If-None-Match: *"], 304)
conditional("one of a list", lambda etag: [f'If-None-Match: "a", {etag} , "b"'], 304)
conditional("one of several fields", lambda etag: ['If-None-Match: "a"', f"If-None-Match: {etag}"], 304)
conditional("another", lambda etag: ['If-None-Match: "another"'], 200)
conditional("without quotes", lambda etag: [f"If-None-Match: {etag[1:-1]}"], 200)
conditional("empty", lambda etag: ["If-None-Match:"], 200)
conditional("a prefix", lambda etag: [f"If-None-Match: {etag[:-3]}\""], 200)

# ---- time ----

QUICK = {"header_ms": 300, "body_ms": 300, "idle_ms": 600}
case("a head that does not end", "GET /hello HTTP/1.1\r\nHost:", 408, CLOSED, options=QUICK)
case("a first byte and no more", "G", 408, CLOSED, options=QUICK)
case("a body that does not come", get("/echo", "Content-Length: 5", method="POST"), 408, CLOSED, options=QUICK)
case("a body that does not end", post(b"hello")[:-1], 408, CLOSED, options=QUICK)
case("a chunk that does not end", chunked("5\r\nhel"), 408, CLOSED, options=QUICK)
case("below the API it is JSON", get("/api/echo", "Content-Length: 5", method="POST"), 408, CLOSED, body=b'{"error":"Request Timeout"}', options=QUICK)


def silence(name, data, replies):
    def run(mode):
        with suite.server(**{**LIMITS, **QUICK}).connect() as sock:
            send(sock, data, mode)
            got = receive_all(sock)
            return None if got.count(b"HTTP/1.1 ") == replies else f"got {got!r}"

    suite.add(f"silence: {name}", run)


silence("from the start", b"", 0)
silence("after a request", get().encode(), 1)
silence("after three", get().encode() * 3, 3)


def half_closed(name, data, replies):
    def run(mode):
        with suite.server(**LIMITS).connect() as sock:
            send(sock, data, mode)
            sock.shutdown(1)
            got = receive_all(sock)
            return None if got.count(b"HTTP/1.1 200 ") == replies else f"got {got[:300]!r}"

    suite.add(f"half-closed: {name}", run)


half_closed("after a request", get().encode(), 1)
half_closed("after a deferred one", get("/later").encode(), 1)
half_closed("after a pipeline", get().encode() * 3 + get("/later").encode() + get().encode(), 5)
half_closed("inside a head", get().encode()[:-3], 0)
half_closed("inside a body", post(b"hello")[:-2], 0)
half_closed("at once", b"", 0)
half_closed("while a large file comes", get("/files/big.bin").encode(), 1)

# ---- who is it ----

TRUST = {"trust": "127.0.0.0/8"}
for fields, peer in (([], b"127.0.0.1"), (["X-Forwarded-For: 1.2.3.4"], b"1.2.3.4"), (["X-Forwarded-For: 9.9.9.9, 1.2.3.4"], b"1.2.3.4"), (["X-Forwarded-For: 1.2.3.4, 127.0.0.5"], b"1.2.3.4"),
                     (["X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 1.2.3.4"], b"1.2.3.4"), (["X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 127.0.0.9"], b"1.2.3.4"),
                     (["X-Forwarded-For: 2001:db8::1"], b"2001:db8::1"), (["X-Forwarded-For: [2001:db8::1]:99"], b"2001:db8::1"), (["X-Forwarded-For: 1.2.3.4:5678"], b"1.2.3.4"),
                     (["X-Forwarded-For: ::ffff:1.2.3.4"], b"1.2.3.4"), (["X-Forwarded-For: nonsense"], b"127.0.0.1"), (["X-Forwarded-For: 1.2.3.4, nonsense"], b"127.0.0.1"), (["X-Forwarded-For:"], b"127.0.0.1"),
                     (["X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https"], b"1.2.3.4 secure"), (["X-Forwarded-Proto: http"], b"127.0.0.1")):
    case(f"a trusted proxy says {fields}", get("/peer", *fields), 200, body=peer, options=TRUST)
    case(f"somebody says {fields}", get("/peer", *fields), 200, body=b"127.0.0.1", options={"trust": "10.0.0.0/8"})

# ---- PROXY protocol ----

V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command, family, addresses, extensions=b""):
    payload = addresses + extensions
    return V2 + bytes([0x20 | command, family]) + len(payload).to_bytes(2, "big") + payload


IN4 = bytes([1, 2, 3, 4, 9, 9, 9, 9]) + (1234).to_bytes(2, "big") + (80).to_bytes(2, "big")
IN6 = bytes.fromhex("20010db8000000000000000000000001") * 2 + (1234).to_bytes(2, "big") + (80).to_bytes(2, "big")
PROXY = {"proxy": 1, "proxy_ms": 500}
for name, header, peer in (("v1 TCP4", b"PROXY TCP4 1.2.3.4 9.9.9.9 1234 80\r\n", b"1.2.3.4"), ("v1 TCP6", b"PROXY TCP6 2001:db8::1 ::1 1234 80\r\n", b"2001:db8::1"),
                           ("v1 UNKNOWN", b"PROXY UNKNOWN\r\n", b"127.0.0.1"), ("v1 UNKNOWN with rest", b"PROXY UNKNOWN ff:: ff:: 1 2\r\n", b"127.0.0.1"),
                           ("v1 longest", b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535".ljust(105, b"x") + b"\r\n", b"127.0.0.1"),
                           ("v2 TCP4", v2(1, 0x11, IN4), b"1.2.3.4"), ("v2 TCP6", v2(1, 0x21, IN6), b"2001:db8::1"), ("v2 UDP4", v2(1, 0x12, IN4), b"1.2.3.4"), ("v2 unix", v2(1, 0x31, b"\0" * 216), b"unix"),
                           ("v2 LOCAL", v2(0, 0x00, b""), b"127.0.0.1"), ("v2 LOCAL with bytes", v2(0, 0x11, IN4), b"127.0.0.1"), ("v2 UNSPEC", v2(1, 0x00, b""), b"127.0.0.1"),
                           ("v2 with an extension", v2(1, 0x11, IN4, b"\x04\x00\x02ab"), b"1.2.3.4"), ("v2 with two", v2(1, 0x11, IN4, b"\x04\x00\x00\x05\x00\x03abc"), b"1.2.3.4"),
                           ("v2 with TLS", v2(1, 0x11, IN4, b"\x20\x00\x05\x01\0\0\0\0"), b"1.2.3.4 secure"), ("v2 without TLS", v2(1, 0x11, IN4, b"\x20\x00\x05\x00\0\0\0\0"), b"1.2.3.4")):
    case(f"PROXY: {name}", header + get("/peer").encode(), 200, body=peer, options=PROXY)


def refused(name, data, options):
    def run(mode):
        with suite.server(**{**LIMITS, **options}).connect() as sock:
            send(sock, data, mode)
            got = receive_all(sock)
            return f"answered {got[:80]!r}" if got else None

    suite.add(f"PROXY refused: {name}", run)


for name, header in (("none", b""), ("lower case", b"proxy TCP4 1.2.3.4 9.9.9.9 1234 80\r\n"), ("bare LF", b"PROXY TCP4 1.2.3.4 9.9.9.9 1234 80\n"), ("bare CR", b"PROXY TCP4 1.2.3.4 9.9.9.9 1234 80\r\r"),
                     ("TCP5", b"PROXY TCP5 1.2.3.4 9.9.9.9 1234 80\r\n"), ("bad address", b"PROXY TCP4 1.2.3.400 9.9.9.9 1234 80\r\n"), ("IPv6 as TCP4", b"PROXY TCP4 ::1 ::1 1234 80\r\n"),
                     ("IPv4 as TCP6", b"PROXY TCP6 1.2.3.4 9.9.9.9 1234 80\r\n"), ("bad port", b"PROXY TCP4 1.2.3.4 9.9.9.9 123456 80\r\n"), ("port with zero", b"PROXY TCP4 1.2.3.4 9.9.9.9 01234 80\r\n"),
                     ("missing port", b"PROXY TCP4 1.2.3.4 9.9.9.9 1234\r\n"), ("too much", b"PROXY TCP4 1.2.3.4 9.9.9.9 1234 80 7\r\n"), ("two spaces", b"PROXY  TCP4 1.2.3.4 9.9.9.9 1234 80\r\n"),
                     ("too long", b"PROXY UNKNOWN " + b"x" * 100 + b"\r\n"), ("NUL", b"PROXY TCP4 1.2.3.4 9.9.9.9 12\x0034 80\r\n"), ("port behind the address", b"PROXY TCP4 1.2.3.4:5 9.9.9.9 1234 80\r\n"),
                     ("v2, version 1", V2 + b"\x11\x11\0\x0c" + IN4), ("v2, command 2", v2(2, 0x11, IN4)), ("v2, short addresses", v2(1, 0x11, IN4[:8])), ("v2, family 4", v2(1, 0x41, IN4)),
                     ("v2, protocol 3", v2(1, 0x13, IN4)), ("v2, too long", V2 + b"\x21\x11\xff\xff"), ("v2, cut extension", v2(1, 0x11, IN4, b"\x04\x00\x09ab")), ("v2, stub of an extension", v2(1, 0x11, IN4, b"\x04")),
                     ("v2, broken signature", b"\r\n\r\n\0\r\nQUIT\r"), ("unfinished v1", b"PROXY TCP4 1.2"), ("unfinished v2", v2(1, 0x11, IN4)[:20])):
    refused(name, header + (get("/peer").encode() if not name.startswith("unfinished") else b""), PROXY)
refused("from who is not trusted", b"PROXY TCP4 1.2.3.4 9.9.9.9 1234 80\r\n" + get("/peer").encode(), {**PROXY, "trust": "10.0.0.0/8"})
case("PROXY: from who is trusted", b"PROXY TCP4 1.2.3.4 9.9.9.9 1234 80\r\n" + get("/peer").encode(), 200, body=b"1.2.3.4", options={**PROXY, "trust": "127.0.0.0/8"})

status = suite.run()
shutil.rmtree(folder)
shutil.rmtree(outside)
sys.exit(status)
