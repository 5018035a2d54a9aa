"""Conformance of server/ws to RFC 6455 and RFC 7692: ws_cases.py EDGE-SERVER [substring of case names]."""

import base64
import hashlib
import random
import struct
import sys
import time
import zlib

from edge import (BINARY, BYTES, CLOSE, CONT, DEADLINE, PING, PONG, TEXT, WHOLE, Reader, Suite, close_frame, frame, open_ws,
                  send, upgrade)

suite = Suite("ws", sys.argv[1])
OPEN = "open"
LIMIT = 1 << 20
PLAIN = {"max_message": LIMIT, "max_fragments": 64, "close_ms": 500}
DEFLATE = {**PLAIN, "deflate": 1, "deflate_min": 1}
TAKEOVER = {**DEFLATE, "takeover": 1}
OFFER = {"Sec_WebSocket_Extensions": "permessage-deflate"}
SENTINEL = b"-sentinel-"


def inflate_message(payload, stream):
    return stream.decompress(payload + b"\x00\x00\xff\xff")


def deflated(payload, stream=None):
    stream = stream or zlib.compressobj(6, zlib.DEFLATED, -15)
    return (stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def check_frames(reader, expected, then, stream):
    """Reads the expected frames, then the end that is due."""
    for opcode, payload in expected:
        got_opcode, got, rsv1, fin = reader.frame()
        if rsv1:
            if stream is None:
                return "compressed without agreement"
            got = inflate_message(got, stream)
        if (got_opcode, got, fin) != (opcode, payload, True):
            return f"expected {opcode} {payload[:40]!r} ({len(payload)}), got {got_opcode} {got[:40]!r} ({len(got)}) {fin}"
    if then == OPEN:
        got_opcode, got, _, _ = reader.frame()
        return None if (got_opcode, got) == (PONG, SENTINEL) else f"instead of the sentinel: {got_opcode} {got[:60]!r}"
    got_opcode, got, _, _ = reader.frame()
    if got_opcode != CLOSE:
        return f"instead of a close frame: {got_opcode} {got[:60]!r}"
    code = struct.unpack("!H", got[:2])[0] if got else None
    if code != then:
        return f"closed with {code} {got[2:]!r} instead of {then}"
    got[2:].decode()
    if reader.data or reader.fill():
        return f"bytes after the close frame: {reader.data[:40]!r}"
    return None


def case(name, sends, expected=(), then=OPEN, options=None, path="/ws", headers=None, stream=None, modes=(WHOLE, BYTES)):
    """Sends frames after a handshake. then: OPEN, or the code of the server's close frame (None: without a code)."""

    def run(mode):
        server = suite.server(**(options or PLAIN))
        sock, reader = open_ws(server, path, **(headers or {}))
        with sock:
            data = sends if isinstance(sends, bytes) else b"".join(sends)
            send(sock, data + (frame(PING, SENTINEL) if then == OPEN else b""), mode)
            return check_frames(reader, expected, then, stream() if stream else None)

    suite.add(name, run, modes)
    if path == "/ws" and options in (None, DEFLATE):
        data = upgrade(path, **(headers or {})) + (sends if isinstance(sends, bytes) else b"".join(sends))
        suite.requests.append((name, data, (expected, then), options is not None))


# ---- messages of all sizes, masks ----

for size in (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 124, 125, 126, 127, 128, 255, 256, 257, 1023, 4096, 16384,
             65534, 65535, 65536, 65537, 131071, 131072, 131073, 300000, LIMIT):
    letters = (b"abcdefghijklmnopqrstuvwxyz" * (size // 26 + 1))[:size]
    case(f"text of {size} bytes", [frame(TEXT, letters)], [(TEXT, letters)])
    noise = random.Random(size).randbytes(size)
    case(f"binary of {size} bytes", [frame(BINARY, noise)], [(BINARY, noise)])
for key in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1", b"\x80\0\0\0", b"\x01\x02\x03\x04", b"\xde\xad\xbe\xef"):
    body = bytes(range(256)) * 3
    case(f"mask {key.hex()}", [frame(BINARY, body, key=key)], [(BINARY, body)])
    case(f"mask {key.hex()} in pieces", [frame(BINARY, body[:13], False, key=key), frame(CONT, body[13:], key=key[::-1])],
         [(BINARY, body)])
case("a hundred messages at once", [frame(TEXT, str(i)) for i in range(100)], [(TEXT, str(i).encode()) for i in range(100)])
case("text and binary in turn", [frame(TEXT + i % 2, str(i)) for i in range(20)],
     [(TEXT + i % 2, str(i).encode()) for i in range(20)])

# ---- length coding ----

for size, coded in ((0, 2), (1, 2), (125, 2), (0, 8), (1, 8), (125, 8), (126, 8), (65535, 8)):
    case(f"{size} bytes coded in {coded} bytes of length", [frame(BINARY, b"x" * size, length_bytes=coded)], then=1002)
    if size <= 125:
        case(f"ping of {size} bytes coded in {coded} bytes of length", [frame(PING, b"x" * size, length_bytes=coded)], then=1002)
for length in (1 << 63, (1 << 64) - 1):
    case(f"length {length:x}", [frame(BINARY, b"", length_bytes=8, length=length)], then=1002)

# ---- reserved bits and opcodes, masking ----

for rsv in range(1, 8):
    for opcode in (TEXT, BINARY, CLOSE, PING, PONG):
        case(f"reserved bits {rsv} on opcode {opcode}", [frame(opcode, b"", rsv=rsv)], then=1002)
    case(f"reserved bits {rsv} on a continuation", [frame(TEXT, b"a", False), frame(CONT, b"b", rsv=rsv)], then=1002)
for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    case(f"opcode {opcode}", [frame(opcode)], then=1002)
    case(f"opcode {opcode} with payload", [frame(opcode, b"payload")], then=1002)
    case(f"opcode {opcode} after a message", [frame(TEXT, "a"), frame(opcode)], [(TEXT, b"a")], 1002)
    case(f"opcode {opcode} inside a message", [frame(TEXT, "a", False), frame(opcode), frame(CONT, "b")], then=1002)
for opcode in (TEXT, BINARY, CLOSE, PING, PONG):
    case(f"unmasked opcode {opcode}", [frame(opcode, b"", mask=False)], then=1002)
    case(f"unmasked opcode {opcode} with payload", [frame(opcode, b"\x03\xe8", mask=False)], then=1002)
case("unmasked continuation", [frame(TEXT, "a", False), frame(CONT, "b", mask=False)], then=1002)
case("unmasked after a masked one", [frame(TEXT, "a"), frame(TEXT, "b", mask=False)], [(TEXT, b"a")], 1002)

# ---- control frames ----

for size in (0, 1, 2, 8, 64, 124, 125):
    case(f"ping of {size} bytes", [frame(PING, b"p" * size)], [(PONG, b"p" * size)])
    case(f"pong of {size} bytes unasked", [frame(PONG, b"p" * size)])
for size in (126, 127, 200, 65535, 65536):
    case(f"ping of {size} bytes", [frame(PING, b"p" * size)], then=1002)
    case(f"pong of {size} bytes", [frame(PONG, b"p" * size)], then=1002)
case("binary ping", [frame(PING, bytes(range(125)))], [(PONG, bytes(range(125)))])
case("ping that is no UTF-8", [frame(PING, b"\xff\xfe")], [(PONG, b"\xff\xfe")])
case("ten pings", [frame(PING, str(i)) for i in range(10)], [(PONG, str(i).encode()) for i in range(10)])
case("ping without FIN", [frame(PING, "a", False)], then=1002)
case("pong without FIN", [frame(PONG, "a", False)], then=1002)
case("close without FIN", [frame(CLOSE, b"", False)], then=1002)
case("ping in two pieces", [frame(PING, "a", False), frame(CONT, "b")], then=1002)
case("ping, message, ping", [frame(PING, "1"), frame(TEXT, "m"), frame(PING, "2")],
     [(PONG, b"1"), (TEXT, b"m"), (PONG, b"2")])

# ---- fragmentation ----

for count in (2, 3, 5, 10, 64):
    parts = [bytes([97 + i % 26]) * (i + 1) for i in range(count)]
    for opcode in (TEXT, BINARY):
        pieces = [frame(opcode if i == 0 else CONT, part, i == count - 1) for i, part in enumerate(parts)]
        case(f"opcode {opcode} in {count} pieces", pieces, [(opcode, b"".join(parts))])
        with_pings = [piece for i, part in enumerate(pieces) for piece in (part, frame(PING, str(i)))]
        pongs = [(PONG, str(i).encode()) for i in range(count)]
        case(f"opcode {opcode} in {count} pieces with pings", with_pings,
             pongs[:-1] + [(opcode, b"".join(parts)), pongs[-1]])
        case(f"opcode {opcode} in {count} pieces with pongs", [x for p in pieces for x in (p, frame(PONG, "?"))],
             [(opcode, b"".join(parts))])
for opcode in (TEXT, BINARY):
    case(f"opcode {opcode} in empty pieces", [frame(opcode, "", False), frame(CONT, "", False), frame(CONT, "")], [(opcode, b"")])
    case(f"opcode {opcode} with only the middle filled", [frame(opcode, "", False), frame(CONT, "mid", False), frame(CONT, "")],
         [(opcode, b"mid")])
    case(f"opcode {opcode} with only the end filled", [frame(opcode, "", False), frame(CONT, "end")], [(opcode, b"end")])
    for inner in (TEXT, BINARY):
        case(f"opcode {inner} inside opcode {opcode}", [frame(opcode, "a", False), frame(inner, "b")], then=1002)
        case(f"opcode {inner} piece inside opcode {opcode}", [frame(opcode, "a", False), frame(inner, "b", False)], then=1002)
    case(f"continuation after a whole opcode {opcode}", [frame(opcode, "a"), frame(CONT, "b")], [(opcode, b"a")], 1002)
    case(f"a second message after opcode {opcode} in pieces",
         [frame(opcode, "a", False), frame(CONT, "b"), frame(TEXT, "c")], [(opcode, b"ab"), (TEXT, b"c")])
    case(f"close inside opcode {opcode}", [frame(opcode, "a", False), close_frame(1000)], then=1000)
for fin in (True, False):
    case(f"continuation of nothing, fin {fin}", [frame(CONT, "a", fin)], then=1002)
    case(f"empty continuation of nothing, fin {fin}", [frame(CONT, "", fin)], then=1002)
case("large pieces", [frame(BINARY, b"a" * 70000, False), frame(CONT, b"b" * 70000, False), frame(CONT, b"c" * 70000)],
     [(BINARY, b"a" * 70000 + b"b" * 70000 + b"c" * 70000)])

# ---- UTF-8 ----

VALID = ["", "a", "\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\U00010000",
         "\U0001f600", "\U0010fffd", "\U0010ffff", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "日本語", "\ufeffbom", "é" * 63,
         "mixed aé日\U0001f600z" * 20]
INVALID = [b"\x80", b"\xbf", b"\x80\x80", b"a\x80", b"\xc0\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xc2", b"\xc2a", b"\xc2\xc2",
           b"\xdf\x7f", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe0\xa0", b"\xe0\xa0a", b"\xed\xa0\x80", b"\xed\xad\xbf",
           b"\xed\xae\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80", b"\xef\xbf", b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf",
           b"\xf0\x90\x80", b"\xf0\x9f\x98", b"\xf4\x90\x80\x80", b"\xf4\xbf\xbf\xbf", b"\xf5\x80\x80\x80", b"\xf7\xbf\xbf\xbf",
           b"\xf8\x88\x80\x80\x80", b"\xfb\xbf\xbf\xbf\xbf", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xfe\xfe\xff\xff",
           b"abc\xffdef", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", b"x" * 200 + b"\xc3",
           b"\xf0\x9f\x98\x80\x80"]
for text in VALID:
    raw = text.encode()
    case(f"UTF-8 {raw[:20].hex()} ({len(raw)})", [frame(TEXT, raw)], [(TEXT, raw)])
    if 1 < len(raw) <= 60:
        case(f"UTF-8 {raw[:20].hex()} ({len(raw)}) a byte a piece",
             [frame(TEXT if i == 0 else CONT, raw[i:i + 1], i == len(raw) - 1) for i in range(len(raw))], [(TEXT, raw)])
        case(f"UTF-8 {raw[:20].hex()} ({len(raw)}) cut in two", [frame(TEXT, raw[:len(raw) // 2], False), frame(CONT, raw[len(raw) // 2:])],
             [(TEXT, raw)])
for raw in INVALID:
    case(f"not UTF-8 {raw[:20].hex()} ({len(raw)})", [frame(TEXT, raw)], then=1007)
    case(f"not UTF-8 {raw[:20].hex()} ({len(raw)}) in a close reason", [close_frame(1000, raw[-100:])], then=1007)
    case(f"not UTF-8 {raw[:20].hex()} ({len(raw)}) as binary", [frame(BINARY, raw)], [(BINARY, raw)])
    if 1 < len(raw) < 60:
        case(f"not UTF-8 {raw[:20].hex()} ({len(raw)}) a byte a piece",
             [frame(TEXT if i == 0 else CONT, raw[i:i + 1], i == len(raw) - 1) for i in range(len(raw))], then=1007)
for raw in (b"\xff", b"a\xc0", b"\xed\xa0", b"\xf4\x90", b"\xf8"):
    case(f"fails before the message ends: {raw.hex()}", [frame(TEXT, raw, False)], then=1007)
    case(f"fails before the frame ends: {raw.hex()}", frame(TEXT, raw + b"z" * 100)[:6 + len(raw)], then=1007)
case("whole, then broken", [frame(TEXT, "ä", False), frame(CONT, b"\xff", False)], then=1007)
case("ends inside a character", [frame(TEXT, b"\xe6\x97", False), frame(CONT, b"")], then=1007)

# ---- close ----

for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4003, 4999):
    case(f"close {code}", [close_frame(code)], then=code)
    case(f"close {code} with a reason", [close_frame(code, b"because")], then=code)
for code in (0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 10000, 65535):
    case(f"close {code}, which may not be sent", [close_frame(code)], then=1002)
for size in (0, 1, 50, 122, 123):
    case(f"close with a reason of {size} bytes", [close_frame(1000, b"r" * size)], then=1000)
case("close with a reason of 124 bytes", [close_frame(1000, b"r" * 124)], then=1002)
case("close without code", [frame(CLOSE)], then=None)
case("close with half a code", [frame(CLOSE, b"\x03")], then=1002)
case("close with a UTF-8 reason", [close_frame(1000, "größe".encode())], then=1000)
case("message after close", [close_frame(1000), frame(TEXT, "late")], then=1000)
case("ping after close", [close_frame(1000), frame(PING, "late")], then=1000)
case("two closes", [close_frame(1000), close_frame(1001)], then=1000)
case("nonsense after close", [close_frame(1000), b"\xff" * 50], then=1000)
case("message, then close", [frame(TEXT, "a"), close_frame(4001)], [(TEXT, b"a")], 4001)
case("message and ping, then close", [frame(TEXT, "a"), frame(PING, "b"), close_frame()], [(TEXT, b"a"), (PONG, b"b")], None)
for code in (1000, 1001, 1008, 1011, 4003):
    case(f"the server closes with {code}", [frame(TEXT, f"{code} bye")], then=code, path="/ws-close")
    case(f"the server closes with {code}, answered", [frame(TEXT, f"{code} bye"), close_frame(code)], then=code, path="/ws-close")
    case(f"the server closes with {code} amid messages", [frame(TEXT, f"{code}"), frame(TEXT, "x"), frame(TEXT, "y", False)],
         then=code, path="/ws-close")
case("a long reason is cut between characters", [frame(TEXT, "1000 " + "é" * 100)], then=1000, path="/ws-close")
case("refused right after the handshake", b"", then=4003, path="/ws-refused")
case("refused with bytes behind the handshake", [frame(TEXT, "x")], then=4003, path="/ws-refused")

# ---- limits ----

case("one byte over the limit", [frame(BINARY, b"x" * (LIMIT + 1))], then=1009)
case("the limit in two pieces", [frame(BINARY, b"x" * (LIMIT // 2), False), frame(CONT, b"x" * (LIMIT // 2))],
     [(BINARY, b"x" * LIMIT)])
case("over the limit in two pieces", [frame(BINARY, b"x" * LIMIT, False), frame(CONT, b"x")], then=1009)
case("over the limit in an announcement", [frame(BINARY, b"", length_bytes=8, length=1 << 40)], then=1009)
case("over the limit in the announcement of a piece", [frame(TEXT, "x", False), frame(CONT, b"", length_bytes=8, length=1 << 40)],
     then=1009)
case("as many pieces as allowed", [frame(TEXT, "x", False)] + [frame(CONT, "x", i == 62) for i in range(63)], [(TEXT, b"x" * 64)])
case("a piece too many", [frame(TEXT, "x", False)] + [frame(CONT, "x", False) for i in range(64)], then=1009)
case("empty pieces without end", [frame(TEXT, "", False)] + [frame(CONT, "", False) for i in range(64)], then=1009)
for opcode, then in ((TEXT, OPEN), (BINARY, 1003)):
    case(f"text only: opcode {opcode}", [frame(opcode, "x")], [(TEXT, b"x")] if then == OPEN else [], then, {**PLAIN, "text_only": 1})
case("text only: a piece of binary", [frame(BINARY, "x", False)], then=1003, options={**PLAIN, "text_only": 1})

# ---- what a handler may do ----

case("held until released", [frame(TEXT, "early"), frame(TEXT, "also")],
     [(TEXT, b"held"), (TEXT, b"released"), (TEXT, b"early"), (TEXT, b"also")], path="/ws-hold")
case("held inside a message", [frame(TEXT, "ea", False), frame(CONT, "rly")],
     [(TEXT, b"held"), (TEXT, b"released"), (TEXT, b"early")], path="/ws-hold")
case("the server speaks first", [frame(TEXT, "x")], [(TEXT, b"hello"), (TEXT, b"x")], path="/ws-hello")
case("composed in the staging buffer", [frame(TEXT, "3"), close_frame(1000)], [(TEXT, b"x" * 1024)] * 3, 1000, path="/ws-flood")
case("composed with spills", [frame(TEXT, "1000"), close_frame(1000)], [(TEXT, b"x" * 1024)] * 1000, 1000, path="/ws-flood", modes=(WHOLE,))


# ---- permessage-deflate ----

def dcase(name, sends, expected=(), then=OPEN, offer=OFFER, options=None):
    case(f"deflate: {name}", sends, expected, then, options or DEFLATE, headers=offer, stream=lambda: zlib.decompressobj(-15))


class FreshInflater:
    """Inflates each message apart from the others, as agreed without context takeover."""

    @staticmethod
    def decompress(data):
        return zlib.decompressobj(-15).decompress(data)


def fresh(name, sends, expected=(), then=OPEN, offer=OFFER, options=None):
    case(f"deflate: {name}", sends, expected, then, options or DEFLATE, headers=offer, stream=FreshInflater)


for size in (0, 1, 10, 125, 126, 127, 1000, 65535, 65536, 200000, LIMIT):
    body = (b"all work and no play makes jack a dull boy. " * (size // 44 + 1))[:size]
    fresh(f"{size} bytes", [frame(TEXT, deflated(body), rsv=4)], [(TEXT, body)])
    fresh(f"{size} bytes left uncompressed", [frame(TEXT, body)], [(TEXT, body)])
    noise = random.Random(size).randbytes(size // 2)
    fresh(f"half of {size} bytes of noise", [frame(BINARY, deflated(noise), rsv=4)], [(BINARY, noise)])
body = b"fragments of one compressed message " * 30
packed = deflated(body)
for cut in (1, 2, len(packed) // 2, len(packed) - 1):
    fresh(f"cut at {cut}", [frame(TEXT, packed[:cut], False, rsv=4), frame(CONT, packed[cut:])], [(TEXT, body)])
    fresh(f"cut at {cut} with a ping", [frame(TEXT, packed[:cut], False, rsv=4), frame(PING, "p"), frame(CONT, packed[cut:])],
          [(PONG, b"p"), (TEXT, body)])
fresh("a byte a piece", [frame(TEXT if i == 0 else CONT, packed[i:i + 1], i == len(packed) - 1, rsv=4 if i == 0 else 0)
                         for i in range(min(len(packed), 64))] if len(packed) <= 64 else
      [frame(TEXT, packed[:1], False, rsv=4)] + [frame(CONT, packed[i:i + 1], False) for i in range(1, 60)] + [frame(CONT, packed[60:])],
      [(TEXT, body)])
fresh("two messages, each for itself", [frame(TEXT, packed, rsv=4)] * 2, [(TEXT, body)] * 2)
fresh("compressed, plain, compressed", [frame(TEXT, packed, rsv=4), frame(TEXT, "p"), frame(TEXT, packed, rsv=4)],
      [(TEXT, body), (TEXT, b"p"), (TEXT, body)])
fresh("a stored block", [frame(TEXT, b"\x00\x05\x00\xfa\xffHello\x00", rsv=4)], [(TEXT, b"Hello")])
fresh("RFC 7692 7.2.3.1", [frame(TEXT, bytes.fromhex("f248cdc9c90700"), rsv=4)], [(TEXT, b"Hello")])
fresh("RFC 7692 7.2.3.1 in pieces", [frame(TEXT, bytes.fromhex("f248cd"), False, rsv=4), frame(CONT, bytes.fromhex("c9c90700"))],
      [(TEXT, b"Hello")])
fresh("RFC 7692 7.2.3.4, BFINAL set", [frame(TEXT, bytes.fromhex("f348cdc9c9070000"), rsv=4)], [(TEXT, b"Hello")])
fresh("RFC 7692 7.2.3.5, two blocks", [frame(TEXT, bytes.fromhex("f248050000 00ffffcac9c90700".replace(" ", "")), rsv=4)],
      [(TEXT, b"Hello")])
fresh("RFC 7692 7.2.3.6, empty", [frame(TEXT, b"\x00", rsv=4)], [(TEXT, b"")])
for bad in (b"\x07", b"\xff\xff\xff", b"\x06\x00\x00", b"\x00\x05\x00\x00\x00Hello", packed[:-5], packed[:10]):
    fresh(f"bad data {bad[:8].hex()} ({len(bad)})", [frame(TEXT, bad, rsv=4)], then=1007)
fresh("invalid UTF-8 inside", [frame(TEXT, deflated(b"abc\xff"), rsv=4)], then=1007)
fresh("the same as binary", [frame(BINARY, deflated(b"abc\xff"), rsv=4)], [(BINARY, b"abc\xff")])
fresh("reserved bit 1 on a continuation", [frame(TEXT, packed[:3], False, rsv=4), frame(CONT, packed[3:], rsv=4)], then=1002)
for opcode in (PING, PONG, CLOSE):
    fresh(f"reserved bit 1 on opcode {opcode}", [frame(opcode, b"", rsv=4)], then=1002)
for rsv in (1, 2, 3, 5, 6, 7):
    fresh(f"reserved bits {rsv}", [frame(TEXT, packed, rsv=rsv)], then=1002)
fresh("a bomb", [frame(BINARY, deflated(b"\0" * (LIMIT * 64)), rsv=4)], then=1009)
fresh("a byte over the limit inside", [frame(BINARY, deflated(b"\0" * (LIMIT + 1)), rsv=4)], then=1009)
fresh("a bomb in pieces", [frame(BINARY, deflated(b"\0" * (LIMIT * 4))[:100], False, rsv=4),
                           frame(CONT, deflated(b"\0" * (LIMIT * 4))[100:])], then=1009)
case("deflate: not offered, not taken", [frame(TEXT, packed, rsv=4)], then=1002, options=DEFLATE)
case("deflate: offered, but off", [frame(TEXT, packed, rsv=4)], then=1002, options=PLAIN, headers=OFFER)
both = zlib.compressobj(6, zlib.DEFLATED, -15)
dcase("takeover both ways", [frame(TEXT, deflated(body, both), rsv=4) for _ in range(5)], [(TEXT, body)] * 5, options=TAKEOVER)
final = bytes.fromhex("f348cdc9c9070000")
dcase("takeover goes on after BFINAL", [frame(TEXT, final, rsv=4), frame(TEXT, final, rsv=4)], [(TEXT, b"Hello")] * 2, options=TAKEOVER)
for bits in range(9, 16):
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    dcase(f"takeover with a window of {bits} bits", [frame(TEXT, deflated(body, stream), rsv=4) for _ in range(3)], [(TEXT, body)] * 3,
          offer={"Sec_WebSocket_Extensions": f"permessage-deflate; server_max_window_bits={bits}"}, options=TAKEOVER)


def broadcast(_):
    """What all hear is compressed once; each hears it inside a message of its own, and who agreed to nothing hears it plain."""
    server = suite.server(**{**DEFLATE, "deflate_min": 100}, shards=1)
    peers = [open_ws(server, "/ws-broadcast", **headers) for headers in (OFFER, OFFER, {}, OFFER)]
    try:
        peers[2][0].sendall(frame(TEXT, body))
        for number, (_, reader) in enumerate(peers):
            opcode, payload, rsv1, _ = reader.frame()
            text = FreshInflater.decompress(payload + b"\x00\x00\xff\xff") if rsv1 else payload
            if (opcode, text, rsv1) != (TEXT, b"%d:%s." % (number, body), number != 2):
                return f"number {number} heard {opcode} {text[:60]!r}, compressed: {rsv1}"
    finally:
        for sock, _ in peers:
            sock.close()
    counters = server.counters()
    runs = counters["ws_deflates"], counters["ws_deflates_shared"]
    return None if runs == (1, 2) else f"the compressor ran (afresh, not again) {runs}"


suite.add("deflate: a broadcast is compressed once", broadcast, (WHOLE,))


# ---- handshakes ----

def handshake(name, request, status, contains=(), absent=(), options=None):
    def run(mode):
        with suite.server(**(options or PLAIN)).connect() as sock:
            data = request if isinstance(request, bytes) else request.encode()
            send(sock, data, mode)
            head = Reader(sock).until(b"\r\n\r\n").decode() + "\r\n"
        if not head.startswith(f"HTTP/1.1 {status} "):
            return f"instead of {status}: {head}"
        for text in contains:
            if text.lower() not in head.lower():
                return f"no {text!r} in {head}"
        for text in absent:
            if text.lower() in head.lower():
                return f"{text!r} in {head}"
        return None

    suite.add(f"handshake: {name}", run)
    if options in (None, DEFLATE):
        data = request if isinstance(request, bytes) else request.encode()
        suite.requests.append((f"handshake: {name}", data, status, options is not None))


accept = base64.b64encode(hashlib.sha1(b"dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
handshake("as in the RFC", upgrade(), 101, [f"Sec-WebSocket-Accept: {accept}", "Upgrade: websocket", "Connection: Upgrade"],
          ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"])
handshake("with a query", upgrade("/ws?token=a%20b&x"), 101)
handshake("an absolute target", upgrade("http://x/ws"), 101)
handshake("any case", upgrade(Upgrade="WebSocket", Connection="UPGRADE"), 101)
handshake("lists", upgrade(Upgrade="h2c, websocket", Connection="keep-alive, Upgrade"), 101)
handshake("lists on several lines", upgrade(Connection=["keep-alive", "Upgrade"]), 101)
handshake("a protocol is not taken", upgrade(Sec_WebSocket_Protocol="chat"), 101, absent=["Sec-WebSocket-Protocol"])
handshake("an unknown extension is not taken", upgrade(Sec_WebSocket_Extensions="x-foo"), 101, absent=["Sec-WebSocket-Extensions"])
handshake("another key", upgrade(Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA=="), 101)
NEEDED = ["Sec-WebSocket-Version: 13", "Upgrade: websocket"]
handshake("no Upgrade", upgrade(Upgrade=None), 426, NEEDED)
handshake("another Upgrade", upgrade(Upgrade="h2c"), 426, NEEDED)
handshake("nearly the Upgrade", upgrade(Upgrade="websockets"), 426, NEEDED)
handshake("no Connection", upgrade(Connection=None), 426, NEEDED)
handshake("another Connection", upgrade(Connection="keep-alive"), 426, NEEDED)
handshake("a plain GET", "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", 426, NEEDED)
for version in (None, "", "0", "7", "8", "12", "14", "013", "13.0", "13, 8", ["13", "13"], ["8", "13"], "x", "-13", "+13"):
    handshake(f"version {version}", upgrade(Sec_WebSocket_Version=version), 426, NEEDED)
for key in (None, "", "short", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZR==",
            "dGhlIHNhbXBsZSBub25jZQ== ,x", "dGhlIHNhbXBsZSBub2 5jZQ==", "dGhlIHNhbXBsZSBub25jZQAA", "!!!!!!!!!!!!!!!!!!!!!!==",
            ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="], "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"):
    handshake(f"key {key}", upgrade(Sec_WebSocket_Key=key), 400)
for method in ("POST", "PUT", "DELETE", "PATCH"):
    handshake(f"by {method}", upgrade().replace(b"GET", method.encode()), 405, ["Allow: GET"])
handshake("by HTTP/1.0", upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"), 400)
handshake("by HTTP/2.0", upgrade().replace(b"HTTP/1.1", b"HTTP/2.0"), 505)
handshake("no Host", upgrade(Host=None), 400)
handshake("with a body", upgrade(Content_Length="5") + b"hello", 413)
handshake("with an empty body", upgrade(Content_Length="0"), 101)
handshake("somewhere else", upgrade("/nowhere"), 404)
handshake("at a page", upgrade("/hello"), 200)

EXTENSION = "Sec-WebSocket-Extensions: permessage-deflate"
for offer, answer in (
        ("permessage-deflate", "; server_no_context_takeover; client_no_context_takeover\r\n"),
        ("permessage-deflate; client_max_window_bits", "; server_no_context_takeover; client_no_context_takeover\r\n"),
        ("permessage-deflate; client_max_window_bits=10", "; server_no"),
        ("permessage-deflate; server_no_context_takeover", "; server_no_context_takeover"),
        ("permessage-deflate; client_no_context_takeover", "; server_no"),
        ("permessage-deflate; server_max_window_bits=10", "server_max_window_bits=10"),
        ('permessage-deflate; server_max_window_bits="10"', "server_max_window_bits=10"),
        ("permessage-deflate; server_max_window_bits=15", "server_max_window_bits=15"),
        ("permessage-deflate;server_max_window_bits=9;client_max_window_bits", "server_max_window_bits=9"),
        ("x-foo, permessage-deflate", "; server_no"),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", "; server_no"),
        ("permessage-deflate; nonsense, permessage-deflate; server_max_window_bits=11", "server_max_window_bits=11"),
        (["x-foo", "permessage-deflate"], "; server_no"),
):
    handshake(f"offer {offer}", upgrade(Sec_WebSocket_Extensions=offer), 101, [EXTENSION, answer], options=DEFLATE)
for offer in ("permessage-deflate; nonsense", "permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=16",
              "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=",
              "permessage-deflate; server_max_window_bits=010", "permessage-deflate; server_max_window_bits=abc",
              "permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits=16", "permessage-deflate; client_max_window_bits=",
              "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; client_no_context_takeover=x",
              "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
              "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
              "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
              "permessage-deflate; client_max_window_bits; client_max_window_bits", "permessage-deflate;", "permessage-deflate;;server_no_context_takeover",
              "permessage-deflat", "permessage-deflatex", "deflate-frame", ""):
    handshake(f"offer {offer!r} is declined", upgrade(Sec_WebSocket_Extensions=offer), 101, [], ["Sec-WebSocket-Extensions"], DEFLATE)
handshake("takeover is answered without limits", upgrade(**OFFER), 101, ["permessage-deflate\r\n"], options=TAKEOVER)
handshake("takeover refused by the client", upgrade(Sec_WebSocket_Extensions="permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
          101, ["; server_no_context_takeover; client_no_context_takeover"], options=TAKEOVER)
handshake("our own window", upgrade(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits"), 101,
          ["server_max_window_bits=10", "client_max_window_bits=10"], options={**TAKEOVER, "deflate_bits": 10})


# ---- how many of one address ----

CAPPED = {"per_address": 2, "shards": 1}


def opened(server, **headers):
    """A socket past the handshake and 101, or past a refusal and its status; 0 when it was closed without one."""
    sock = None
    try:
        sock = server.connect()
        sock.sendall(upgrade(**headers))
        return sock, int(Reader(sock).until(b"\r\n\r\n").split()[1])
    except (EOFError, OSError):
        return sock, 0


def caps_behind_a_proxy(_):
    """A proxy that is trusted is not counted; those whom it names are, each for himself, IPv6 by its network of 64 bits."""
    server = suite.server(**CAPPED, trust="127.0.0.0/8")
    socks = []
    for peer, status in (("1.2.3.4", 101), ("1.2.3.4", 101), ("1.2.3.4", 429), ("9.9.9.9, 1.2.3.4", 429), ("1.2.3.5", 101),
                         ("2001:db8:0:1::1", 101), ("2001:db8:0:1::2", 101), ("2001:db8:0:1:ffff::", 429), ("2001:db8:0:2::1", 101)):
        sock, got = opened(server, X_Forwarded_For=peer)
        if got != status:
            return f"{peer} got {got}"
        socks.append(sock)
    if (count := server.counters())["refused_address"] != 3 or count["ws_refused"] != 3:
        return f"counted {count['refused_address']}, {count['ws_refused']}"
    socks[0].close()
    socks[2].sendall(upgrade(X_Forwarded_For="1.2.3.5"))  # the refusal left the connection as it was
    if b"101" not in Reader(socks[2]).until(b"\r\n"):
        return "another client of the proxy was refused"
    end = time.monotonic() + DEADLINE
    while (got := opened(server, X_Forwarded_For="1.2.3.4")[1]) != 101:
        if time.monotonic() > end:
            return f"the place that became free is not given: {got}"
    for sock in socks:
        sock.close()
    return None


def caps_without_a_proxy(_):
    """What a client says of itself in a header does not help it."""
    server = suite.server(**CAPPED)
    socks = [opened(server, X_Forwarded_For=f"1.2.3.{n}") for n in range(4)]
    for sock, _ in socks:
        if sock:
            sock.close()
    statuses = [status for _, status in socks]
    return None if statuses == [101, 101, 0, 0] else f"got {statuses}"


suite.add("caps for addresses behind a proxy", caps_behind_a_proxy, (WHOLE,))
suite.add("caps for addresses", caps_without_a_proxy, (WHOLE,))


# ---- bytes right behind the handshake ----

def behind(name, data, expected, then=OPEN):
    def run(mode):
        with suite.server(**PLAIN).connect() as sock:
            send(sock, upgrade() + data + (frame(PING, SENTINEL) if then == OPEN else b""), mode)
            reader = Reader(sock)
            reader.until(b"\r\n\r\n")
            return check_frames(reader, expected, then, None)

    suite.add(f"behind the handshake: {name}", run)


behind("a message", frame(TEXT, "early"), [(TEXT, b"early")])
behind("many messages", b"".join(frame(TEXT, str(i)) for i in range(50)), [(TEXT, str(i).encode()) for i in range(50)])
behind("a large message", frame(BINARY, b"x" * 200000), [(BINARY, b"x" * 200000)])
behind("a close", close_frame(1000), [], 1000)
behind("a ping", frame(PING, "p"), [(PONG, b"p")])
behind("an error", frame(TEXT, "x", mask=False), [], 1002)
behind("nonsense", b"GET / HTTP/1.1\r\n\r\n", [], 1002)

sys.exit(suite.run())
