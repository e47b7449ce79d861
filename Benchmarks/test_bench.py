"""The table of `make bench` tells what was measured: no goal is met by rounding, by a failure or by silence."""

import pathlib
import sys
import tempfile
import textwrap
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bench
import goals
import idle
import plan
import rows


class Goals(unittest.TestCase):
    def test_a_figure_on_its_goal_meets_it_and_one_beside_it_does_not(self):
        self.assertTrue(goals.at_least(0.90, 0.9, "").met)
        self.assertFalse(goals.at_least(0.8999999, 0.9, "").met)
        self.assertTrue(goals.at_most(1.5, 1.5, "").met)
        self.assertFalse(goals.at_most(1.5000001, 1.5, "").met)

    def test_a_figure_that_misses_its_goal_is_not_shown_as_if_it_met_it(self):
        self.assertEqual(goals.at_least(0.8999999, 0.9, "of raw").text, "of raw 0.89")
        self.assertEqual(goals.at_most(1.5000001, 1.5, "times").text, "times 1.51")
        self.assertEqual(goals.at_most(100.01, 100, "by mTLS", " KB", digits=0).text, "by mTLS 101 KB")

    def test_a_figure_that_is_exact_but_for_its_binary_form_is_shown_as_it_is(self):
        self.assertEqual(goals.at_least(0.29, 0.3, "", digits=2).text.strip(), "0.29")
        self.assertEqual(goals.at_most(1.1, 1.1, "", digits=1).text.strip(), "1.1")
        self.assertEqual(goals.at_least(15_000, 15_000, "", digits=0).text.strip(), "15,000")

    def test_what_is_no_number_meets_nothing(self):
        for value in (float("nan"), float("inf")):
            self.assertFalse(goals.at_least(value, 0.9, "").met)
            self.assertFalse(goals.at_most(value, 0.9, "").met)

    def test_a_row_without_figures_is_not_met(self):
        self.assertFalse(goals.Row(1, "", "", []).met)

    def test_one_figure_that_is_not_met_costs_the_row(self):
        figures = [goals.at_least(2, 1, "a"), goals.at_least(0, 1, "b"), goals.Figure("c")]
        self.assertEqual(goals.Row(1, "", "", figures).cells[4], "not met")
        self.assertEqual(goals.Row(1, "", "", [figures[0], figures[2]]).cells[4], "met")

    def test_a_failed_part_is_told_in_its_row_beside_the_figures_of_the_others(self):
        figures = goals.gathered(
            {"one": {"failed": "it ended with 1: no disk"}, "two": {"lines": []}},
            ("one", lambda result: [goals.Figure("never")]), ("two", lambda result: [goals.Figure("a figure")]),
            ("three", lambda result: [goals.Figure("never")]))
        self.assertEqual(
            [figure.text for figure in figures],
            ["one failed: it ended with 1: no disk", "a figure", "three failed: it was not run"])
        self.assertEqual([figure.met for figure in figures], [False, True, False])

    def test_a_part_that_printed_something_else_gives_no_figure(self):
        for make in (lambda result: [result["nothing"]], lambda result: [1 / 0], lambda result: [None + 1],
                     lambda result: [[][0]], lambda result: [float("word")]):
            figures = goals.gathered({"part": {"lines": []}}, ("part", make))
            self.assertEqual([figure.met for figure in figures], [False])
            self.assertIn("part gave no figure", figures[0].text)


class Document(unittest.TestCase):
    text = "before\n<!-- table: begin -->\nold\n<!-- table: end -->\nbetween\n<!-- plan: begin -->\n<!-- plan: end -->\nafter"

    def test_what_is_between_the_markers_is_replaced_and_nothing_else_is_touched(self):
        first = goals.replaced(self.text, "table", "new\nlines\n")
        self.assertEqual(first, self.text.replace("old", "new\nlines"))
        self.assertEqual(goals.replaced(first, "table", "old"), self.text)
        self.assertEqual(
            goals.replaced(self.text, "plan", "x"), self.text.replace("begin -->\n<!-- plan", "begin -->\nx\n<!-- plan"))

    def test_markers_that_are_missing_doubled_or_turned_round_are_refused(self):
        begin, end = "<!-- table: begin -->\n", "<!-- table: end -->"
        for text in ("", begin, end, begin + begin + end, begin + end + end, end + "\n" + begin):
            with self.assertRaises(ValueError):
                goals.replaced(text, "table", "")

    def test_the_document_of_this_repository_takes_a_run(self):
        written = bench.written(bench.DOCUMENT.read_text(), {}, "`make bench`, never")
        self.assertIn("`make bench`, never\n\n| # |", written)
        self.assertEqual(written.count("not met |"), 8)
        self.assertEqual(bench.written(written, {}, "`make bench`, never"), written)

    def test_the_table_keeps_its_columns_whatever_a_failure_says(self):
        table = goals.table([goals.Row(1, "what", "goal", [goals.Figure("a | b\nc", False)])])
        self.assertEqual(table.splitlines()[-1], "| 1 | what | goal | a / b c | not met |")


class Table(unittest.TestCase):
    def test_there_are_eight_rows_whatever_failed_and_none_is_met_by_it(self):
        for results in ({}, {name: {"failed": "x"} for name in names()}, {name: {"lines": [{}]} for name in names()}):
            made = rows.rows(results)
            self.assertEqual([row.number for row in made], list(range(1, 9)))
            self.assertEqual([row.met for row in made], [False] * 8)

    def test_a_whole_run_on_its_goals_meets_every_row(self):
        made = rows.rows(example())
        self.assertEqual([row.cells[3] for row in made if not row.met], [])

    def test_a_row_that_a_part_could_not_measure_says_why(self):
        results = example()
        results["storm"]["lines"][1] = {"row": 4, "failed": "signet-load ended with 1"}
        made = {row.number: row for row in rows.rows(results)}
        self.assertEqual([number for number, row in made.items() if not row.met], [4])
        self.assertIn("signet-load ended with 1", made[4].cells[3])

    def test_each_figure_of_the_run_can_cost_its_row(self):
        self.assertEqual({part for part, _, _ in SPOILED}, set(names()))
        for part, change, number in SPOILED:
            results = example()
            change(results[part]["lines"])
            self.assertEqual([row.number for row in rows.rows(results) if not row.met], [number], f"{part}, row {number}")


class Parts(unittest.TestCase):
    def part(self, script, seconds=20):
        return bench.Part("test", 60, sys.executable, "-c", textwrap.dedent(script)).run(seconds)

    def test_a_part_gives_the_objects_that_it_printed(self):
        self.assertEqual(self.part("print('for people'); print('{\"a\": 1}'); print('{}')"), {"lines": [{"a": 1}, {}]})

    def test_a_part_that_ends_badly_or_says_nothing_failed(self):
        self.assertEqual(
            self.part("import sys; print('{}'); sys.exit('peers: no cfssl')"), {"failed": "it ended with 1: peers: no cfssl"})
        self.assertEqual(self.part("print('nothing')"), {"failed": "it printed no figures"})
        self.assertIn("no JSON", self.part("print('{')")["failed"])
        self.assertIn("cannot be started", bench.Part("test", 60, "/nonexistent/program").run(20)["failed"])

    def test_a_part_for_which_no_time_is_left_is_not_begun(self):
        self.assertEqual(self.part("open('/nonexistent')", seconds=9), {"failed": "no time was left for it"})

    def test_a_part_that_takes_too_long_ends_with_its_children(self):
        with tempfile.TemporaryDirectory() as folder:
            process = bench.started([sys.executable, "-c", textwrap.dedent(f"""
                import signal, subprocess, sys, time
                child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
                open("{folder}/child.new", "w").write(str(child.pid))
                import os
                os.rename("{folder}/child.new", "{folder}/child")
                time.sleep(60)
            """)])
            child = pathlib.Path(folder, "child")
            bench.wait_until("the child's start", child.exists, 20)
            bench.ended(process)
            self.assertIsNotNone(process.returncode)
            stat = pathlib.Path("/proc", child.read_text(), "stat")
            bench.wait_until(
                "the child's end", lambda: not stat.exists() or stat.read_text().rsplit(")")[1].split()[0] == "Z", 20)


class Statements(unittest.TestCase):
    def test_the_log_is_counted_by_statement_without_its_numbers_and_without_the_asker(self):
        log = textwrap.dedent("""\
            2026-01-01 00:00:00.000 UTC [7] LOG:  execute <unnamed>: SELECT revision
            \t    FROM ledger_revision WHERE n = $1
            2026-01-01 00:00:00.001 UTC [7] DETAIL:  parameters: $1 = '7'
            2026-01-01 00:00:00.002 UTC [7] LOG:  execute <unnamed>: SELECT revision FROM ledger_revision WHERE n = $2
            2026-01-01 00:00:00.003 UTC [8] LOG:  statement: BEGIN
            2026-01-01 00:00:00.004 UTC [9] LOG:  statement: SELECT xact_commit FROM pg_stat_database
            2026-01-01 00:00:00.005 UTC [9] LOG:  checkpoint starting: time
            """)
        self.assertEqual(idle.of_service(idle.statements(log)), {"SELECT revision FROM ledger_revision WHERE n = $N": 2})


class Planning(unittest.TestCase):
    def test_a_run_without_figures_leaves_dashes_and_no_number_that_would_need_one(self):
        text = plan.planning({})
        self.assertIn("| a row of the ledger on disk, indexes and all | – |", text)
        self.assertIn("| renewals a second, on average | 0.178 | 1.78 | 17.8 |", text)
        self.assertRegex(text, r"\| memory, all replicas \| – \| – \| – \|")

    def test_the_arithmetic_is_that_of_the_run(self):
        text = plan.planning(example())
        # 104.7 MB without proxies: 300 MB less 2,000 of 100 KB. 2, 8 and 68 replicas of that, and 100 KB for each proxy.
        self.assertIn("| memory of a replica without proxies | 105 MB |", text)
        self.assertRegex(text, r"memory, all replicas \| 1.16 GiB \| 10.4 GiB \| 102 GiB")
        # 153,846 rows a day of 400 bytes for each 100,000 proxies, for 91 days.
        self.assertRegex(text, r"disk for the ledger.* \| 0.56 GB \| 5.6 GB \| 56 GB \|")


def names():
    return [part.name for part in bench.parts(pathlib.Path("."), False)]


def example():
    """What a run prints whose figures all lie on their goals."""
    peer = {"perSecond": 2000.0, "cpuMicroseconds": 300.0, "beside": "Signet", "ratio": 1.01}
    minute = {"queries": 200.0, "transactions": 100.0, "rows": 20.0, "serviceCPU": 1.2}
    return {
        "issuance": {"lines": [
            {"name": f"leaf {what}, PEM", "threads": threads, "perSecond": 30_000, "ofRaw": 0.9}
            for what in ("for a given key", "with a fresh key") for threads in (1, 2)]},
        "ledger": {"lines": [{
            "part": "ledger", "perSecond": 15_000, "freshPerSecond": 37_500, "ofFresh": 0.4, "exact": True,
            "serviceMicroseconds": 70.0, "databaseMicroseconds": 40.0, "rowsPerCertificate": 1.0,
            "transactionsPerCertificate": 0.01}]},
        "storm": {"lines": [
            {"row": 3, "proxies": 10_000, "floorMicroseconds": 30.0, "ofFloor": 3.0,
             "rotationSeconds": 10.0, "serviceMicroseconds": 90.0, "databaseMicroseconds": 40.0,
             "loadMicroseconds": 30.0, "reissueSeconds": 2.0},
            {"row": 4, "few": 2000, "many": 10_000, "mtlsKilobytes": 100.0, "tokenKilobytes": 100.0,
             "residentMegabytes": {"mtls": {"few": 300.0, "many": 1100.0}}},
            {"row": 5, "proxies": 10_000, "handshakeSeconds": 3.3, "leaves": 0, "ofHandshakes": 1.5,
             "peakMegabytes": 1100, "serviceMicroseconds": 400.0,
             "handshakeServiceMicroseconds": 300.0, "seconds": 5.0},
            {"row": 6, "few": 1000, "many": 10_000, "stormRatio": 1.15, "admissionRatio": 1.15}]},
        "peers": {"lines": [{"part": "peers", "rowBytes": 400.0, "peers": [
            {"name": name, **peer} for name in ("cfssl recording", "cfssl", "openssl", "cryptography")],
            "beside": [{"name": "less", **peer, "ratio": 0.5}]}]},
        "idle": {"lines": [{
            "part": "idle", "few": {"proxies": 1000, **minute}, "many": {"proxies": 10_000, **minute, "queries": 226.0}}]},
        "meshes": {"lines": [{"part": "ledger", "meshes": 1000, "meshesRatio": 1.2}]},
        "rows": {"lines": [{"part": "ledger", "rows": 20_000_000, "startRatio": 1.1, "issueRatio": 1.1}]}}


def spoil(key, value, **wanted):
    """A change of one figure of the line that says all of this."""
    def change(lines):
        line, = [line for line in lines if all(line.get(name) == what for name, what in wanted.items())]
        *path, last = key.split(".")
        for step in path:
            line = line[int(step) if step.isdigit() else step]
        line[last] = value
    return change


# The part, the figure that just misses its goal, and the one row that it costs.
SPOILED = [
    ("issuance", spoil("ofRaw", 0.8999, name="leaf for a given key, PEM", threads=1), 1),
    ("issuance", spoil("ofRaw", 0.8999, name="leaf with a fresh key, PEM", threads=2), 1),
    ("ledger", spoil("perSecond", 14_999.9), 2), ("ledger", spoil("ofFresh", 0.3999), 2), ("ledger", spoil("exact", False), 2),
    ("ledger", spoil("exact", 1), 2),
    ("storm", spoil("ofFloor", 3.001, row=3), 3), ("storm", spoil("rotationSeconds", 10.01, row=3), 3),
    ("storm", spoil("mtlsKilobytes", 100.1, row=4), 4),
    ("storm", spoil("leaves", 1, row=5), 5), ("storm", spoil("ofHandshakes", 1.501, row=5), 5),
    ("storm", spoil("stormRatio", 1.151, row=6), 6), ("storm", spoil("admissionRatio", 1.151, row=6), 6),
    ("rows", spoil("startRatio", 1.101), 6), ("rows", spoil("issueRatio", 1.101), 6), ("meshes", spoil("meshesRatio", 1.201), 6),
    ("peers", spoil("peers.0.ratio", 1.0), 7), ("peers", spoil("peers.2.ratio", 0.5), 7),
    ("ledger", spoil("rowsPerCertificate", 1.001), 8), ("idle", spoil("many.queries", 226.1), 8),
    ("idle", spoil("many.transactions", 1000.0), 8), ("idle", spoil("many.rows", 200.0), 8),
]


if __name__ == "__main__":
    unittest.main(verbosity=0)
