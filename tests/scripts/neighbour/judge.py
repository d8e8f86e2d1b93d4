"""What the victim has seen, beside what it has seen in quiet."""
import collections
import dataclasses

from parties import HONEST
from sender import Noted


@dataclasses.dataclass
class Run:
    """An attack, and what was noted of it."""
    attack: str
    quiet: dict[str, Noted]
    during: dict[str, Noted]
    sent: Noted | None
    # seconds of CPU of the app and the database, and those until neither had anything to do
    cpu: float
    settled: float | None
    alive: bool
    peak: int


def part(times, of):
    """A percentile, in seconds; nobody's is 0."""
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * of))] if times else 0.0


def show(run):
    print(f"  {run.attack}: the attackers' {counted(run.sent)}; {run.cpu:.1f} s of CPU, "
          f"{'no rest' if run.settled is None else f'at rest after {run.settled:.1f} s'}, peak {run.peak >> 20} MB")
    for kind in HONEST:
        quiet, during = run.quiet[kind], run.during[kind]
        print(f"    {kind:18}  p50 {milliseconds(quiet, 0.5)} → {milliseconds(during, 0.5)} ms,  p99 {milliseconds(quiet, 0.99)} → "
              f"{milliseconds(during, 0.99)} ms  {counted(during) if during.wrong else ''}", flush=True)


def milliseconds(noted, of):
    return f"{part(noted.times, of) * 1000:.1f}"


def counted(noted):
    if noted is None:
        return "process did not end"
    return ", ".join(f"{count} × {status}" for status, count in noted.statuses.most_common())


def judge(runs, factor, goal):
    """What is not as it has to be, a line each. The quiet times of all runs count together."""
    wrong = []
    for run in runs:
        if not run.alive:
            wrong.append(f"{run.attack}: the process has ended")
        if run.settled is None:
            wrong.append(f"{run.attack}: work goes on 15 s after all clients have gone")
        if run.sent is None or 500 in run.sent.statuses:
            wrong.append(f"{run.attack}: attackers were answered with {counted(run.sent)}")
        for kind in HONEST:
            for statuses, when in ((run.quiet[kind].wrong, "in quiet"), (run.during[kind].wrong, "during the attack")):
                if statuses:
                    wrong.append(f"{run.attack}: {kind} {when}: {dict(statuses)}")
            quiet = part([time for other in runs for time in other.quiet[kind].times], 0.99)
            during = part(run.during[kind].times, 0.99)
            if during > goal:
                wrong.append(f"{run.attack}: {kind}: p99 {during * 1000:.0f} ms, more than {goal * 1000:.0f}")
            elif factor and during > factor * quiet:
                wrong.append(f"{run.attack}: {kind}: p99 {during * 1000:.1f} ms, {during / quiet:.1f} × the {quiet * 1000:.1f} in quiet")
    return wrong
