"""What can be wrong with a database for a while. Each is a context: it is wrong within, and over behind."""
import contextlib
import os
import signal
import sqlite3
import subprocess
import tempfile
import threading

from running import psql, server_processes


class Database:
    """The database of a run: where it is, and who could stand in its way."""

    def __init__(self, url, server=None, folder=None):
        self.url, self.server, self.folder = url, server, folder
        self.file = url.removeprefix("sqlite:")

    def named(self):
        return self.url.rpartition("/")[2]


@contextlib.contextmanager
def full_disk(database):
    """A file of zeros takes all that is left; then the disk gets larger, and the file goes."""
    ballast = os.path.join(database.folder, "ballast")
    try:
        with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        yield
    finally:
        size(database.folder, 2 * DISK)
        os.remove(ballast)
        size(database.folder, DISK)


# The megabytes of the disk.
DISK = 64


def size(folder, megabytes):
    subprocess.run(["mount", "-o", f"remount,size={megabytes}M", folder], check=True)


@contextlib.contextmanager
def disk():
    """The folder of a small file system, or None where that is not allowed."""
    folder = tempfile.mkdtemp()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}M", "tmpfs", folder], capture_output=True).returncode == 0
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=False)
        os.rmdir(folder)


@contextlib.contextmanager
def frozen(database):
    """The server's processes stand still, all of them: nothing is refused, nothing is answered."""
    processes = server_processes(database.server)
    try:
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in reversed(processes):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def end_backends(database):
    psql(database.server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          f"WHERE datname = '{database.named()}' AND backend_type = 'client backend'")


@contextlib.contextmanager
def ended_backends(database):
    """Again and again all connections are cut."""
    over = threading.Event()

    def cut():
        while not over.wait(0.3):
            end_backends(database)

    cutting = threading.Thread(target=cut)
    cutting.start()
    try:
        yield
    finally:
        over.set()
        cutting.join()


@contextlib.contextmanager
def read_only(database):
    """As after a failover, when a standby answers."""
    try:
        psql(database.server, "ALTER SYSTEM SET default_transaction_read_only = on")
        psql(database.server, "SELECT pg_reload_conf()")
        yield
    finally:
        psql(database.server, "ALTER SYSTEM RESET default_transaction_read_only")
        psql(database.server, "SELECT pg_reload_conf()")


@contextlib.contextmanager
def locked_file(database):
    """Another process writes, and does not come to an end."""
    with contextlib.closing(sqlite3.connect(database.file, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


@contextlib.contextmanager
def locked_table(database):
    """Another process has the users for itself, as a migration would."""
    command = ["psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", database.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            other.stdin.write("BEGIN; LOCK TABLE users IN SHARE MODE;\n\\echo held\n")
            other.stdin.flush()
            assert other.stdout.readline() == "held\n"
            yield
        finally:
            other.stdin.close()
