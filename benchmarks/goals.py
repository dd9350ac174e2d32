"""What each ratio means, and what is asked of it: at least `asked`. Ratios without a goal are there to compare with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """One ratio. `asked` is the least that meets the goal, None where none is set."""

    name: str
    part: str
    asked: float | None
    means: str
    goal: str = ""
    """the goal in the words it was set in, where those are not the ratio's own"""


WRITERS = {
    "own": "as our producer writes", "compact": "compact, the number unquoted", "turned": "the fields in another order",
    "framed": "a field more in front and one behind", "accented": "accents in UTF-8", "escaped": "accents as escapes",
}  # fmt: skip
"""Who filled the topics of the writers part."""
GOALS = (
    Goal("records_vs_loader", "throughput", 1.0, "rows/s of ours / of the hand-written Python loader"),
    Goal("records_vs_equal_loader", "throughput", 1.4, "rows/s of ours / of that loader, made to keep and judge what ours does"),
    Goal("records_vs_naive", "throughput", 1.5, "rows/s of ours / of the Spark job of the documentation"),
    Goal("records_vs_noop", "throughput", 0.5, "rows/s of ours / of Spark reading the topic into nothing"),
    Goal("records_vs_confluent", "throughput", None, "rows/s of ours / of confluent-kafka reading into nothing"),
    Goal("records_vs_java", "throughput", None, "rows/s of ours / of Java's consumer reading into nothing"),
    Goal("records_vs_seed", "throughput", None, "rows/s of ours / of the original exercise at its largest size"),
    Goal("cpu_vs_loader", "throughput", None, "CPU seconds of the loader / of ours, the broker's left out"),
    Goal("cpu_vs_equal_loader", "throughput", None, "CPU seconds of the loader that keeps and judges what ours does / of ours"),
    Goal("cpu_vs_naive", "throughput", None, "CPU seconds of the Spark job of the documentation / of ours"),
    Goal("cpu_vs_read", "throughput", None, "CPU seconds of ours when it only reads the topic / of the whole"),
    Goal("cpu_vs_judge", "throughput", None, "CPU seconds of ours when it reads and judges, and writes nothing / of the whole"),
    *(
        Goal(f"writers_{name}_vs_naive", "writers", 1.3, f"rows/s of ours / of the Spark job of the documentation: {what}")
        for name, what in WRITERS.items()
    ),
    *(
        Goal(f"writers_{name}_vs_own", "writers", 0.7, f"rows/s of ours / of ours on our own producer's records: {what}")
        for name, what in list(WRITERS.items())[1:]
    ),
    *(
        Goal(f"wide_{fields}_vs_naive", "wide", 1.0, f"rows/s of ours / of the Spark job of the documentation: {fields} fields")
        for fields in (20, 60, 200)
    ),
    Goal("wide_start", "wide", 1.0, "200 fields / 20 fields, over seconds of a run of one record with 200 / with 20",
         "planning and start-up grow no faster than the fields"),
    *(
        Goal(f"cold_{place}_vs_{peer}", "cold", None, f"seconds of {words} / of ours, whole processes, {share} of the rows")
        for place, share in (("small", "a hundredth"), ("middle", "a tenth"), ("large", "all"))
        for peer, words in (("naive", "the Spark job of the documentation"), ("loader", "the hand-written Python loader"))
    ),
    Goal("cold_million", "cold", 1.0, "14 s / seconds of jobs/stream.py on a million records, first line to exit",
         "14 s at most"),
    Goal("cold_large_vs_warm", "cold", 1.0, "(1.2 x seconds of a warm process + 8 s) / seconds of jobs/stream.py on all the rows",
         "a start costs 8 s, and what it makes slower a fifth"),
    Goal("linearity", "linearity", 1.0, "1.15 / (most seconds per million rows / fewest), first plan to last commit",
         "within 15 % of each other at 0.1, 0.3, 1 and 3 times the rows"),
    Goal("linearity_whole", "linearity", None, "the same, with what every run costs: asking Kafka, planning, counting verdicts"),
    Goal("scale_out", "scale_out", None, "seconds of ours on one worker of one core / on two, beside driver and Kafka"),
    Goal("scale_out_model", "scale_out", 1.8, "the same on cores of their own, modelled from the seconds of one worker's tasks",
         "1.8 x with two workers"),
    Goal("freshness_p50", "freshness", 1.0, "1 s / median age of a record when its commit is visible",
         "p50 under 1 s at 1,000 rows/s"),
    Goal("freshness_p95", "freshness", 1.0, "2 s / 95th percentile of the same", "p95 under 2 s at 1,000 rows/s"),
    Goal("freshness_steady", "freshness", 0.9, "p50 of the first half / of the second half",
         "no worse as the log grows"),
    Goal("commits_start", "small_files", 0.9, "seconds of a run with nothing new on a lake of ten commits / on one of hundreds",
         "a lake of many commits starts as fast"),
    Goal("files_size", "small_files", 1.0, "median size of a file after jobs/maintain.py / 64 MB (or all there is)",
         "median file 64 MB or more where there is that much"),
    Goal("files_reader", "small_files", 1.0, "a reader's seconds before jobs/maintain.py / after",
         "readers see no slowdown"),
    Goal("maintain_rate", "small_files", 1.0, "MB/s that a run of jobs/maintain.py takes together, for each core / 20",
         "20 MB/s for each core"),
    Goal("verify_rate", "verify", 1.0, "10 minutes / those that jobs/verify.py would take for 100 million records",
         "100 million in minutes"),
    Goal("verify_memory", "verify", 0.8, "most memory of jobs/verify.py with a tenth of the rows / with all",
         "flat memory"),
    Goal("aggregate_vs_duckdb", "aggregation", 0.5, "DuckDB's seconds / ours, same results from the same files",
         "at most 2 x DuckDB's time"),
    Goal("aggregate_unchanged", "aggregation", 10.0, "seconds of a full run / of a rerun with nothing new",
         "a rerun with nothing new costs next to nothing"),
    Goal("aggregate_one_percent", "aggregation", 2.0, "seconds of a full run / of a run after 1 % new rows, by new people",
         "with 1 % new rows clearly less than a full run"),
    Goal("aggregate_again", "aggregation", 2.0, "the same, half of the new rows by people who answered before",
         "the same"),
    Goal("startup", "startup", 1.0, "12 s / seconds of jobs/run.py on the sample, warm", "12 s at most"),
    Goal("produce_generate", "produce", 1.0, "rows/s of produce.py --generate / 250,000", "250,000 rows/s"),
    Goal("produce_csv", "produce", 1.0, "rows/s of produce.py with a CSV of 1 M lines / 150,000", "150,000 rows/s"),
)  # fmt: skip

# PartResults once elsewhere, and not part of any run.
QUOTED = {
    "kafka-delta-ingest 0.4.0 (Rust)": "built and run by hand in November 2026 on the same topic, in an hour in which the"
    " loader made 350,000 to 420,000 rows/s and the Spark job of the documentation 236,000 to 286,000: 43,000 to 77,000"
    " rows/s as shipped (two runs of each of two settings), 179,000 to 191,000 with its per-message metrics patched out,"
    " 1.25 GB at its peak"
}
