"""Many clients count together, on several shards: nothing is lost, and everybody ends with the same number."""

from liveclient import Server, main


def count_together(program, components, clients, times):
    with Server(program, components=components, shards=4, rate_limit_tokens=0) as server:
        counters = [client.mount("SharedCounter") for client in server.clients(clients)]
        requests = [(counter, counter.ask("increment")) for _ in range(times) for counter in counters]
        for counter, request in requests:
            reply = counter.client.answer(request)
            assert reply["success"] and 1 <= reply["result"]["count"] <= clients * times
        results = sorted(counter.client.answer(request)["result"]["count"] for counter, request in requests)
        assert results == list(range(1, clients * times + 1)), "every increment got a number of its own"
        for counter in counters:
            state = counter.wait_state(count=clients * times, viewers=clients)
            counts = [push["payload"]["delta"]["count"] for push in counter.pushes("STATE_DELTA")
                      if "count" in push["payload"]["delta"]]
            assert counts == sorted(counts), counts
            assert state["lastUser"] == counters[0].wait_state(count=clients * times)["lastUser"]
        for counter in counters[1:]:
            counter.client.vanish()
        counters[0].wait_state(viewers=1)
        stats = server.until("the clients to be gone", lambda stats: stats["connections"]["totalConnections"] == 1)
        assert stats["components"]["components"] == 1


def case_sixty(program, components):
    count_together(program, components, 60, 5)


def case_two_hundred(program, components):
    count_together(program, components, 200, 2)


def case_private_counters(program, components):
    """A counter is its client's alone."""
    with Server(program, components=components) as server:
        counters = [client.mount("Counter") for client in server.clients(20)]
        for i, counter in enumerate(counters):
            for _ in range(i):
                counter.ask("increment")
        for i, counter in enumerate(counters):
            counter.client.settle()
            assert counter.state == {"count": i}


if __name__ == "__main__":
    main(globals())
