"""The example Board on several servers: one board, which outlives its clients, its owner, and what a node remembers of it."""

from cluster_support import Nodes, Redis, until
from liveclient import main


def texts(board):
    return [card["text"] for card in board.state["cards"]]


def wait_texts(board, *wanted):
    while texts(board) != list(wanted):
        board.client.wait()


def case_one_board(program, components):
    with Redis() as redis, Nodes(program, components, redis, count=2) as nodes:
        owner, other = (server.client().mount("Board") for server in nodes)
        assert owner.id == other.id
        assert owner.act("add", text="milk")["result"] == {"id": 1}
        assert other.act("add", text="tea", column="doing")["result"] == {"id": 2}
        wait_texts(other, "milk", "tea")
        assert other.act("move", id=2, column="todo", before=1)["success"] is True
        wait_texts(owner, "tea", "milk")
        assert other.act("edit", id=1, text=" ")["error"] == (
            "Action 'edit' payload validation failed: payload.text: must match \\S")
        assert other.act("remove", id=7)["error"] == "there is no card 7"
        assert other.act("remove", id=1)["success"] is True
        wait_texts(owner, "tea")
        owner.wait_state(clients=1, shown=[owner.client.id])  # those of its own node


def case_owner_killed(program, components):
    with Redis() as redis, Nodes(program, components, redis, count=2) as nodes:
        owner, other = (server.client().mount("Board") for server in nodes)
        for text in ("milk", "tea", "salt"):
            assert owner.act("add", text=text)["success"] is True
        nodes.kill(0)
        until("the other to have it", lambda: nodes.instances() == [1])
        other.wait_state(clients=1, shown=[other.client.id])
        wait_texts(other, "milk", "tea", "salt")
        assert other.act("add", text="jam")["result"] == {"id": 4}


def case_what_a_node_remembers_is_older(program, components):
    """Changed elsewhere since it had it last: what Redis holds is the newest."""
    with Redis() as redis, Nodes(program, components, redis, count=2) as nodes:
        def visit(server, text, *before):
            board = server.client().mount("Board")
            wait_texts(board, *before)
            assert board.act("add", text=text)["success"] is True
            board.client.close()
            until("nobody to have it", lambda: redis.owner() is None)

        visit(nodes[0], "milk")
        visit(nodes[1], "tea", "milk")
        visit(nodes[0], "salt", "milk", "tea")


if __name__ == "__main__":
    main(globals())
