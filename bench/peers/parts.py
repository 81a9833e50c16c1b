"""What is measured: for each part the contestants, and the bars of the ratios."""

import csv
import os
import re
import statistics
import subprocess
from pathlib import Path

from contest import best_of, contest, median_ratio

HERE = Path(__file__).parent

# PyTorch takes and returns memory of the system at every step unless malloc is told to keep it.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "100000000",
}


class Setup:
    """Where things are."""

    def __init__(self, options):
        self.build = Path(options.build)
        self.work = self.build / "bench" / "peers"
        self.work.mkdir(parents=True, exist_ok=True)
        self.python = Path(options.venv) / "bin" / "python"
        self.model = Path(options.model)
        self.rounds = options.rounds
        self.match = options.match
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(self.work.resolve() / "inductor"))
        tatoeba = Path(os.environ.get("TOLK_TATOEBA", "../shared/corpora/tatoeba-nl-en"))
        self.tatoeba = tatoeba if (tatoeba / "train.tsv").exists() else None

    def wanted(self, what, threads=(1, 2)):
        """The numbers of threads for which `what / threads` is wanted."""
        return [t for t in threads if re.search(self.match, f"{what} / {t}")]

    def ours(self, program, *words):
        return [self.build / "bench" / program, *words]

    def peer(self, script, *words):
        return [self.python, HERE / script, *words]


def compare(table, what, threads, unit, results, ours, peers, bar, limit=None):
    """A row of the table: ours against the best of the peers."""
    best = best_of(results, peers)
    if ours not in results or best is None:
        return
    table.add(
        what=what,
        threads=threads,
        unit=unit,
        ours=statistics.median(results[ours][0]),
        peer=best,
        theirs=statistics.median(results[best][0]),
        ratio=median_ratio(results[ours][0], results[best][0]),
        bar=bar,
        memory=[results[ours][1], results[best][1]],
        fraction=median_ratio(results[ours][0], results[limit][0]) if limit else None,
    )


# ---- training -----------------------------------------------------------------------------------

STEP_OPERATIONS = {"T": 46.9e9, "B": 298e9}


def step(setup, table):
    for size in STEP_OPERATIONS:
        for threads in setup.wanted(f"step {size}"):
            step_of(setup, table, size, threads)


def step_of(setup, table, size, threads):
    commands = {"peak": setup.ours("machine", "--serve", threads)}
    for precision in ("float32", "bfloat16"):
        commands[f"tolk {precision}"] = setup.ours(
            "step", "--serve", "--threads", threads, "--precision", precision, size
        )
        for mode in ("eager", "compiled"):
            commands[f"PyTorch {mode} {precision}"] = (
                setup.peer("serve_step.py", size, threads, precision, mode),
                KEEP_MEMORY,
            )
    results = contest(commands, setup.rounds)
    for rates, _ in results.values():
        rates[:] = [rate * STEP_OPERATIONS[size] / 1e9 for rate in rates]
    results["peak"] = ([r / STEP_OPERATIONS[size] for r in results["peak"][0]], 0)
    table.keep(f"step {size}", threads, results)
    single = ["PyTorch eager float32", "PyTorch compiled float32"]
    half = ["PyTorch eager bfloat16", "PyTorch compiled bfloat16"]
    bars = (1.3, 2.2, 1.4) if size == "T" else (None, None, None)
    for ours, peers, bar, what in (
        ("tolk float32", single, bars[0], f"step {size}, float32"),
        ("tolk bfloat16", single, bars[1], f"step {size}, bfloat16 against float32"),
        ("tolk bfloat16", half, bars[2], f"step {size}, bfloat16"),
    ):
        compare(table, what, threads, "GFLOP/s", results, ours, peers, bar, "peak")


# ---- translation --------------------------------------------------------------------------------

BATCH_SENTENCES, SINGLE_SENTENCES = 512, 64


def converted(setup):
    """The model as CTranslate2's own converter makes it."""
    folder = setup.work / f"ct2-{setup.model.resolve().name}"
    weights = setup.model / "model.safetensors"
    made = folder / "model.bin"
    if not made.exists() or made.stat().st_mtime < weights.stat().st_mtime:
        code = (
            "import sys; from ctranslate2.converters import TransformersConverter as C; "
            "C(sys.argv[1]).convert(sys.argv[2], force=True)"
        )
        subprocess.run([setup.python, "-c", code, setup.model, folder], check=True)
    return folder


def sentences(setup):
    """The source side of test.tsv, where it is there, else those of the oracle."""
    if setup.tatoeba is None:
        return HERE.parent.parent / "tests" / "oracle" / "sentences.txt"
    path = setup.work / "sentences.txt"
    with open(setup.tatoeba / "test.tsv", encoding="utf-8") as pairs:
        path.write_text("".join(line.split("\t")[0] + "\n" for line in pairs), encoding="utf-8")
    return path


def translate(setup, table):
    folder, text = converted(setup), sentences(setup)
    for manner in ("batch", "single"):
        for beam in (1, 4):
            for precision in ("float32", "int8"):
                for threads in setup.wanted(f"{manner}, beam {beam}, {precision}"):
                    translate_as(setup, table, folder, text, threads, manner, beam, precision)


def translate_as(setup, table, folder, text, threads, manner, beam, precision):
    count = BATCH_SENTENCES if manner == "batch" else SINGLE_SENTENCES
    name = f"{manner}, beam {beam}, {precision}"
    ours_text, theirs_text = (setup.work / f"{side}.txt" for side in ("ours", "theirs"))
    ours = setup.ours(
        "translate", "--serve", "--threads", threads, "--beam", beam, "--sentences", count
    )
    ours += ["--precision", precision, "--output", ours_text]
    ours += ["--single"] if manner == "single" else []
    commands = {"tolk": [*ours, setup.model, text]}
    # Workers translate batches beside each other; a single sentence knows only threads.
    workers = [(threads, 1)] if manner == "batch" else []
    for inter, intra in dict.fromkeys([*workers, (1, threads)]):
        for isa, more in (
            ("", {}),
            (" AVX512", {"CT2_FORCE_CPU_ISA": "AVX512"}),
            (" AVX512 MKL", {"CT2_FORCE_CPU_ISA": "AVX512", "CT2_USE_MKL": "1"}),
        ):
            commands[f"CTranslate2 {inter}x{intra}{isa}"] = (
                setup.peer(
                    "serve_translate.py",
                    folder,
                    setup.model / "source.spm",
                    *(text, count, beam, manner, precision, inter, intra, theirs_text),
                ),
                {**more, "OMP_NUM_THREADS": str(intra)},
            )
    results = contest(commands, setup.rounds)
    table.keep(name, threads, results)
    if manner == "batch":
        bar = 1.5 if threads > 1 or precision == "int8" else 1.3
    else:
        bar = 3 if precision == "float32" else 1.5
    peers = [other for other in results if other != "tolk"]
    compare(table, name, threads, "pieces/s", results, "tolk", peers, bar)
    if "tolk" in results:
        pairs = list(zip(*(path.read_text("utf-8").splitlines() for path in (ours_text, theirs_text))))
        same = sum(a == b for a, b in pairs)
        table.note(f"{name}: {same} of {len(pairs)} translations are CTranslate2's")


PARTS = {"step": step, "translate": translate}
