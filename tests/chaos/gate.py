"""A TCP proxy before Redis that can be shut: who is connected is cut off, who comes is refused."""

import asyncio


class Gate:
    def __init__(self, to):
        self.to = to
        self.is_shut = False
        self.writers = set()
        self.server = None

    async def open(self):
        self.server = await asyncio.start_server(self.pass_on, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def pump(self, reader, writer):
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()

    async def pass_on(self, reader, writer):
        if self.is_shut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        if self.is_shut:
            for one in pair:
                one.transport.abort()
            return
        self.writers |= pair
        try:
            await asyncio.gather(self.pump(reader, far_writer), self.pump(far_reader, writer))
        except asyncio.CancelledError:
            pass        # the loop ends
        finally:
            self.writers -= pair

    def shut(self):
        self.is_shut = True
        for writer in self.writers:
            writer.transport.abort()

    def unshut(self):
        self.is_shut = False

    def close(self):
        self.shut()
        self.server.close()
