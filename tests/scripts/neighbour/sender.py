"""Requests at fixed times, whether or not those before were answered: what the victim and the attackers are made of.

Each runs in a process of its own, so that neither waits for the other's turn in one interpreter.
"""
import asyncio
import collections
import multiprocessing
import time

# Seconds: what comes later is no answer.
ANSWERED_WITHIN = 60
# How many connections all senders of a process hold at the most.
CONNECTIONS = 1_000


class Lost(Exception):
    """There is no whole answer."""


class Connections:
    """A tenant's connections, which are kept; when none is idle another one is opened."""

    def __init__(self, port, token, most, address="127.0.0.1"):
        self.port, self.token, self.most, self.address = port, token, most, address
        self.idle, self.open = [], 0

    async def send(self, method, path, content=b""):
        """Status and body; the status is `full` when there are as many connections as there may be."""
        reader_writer = self.idle.pop() if self.idle else None
        if reader_writer is None:
            if self.open >= self.most:
                return "full", b""
            self.open += 1
        healthy = False
        try:
            reader, writer = reader_writer or await asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.address, 0))
            reader_writer = reader, writer
            writer.write(request(method, path, self.token, content))
            status, body, healthy = await answer(reader)
            return status, body
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
            raise Lost(type(error).__name__) from error
        finally:
            if healthy:
                self.idle.append(reader_writer)
            else:
                self.open -= 1
                if reader_writer:
                    reader_writer[1].transport.abort()


def request(method, path, token, content):
    return (f"{method} /scim/v2{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/scim+json\r\nContent-Length: {len(content)}\r\n\r\n").encode() + content


async def answer(reader):
    """Status, body, and whether the connection is good for another request."""
    lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    status, headers = int(lines[0].split()[1]), dict(line.split(b": ", 1) for line in lines[1:] if line)
    if headers.get(b"transfer-encoding") == b"chunked":
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        body = b"".join(parts)
    else:
        body = await reader.readexactly(int(headers.get(b"content-length", 0)))
    return status, body, headers.get(b"connection") != b"close"


class Noted:
    """The times and the statuses of one kind of request."""

    def __init__(self):
        self.times, self.statuses, self.wrong = [], collections.Counter(), collections.Counter()


async def at_rate(step, rate, until, noted, expected=None):
    """Calls `step(n)` so many times a second until then, each at its time; a time counts from when it was due."""
    running, began, n = set(), time.monotonic(), 0

    async def one(n, due):
        try:
            status = await asyncio.wait_for(step(n), ANSWERED_WITHIN)
        except (Lost, TimeoutError, asyncio.TimeoutError) as error:
            status = f"none: {error}" if isinstance(error, Lost) else f"none in {ANSWERED_WITHIN} s"
        noted.statuses[status] += 1
        if expected and status not in expected:
            noted.wrong[status] += 1
        noted.times.append(time.monotonic() - due)

    while (due := began + n / rate) < until:
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(n, due))
        running.add(task)
        task.add_done_callback(running.discard)
        n += 1
    return running


class Running:
    """Work in a process of its own, which ends with it."""

    def __init__(self, work):
        self.reader, writer = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.get_context("fork").Process(target=lambda: writer.send(asyncio.run(given_up(work()))), daemon=True)
        self.process.start()
        writer.close()

    def end(self, patience):
        """What the work gives; None when it does not end in time. Its connections are gone afterwards."""
        try:
            return self.reader.recv() if self.reader.poll(patience) else None
        except EOFError:
            return None
        finally:
            self.process.kill()
            self.process.join()


async def given_up(work):
    """What still runs when the work has ended is given up."""
    outcome = await work
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    return outcome
