"""Brings servers of this machine's loopback to the loopback of a network namespace: `forwarder.py NAMESPACE PORT…`.

A socket belongs to the namespace of the thread that made it: one thread makes those that listen, another those that
connect.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CLONE_NEWNET = 0x40000000
LOOPBACK = "127.0.0.1"


def listening(namespace: str, ports: list[int]) -> list[socket.socket]:
    """Returns sockets that listen in the namespace; the calling thread stays there."""
    handle = os.open(Path("/var/run/netns") / namespace, os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    return [socket.create_server((LOOPBACK, port)) for port in ports]


async def carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carries bytes one way until they end."""
    try:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def serve(sockets: list[socket.socket]) -> None:
    """Carries each connection to the same port of our own loopback."""

    async def both_ways(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        try:
            there, back = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carried(reader, back), carried(there, writer))

    servers = [await asyncio.start_server(both_ways, sock=one) for one in sockets]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    with ThreadPoolExecutor(1) as other:
        opened = other.submit(listening, sys.argv[1], [int(port) for port in sys.argv[2:]]).result()
    asyncio.run(serve(opened))
