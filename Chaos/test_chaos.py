"""The table of `make chaos` tells what was seen: nothing is as expected by silence, by a failure, or for lack of time."""

import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import chaos
import faults
import laws
from world import NotAsExpected, wait


class Traffic:
    """Two requests for each look at it, of which so many fail."""

    def __init__(self, fails=0):
        self.looks, self.fails = 0, fails
        self.failures = [f"request {number} failed" for number in range(100)]

    def seen(self):
        self.looks += 1
        return 2 * self.looks, self.fails * (self.looks - 1)

    def wait_for(self, requests):
        pass


class World:
    def __init__(self, fails=0, rest=None):
        self.traffic, self.rest = Traffic(fails), rest
        self.mended = None

    def mend(self, failed):
        self.mended = "failed" if failed else "as expected"

    def wait_at_rest(self):
        if self.rest:
            raise self.rest


def fault(run):
    return faults.Row("name", "a fault", "what is expected", run, 1, False)


def fails(failure):
    def run(_):
        raise failure
    return run


class Rows(unittest.TestCase):
    def setUp(self):
        self.held = laws.broken
        laws.broken = lambda _: []

    def tearDown(self):
        laws.broken = self.held

    def test_a_row_that_ends_without_a_failed_request_and_a_broken_law_is_as_expected(self):
        result = chaos.run_row(fault(lambda _: "seen"), World())
        self.assertTrue(result.is_expected)
        self.assertEqual(result.seen, "seen")
        self.assertEqual(result.laws, f"{laws.COUNT} of {laws.COUNT}")

    def test_one_failed_request_is_not_as_expected(self):
        result = chaos.run_row(fault(lambda _: "seen"), World(fails=1))
        self.assertFalse(result.is_expected)
        self.assertIn("NOT AS EXPECTED: 1 requests failed, such as request 0 failed", result.seen)

    def test_a_broken_law_is_not_as_expected_and_is_counted(self):
        laws.broken = lambda _: ["broken: serials are unique: 1f"]
        result = chaos.run_row(fault(lambda _: "seen"), World())
        self.assertFalse(result.is_expected)
        self.assertIn("broken: serials are unique: 1f", result.seen)
        self.assertEqual(result.laws, f"{laws.COUNT - 1} of {laws.COUNT}")

    def test_a_row_that_sees_something_else_is_not_as_expected_and_its_fault_is_taken_back(self):
        world = World()
        result = chaos.run_row(fault(fails(NotAsExpected("a certificate was given"))), world)
        self.assertFalse(result.is_expected)
        self.assertEqual(result.seen, "NOT AS EXPECTED: a certificate was given")
        self.assertEqual(world.mended, "failed")

    def test_a_row_that_is_as_expected_has_no_doubt_confirmed_away(self):
        world = World()
        chaos.run_row(fault(lambda _: "seen"), world)
        self.assertEqual(world.mended, "as expected")

    def test_a_world_that_does_not_come_to_rest_is_not_as_expected(self):
        result = chaos.run_row(fault(lambda _: "seen"), World(rest=NotAsExpected("a rotation runs")))
        self.assertFalse(result.is_expected)
        self.assertIn("then a rotation runs", result.seen)
        self.assertEqual(result.laws, "unknown")


class Database:
    def __init__(self, *serials):
        self.rows = [[f"{serial:x}"] for serial in serials]

    def query(self, _):
        return self.rows


class Ledger(unittest.TestCase):
    """A replica as `World.mend` sees it, and what a restored database does not have."""

    def world(self, doubtful):
        world = object.__new__(chaos.World)
        world.patience = 0.01
        running = types.SimpleNamespace(status=None)
        said = []
        wire = types.SimpleNamespace(forget=lambda: None, restore=lambda: None, targets=["socket"])
        replica = types.SimpleNamespace(
            name="first", child=running, database=wire, metric=lambda _: doubtful,
            signet=lambda *words, accept: said.append(words[:2]))
        world.server = types.SimpleNamespace(send_awake=lambda: None, child=running, socket="socket")
        world.first = world.second = replica
        proxy = types.SimpleNamespace(wire=types.SimpleNamespace(restore=lambda: None, targets=[]), doors=[])
        world.web = world.api = proxy
        return world, said

    def test_a_doubt_after_a_row_that_did_not_fail_is_told_and_not_confirmed(self):
        world, said = self.world(1)
        with self.assertRaises(NotAsExpected):
            world.mend(failed=False)
        self.assertEqual(said, [])

    def test_without_a_doubt_nothing_is_confirmed_and_after_a_failed_row_it_is(self):
        world, said = self.world(0)
        world.mend(failed=False)
        self.assertEqual(said, [])
        world.mend(failed=True)
        self.assertEqual(said, [("ledger", "confirm")])

    def test_only_what_the_old_database_had_is_forgiven(self):
        forgotten = []
        serials = types.SimpleNamespace(all=lambda: {1, 2, 3}, forget=forgotten.append)
        world = types.SimpleNamespace(server=Database(1), serials=serials)
        self.assertEqual(faults.forget_lost(world, recorded={1, 2}), 1)
        self.assertEqual(forgotten, [{2}])
        self.assertEqual(laws.unrecorded(world), {2, 3})


class Sum(unittest.TestCase):
    def result(self, is_expected):
        return types.SimpleNamespace(is_expected=is_expected, failed=0, requests=10)

    def test_all_as_expected(self):
        text, is_good = chaos.total([self.result(True), self.result(True)], [], 12)
        self.assertTrue(is_good)
        self.assertEqual(text, "AS EXPECTED: 2 of 2 rows as expected, 0 of 20 requests failed, 12 s")

    def test_one_that_is_not(self):
        text, is_good = chaos.total([self.result(True), self.result(False)], [], 12)
        self.assertFalse(is_good)
        self.assertTrue(text.startswith("NOT AS EXPECTED: 1 of 2 rows"))

    def test_a_row_for_which_no_time_was_left_is_not_as_expected(self):
        text, is_good = chaos.total([self.result(True)], [fault(None)], 12)
        self.assertFalse(is_good)
        self.assertTrue(text.startswith("NOT AS EXPECTED: 1 of 2 rows") and text.endswith("no time was left for name"))

    def test_no_row_at_all_is_not_as_expected(self):
        self.assertFalse(chaos.total([], [], 0)[1])


class Table(unittest.TestCase):
    def test_names_are_unique_and_each_row_says_what_is_expected(self):
        names = [row.name for row in faults.ROWS]
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue(all(row.fault and row.expected for row in faults.ROWS))

    def test_both_sides_of_every_commit_of_a_rotation_are_there(self):
        names = {row.name for row in faults.ROWS}
        phases = ["started", "issuing", "withdrawing", "completed"]
        self.assertLessEqual({f"kill-{moment}-{phase}" for moment in ("before", "after") for phase in phases}, names)

    def test_cells_are_wrapped_and_nothing_of_them_is_lost(self):
        words = [f"word{number}" for number in range(40)]
        line = chaos.table_line(["a", " ".join(words), "b", "c", "d", "e", "f"])
        self.assertTrue(all(word in line for word in words))
        self.assertTrue(all(len(part) <= sum(chaos.WIDTHS.values()) + 3 * len(chaos.WIDTHS) for part in line.split("\n")))


class Waiting(unittest.TestCase):
    def test_what_does_not_happen_is_not_as_expected(self):
        with self.assertRaises(NotAsExpected):
            wait("nothing", lambda: False, 0.01, period=0.001)

    def test_an_answer_that_is_refused_is_no_answer_yet(self):
        answers = iter([ConnectionRefusedError, "late"])

        def ask():
            answer = next(answers)
            if answer is ConnectionRefusedError:
                raise ConnectionRefusedError
            return answer
        self.assertEqual(wait("an answer", ask, 1, period=0.001), "late")


if __name__ == "__main__":
    unittest.main()
