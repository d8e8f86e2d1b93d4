"""An app on one store, one connection to it, and what the processes behind it have used."""
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

TENANTS = ("people", "long", "crowd", "writes")
# The seconds for an answer, whatever it costs.
WITHIN = 120
TICK = os.sysconf("SC_CLK_TCK")
# glibc gives back at once what is freed, instead of when it has seen enough: a peak is then that of the request, whatever came
# before it. It never makes a request cheaper.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}


def token(tenant):
    return f"{tenant}-worst-token-0123456789abcdef0123456789"


class Gone(Exception):
    """No answer."""


class Client:
    """A connection that is kept, on which requests come one at a time."""

    def __init__(self, port, within):
        self.port, self.within, self.connection = port, within, None

    def send(self, tenant, method, path, body=None, headers=()):
        """The status, the headers and the text of the answer. A body is JSON, or text that is sent as it is."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
        sent = {"Authorization": "Bearer " + token(tenant), "Content-Type": "application/scim+json", **dict(headers)}
        for _ in range(20):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.within)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.connection.request(method, "/scim/v2" + path, body, sent)
                answer = self.connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                self.connection = None
                raise Gone from error
            if answer.status != 429:
                return answer.status, answer.headers, text
            time.sleep(float(answer.getheader("Retry-After") or 1))
        raise Gone


class Postgres:
    """A database of its own on a server of this machine."""

    def __init__(self, server):
        self.server, self.name = server, "worst_" + secrets.token_hex(6)
        self.run(f"CREATE DATABASE {self.name}")
        self.url = server.rpartition("/")[0] + "/" + self.name
        self.postmaster = int(self.run("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")[0])

    def run(self, sql, url=None):
        command = ["psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
                   "--command", sql, url or self.server]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()

    def settle(self):
        """What autovacuum would do at some time is done now, and not while a request is measured."""
        for table in self.run("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
                              self.url):
            self.run(f"ALTER TABLE {table} SET (autovacuum_enabled = off)", self.url)
        self.run("VACUUM ANALYZE", self.url)
        self.run("CHECKPOINT", self.url)

    def end_queries(self):
        # some look for their end only now and then
        for _ in range(600):
            if not self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'"):
                return
            time.sleep(0.1)
        sys.exit("a query of PostgreSQL does not end")

    def drop(self):
        self.run(f"DROP DATABASE {self.name} WITH (FORCE)")

    def processes(self):
        found = [self.postmaster]
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if int(stat_of(name)[1]) == self.postmaster:
                    found.append(int(name))
            except OSError:
                pass
        return found

    def ended(self):
        """The seconds of backends that are no more."""
        fields = stat_of(self.postmaster)
        return (int(fields[13]) + int(fields[14])) / TICK


def stat_of(pid):
    """The fields of /proc/PID/stat behind the name: the state is the first."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        return stat.read().rpartition(")")[2].split()


def clock(pid):
    """The seconds that a process has run, from its clock (clock_getcpuclockid), which is finer than the ticks of its `stat`."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


class Server:
    """A process of an app, restarted when a request was not answered in time."""

    def __init__(self, app, store, most):
        self.app, self.process = app, None
        # the seconds of CPU after which a request is given up
        self.most = most
        # in memory where there is a place: what is measured is not the disk, and filling it is quicker
        self.folder, self.postgres = tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None), None
        if store.startswith("postgres"):
            self.postgres = Postgres(store)
            self.url = self.postgres.url
        else:
            self.url = store if store == "memory:" else f"sqlite:{self.folder}/worst.sqlite"
        self.forgets = store == "memory:"
        self.start()

    def start(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = dict(os.environ, SCIM_LISTEN=f"127.0.0.1:{port}", DATABASE_URL=self.url, RUST_LOG="off", **ALLOCATOR,
                        SCIM_TOKENS=",".join(f"{tenant}={token(tenant)}" for tenant in TENANTS))
        self.process = subprocess.Popen([self.app], env=settings, stdout=subprocess.DEVNULL)
        self.client = Client(port, WITHIN)
        for _ in range(600):
            try:
                if self.client.send("people", "GET", "/Users?count=1")[0] == 200:
                    return
            except (OSError, Gone):
                if self.process.poll() is not None:
                    break
            time.sleep(0.05)
        sys.exit(f"{self.app} does not start")

    def restart(self):
        self.process.kill()
        self.process.wait()
        if self.postgres:
            self.postgres.end_queries()
        self.start()

    def stop(self):
        self.process.kill()
        self.process.wait()
        if self.postgres:
            self.postgres.drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def used(self):
        """The seconds of the app, and of all processes of the database."""
        if not self.postgres:
            return clock(self.process.pid)
        return clock(self.process.pid) + sum(map(clock, self.postgres.processes())) + self.postgres.ended()

    def settled(self):
        """The same, when whatever follows an answer is done."""
        used = self.used()
        for _ in range(100):
            time.sleep(0.002)
            now = self.used()
            if now - used < 0.0002:
                break
            used = now
        return now

    def resident(self, line="VmRSS"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(found.split()[1]) for found in status if found.startswith(line)) / 1024


class Watch:
    """Hangs up when the request that is being answered has cost so many seconds of CPU, whatever the clock says."""

    def __init__(self, server, most):
        self.server, self.most, self.done = server, most, threading.Event()
        self.began = server.settled()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while not self.done.wait(0.1):
            if self.server.used() - self.began > self.most:
                connection = self.server.client.connection
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except (AttributeError, OSError):
                    pass  # between two connections: the next look comes soon

    def end(self):
        self.done.set()
        self.thread.join()


class Peak:
    """The MB that the app held at the most, above what it held before."""

    def __init__(self, server):
        self.server, self.before, self.done, self.most = server, server.resident(), threading.Event(), 0.0
        self.thread = None
        try:
            with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as refs:
                refs.write("5")
        except OSError:  # not ours to reset: look often
            self.thread = threading.Thread(target=self.look)
            self.thread.start()

    def look(self):
        while not self.done.wait(0.001):
            self.most = max(self.most, self.server.resident())

    def end(self):
        if self.thread:
            self.done.set()
            self.thread.join()
            return max(0.0, self.most - self.before)
        return max(0.0, self.server.resident("VmHWM") - self.before)
