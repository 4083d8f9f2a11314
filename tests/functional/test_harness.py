"""What the harness itself promises: a sanitizer's report in a log fails the case."""
import os

import harness
from harness import Failure, check, equal

REPORTS = ("WARNING: ThreadSanitizer: data race (pid=1)", "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
           "==1==ERROR: LeakSanitizer: detected memory leaks", "a.c:3:4: runtime error: left shift of negative value -1",
           "FATAL: ThreadSanitizer: unexpected memory mapping")


def ends_with(text):
    """How a case ends whose server wrote that."""
    case = harness.Case()
    with open(case.server(start=False).log, "w", encoding="utf-8") as log:
        log.write(text)
    try:
        case.done()
    except Failure as why:
        return str(why)
    finally:
        check(not os.path.exists(case.folder), "the folder was left behind")
    return None


def test_reports_of_sanitizers_fail_a_case(_case):
    for report in REPORTS:
        why = ends_with("before\n%s\nafter\n" % report)
        check(why and "anchord.log" in why, "not seen: " + report)


def test_other_lines_do_not(_case):
    equal(ends_with("ThreadSanitizer: Matched 3 suppressions (pid=1):\nevent=listen\n"), None, "end of the case")


if __name__ == "__main__":
    harness.main(globals())
