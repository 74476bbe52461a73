"""Measures a whole apply against a served tenant: its time compared with what the quotas allow, and its cost.

    cargo build --release
    python3 benches/whole_apply.py                       # 10,000 and 100,000 changes, no quotas
    python3 benches/whole_apply.py 100000 -- --quotas --tenant-size L --latency 200 --time-scale 20
    python3 benches/whole_apply.py --killed 20000        # kill -9 in the middle, and apply again

Arguments after `--` go to `mfactl sandbox serve`. The floor is what the quotas alone cost: the writes after
the first 3,000 at 20 a second, and two plans, before and after, each as `whole_program.py` counts it; all of
it divided by the time scale. Latency is not divided: pass the latency that the program sees. Processor time
and memory are those of mfactl alone; the tenant is another process on the same machine.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from whole_program import PROGRAM, Tenant, floor_of

WRITES_AT_ONCE, WRITES_A_SECOND = 3_000, 20
# The average number of changes per user of a generated tenant.
CHANGES_A_USER = 1.615


def option(serve, name, default):
    return float(serve[serve.index(name) + 1]) if name in serve else default


class Apply:
    """A tenant, its plan, and the cost of one such plan."""

    def __init__(self, changes, serve):
        self.serve = serve
        self.scale = option(serve, "--time-scale", 1.0)
        self.tenant = Tenant(round(changes / CHANGES_A_USER), serve)
        self.plan()

    def plan(self):
        """Makes the plan, and finds the brakes that must be lifted for it."""
        _, planned = self.tenant.run("plan", "--format", "json", "--stats")
        plan = json.loads(planned.stdout)
        self.changes = len(plan["changes"])
        self.parts = json.loads(planned.stderr.splitlines()[-1])["stats"]["readParts"]
        allow = [brake["allow"] for brake in plan["brakes"] if brake["tripped"]]
        self.args = ["apply", "--auto-approve", "--stats"]
        self.args += [word for brake in allow for word in ("--allow", brake)]
        # Wait until the quota that the plan has used is full again.
        time.sleep(10 / self.scale if "--quotas" in self.serve else 0)

    def floor(self, writes):
        if "--quotas" not in self.serve:
            return 0.0
        written = max(0.0, writes - WRITES_AT_ONCE) / WRITES_A_SECOND
        return 2 * floor_of(self.parts, self.serve) + written / self.scale

    def start(self):
        """Starts the apply. Its output goes to files, because a pipe can fill up."""
        out, err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        child = subprocess.Popen([PROGRAM, *self.args], cwd=self.tenant.folder.name,
                                 env=self.tenant.environment, stdout=out, stderr=err)
        return child, out, err

    def whole(self):
        begun = time.monotonic()
        child, out, err = self.start()
        status = child.wait()
        seconds = time.monotonic() - begun
        said, cost = (file.seek(0) or file.read() for file in (out, err))
        if status != 0 or "nothing is left to do" not in said:
            raise SystemExit(f"it ended with {status}\n{said[-600:]}\n{cost}")
        return seconds, said, cost

    def written(self):
        """The writes that the tenant has done, as method and path."""
        log = Path(self.tenant.folder.name) / ".mfactl/sandbox/writes.jsonl"
        whole = [line for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
        rows = map(json.loads, whole)
        return [(row["method"], row["path"]) for row in rows]

    def intents(self):
        """The number of writes that the journal of the run has an intent for."""
        return sum(line.startswith('{"intent"')
                   for journal in Path(self.tenant.folder.name).glob(".mfactl/runs/*/journal.jsonl")
                   for line in journal.read_text().splitlines())


def numbers(cost):
    """The numbers in the output of `--stats`."""
    find = lambda pattern: float(re.search(pattern, cost).group(1))
    return {
        "batches": find(r"(\d+) batches"), "single": find(r"(\d+) single reads"),
        "read": find(r"(\d+) read,"), "written": find(r"(\d+) written"),
        "refused": find(r"(\d+) \(429\)"), "processor": find(r"processor\s+([\d.]+) s"),
        "memory": find(r"memory\s+([\d.]+) MB"),
    }


def measure(changes, serve):
    apply = Apply(changes, serve)
    try:
        seconds, _, cost = apply.whole()
    finally:
        apply.tenant.close()
    n, changes = numbers(cost), apply.changes
    floor = apply.floor(changes)
    over = f"{(seconds / floor - 1) * 100:+6.1f} % over the floor of {floor:.1f}" if floor else "no floor"
    print(f"{changes:>9,} changes  {seconds:8.2f} s  {over}  {changes / seconds:7.1f} a second  "
          f"{n['read']:,.0f} parts read, {n['written']:,.0f} written, {n['single']:,.0f} single reads  "
          f"{n['refused'] * 100 / (n['read'] + n['written']):.2f} % refused  "
          f"{n['processor'] * 1e6 / changes:6.1f} µs a change  {n['memory']:7.1f} MB", flush=True)


def killed(changes, serve):
    apply = Apply(changes, serve)
    try:
        child, _, _ = apply.start()
        while apply.intents() < apply.changes / 2:
            if child.poll() is not None:
                raise SystemExit("it came to its end before it was killed")
            time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        time.sleep(1)  # a request that was sent is still carried out
        changes, half = apply.changes, len(apply.written())
        apply.plan()
        seconds, said, cost = apply.whole()
        written = apply.written()
    finally:
        apply.tenant.close()
    unknown = len(re.findall(r"nobody knew, and it was", cost))
    print(f"{changes:>9,} changes  killed after {half:,} writes, {unknown} of them in doubt; "
          f"the next apply took {seconds:.2f} s and converged: {len(written):,} writes, "
          f"{len(written) - len(set(written))} of them twice, "
          f"{len(written) - changes:+} more than planned", flush=True)


def main():
    args = sys.argv[1:]
    serve = args[args.index("--") + 1:] if "--" in args else []
    args = args[:args.index("--")] if "--" in args else args
    sizes = [int(size) for size in args if size.isdigit()]
    for changes in sizes or [10_000, 100_000]:
        (killed if "--killed" in args else measure)(changes, serve)


if __name__ == "__main__":
    main()
