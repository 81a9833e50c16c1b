"""Runs ours and the peers on the same work in turn and prints the table of ratios.

python run.py --build build --venv build/bench/venv --model MODEL [PART…]

Results are kept in build/bench/peers/results.json part by part: a part that is run again replaces
its own rows."""

import argparse
import json
import sys
from pathlib import Path

from parts import PARTS, Setup


ORDER = list(PARTS)


class Table:
    def __init__(self, path):
        self.path = Path(path)
        self.part = None
        self.data = {"rows": {}, "rates": {}, "notes": {}}
        if self.path.exists():
            self.data = json.loads(self.path.read_text("utf-8"))

    def save(self):
        self.path.write_text(json.dumps(self.data, indent=1), "utf-8")

    def add(self, **row):
        row["part"] = self.part
        self.data["rows"][f"{row['what']} / {row['threads']}"] = row
        self.save()
        print(self.line(row), file=sys.stderr, flush=True)

    def keep(self, what, threads, results):
        self.data["rates"][f"{what} / {threads}"] = {n: r[0] for n, r in results.items()}

    def note(self, text):
        self.data["notes"][text.split(":")[0]] = text
        self.save()

    @staticmethod
    def line(row):
        def verdict(value, bar):
            return "" if not bar else "yes" if value >= bar else "no"

        fraction, least = row.get("fraction"), row.get("least")
        return (
            f"{row['what']:<38} {row['threads']:>2} {row['ours']:>8.1f} {row['theirs']:>8.1f} "
            f"{row['unit']:<8} {row['ratio']:>5.2f} {row['bar'] or '':>5} "
            f"{verdict(row['ratio'], row['bar']):<3} "
            f"{f'{100 * fraction:.0f} %' if fraction else '':>6} "
            f"{f'{100 * least:.0f} %' if least else '':>5} "
            f"{verdict(fraction, least):<3}  {row['peer']}"
        )

    def print(self):
        print(
            f"{'what':<38} {'th':>2} {'ours':>8} {'theirs':>8} {'':<8} {'ratio':>5} {'bar':>5} "
            f"{'met':<3} {'limit':>6} {'bar':>5} {'met':<3}  their best"
        )
        for row in sorted(self.data["rows"].values(), key=lambda row: ORDER.index(row["part"])):
            print(self.line(row))
        for note in self.data["notes"].values():
            print(note)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", help=" ".join(PARTS) + "; none: all")
    parser.add_argument("--build", default="build")
    parser.add_argument("--venv", default="build/bench/venv")
    parser.add_argument("--model", default="build/bench/model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--match", default="", help="only rows like this regular expression: 'step T / 1'"
    )
    parser.add_argument("--only-table", action="store_true", help="of what was measured before")
    options = parser.parse_args()
    setup = Setup(options)
    table = Table(setup.work / "results.json")
    for part in [] if options.only_table else options.parts or PARTS:
        table.part = part
        PARTS[part](setup, table)
    table.print()


if __name__ == "__main__":
    main()
