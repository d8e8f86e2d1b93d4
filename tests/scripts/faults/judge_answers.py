"""Whether what was answered while something was wrong, and afterwards, is what the clients can live with."""
import collections

from traffic import READ, WRITTEN, Answer

# Seconds after the trouble until writes have to work again, and those from when on nothing that is sent is refused any more.
RECOVERED, QUIET = 10, 3


def judge_answers(answers, fault, began, ended):
    """What is not as it has to be, a line each. Nothing is wrong before `began` and after `ended`."""
    wrong = collections.Counter()
    for answer in answers:
        if answer.status is None:
            wrong[f"no answer: {answer.detail}"] += 1
        elif answer.status in (503, 429):
            if not answer.retry_after:
                wrong[f"{answer.status} without Retry-After"] += 1
        elif answer.status >= 300:
            wrong[f"{answer.what.split()[0]} is answered with {answer.status}: {answer.detail}"] += 1
        # what was sent in the trouble may be answered at its end
        if answer.took > fault.patience:
            wrong[f"an answer to a {answer.kind} took longer than {fault.patience} s"] += 1
        refused = answer.status is None or answer.status >= 300
        if refused and answer.at < began:
            wrong["refused before anything was wrong"] += 1
        if refused and answer.at - answer.took > ended + QUIET:
            wrong[f"refused {QUIET} s after it was over"] += 1
        if refused and answer.kind == READ and fault.reads:
            wrong["a read is refused, which needs nothing that is missing"] += 1
    for kind in (READ, WRITTEN):
        good = [a.at - ended for a in answers if a.kind == kind and a.status and a.status < 300 and a.at - a.took > ended]
        if not good or min(good) > RECOVERED:
            wrong[f"no {kind} works within {RECOVERED} s after it was over"] += 1
    return [f"{count} × {what}" for what, count in wrong.most_common()]


def told(answers, began, ended):
    """A line about the answers: how many, what was refused, the longest, when writes worked again."""
    statuses = collections.Counter(a.status for a in answers if a.at >= began)
    longest = max((a.took for a in answers), default=0)
    again = [a.at - ended for a in answers if a.kind == WRITTEN and a.status and a.status < 300 and a.at - a.took > ended]
    return f"{dict(statuses)}, longest {longest:.1f} s, writes again after {f'{min(again):.1f} s' if again else 'never'}"


def self_test(fault):
    """The judge, put to the test: each of these answers has to be seen among good ones."""
    good = [Answer(kind, "GET /", at, 0.1, 200) for kind in (READ, WRITTEN) for at in (0.5, 9)]
    assert judge_answers(good, fault, 1, 5) == []
    defects = [
        Answer(WRITTEN, "POST /Users", 2, 0.1, 500), Answer(WRITTEN, "POST /Users", 2, 0.1, 503),
        Answer(WRITTEN, "POST /Users", 2, 0.1, None), Answer(WRITTEN, "POST /Users", 2, 0.1, 404, "1"),
        Answer(READ, "GET /", 40, fault.patience + 1, 200), Answer(WRITTEN, "POST /Users", 9, 0.1, 503, "1"),
        Answer(WRITTEN, "POST /Users", 0.5, 0.1, 503, "1"),
    ]
    for defect in defects:
        assert judge_answers(good + [defect], fault, 1, 5), f"not seen: {defect}"
    for kind in (READ, WRITTEN):
        assert judge_answers([answer for answer in good if answer.kind != kind or answer.at < 5], fault, 1, 5), f"no {kind} afterwards"
