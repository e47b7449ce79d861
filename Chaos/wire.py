"""TCP connections that can be made to fail: between a replica and PostgreSQL, and between proxies and replicas.

All wires run on one event loop in a thread of its own.
"""

import asyncio
import threading

LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True, name="wires").start()


def on_loop(coroutine, seconds=10):
    return asyncio.run_coroutine_threadsafe(coroutine, LOOP).result(seconds)


class Wire:
    """Listens on a port of its own and leads each connection to the first of its targets that accepts.

    A target is the path of a unix socket, or a port of the loopback address.
    """

    def __init__(self, *targets):
        self.targets = list(targets)
        self.server = None
        self.links = set()
        self.flow = None
        self.port = 0
        on_loop(self._make())

    async def _make(self):
        self.flow = asyncio.Event()
        self.flow.set()
        await self._listen()

    async def _listen(self):
        self.server = await asyncio.start_server(self._link, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _connect(self):
        for target in self.targets:
            try:
                if isinstance(target, int):
                    return await asyncio.open_connection("127.0.0.1", target)
                return await asyncio.open_unix_connection(target)
            except OSError:
                pass
        return None

    async def _link(self, reader, writer):
        other, link = None, None
        try:
            await self.flow.wait()
            other = await self._connect()
            if not other:
                return
            link = Link(self.flow, reader, writer, *other)
            self.links.add(link)
            await link.run()
        finally:
            for end in [writer] + ([other[1]] if other else []):
                end.transport.abort()
            self.links.discard(link)

    def refuse(self):
        """Every connection ends, and none is accepted."""
        async def close():
            if self.server:
                self.server.close()
                self.server = None
            for link in list(self.links):
                link.abort()
        on_loop(close())

    def hang(self):
        """Connections are accepted and stay open; nothing passes."""
        async def close():
            self.flow.clear()
        on_loop(close())

    def drop(self):
        """What is open now carries nothing any more, and nobody is told; new connections are sound."""
        async def freeze():
            for link in self.links:
                link.flow, link.is_stale = asyncio.Event(), True
        on_loop(freeze())

    def forget(self):
        """Ends what `drop` left, as the kernels' own time-outs do some day."""
        async def end():
            for link in list(self.links):
                if link.is_stale:
                    link.abort()
        on_loop(end())

    def restore(self):
        async def open_again():
            self.flow.set()
            if not self.server:
                await self._listen()
        on_loop(open_again())

    def lead(self, *targets):
        """Where connections lead from now on; those that are open end."""
        async def change():
            self.targets = list(targets)
            for link in list(self.links):
                link.abort()
        on_loop(change())


class Link:
    """One connection through a wire."""

    def __init__(self, flow, reader, writer, other_reader, other_writer):
        self.flow, self.is_stale = flow, False
        self.pumps = [LOOP.create_task(self.pump(*ends)) for ends in ((reader, other_writer), (other_reader, writer))]

    async def run(self):
        await asyncio.wait(self.pumps, return_when=asyncio.FIRST_COMPLETED)
        self.abort()

    def abort(self):
        for pump in self.pumps:
            pump.cancel()

    async def pump(self, reader, writer):
        try:
            while data := await reader.read(65536):
                await self.flow.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
