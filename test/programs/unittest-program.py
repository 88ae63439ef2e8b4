"""A unittest program with passing, failing, skipped and erroring tests, subtests, mocks, asynchronous tests, set-up and
clean-up; it ends with exit code 1, as unittest.main does when a test fails. The report goes to stdout without times.
"""

import io
import re
import sys
import unittest
from unittest import mock


class Account:
    def __init__(self, store, balance=0):
        self.store, self.balance = store, balance

    def pay(self, amount):
        if amount > self.balance:
            raise ValueError("not enough")
        self.balance -= amount
        self.store.save(self, amount=amount)


class TestAccount(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = []

    def setUp(self):
        self.store = mock.Mock(spec=["save"])
        self.account = Account(self.store, 100)
        self.addCleanup(self.shared.append, "cleaned")

    def test_pays(self):
        self.account.pay(30)
        self.assertEqual(self.account.balance, 70)
        self.store.save.assert_called_once_with(self.account, amount=30)

    def test_refuses(self):
        with self.assertRaisesRegex(ValueError, "not enough"):
            self.account.pay(101)
        self.store.save.assert_not_called()

    def test_many(self):
        for amount in range(5):
            with self.subTest(amount=amount):
                self.assertNotEqual(amount, 3)

    def test_fails(self):
        self.assertEqual([1, 2, {"a": (3,)}], [1, 2, {"a": (4,)}])

    def test_errors(self):
        self.account.missing()

    @unittest.skip("for a reason")
    def test_skipped(self):
        pass

    @unittest.expectedFailure
    def test_expected(self):
        self.assertTrue(False)


class TestMocks(unittest.TestCase):
    @mock.patch("sys.platform", "somewhere")
    def test_patch(self):
        self.assertEqual(sys.platform, "somewhere")
        with mock.patch.dict("os.environ", {"RL": "x"}), mock.patch.object(Account, "pay", autospec=True) as pay:
            Account(None).pay(5)
            self.assertEqual(pay.call_args.args[1], 5)
        m = mock.MagicMock(side_effect=[1, KeyError("k")])
        m["a"].b.return_value = 7
        self.assertEqual((m(), m["a"].b()), (1, 7))
        self.assertRaises(KeyError, m)
        self.assertGreaterEqual(len(m.mock_calls), 4)

    def test_logs_and_warnings(self):
        import logging
        import warnings

        with self.assertLogs("rl", "INFO") as logs, self.assertWarns(UserWarning):
            logging.getLogger("rl").info("hello %d", 5)
            warnings.warn("careful", stacklevel=1)
        self.assertEqual(logs.output, ["INFO:rl:hello 5"])


class TestAsynchronous(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        import asyncio

        self.queue = asyncio.Queue()

    async def test_queue(self):
        await self.queue.put(1)
        self.assertEqual(await self.queue.get(), 1)
        reply = mock.AsyncMock(return_value="r")
        self.assertEqual(await reply(1), "r")
        reply.assert_awaited_once_with(1)


if __name__ == "__main__":
    report = io.StringIO()
    program = unittest.main(exit=False, verbosity=2, testRunner=unittest.TextTestRunner(report, verbosity=2))
    for line in report.getvalue().splitlines():
        if re.match(r"test_|Ran|FAILED", line):
            print(re.sub(r"in [\d.]+s", "", line))
    print("cleaned:", len(TestAccount.shared))
    sys.exit(not program.result.wasSuccessful())
