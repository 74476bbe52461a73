"""Measures the whole program against a served tenant of generated users.

    cargo build --release
    python3 benches/whole_program.py                     # 1,000 to 1,000,000 users
    python3 benches/whole_program.py 10000 -- --quotas --latency 200
    python3 benches/whole_program.py --side-by-side      # next to a reader written by hand; needs httpx

    python3 benches/whole_program.py 100000 -- --quotas --time-scale 10 --latency 20 --quota-shift 60=50

    # The read strategies: as documented, one request for each user, states from the list of users.
    python3 benches/whole_program.py 10000 --runs 3 -- --quotas --latency 50
    python3 benches/whole_program.py 10000 --runs 3 -- --quotas --latency 50 --one-request-read allow
    python3 benches/whole_program.py 10000 --runs 3 -- --quotas --latency 50 --bulk-state allow

    # A review: `plan --against` in proportion to `plan`, in turn on one tenant.
    python3 benches/whole_program.py 10000 --against --runs 7

`--runs N` measures each size N times and prints the run with the median time. The environment variable
MFACTL names another program than `target/release/mfactl`, for example a debug build: with `--quotas`, the
quota and not the processor decides the time.

Arguments after `--` go to `mfactl sandbox serve`. The floor is the time that the quota alone costs: the
parts that do not fit the first full bucket (8,000 in a large tenant), at the rate at which it fills (800 a
second), both as the flags of the tenant set them. Processor time and memory are those of mfactl alone; the
tenant is another process.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(os.environ.get("MFACTL") or Path(__file__).resolve().parent.parent / "target/release/mfactl")
READER = Path(__file__).resolve().parent / "side_by_side/reader.py"
BUCKETS = {"S": 3_500, "M": 5_000, "L": 8_000}  # units; full again in ten seconds

PROJECT = """\
version: 1
tenant: {tenant}
policies: policies
breakGlass:
  users:
    - {{ id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b61, name: breakglass1@exchangelabs.nl }}
    - {{ id: 6c1f6a0e-3d52-4b7a-9e14-5a0c8f2d7b62, name: breakglass2@exchangelabs.nl }}
"""
POLICY = """\
version: 1
policies:
  staff:
    appliesTo:
      groups: [All Staff]
    desired:
      phones:
        mobile: { from: mobilePhone, region: usageLocation }
      perUserMfa: enabled
"""


class Tenant:
    """A folder with a served tenant of `users` users."""

    def __init__(self, users, serve):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        (path / "policies").mkdir()
        (path / "policies/staff.yaml").write_text(POLICY)
        (path / "mfactl.yaml").write_text(PROJECT.format(tenant="sandbox"))
        run = lambda *args: subprocess.run([PROGRAM, *args], cwd=path, check=True,
                                           capture_output=True, text=True).stdout
        run("sandbox", "reset", "--users", str(users))
        tenant = self.first_id(path)
        self.server = subprocess.Popen([PROGRAM, "sandbox", "serve", *serve], cwd=path,
                                       stdout=subprocess.PIPE, text=True)
        self.url = self.server.stdout.readline().strip()
        project = PROJECT.format(tenant=tenant)
        project += f"endpoints: {{ graph: '{self.url}', login: '{self.url}' }}\n"
        (path / "mfactl.yaml").write_text(project)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": self.folder.name, "MFACTL_TODAY": "2026-11-22",
            "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": "4d9e5f10-7a33-4f6b-9b0c-2c7f8f6f1a11",
            "AZURE_CLIENT_SECRET": "a secret",
        }

    @staticmethod
    def first_id(path):
        """The first line of the output has the tenant's id."""
        show = subprocess.Popen([PROGRAM, "sandbox", "show"], cwd=path, stdout=subprocess.PIPE,
                                text=True)
        words = show.stdout.readline().split()
        show.stdout.close()
        show.wait()
        return words[words.index("tenant") + 1]

    def run(self, *args):
        begun = time.monotonic()
        done = subprocess.run([PROGRAM, *args], cwd=self.folder.name, env=self.environment,
                              capture_output=True, text=True, check=False)
        if done.returncode not in (0, 2):
            raise SystemExit(done.stderr)
        return time.monotonic() - begun, done

    def close(self):
        self.server.terminate()
        self.server.wait()
        self.folder.cleanup()


def floor_of(parts, serve):
    """The seconds that `parts` take if no part of the quota stays unused."""
    def given(flag):
        return [value for name, value in zip(serve, serve[1:]) if name == flag]
    if "--quotas" not in serve:
        return 0.0
    bucket = BUCKETS[(given("--tenant-size") or ["L"])[0]]
    shifts = sorted(tuple(map(int, shift.split("="))) for shift in given("--quota-shift"))
    left, at, percent = parts - bucket, 0.0, 100
    for after, then in [*shifts, (float("inf"), 100)]:
        rate = bucket / 10 * percent / 100
        if left <= rate * (after - at):
            break
        left, at, percent = left - rate * (after - at), after, then
    return max(0.0, at + left / rate) / int((given("--time-scale") or ["1"])[0])


def run_once(users, serve):
    """The seconds of one plan, and its cost."""
    tenant = Tenant(users, serve)
    try:
        seconds, done = tenant.run("plan", "--format", "json", "--stats")
    finally:
        tenant.close()
    return seconds, json.loads(done.stderr.splitlines()[-1])["stats"]


def measure(users, serve, runs):
    all_runs = sorted((run_once(users, serve) for _ in range(runs)), key=lambda run: run[0])
    seconds, stats = all_runs[len(all_runs) // 2]
    parts = stats["readParts"]
    asked = parts + stats["singleReads"]
    floor = floor_of(asked, serve)
    over = f"{seconds - floor:+.2f} s, {seconds / floor * 100 - 100:+.1f} % over the floor" if floor else "no floor"
    least = 2 if stats["ways"].get("reading", "documented requests").startswith("documented requests") else 1
    print(f"{users:>9,} users  {seconds:8.2f} s ({over})  "
          f"{stats['processorSeconds'] * 1e6 / users:6.1f} µs a user  "
          f"{parts / users:6.3f} parts a user, least {least}  "
          f"{stats['requests']:,} requests, {asked:,} units  "
          f"{stats['refused'] * 100 / asked:5.2f} % refused  "
          f"{stats['peakMemory'] / 2**20:7.1f} MiB", flush=True)


def side_by_side(users, serve):
    tenant = Tenant(users, serve)
    try:
        begun = time.monotonic()
        read = subprocess.run([sys.executable, READER, tenant.url], check=True,
                              capture_output=True, text=True).stdout
        by_hand = time.monotonic() - begun
        ours, done = tenant.run("report", "--format", "csv")
        planned, _ = tenant.run("plan")
    finally:
        tenant.close()
    rows = {row["id"]: row["methods"] for row in csv.DictReader(done.stdout.splitlines())}
    told = {line.split()[0]: line.split(maxsplit=2)[2:] for line in read.splitlines()}
    words = {"microsoftAuthenticator": "authenticator", "fido2": "passkey"}
    same = different = 0
    for user, kinds in told.items():
        if user not in rows:
            continue  # disabled: the report excludes them
        kinds = {words.get(kind, kind) for kind in "".join(kinds).split(";") if kind}
        listed = {one.split(" (")[0].strip() for one in rows[user].split(";") if one.strip()}
        same, different = same + (kinds == listed), different + (kinds != listed)
    print(f"{users:,} users: by hand {by_hand:.2f} s; plan {planned:.2f} s, {by_hand / planned:.1f} "
          f"times faster; report {ours:.2f} s, {by_hand / ours:.1f} times faster; "
          f"{same} accounts read alike, {different} not")


def against(users, serve, runs):
    """The cost of two evaluations in proportion to one, as medians of runs in turn."""
    tenant = Tenant(users, serve)
    path = Path(tenant.folder.name)
    (path / "base/policies").mkdir(parents=True)
    (path / "base/mfactl.yaml").write_text((path / "mfactl.yaml").read_text())
    (path / "base/policies/staff.yaml").write_text(POLICY.replace("groups: [All Staff]", "groups: [All Staff]\n      users: [breakglass3@exchangelabs.nl]"))
    costs = {"plan": [], "plan --against": []}
    try:
        for _ in range(runs):
            for name, more in (("plan", []), ("plan --against", ["--against", "base"])):
                seconds, done = tenant.run("plan", "--format", "json", "--stats", *more)
                stats = json.loads(done.stderr.splitlines()[-1])["stats"]
                costs[name].append((stats["processorSeconds"], seconds, stats["peakMemory"]))
    finally:
        tenant.close()
    median = {name: [sorted(column)[len(column) // 2] for column in zip(*all_runs)]
              for name, all_runs in costs.items()}
    one, two = median["plan"], median["plan --against"]
    print(f"{users:,} users: processor {two[0] / one[0]:.2f}, time {two[1] / one[1]:.2f}, "
          f"memory {two[2] / one[2]:.2f} of one plan ({one[0]:.2f} s, {one[1]:.2f} s, "
          f"{one[2] / 2**20:.0f} MiB), medians of {runs}")


def main():
    args = sys.argv[1:]
    serve = args[args.index("--") + 1:] if "--" in args else []
    args = args[:args.index("--")] if "--" in args else args
    runs = int(args.pop(args.index("--runs") + 1)) if "--runs" in args else 1
    sizes = [int(size) for size in args if size.isdigit()]
    if "--side-by-side" in args:
        side_by_side(sizes[0] if sizes else 10_000, serve)
    elif "--against" in args:
        against(sizes[0] if sizes else 10_000, serve, runs)
    else:
        for users in sizes or [1_000, 10_000, 100_000, 1_000_000]:
            measure(users, serve, runs)


if __name__ == "__main__":
    main()
