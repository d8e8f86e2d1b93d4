"""Who sends: the victim, whose provider does what providers do, and the attackers."""
import asyncio
import json
import os
import socket
import time

from sender import ANSWERED_WITHIN, CONNECTIONS, Connections, Noted, Running, at_rate, request

# The victim's requests a second.
HONEST = {"GET by userName": 10, "POST user": 4, "PATCH": 4, "POST with password": 2}
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Victim:
    def __init__(self, port, token, run, users):
        self.connections, self.run, self.made, self.users = Connections(port, token, CONNECTIONS), run, 0, list(users)

    async def create(self, password=None):
        self.made += 1
        name = f"{self.run}-{self.made}@victim.example"
        user = {"schemas": [USER], "userName": name, "displayName": f"User {self.made}", "active": True,
                "emails": [{"value": name, "type": "work", "primary": True}]}
        if password:
            user["password"] = password
        status, body = await self.connections.send("POST", "/Users", json.dumps(user).encode())
        if status == 201:
            self.users.append((json.loads(body)["id"], name))
        return status

    async def look_up(self, n):
        id, name = self.users[n % len(self.users)]
        status, body = await self.connections.send("GET", f"/Users?filter=userName%20eq%20%22{name}%22")
        return status if status != 200 or id.encode() in body else "200, and not the user"

    async def change(self, n):
        operation = {"op": "replace", "path": "title", "value": f"Title {n}"}
        content = json.dumps({"schemas": [PATCH], "Operations": [operation]}).encode()
        return (await self.connections.send("PATCH", f"/Users/{self.users[n % len(self.users)][0]}", content))[0]

    async def work(self, seconds):
        """The notes of each kind of request."""
        notes = {kind: Noted() for kind in HONEST}
        steps = {"GET by userName": self.look_up, "POST user": lambda n: self.create(), "PATCH": self.change,
                 "POST with password": lambda n: self.create(f"correct-horse-{n}")}
        until = time.monotonic() + seconds
        sent = [at_rate(steps[kind], rate, until, notes[kind], (200, 201, 204)) for kind, rate in HONEST.items()]
        for running in await asyncio.gather(*sent):
            await asyncio.gather(*running)
        return notes


def victim(port, token, run, users, seconds):
    """The notes of each kind of request. Whom it changes and looks up is there before: it begins with the attack, whatever it meets."""
    return Running(lambda: Victim(port, token, run, users).work(seconds)).end(seconds + 3 * ANSWERED_WITHIN)


def attackers(attack, port, senders, seconds):
    """Lets the attackers begin. A sender is a token and a function that makes its n-th request."""
    way = never_reading if attack.never_read else sending
    return Running(lambda: lowered(way(attack, port, senders, seconds)))


def own_address(n):
    """Each attacker's own, which is not the victim's: a server may bound what one address has."""
    return f"127.0.1.{n + 1}"


async def lowered(work):
    # in truth they have machines of their own, and the victim has one
    os.nice(10)
    return await work


async def sending(attack, port, senders, seconds):
    notes = Noted()

    def step(address, token, make):
        connections = Connections(port, token, max(20, CONNECTIONS // len(senders)), address)

        async def one(n):
            return (await connections.send(*make(n)))[0]
        return one

    return await until_the_end(attack, [step(own_address(n), *sender) for n, sender in enumerate(senders)], seconds, notes)


async def never_reading(attack, port, senders, seconds):
    """A connection for each request, which is never read."""
    notes, held, loop = Noted(), [], asyncio.get_running_loop()

    def step(address, token, make):
        async def one(n):
            if len(held) >= attack.never_read:
                return "full"
            connection = socket.socket()
            held.append(connection)
            # the kernel is not to take the answer in the client's place
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.setblocking(False)
            connection.bind((address, 0))
            try:
                await loop.sock_connect(connection, ("127.0.0.1", port))
                await loop.sock_sendall(connection, request(make(n)[0], make(n)[1], token, b""))
            except OSError as error:
                return f"none: {type(error).__name__}"
            return "not read"
        return one

    return await until_the_end(attack, [step(own_address(n), *sender) for n, sender in enumerate(senders)], seconds, notes)


async def until_the_end(attack, steps, seconds, notes):
    """The attack's own number of requests, at once, or its rate to the end. Then nobody waits for answers."""
    until = time.monotonic() + seconds
    rate, end = (1_000, time.monotonic() + (attack.times - 0.5) / 1_000) if attack.times else (attack.rate, until)
    sent = await asyncio.gather(*(at_rate(step, rate, end, notes) for step in steps))
    await asyncio.sleep(max(0, until - time.monotonic()))
    waiting = sum(len(running) for running in sent)
    if waiting:
        notes.statuses["not yet answered"] = waiting
    return notes
