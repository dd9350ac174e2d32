"""Rows of the fault matrix that are not tested in this folder: the tests elsewhere that cover them, or why none does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Elsewhere:
    """A row that tests outside this folder cover: each is `file.py::test_name` under tests/; a whole run runs them too."""

    injected: str
    expected: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class NotMet:
    """A row without a test, and why."""

    injected: str
    reason: str


NOT_HERE: dict[str, Elsewhere | NotMet] = {
    "A1": Elsewhere(
        "kill -9 of produce.py in mid-file",
        "the file sent again fills the hole and doubles nothing",
        ("produce/test_producer.py::test_killed_in_mid_file_and_run_again_leaves_no_hole_and_no_double",),
    ),
    "A4": Elsewhere(
        "the local queue is full",
        "sending waits; nothing is dropped",
        ("produce/test_producer.py::test_a_full_queue_is_waited_for",),
    ),
    "A5": Elsewhere(
        "SIGTERM, Ctrl-C",
        "what was sent is answered before the end; exit code 1",
        ("produce/test_producer.py::test_a_signal_ends_the_sending_with_every_sent_row_answered",),
    ),
    "A6": Elsewhere(
        "a record larger than the topic takes",
        "named by its line; the others are sent",
        (
            "produce/test_producer.py::test_a_record_too_large_is_named_by_line_and_the_others_are_sent",
            "produce/test_producer.py::test_what_the_broker_refuses_later_is_traced_to_its_line",
        ),
    ),
    "A7": Elsewhere(
        "the same file twice",
        "the second time nothing is sent",
        ("produce/test_producer.py::test_the_same_file_again_sends_nothing_whatever_its_line_ends",),
    ),
    "A8": Elsewhere(
        "CSV with CRLF, BOM, Latin-1, quoted line ends, ragged rows, doubled header, nothing in it, a cell of 1 MB",
        "read as they are meant, or refused by line before anything is sent",
        (
            "produce/test_csv_rows.py::test_line_ends_byte_order_mark_and_quotes_do_not_make_another_file",
            "produce/test_csv_rows.py::test_a_bad_line_is_named_and_the_others_are_numbered_without_it",
            "produce/test_csv_rows.py::test_a_header_that_names_a_column_of_the_contract_twice_is_refused",
            "produce/test_csv_rows.py::test_other_encodings_are_named_and_not_guessed",
            "produce/test_csv_rows.py::test_a_cell_of_a_megabyte_is_read",
            "produce/test_csv_rows.py::test_an_empty_file_is_refused",
            "produce/test_csv_rows.py::test_a_header_alone_is_refused",
            "produce/test_producer.py::test_bad_lines_are_refused_before_anything_is_sent",
        ),
    ),
    "A10": Elsewhere(
        "a broker that advertises an address that leads nowhere",
        "the address is quoted, within seconds",
        ("kafka/test_topic.py::test_a_broker_that_advertises_an_unknown_name_is_quoted",),
    ),
    "D9": NotMet("a lake and a checkpoint of the release before", "this is the first release"),
    "D13": NotMet(
        "another Python on the executors", "no Python runs there: the stream is Spark SQL throughout"
    ),
    "D14": NotMet("a backlog of 10,000,000", "it takes longer than a suite may; D5 has 1,000,000"),
    "E14": Elsewhere(
        "fields added, removed, renamed, retyped, in another case",
        "rejected by name, or the contract refused; old rows stay as they are",
        (
            "validate/test_rules.py::test_a_missing_field_is_told_once_and_near_names_are_hinted",
            "validate/test_strict_json.py::test_unknown_fields_are_rejected_where_the_contract_says_so",
            "lake/test_tables.py::test_the_columns_of_another_contract_are_refused_and_other_rules_are_not",
        ),
    ),
    "H1": Elsewhere(
        "SIGKILL during an export, at every step",
        "the old files or the new ones, never a mix",
        (
            "export/test_publication.py::test_a_kill_at_any_step_leaves_the_old_set_or_a_new_one_that_the_next_run_finishes",
        ),
    ),
    "H2": Elsewhere(
        "two exports at once",
        "one of them wins whole",
        (
            "export/test_publication.py::test_two_exports_in_a_loop_never_leave_a_mix",
            "export/test_publication.py::test_a_second_export_at_once_is_refused_and_the_first_is_whole",
        ),
    ),
    "H3": Elsewhere(
        "no answers, one group, 10,000 groups, names of any length and script",
        "a picture, or none where there is nothing to draw",
        (
            "export/charts/test_charts.py::test_no_answers_give_no_pictures",
            "export/charts/test_charts.py::test_a_single_group_can_be_drawn",
            "export/charts/test_charts.py::test_ten_thousand_groups_are_drawn_as_twenty_and_the_rest",
            "export/charts/test_charts.py::test_any_name_can_be_drawn",
        ),
    ),
    "H4": Elsewhere(
        "no display, no home",
        "charts are drawn",
        ("export/charts/test_charts.py::test_charts_need_no_display_and_no_home",),
    ),
    "H5": NotMet(
        "a report on 10,000,000 records", "it takes longer than a suite may; only aggregates reach the driver"
    ),
    "H6": Elsewhere(
        "exports into the lake, into /, through a link, over foreign files",
        "refused, and nothing foreign is touched",
        (
            "export/test_publication.py::test_the_lake_and_what_is_in_it_are_refused",
            "export/test_publication.py::test_root_and_home_are_refused",
            "export/test_publication.py::test_a_link_into_the_lake_is_refused",
            "export/test_publication.py::test_a_foreign_file_under_one_of_our_names_is_refused_and_kept",
        ),
    ),
    "H7": Elsewhere(
        "no network, a jar with one byte flipped",
        "starts from the jars that are there; the wrong one is named",
        (
            "runtime/test_jars.py::test_nothing_is_resolved_when_all_is_there",
            "runtime/test_jars.py::test_an_offline_machine_is_told_what_could_not_be_resolved",
            "runtime/test_jars.py::test_a_flipped_byte_is_found_although_size_and_date_are_the_same",
        ),
    ),
    "H8": Elsewhere(
        "Java missing or of another version, another Python, another Spark",
        "one line says what is wrong",
        (
            "runtime/test_java.py::test_every_java_found_is_named_when_none_is_accepted",
            "jobs/test_run.py::test_a_machine_without_java_is_told_how_to_get_it",
            "runtime/test_virtualenv.py::test_an_unsupported_python_is_one_clear_line",
            "jobs/test_run.py::test_another_spark_on_the_path_is_refused_with_both_versions",
        ),
    ),
    "H9": Elsewhere(
        "spark-submit of another Spark",
        "refused with both versions",
        ("jobs/test_run.py::test_another_spark_on_the_path_is_refused_with_both_versions",),
    ),
}
