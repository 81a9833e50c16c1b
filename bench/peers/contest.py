"""Programs that do the same work in turn.

A contestant is a process that does one round for each line on its standard input, answers with the
amount of work and the seconds it took, and sleeps in between. All are started and warm before the
first round; each round runs them one after another."""

import os
import statistics
import subprocess
import sys


class Contestant:
    def __init__(self, command, environment=None):
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.rates = []

    def round(self):
        """Runs one round and keeps its rate, in units of work a second."""
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
            amount, seconds = map(float, self.process.stdout.readline().split())
        except (BrokenPipeError, ValueError):
            raise RuntimeError(f"{' '.join(self.command)} gave no answer") from None
        self.rates.append(amount / seconds)

    def peak_memory(self):
        """The most memory the process ever had resident, in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError("no VmHWM")

    def end(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # what it never read, since it had ended already
        self.process.wait()


def contest(commands, rounds):
    """`commands`: name -> command, or (command, environment). Gives name -> (rates of all rounds,
    peak memory); a contestant that fails is left out with a line on standard error."""
    running = {}
    for name, command in commands.items():
        command, environment = command if isinstance(command, tuple) else (command, None)
        running[name] = Contestant(command, environment)
    for turn in range(rounds + 1):
        for name, contestant in list(running.items()):
            try:
                contestant.round()
            except RuntimeError as error:
                print(f"left out: {error}", file=sys.stderr)
                contestant.end()
                del running[name]
    results = {}
    for name, contestant in running.items():
        # The first round, in which everyone's caches were others', is not counted.
        results[name] = (contestant.rates[1:], contestant.peak_memory())
        contestant.end()
    return results


def median_ratio(rates, other):
    """The median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(rates, other))


def best_of(results, names):
    """Whose median is the highest."""
    present = [name for name in names if name in results]
    return max(present, key=lambda name: statistics.median(results[name][0]), default=None)


def serve(work):
    """The other end: `work()` gives the amount of a round; its time is taken here."""
    import time

    work()
    for _ in sys.stdin:
        begun = time.perf_counter()
        amount = work()
        print(amount, time.perf_counter() - begun, flush=True)
