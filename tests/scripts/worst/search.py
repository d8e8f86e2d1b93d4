"""The search: a request is made of genes; what costs more is kept, and one or two of its genes change."""
import statistics
from dataclasses import dataclass, field

from server import Gone, Peak, Watch

CPU_BOUND, MEMORY_BOUND = 500, 40
# A group has no limit of members. Whoever reads all of them, or ends it, pays for each of them once: this many GETs.
EACH_MEMBER = 0.0125


@dataclass
class Request:
    tenant: str
    method: str
    path: str
    body: object = None
    headers: dict = field(default_factory=dict)
    # what the request changes, to be made anew afterwards
    changes: str = None

    def length(self):
        return len(self.path) + len(self.body or b"") + sum(len(n) + len(v) for n, v in self.headers.items())


@dataclass
class Family:
    """Requests of one kind: what their genes may be, the dearest last as far as is known, and how they are made."""

    name: str
    limits: str
    genes: dict
    build: object
    # what the ratio may be, where it is meant to be high
    bound: float = CPU_BOUND
    # what it is more for each member of the large group
    each_member: float = 0

    def most(self, world):
        return self.bound + self.each_member * world.members

    def start(self, random, number):
        """All genes at their last value, then at random."""
        return {gene: choices[-1] if number == 0 else random.choice(choices) for gene, choices in self.genes.items()}

    def mutate(self, genome, random):
        changed = dict(genome)
        for gene in random.sample(sorted(self.genes), min(len(self.genes), random.choice((1, 1, 2, 3)))):
            choices = self.genes[gene]
            if len(choices) > 1:
                changed[gene] = random.choice([choice for choice in choices if choice != genome[gene]])
        return changed

    def describe(self, genome):
        return " ".join(f"{gene}={value}" for gene, value in genome.items() if value not in (None, "", "none"))


@dataclass
class Cost:
    genome: dict
    status: object
    sent: int
    cpu: float
    memory: float

    def score(self, get):
        return max(self.cpu / get / CPU_BOUND, self.memory / MEMORY_BOUND)


def measure(world, family, genome):
    """What a request costs. One that is given up costs what it has cost until then; the server is killed."""
    server = world.server
    request = family.build(genome, world)
    watch = Watch(server, server.most)
    peak, before = Peak(server), watch.began
    try:
        status, _, _ = server.client.send(request.tenant, request.method, request.path, request.body, request.headers)
        watch.end()
        cpu = server.settled() - before
        memory = peak.end()
    except Gone:
        watch.end()
        status = "given up" if server.process.poll() is None else f"ended {server.process.poll()}"
        cpu = server.used() - before
        memory = peak.end() if server.process.poll() is None else float("inf")
        world.restore()
        return Cost(genome, status, request.length(), cpu, memory)
    if request.changes and status < 300:
        world.check(request.changes)
    return Cost(genome, status, request.length(), cpu, memory)


def of_get(world, repeats):
    """The seconds of a GET by id: the median of many."""
    server, costs = world.server, []
    for _ in range(repeats):
        before = server.used()
        for _ in range(10):
            server.client.send("people", "GET", "/Users/" + world.people[len(world.people) // 2])
        costs.append((server.used() - before) / 10)
    return statistics.median(costs)


def climb(world, family, get, random, requests, repeats, known=()):
    """The worst request by CPU and the worst by memory that so many requests have found, and those that are known before."""
    seen, worst, starts = {}, [], 1 if requests < 10 else 3
    ended = False
    for genome in known:
        if not ended:
            worst.append(measure(world, family, genome))
            ended = not isinstance(worst[-1].status, int)
    for start in range(starts):
        best, tries = None, 0
        while tries < requests // starts and not ended:
            genome = family.mutate(best.genome, random) if best else family.start(random, start)
            tries += 1
            key = tuple(sorted((gene, str(value)) for gene, value in genome.items()))
            if key in seen:
                continue
            cost = seen[key] = measure(world, family, genome)
            worst.append(cost)
            # nothing is dearer than no answer
            ended = not isinstance(cost.status, int)
            if best is None or cost.score(get) > best.score(get):
                best = cost
    tops = [max(worst, key=lambda cost: cost.cpu), max(worst, key=lambda cost: cost.memory)]
    return [again(world, family, cost, repeats) for cost in tops], len(worst)


def again(world, family, cost, repeats):
    """The median of a request that is sent some more times, unless it was not answered."""
    if not isinstance(cost.status, int):
        return cost
    costs = [cost]
    for _ in range(repeats - 1):
        costs.append(measure(world, family, cost.genome))
        if not isinstance(costs[-1].status, int):
            return costs[-1]
    cpu, memory = (statistics.median(getattr(c, what) for c in costs) for what in ("cpu", "memory"))
    return Cost(cost.genome, costs[-1].status, cost.sent, cpu, memory)
