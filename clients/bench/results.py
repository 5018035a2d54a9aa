"""The results of one benchmark session: a folder of NAME.WHO.RUN.json files as liveshard-bench writes them."""
import json
import pathlib
import statistics


def read(folder):
    """{(name, who): [result of each run, in order of runs]}; unreadable and failed runs are left out."""
    results = {}
    files = [path for path in pathlib.Path(folder).glob("*.*.*.json")]
    for path in sorted(files, key=lambda path: int(path.name.split(".")[2])):
        name, who, _, _ = path.name.split(".")
        try:
            result = json.loads(path.read_text())
        except ValueError:
            continue
        if result["ok"]:
            result["run"] = int(path.name.split(".")[2])
            results.setdefault((name, who), []).append(result)
    return results


def median(results, figure):
    """The median of figure(result), or None without results."""
    values = [figure(result) for result in results]
    return statistics.median(values) if values else None


def pair_ratio(first, second, figure):
    """The median of figure(first) / figure(second), taken run by run, so that a noisy minute counts on both sides."""
    by_run = {result["run"]: figure(result) for result in second}
    ratios = [figure(result) / by_run[result["run"]] for result in first if by_run.get(result["run"])]
    return statistics.median(ratios) if ratios else None


def cpu(result):
    """Server CPU in microseconds for each unit of work."""
    return result["serverCpuUsPerUnit"]


def shard_shares(result):
    """The CPU shares of the server's two busiest threads, smaller over larger."""
    spent = sorted((thread["cpuUs"] for server in result["servers"] for thread in server["threads"]), reverse=True)
    return spent[1] / spent[0] if len(spent) > 1 and spent[0] else 0.0
