"""What is measured: for each part the contestants, and the bars of the ratios."""

import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from contest import best_of, contest, median_ratio

HERE = Path(__file__).parent

# PyTorch takes and returns memory of the system at every step unless malloc is told to keep it.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "100000000",
}

# On AMX our float32 products are made of bfloat16 terms. Rows of their own tell what vectors that
# multiply float32 reach on the same machine.
VECTORS = {"TOLK_ISA": "avx512bf16"}


def processor_has(feature):
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        return feature in info.read()


def has_tiles():
    return processor_has("amx_bf16") and "TOLK_ISA" not in os.environ


class Setup:
    """Where things are."""

    def __init__(self, options):
        self.build = Path(options.build)
        self.work = self.build / "bench" / "peers"
        self.work.mkdir(parents=True, exist_ok=True)
        self.python = Path(options.venv) / "bin" / "python"
        self.model = Path(options.model)
        self.sentences = self.build / "bench" / "sentences.txt"
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

    def read_notes(self, command, environment=None):
        """label -> fraction, of a program that writes them itself."""
        path = self.work / "notes.tsv"
        path.unlink(missing_ok=True)
        environment = {**os.environ, **(environment or {})}
        command = [*map(str, command), "--notes", path]
        subprocess.run(command, check=True, stdout=sys.stderr, env=environment)
        rows = (line.split("\t") for line in path.read_text("utf-8").splitlines())
        return {label: float(fraction) for label, fraction in rows}

    def peer(self, script, *words):
        return [self.python, HERE / script, *words]


def compare(table, what, threads, unit, results, ours, peers, bar, limit=None, least=None):
    """A row of the table: ours against the best of the peers. `limit` is the contestant that is
    the processor's own, `least` the bar of the fraction of it."""
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
        fraction=median_ratio(results[ours][0], results[limit][0]) if limit else None,
        least=least,
    )


# ---- matrix products ----------------------------------------------------------------------------


def gemm(setup, table):
    gemm_by(setup, table, "products", {})
    if has_tiles():
        gemm_by(setup, table, "vectors' products", VECTORS)


def gemm_by(setup, table, products, environment):
    leasts = {1: 0.92, 2: 0.90}
    for threads in setup.wanted(products):
        notes = setup.read_notes(setup.ours("gemm", "--peers", threads), environment)
        plural = f"{threads} thread" + ("s" if threads > 1 else "")
        for size in STEP_OPERATIONS:
            label = f"products of {size}, {plural}"
            ours = notes[label]
            for peer in ("OpenBLAS", "oneDNN"):
                theirs = notes.get(f"{peer}, {label}")
                if theirs is None:
                    table.note(f"{products} of {size}, {peer}: not on this system, left out")
                    continue
                table.add(
                    what=f"{products} of {size}, {peer}",
                    threads=threads,
                    unit="% limit",
                    ours=100 * ours,
                    theirs=100 * theirs,
                    peer=peer,
                    ratio=ours / theirs,
                    bar=1,
                    fraction=ours,
                    least=leasts[threads],
                )
        least = 100 * notes[f"the slowest product, {plural}"]
        table.note(f"slowest of {products}, {plural}: {least:.0f} % of the limit (>= 80)")


# ---- training -----------------------------------------------------------------------------------

STEP_OPERATIONS = {"T": 46.9e9, "B": 298e9}


def forced_mkl(setup):
    """PyTorch's MKL has slower kernels for processors that are not Intel's, and no setting to
    choose the others; a library loaded before it can. Nobody's PyTorch does that by itself, so it
    stands in a row of its own. None without a compiler."""
    library = setup.work / "forced_mkl.so"
    source = "int mkl_serv_intel_cpu_true(void) { return 1; }"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library]
    if subprocess.run(command, input=source, text=True).returncode != 0:
        return None
    return {**KEEP_MEMORY, "LD_PRELOAD": str(library.resolve())}


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
    if has_tiles():
        commands["tolk float32, vectors"] = (commands["tolk float32"], VECTORS)
    forced = forced_mkl(setup)
    if forced is not None:
        command = setup.peer("serve_step.py", size, threads, "float32", "eager")
        commands["PyTorch eager, forced MKL"] = (command, forced)
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
        ("tolk float32", ["PyTorch eager, forced MKL"], None, f"step {size}, float32, forced MKL"),
        ("tolk float32, vectors", single, bars[0], f"step {size}, float32, vectors"),
    ):
        least = 0.8 if "float32" in ours and peers is single else None
        compare(table, what, threads, "GFLOP/s", results, ours, peers, bar, "peak", least)


EPOCH_TOKENS, EPOCH_BATCHES, EPOCH_DROPOUT = 2048, 20, 0.1


def epoch(setup, table):
    if setup.tatoeba is None:
        table.note("epoch: no corpus (TOLK_TATOEBA), left out")
        return
    ids = setup.work / "ids.txt"
    pairs = setup.tatoeba / "train.tsv"
    subprocess.run(setup.ours("epoch", "--ids", ids, setup.model, pairs), check=True)
    for precision, bar in (("float32", 1.8), ("bfloat16", None)):
        for threads in setup.wanted(f"epoch, {precision}"):
            ours = setup.ours("epoch", "--serve", "--batches", EPOCH_BATCHES, setup.model, pairs)
            ours += ["--", "--batch-tokens", EPOCH_TOKENS, "--dropout", EPOCH_DROPOUT]
            ours += ["--threads", threads, "--precision", precision, "--average", 0]
            work = (ids, EPOCH_TOKENS, EPOCH_BATCHES, EPOCH_DROPOUT, threads, precision)
            commands = {
                "tolk": ours,
                "PyTorch eager": (setup.peer("serve_epoch.py", *work, "eager"), KEEP_MEMORY),
            }
            if precision == "float32" and has_tiles():
                commands["tolk, vectors"] = (ours, VECTORS)
            results = contest(commands, setup.rounds)
            what = f"epoch, {precision}"
            table.keep(what, threads, results)
            for name, more in (("tolk", ""), ("tolk, vectors", ", vectors")):
                peers = ["PyTorch eager"]
                compare(table, what + more, threads, "tokens/s", results, name, peers, bar)


def quality(setup, table):
    """BLEU and chrF on test.tsv in both precisions."""
    if setup.tatoeba is None:
        table.note("int8 against float32: no corpus (TOLK_TATOEBA), left out")
        return
    found = []
    for precision in ("float32", "int8"):
        command = [setup.build / "tolk", "evaluate", setup.model, setup.tatoeba / "test.tsv"]
        run = subprocess.run(
            [*map(str, command), "--precision", precision],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        scores = re.findall(r"(BLEU|chrF)\D*([0-9.]+)", run.stdout)
        found.append(f"{precision} " + ", ".join(" ".join(score) for score in scores[:2]))
    table.note("test.tsv: " + "; ".join(found) + " (BLEU within 0.3)")


def threads(setup, table):
    """How much two threads bring, and how much of it the machine gives at all."""
    works = {"step T, 1 -> 2 threads": lambda n: setup.ours("step", "--serve", "--threads", n, "T")}
    for beam in (1, 4):
        works[f"batch, beam {beam}, 1 -> 2 threads"] = lambda n, beam=beam: setup.ours(
            "translate",
            *("--serve", "--threads", n, "--beam", beam, "--sentences", BATCH_SENTENCES),
            *(setup.model, setup.sentences),
        )
    for what, command in works.items():
        if not setup.wanted(what, [2]):
            continue
        commands = {f"{n}": command(n) for n in (1, 2)}
        commands.update({f"limit {n}": setup.ours("machine", "--serve", n) for n in (1, 2)})
        results = contest(commands, setup.rounds)
        table.keep(what, 2, results)
        table.add(
            what=what,
            threads=2,
            unit="of limit",
            ours=median_ratio(results["2"][0], results["1"][0]),
            theirs=median_ratio(results["limit 2"][0], results["limit 1"][0]),
            peer="the machine's limit, 1 -> 2",
            ratio=median_ratio(results["2"][0], results["1"][0]),
            bar=1.85,
        )


# ---- translation --------------------------------------------------------------------------------

BATCH, BATCH_SENTENCES, SINGLE_SENTENCES = 64, 512, 64


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


def batch_tokens(setup, text, count):
    """The pieces of as many average sentences as CTranslate2 gets in a batch."""
    import sentencepiece

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(setup.model / "source.spm"))
    lines = Path(text).read_text("utf-8").splitlines()[:count]
    return round(BATCH * sum(len(pieces.encode(line)) + 1 for line in lines) / len(lines))


def translate(setup, table):
    folder, text = converted(setup), setup.sentences
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
    ours += ["--batch-tokens", batch_tokens(setup, text, count)]
    ours += ["--single"] if manner == "single" else []
    commands = {"tolk": [*ours, setup.model, text]}
    # For each thread a worker of one thread, which is faster than one worker of many; MKL, which
    # CTranslate2 has too, is slower than its choice in all of these.
    forced = {"": {}}
    if processor_has("avx512f"):
        forced[" AVX512"] = {"CT2_FORCE_CPU_ISA": "AVX512"}
    for isa, more in forced.items():
        words = (text, count, beam, manner, precision, threads, 1, theirs_text)
        commands[f"CTranslate2{isa}"] = (
            setup.peer("serve_translate.py", folder, setup.model / "source.spm", *words),
            {**more, "OMP_NUM_THREADS": "1"},
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


# ---- start-up and memory ------------------------------------------------------------------------

STARTS = 15
START_LIMIT = 30  # milliseconds

START_OF_CTRANSLATE2 = """
import sys, ctranslate2, sentencepiece
pieces = sentencepiece.SentencePieceProcessor(model_file=sys.argv[2])
translator = ctranslate2.Translator(sys.argv[1], intra_threads=1)
tokens = pieces.encode(sys.stdin.readline().strip(), out_type=str) + ["</s>"]
found = translator.translate_batch([tokens], beam_size=1)[0].hypotheses[0]
print(pieces.decode(found), flush=True)
"""


def milliseconds(command):
    """From the start of the process to its first translation."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdin.write("Waar is de kat?\n")
        process.stdin.flush()
        process.stdout.readline()
        taken = time.perf_counter() - begun
        process.stdin.close()
    return 1000 * taken


def start(setup, table):
    theirs = [setup.python, "-c", START_OF_CTRANSLATE2]
    theirs += [converted(setup), setup.model / "source.spm"]
    for threads in setup.wanted("start"):
        ours = [setup.build / "tolk", "translate", setup.model, "--beam", 1, "--threads", threads]
        milliseconds(ours), milliseconds(theirs)
        times = [(milliseconds(ours), milliseconds(theirs)) for _ in range(STARTS)]
        table.add(
            what=f"start to first translation (<= {START_LIMIT})",
            threads=threads,
            unit="ms",
            ours=statistics.median(a for a, _ in times),
            theirs=statistics.median(b for _, b in times),
            peer="CTranslate2 in Python, one thread",
            ratio=statistics.median(b / a for a, b in times),
            bar=None,
        )


def memory(setup, table):
    """The most that a process has resident, with everything it loads."""
    folder, text = converted(setup), setup.sentences
    works = {
        "memory, training step T": (
            setup.ours("step", "--serve", "--threads", 1, "T"),
            {
                f"PyTorch {mode}": setup.peer("serve_step.py", "T", 1, "float32", mode)
                for mode in ("eager", "compiled")
            },
        )
    }
    for manner, count in (("batch", BATCH_SENTENCES), ("single", SINGLE_SENTENCES)):
        ours = setup.ours("translate", "--serve", "--threads", 1, "--beam", 4, "--sentences", count)
        ours += ["--batch-tokens", batch_tokens(setup, text, count)]
        ours += ["--single"] if manner == "single" else []
        words = (folder, setup.model / "source.spm", text, count, 4, manner, "float32", 1, 1)
        works[f"memory, {manner}, beam 4"] = (
            [*ours, setup.model, text],
            {"CTranslate2": setup.peer("serve_translate.py", *words)},
        )
    for what, (ours, peers) in works.items():
        if not setup.wanted(what, [1]):
            continue
        results = contest({"tolk": ours, **peers}, 1)
        sizes = {name: result[1] / 1e6 for name, result in results.items()}
        least = min((name for name in sizes if name != "tolk"), key=sizes.get, default=None)
        if "tolk" in sizes and least is not None:
            table.add(
                what=what,
                threads=1,
                unit="MB",
                ours=sizes["tolk"],
                theirs=sizes[least],
                peer=least,
                ratio=sizes[least] / sizes["tolk"],
                bar=1,
            )


PARTS = {
    "gemm": gemm,
    "step": step,
    "epoch": epoch,
    "translate": translate,
    "quality": quality,
    "threads": threads,
    "start": start,
    "memory": memory,
}
