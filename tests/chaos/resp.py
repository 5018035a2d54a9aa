"""A client of Redis on asyncio, for those who look: past all gates, straight at what is stored."""

import asyncio


class Resp:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port, timeout=5):
        return cls(*await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port, limit=1 << 26), timeout))

    @classmethod
    async def once(cls, port, *words):
        """One question upon a connection of its own."""
        one = await cls.open(port)
        try:
            return await one(*words)
        finally:
            one.close()

    async def __call__(self, *words, timeout=5):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.writer.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return await asyncio.wait_for(self.read(), timeout)

    async def read(self):
        line = await self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("Redis ended the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise OSError(rest.decode())
        if kind == b"$":
            if rest == b"-1":
                return None
            try:
                return (await self.reader.readexactly(int(rest) + 2))[:-2]
            except asyncio.IncompleteReadError as error:
                raise OSError("Redis ended the connection") from error
        if kind == b"*":
            return None if rest == b"-1" else [await self.read() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest

    def close(self):
        self.writer.close()
