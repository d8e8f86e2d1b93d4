"""Is slow, silent, too long or late with a server, and ends it: slow-clients.py BASE_URL TOKEN PID.

All at once, since most of it is waiting. At the end the server gets SIGTERM while it is reading a body: it answers that request and
accepts no other. The times that are judged are wide of the server's own (10 s for a body, 30 s for a head and for silence), so that
a machine that is busy with something else does not change the outcome.
"""
import concurrent.futures
import os
import select
import signal
import socket
import sys
import time
import urllib.parse

base, token, process = sys.argv[1], sys.argv[2], int(sys.argv[3])
url = urllib.parse.urlsplit(base)
HEAD = f"Host: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/scim+json\r\n"
USER = b'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"slow%d@example.com"}'


def connect():
    return socket.create_connection((url.hostname, url.port), timeout=120)


def post(length):
    return f"POST {url.path}/Users HTTP/1.1\r\n{HEAD}Content-Length: {length}\r\n\r\n".encode()


GET = f"GET {url.path}/ServiceProviderConfig HTTP/1.1\r\n{HEAD}\r\n".encode()


def answer(connection):
    """The status, 0 when the connection ends without one, and the seconds that it took."""
    start, text = time.monotonic(), b""
    try:
        while b"\r\n" not in text and (part := connection.recv(65536)):
            text += part
    except ConnectionError:
        pass
    return int(text[9:12] or 0), time.monotonic() - start


def stalled_body():
    """408 after ten seconds."""
    with connect() as connection:
        connection.sendall(post(100) + b"{")
        status, seconds = answer(connection)
    return status == 408 and 5 < seconds < 28, (status, seconds)


def trickling_body():
    """The time is that of the whole body: a byte now and then does not help."""
    with connect() as connection:
        connection.sendall(post(100))
        start = time.monotonic()
        connection.settimeout(0.5)
        text = b""
        while not text and time.monotonic() - start < 28:
            try:
                connection.sendall(b" ")
                text = connection.recv(65536)
            except TimeoutError:
                pass
        return text[9:12] == b"408", text[:40]


def stalled_head():
    """The connection ends after half a minute, with or without a word."""
    with connect() as connection:
        connection.sendall(GET[:-2])
        status, seconds = answer(connection)
    return status in (0, 408) and 15 < seconds < 100, (status, seconds)


def silence():
    """A connection on which nothing is said ends, too."""
    with connect() as connection:
        status, seconds = answer(connection)
    return status in (0, 408) and seconds < 100, (status, seconds)


def kept_connection():
    """A second request goes through the same connection, and the connection ends when it idles."""
    with connect() as connection:
        statuses = []
        for _ in range(2):
            connection.sendall(GET)
            statuses.append(answer(connection)[0])
            connection.settimeout(1)
            try:
                while connection.recv(65536):
                    pass
            except TimeoutError:
                pass
            connection.settimeout(120)
        end, seconds = answer(connection)
    return statuses == [200, 200] and end == 0 and 15 < seconds < 100, (statuses, end, seconds)


def long_head():
    """Refused, or cut off, without a word of the service's. Servers look at the length between two reads, so it is one far too long."""
    with connect() as connection:
        try:
            connection.sendall(GET[:-2] + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 20000) for n in range(30)) + b"\r\n")
        except ConnectionError:
            pass
        status, _ = answer(connection)
    return status in (0, 400, 431), status


def many_headers():
    with connect() as connection:
        connection.sendall(GET[:-2] + b"X: y\r\n" * 200 + b"\r\n")
        status, _ = answer(connection)
    return status in (0, 400, 431), status


def many_connections():
    """Three hundred silent connections from one address: some end at once, and other addresses are served."""
    held = [socket.create_connection((url.hostname, url.port), timeout=120, source_address=("127.0.0.2", 0)) for _ in range(300)]
    with connect() as connection:
        connection.sendall(GET)
        status, seconds = answer(connection)
    ended, start = 0, time.monotonic()
    # each worker takes in its own, in its own time
    while ended < 300 - 256 and time.monotonic() - start < 10:
        time.sleep(0.1)
        ended = len(select.select(held, [], [], 0)[0])
    for connection in held:
        connection.close()
    # in less time than the silent ones have
    return status == 200 and seconds < 20 and ended == 300 - 256, (status, seconds, ended)


def unread_answers():
    """A client that asks and asks and reads nothing for longer than half a minute: its connection has ended then."""
    connection, asked = socket.socket(), 2000
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((url.hostname, url.port))
    connection.settimeout(3)
    schemas = GET.replace(b"/ServiceProviderConfig", b"/Schemas")
    try:
        for _ in range(asked):
            connection.sendall(schemas)
    except (TimeoutError, ConnectionError):
        pass
    # what the system has taken over by then still arrives, unless it is reset; no request is answered any more
    time.sleep(60)
    answers, ended = 0, False
    connection.settimeout(10)
    try:
        while part := connection.recv(65536):
            answers += part.count(b"HTTP/1.1 200")
        ended = True
    except ConnectionError:
        ended = True
    except TimeoutError:
        pass
    connection.close()
    return ended and answers < asked, (ended, answers)


def ends_in_order():
    body = USER % 1
    with connect() as connection:
        connection.sendall(post(len(body)).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        # it says so when it begins to read the body
        status, _ = answer(connection)
        if status != 100:
            return False, f"{status} for an expected body"
        connection.sendall(body[:10])
        os.kill(process, signal.SIGTERM)
        start = time.monotonic()
        while answers_late():
            if time.monotonic() - start > 6:
                return False, "new connections were answered after SIGTERM"
            time.sleep(0.2)
        connection.sendall(body[10:])
        status, _ = answer(connection)
    return status == 201, status


def answers_late():
    try:
        with socket.create_connection((url.hostname, url.port), timeout=2) as late:
            late.sendall(GET)
            return answer(late)[0] == 200
    except OSError:
        return False


def show(check, outcome):
    good, found = outcome
    print(f"  {'as it should be' if good else 'WRONG'}: {check.__name__}: {found}")
    return good


checks = [stalled_body, trickling_body, stalled_head, silence, kept_connection, long_head, many_headers, many_connections, unread_answers]
with concurrent.futures.ThreadPoolExecutor(len(checks)) as pool:
    outcomes = [(check, pool.submit(check)) for check in checks]
    good = all([show(check, future.result()) for check, future in outcomes])
good = show(ends_in_order, ends_in_order()) and good
sys.exit(0 if good else 1)
