# SPDX-License-Identifier: GPL-2.0-only
"""Jobs, and the lanes in which they run side by side."""
import subprocess
import threading
import time
import traceback

from . import paths

DEAL = 6                         # so many tests of one boot are dealt out to all lanes


class Job:
    """LENGTH is the longest that it may take, in seconds: the long ones start first, so that the
    lanes end together. A job that takes no lane waits most of its time, and boots no host: such
    jobs run one after the other beside the lanes."""

    def __init__(self, stage, length, run, lane=True):
        self.stage, self.length, self.run, self.lane = stage, length, run, lane


def count():
    """As many as scripts/testhost has for emulated hosts."""
    return int(subprocess.run(["bash", "-euc", ". scripts/lib.sh; . scripts/lane.sh; lane_count"],
                              cwd=paths.TOP, check=True, stdout=subprocess.PIPE).stdout)


def deal(tests, lanes):
    """Tests that could share one boot, in as many boots as is worth the time that a boot takes. All
    boots may take about as long; within one, the tests keep their order."""
    hands = [[] for _ in range(lanes if len(tests) > DEAL else 1)]
    for test in sorted(tests, key=lambda t: -t.timeout):
        min(hands, key=lambda hand: sum(t.timeout for t in hand)).append(test)
    return [sorted(hand, key=tests.index) for hand in hands]


def run(jobs, lanes, tally):
    """Runs the jobs; returns when all have ended. What a stage took is from its first job's start
    to its last one's end."""
    jobs = sorted(jobs, key=lambda j: -j.length)
    queues = [j for j in jobs if not j.lane], [j for j in jobs if j.lane]
    times, lock = {}, threading.Lock()

    def work(queue):
        while True:
            with lock:
                if not queue:
                    return
                job = queue.pop(0)
            start = time.monotonic()
            try:
                job.run()
            except Exception:  # pylint: disable=broad-except
                # One lane's trouble is the run's failure, and not the end of the others.
                tally.fail(job.stage, "tests/run itself: " + traceback.format_exc())
            with lock:
                first, _ = times.get(job.stage, (start, 0))
                times[job.stage] = (min(first, start), time.monotonic())

    threads = [threading.Thread(target=work, args=(queue,), daemon=True)
               for queue in [queues[0]] + [queues[1]] * lanes]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for stage, (start, end) in times.items():
        tally.stage(stage, end - start)
