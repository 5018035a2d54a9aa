"""A board of three servers while one of them, or Redis, is killed, paused or restarted: whatever was acknowledged is in
the sum, once, and only one has it at a time."""

import time

from cluster_support import Counter, Nodes, Redis, check_sums, until
from liveclient import main

CHANGES = 300  # acknowledged before something happens


def counted(counters):
    return sum(counter.acknowledged for counter in counters)


def count_on(counters, more=CHANGES):
    """Waits until so many more have been acknowledged."""
    goal, end = counted(counters) + more, time.monotonic() + 60
    while counted(counters) < goal:
        time.sleep(0.005)
        assert time.monotonic() < end, [counter.errors for counter in counters]


def finish(nodes, counters, living):
    """Ends the counting; all that live agree."""
    for counter in counters:
        counter.end()
    until("one owner", lambda: len(nodes.instances()) == 1)
    boards = [nodes[n].client().mount("Board") for n in living]
    total = boards[0].first["total"]
    for board in boards:
        board.wait_state(total=total)
    for counter in counters:
        if not counter.failure:
            counter.board.wait_state(total=total)
    return check_sums(counters, total)


def case_owner_killed(program, components):
    with Redis() as redis, Nodes(program, components, redis) as nodes:
        counters = [Counter(nodes[n % 3]) for n in range(6)]
        assert nodes.instances() == [0]
        count_on(counters)
        nodes.kill(0)
        rest = [counters[n] for n in range(6) if n % 3]
        count_on(rest)
        for counter in counters[::3]:
            counter.join()
        finish(nodes, counters, [1, 2])
        assert all(set(counter.errors) <= {"Cluster action timeout after 1000ms"} for counter in rest)


def case_owner_paused(program, components):
    with Redis() as redis, Nodes(program, components, redis) as nodes:
        counters = [Counter(nodes[n % 3]) for n in range(6)]
        count_on(counters)
        nodes.pause(0, True)
        count_on([counters[n] for n in range(6) if n % 3])
        nodes.pause(0, False)
        count_on(counters[::3], 50)
        assert nodes.instances() != [0]
        finish(nodes, counters, [0, 1, 2])
        words = {word for counter in counters for word in counter.errors}
        assert words <= {"Cluster action timeout after 1000ms",
                         "OWNERSHIP_LOST: this instance no longer owns the singleton"}, words
        pushed = [message["payload"]["error"] for message in counters[0].board.pushes("ERROR")]
        assert "OWNERSHIP_LOST: singleton moved to another server" in pushed


def case_redis_restarted(program, components):
    """It comes back with nothing: the owner gives it all again."""
    with Redis() as redis, Nodes(program, components, redis) as nodes:
        counters = [Counter(nodes[n % 3]) for n in range(6)]
        count_on(counters)
        redis.kill()
        time.sleep(0.5)
        redis.start()
        count_on(counters)
        finish(nodes, counters, [0, 1, 2])


def case_redis_gone_for_long(program, components):
    with Redis() as redis, Nodes(program, components, redis) as nodes:
        counters = [Counter(nodes[n % 3], 0.02) for n in range(3)]
        count_on(counters, 50)
        redis.kill()
        until("its end as an owner", lambda: any("OWNERSHIP_LOST: this instance no longer owns the singleton" in word
                                                 for word in counters[0].errors))
        at = counted(counters)
        time.sleep(1)
        assert counted(counters) == at, "acknowledged without Redis"
        redis.start()
        count_on(counters, 50)
        finish(nodes, counters, [0, 1, 2])


def case_redis_paused(program, components):
    with Redis() as redis, Nodes(program, components, redis) as nodes:
        counters = [Counter(nodes[n % 3]) for n in range(6)]
        count_on(counters)
        redis.pause(True)
        time.sleep(2.5)
        redis.pause(False)
        count_on(counters)
        finish(nodes, counters, [0, 1, 2])


def case_one_after_the_other(program, components):
    """Every node is ended in turn while all count, as in an update."""
    with Redis() as redis, Nodes(program, components, redis) as nodes:
        counters = [Counter(nodes[2]) for _ in range(3)] + [Counter(nodes[n]) for n in (0, 1)]
        for n in (0, 1):
            count_on(counters[:3], 100)
            nodes[n].stop()
        count_on(counters[:3], 100)
        finish(nodes, counters, [2])
        assert not any(counter.errors for counter in counters[:3]), [counter.errors for counter in counters]


if __name__ == "__main__":
    main(globals())
