"""Every step of the README's tour does what the README shows. With --write the README is brought up to date."""
import os
import sys

import harness
import tour
from harness import check, equal

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")


def shell(case, server):
    folder = os.path.join(case.folder, "tour")
    os.makedirs(folder)
    env = dict(os.environ, ANCHORD_SOCKET=server.socket, LC_ALL="C.UTF-8",
               PATH=os.path.join(os.path.abspath(harness.BUILD), "bin") + ":" + os.environ["PATH"])
    return tour.Shell(folder, env)


def test_tour(case):
    with open(README, encoding="utf-8") as text:
        steps = tour.commands(text.read())
    check(len(steps) >= 12, "the README has only %d commands" % len(steps))
    bash = shell(case, case.server())
    for command, shown in steps:
        equal(tour.stable(bash.run(command)), tour.stable(shown), "output of " + command)
    bash.close()


def write():
    case = harness.Case()
    try:
        bash = shell(case, case.server())
        with open(README, encoding="utf-8") as text:
            fresh = tour.rewrite(text.read(), bash.run)
        with open(README, "w", encoding="utf-8") as text:
            text.write(fresh)
        bash.close()
    finally:
        case.done()


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        harness.main(globals())
