"""The app that is attacked: a process on a fresh database, what the attackers have there, and what it uses of the machine."""
import contextlib
import json
import os
import resource
import secrets
import signal
import subprocess
import time

from attacks import USER, bulk
from growth import TOKEN, Client, Tables, start

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# How many users are created in a bulk request: one that no limit stops.
AT_ONCE = 200


def token(tenant):
    return f"{tenant}-{TOKEN}"


class Database:
    """An empty database: a file, one of a server, or none."""

    def __init__(self, store, folder, server):
        self.store, self.server, self.name = store, server, "scim_" + secrets.token_hex(8)
        if store == "postgres":
            psql(server, f"CREATE DATABASE {self.name}")
        self.url = {"memory": "memory:", "sqlite": f"sqlite:{folder}/{self.name}.sqlite",
                    "postgres": (server or "").rpartition("/")[0] + "/" + self.name}[store]

    def fill(self, app, tenants, users):
        """Gives each of the tenants so many users, each with an e-mail address."""
        if users and self.store == "memory":
            for tenant in tenants:
                for first in range(0, users, AT_ONCE):
                    client = Attacker(app.port, tenant, 1)
                    status, made = client.ask("POST", "/Bulk", bulk([{"method": "POST", "path": "/Users", "bulkId": f"b{n}", "data": person(n)}
                                                                     for n in range(first, min(first + AT_ONCE, users))]))
                    if status != 200 or any(part["status"] != "201" for part in made["Operations"]):
                        raise SystemExit(f"not all users could be created: {status}, {str(made)[-300:]}")
        elif users:
            tables = Many(self.url)
            for tenant in tenants:
                tables.people(tenant, users)
            if self.store == "postgres":
                # its own process comes round to it later
                tables.run("ANALYZE")

    def processes(self):
        """The server's processes that work for this database."""
        if self.store != "postgres":
            return []
        asked = "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND backend_type = 'client backend'"
        return [int(pid) for pid in psql(self.server, asked.format(self.name)).split()]

    def drop(self):
        if self.store == "postgres":
            for pid in self.processes():
                # one that is planning listens to nothing else
                psql(self.server, f"SELECT pg_terminate_backend({pid}, 30000)")
            psql(self.server, f"DROP DATABASE {self.name} WITH (FORCE)")
        elif self.store == "sqlite":
            for end in ("", "-wal", "-shm"):
                file = self.url.removeprefix("sqlite:") + end
                if os.path.exists(file):
                    os.remove(file)


def psql(url, sql):
    command = ["psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--command", sql, url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def person(n):
    name = f"user{n}@example.com"
    return {"schemas": [USER], "userName": name, "displayName": f"User {n}", "emails": [{"value": name, "type": "work"}]}


class Many(Tables):
    def people(self, tenant, count):
        name, email = "'user' || n || '@example.com'", """'","emails":[{"type":"work","value":"user' || n || '@example.com"}]}'"""
        document = f"""'{{"userName":"' || {name} || '","displayName":"User ' || n || {email}"""
        self.run(f"""{self.numbers(count)}
            INSERT INTO users (tenant, id, user_name, user_name_key, active, display_name, attributes, created, modified, version)
            SELECT '{tenant}', 'user-' || n, {name}, {name}, true, 'User ' || n,
                   {f"({document})::jsonb" if self.postgres else document}, n, n, 1 FROM numbers""")
        self.run(f"""{self.numbers(count)}
            INSERT INTO user_emails (tenant, user_id, position, value_key, type_key)
            SELECT '{tenant}', 'user-' || n, 0, {name}, 'work' FROM numbers""")


class Attacker(Client):
    """What an attacker prepares in peace."""

    def __init__(self, port, tenant, share):
        super().__init__(port)
        self.tenant, self.share = tenant, share

    def some(self, number):
        """A share of it, where there are many attackers or the run is small."""
        return max(1, round(number * self.share))

    def ask(self, method, path, content=None):
        """Status and document. Comes back when it is told to."""
        headers = {"Authorization": "Bearer " + token(self.tenant), "Content-Type": "application/scim+json"}
        for _ in range(100):
            self.connection.request(method, "/scim/v2" + path, content, headers)
            answer = self.connection.getresponse()
            text = answer.read()
            if answer.status not in (429, 503):
                break
            time.sleep(int(answer.headers.get("Retry-After", 1)))
        return answer.status, json.loads(text) if text else None


def people_of(app, tenant):
    """Some users of a tenant: ids and names."""
    client = Attacker(app.port, tenant, 1)
    return [(client.ask("POST", "/Users", json.dumps(person(n)).encode())[1]["id"], person(n)["userName"]) for n in range(10)]


class App:
    """A process of the app. With `limit` its address space has so many bytes, as that of a container would."""

    def __init__(self, program, database, tenants, log, limit=None):
        def limited():
            if limit:
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        self.process, self.port = start(program, database.url, tenants, stderr=log, preexec_fn=limited)
        self.pid, self.database = self.process.pid, database

    def alive(self):
        return self.process.poll() is None

    def end(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def memory(self):
        """Bytes that are resident; 0 when it is gone."""
        return self.part("VmRSS")

    def peak(self):
        return self.part("VmHWM")

    def part(self, name):
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
                return next((int(line.split()[1]) << 10 for line in status if line.startswith(name)), 0)
        except OSError:
            return 0

    def connections(self):
        try:
            files = [os.readlink(f"/proc/{self.pid}/fd/{name}") for name in os.listdir(f"/proc/{self.pid}/fd")]
        except OSError:
            return 0
        return sum(file.startswith("socket:") for file in files)

    def cpu(self):
        """The seconds that the app and the database's processes have run."""
        return sum(ran(pid) for pid in [self.pid, *self.database.processes()])

    def settle(self, patience):
        """The seconds until both have nothing to do any more, or None."""
        began = time.monotonic()
        while (took := time.monotonic() - began) < patience:
            before = self.cpu()
            time.sleep(0.5)
            if self.cpu() - before < 0.1:
                return took
        return None


@contextlib.contextmanager
def attacked(options, attack, store, folder, log, limit=None):
    """An app with what the attackers need, and the attackers' senders: each has a token, and makes its n-th request."""
    tenants = [f"attacker-{n}" for n in range(options.attackers)]
    database = Database(store, folder, options.postgres)
    app = None
    try:
        app = App(options.app, database, ["victim", *tenants], log, limit)
        database.fill(app, tenants, int(options.users * attack.users) // options.attackers)
        app.users = people_of(app, "victim")
        yield app, [(token(tenant), attack.prepare(Attacker(app.port, tenant, options.share))) for tenant in tenants]
    finally:
        if app:
            app.end()
        database.drop()


def on_two_cores(postgres):
    """This process with all that it starts, and the database server: on a larger machine a neighbour disturbs nobody."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    for pid in server_processes(postgres) if postgres else []:
        # one may have ended meanwhile
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(pid, cores)


def server_processes(postgres):
    """The process that starts all others of the server, and those."""
    first = parent(int(psql(postgres, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")))
    return [first] + [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if parent(pid) == first]


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


def ran(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    except (OSError, IndexError):
        return 0


def own_memory(pids):
    """Bytes of these processes that they do not share."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
                _, resident, shared = statm.read().split()[:3]
            total += (int(resident) - int(shared)) * PAGE
        except OSError:
            pass
    return total
