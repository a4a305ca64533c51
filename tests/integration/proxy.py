"""A TCP proxy on loopback that can fail in the ways a network does.

TLS stays end to end: the API server's certificate covers 127.0.0.1 whatever the port.
"""

import asyncio
import socket
import struct
import threading

from process import free_port

CHUNK_BYTES = 65536


class TcpProxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target_port`, on an event loop in its own thread."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.port = free_port()
        self.accepted = 0  # connections since the start
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._flowing = asyncio.Event()
        self._server = None
        self._connections = set()
        self._cut_after = 0
        self._cuts_left = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def start(self):
        self._thread.start()
        self.resume()
        self.accept()

    def stop(self):
        self.refuse()
        self.resume()
        asyncio.run_coroutine_threadsafe(_all_others_end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def freeze(self):
        """Bytes stop moving in both directions; nobody is told. New connections hang as well."""
        self._on_loop(self._flowing.clear)

    def freeze_open(self):
        """Like freeze(), for the connections that are open now only."""

        def clear():
            for connection in self._connections:
                connection.flowing.clear()

        self._on_loop(clear)

    def resume(self):
        """What was held back goes on its way."""

        def let_flow():
            self._flowing.set()
            for connection in self._connections:
                connection.flowing.set()

        self._on_loop(let_flow)

    def cut(self):
        """Resets every open connection; new ones are accepted."""
        self._on_loop(self._reset_all)

    def cut_after(self, byte_count, connections=1):
        """Resets the next `connections` connections on which the server sends `byte_count` bytes
        from now on; so many are let through, fewer when the client does not keep up."""

        def arm():
            self._cut_after, self._cuts_left = byte_count, connections
            for connection in self._connections:
                connection.from_server = 0

        self._on_loop(arm)

    @property
    def cuts_left(self):
        """How many cuts asked for by cut_after have not happened yet."""
        return self._on_loop(lambda: self._cuts_left)

    def refuse(self):
        """Closes the port and resets every open connection, until accept()."""

        def close():
            if self._server is not None:
                self._server.close()
                self._server = None
            self._reset_all()

        self._on_loop(close)

    def accept(self):
        """Takes connections again after refuse()."""
        if self._server is None:
            serving = asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=CHUNK_BYTES)
            self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()

    def _on_loop(self, fn):
        async def call():
            return fn()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result()

    def _reset_all(self):
        for connection in self._connections:
            connection.reset()

    async def _serve(self, client_reader, client_writer):
        self.accepted += 1
        try:
            server_reader, server_writer = await asyncio.open_connection(
                "127.0.0.1", self.target_port, limit=CHUNK_BYTES
            )
        except OSError:
            _reset(client_writer)
            return
        connection = _Connection(client_writer, server_writer)
        self._connections.add(connection)
        await asyncio.gather(
            self._pump(connection, client_reader, server_writer, from_server=False),
            self._pump(connection, server_reader, client_writer, from_server=True),
        )
        self._connections.discard(connection)
        connection.close()

    async def _pump(self, connection, reader, writer, from_server):
        try:
            while data := await reader.read(CHUNK_BYTES):
                await self._wait_for_flow(connection)
                cut_at = self._cut_at(connection, len(data)) if from_server else None
                writer.write(data[:cut_at])
                await writer.drain()
                if cut_at is not None:
                    connection.reset()
                    return
            await self._wait_for_flow(connection)
            writer.write_eof()
        except OSError:
            connection.reset()

    async def _wait_for_flow(self, connection):
        await self._flowing.wait()
        await connection.flowing.wait()

    def _cut_at(self, connection, length):
        """How many of the next `length` bytes may pass before the cut; None without a cut."""
        connection.from_server += length
        if self._cuts_left == 0 or connection.from_server < self._cut_after:
            return None
        self._cuts_left -= 1
        return length - (connection.from_server - self._cut_after)


class _Connection:
    def __init__(self, client, server):
        self.writers = (client, server)
        self.from_server = 0
        self.flowing = asyncio.Event()
        self.flowing.set()

    def reset(self):
        for writer in self.writers:
            _reset(writer)

    def close(self):
        for writer in self.writers:
            writer.close()


async def _all_others_end():
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


def _reset(writer):
    if not writer.transport.is_closing():
        # Lingering for zero seconds makes the close an RST.
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
