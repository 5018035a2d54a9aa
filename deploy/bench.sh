#!/bin/bash
# Runs the standard set of benchmarks and prints how far the server is from its bars and from the kernel's floor.
# docs/benchmarks.md explains each of them. --help lists the options.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
	cat <<'END'
usage: deploy/bench.sh [OPTION]...

Starts server and floor on free ports, in turns, on one core, and the load generator on another; takes medians.

  --server FILE       the server (build/release/server/liveshard)
  --components DIR    its components; Counter must be among them (build/release/components)
  --server-args ARGS  its other options, split at spaces (no rate limit, a million connections, warnings only)
  --command COMMAND   any other server: a shell command that prints "listening on http://HOST:PORT"
  --bench DIR         where liveshard-bench and liveshard-floor are (build/release/clients/bench)
  --runs N            how often each is measured (5)
  --only NAMES        only these, separated by commas: actions,paced,flat,everyone,steady,join,idle,shards,growth
  --growth            also cost against members, rooms and connections (takes minutes); as naming it in --only
  --duration S        seconds measured by each timed run (5)
  --idle-clients N    connections of `idle` (15000)
  --idle S            seconds that `idle` holds them (10); 600 is what the bar asks for
  --floor-only        no server
  --no-floor          no floor
  --server-cpu LIST   processors of server and floor (0), as taskset takes them
  --bench-cpu LIST    processors of the load generator (1)
  --out DIR           where the results go (a new folder under build/bench)
  --strict            a missed bar is a failure, too

Exit status: 0 all well, 1 a run failed its checks (or, with --strict, missed a bar), 2 wrong use.
END
}

die() {
	echo "bench.sh: $*" >&2
	exit 2
}

server=$root/build/release/server/liveshard
components=$root/build/release/components
bench=$root/build/release/clients/bench
server_args=auto command="" only="" out="" strict=""
runs=5 duration=5 idle_clients=15000 idle=10 server_cpu=0 bench_cpu=1
growth=no with_server=yes with_floor=yes

while [ $# -gt 0 ]; do
	option=$1
	case $option in
	--help | -h) usage; exit 0 ;;
	--growth) growth=yes ;;
	--floor-only) with_server=no ;;
	--no-floor) with_floor=no ;;
	--strict) strict=--strict ;;
	--server | --components | --server-args | --command | --bench | --runs | --only | --duration | --idle-clients | \
		--idle | --server-cpu | --bench-cpu | --out)
		[ $# -gt 1 ] || die "$option needs a value"
		name=${option#--}
		printf -v "${name//-/_}" '%s' "$2"
		shift
		;;
	*) die "there is no option $option (--help lists them)" ;;
	esac
	shift
done

if [[ ",$only," == *,growth,* ]]; then
	growth=yes
fi
[ -x "$bench/liveshard-bench" ] || die "there is no $bench/liveshard-bench: build it, or give --bench"
if [ $with_server = yes ] && [ -z "$command" ]; then
	[ -x "$server" ] || die "there is no $server: build it, or give --server"
	if [ "$server_args" = auto ]; then
		server_args="--rate-limit-tokens 0 --max-connections 1000000 --log-level warn"
	fi
fi
out=${out:-$root/build/bench/$(date +%Y%m%d-%H%M%S)}
mkdir -p "$out"

# tell TEXT: what is being done, in one line on a terminal that the next one replaces.
tell() {
	if [ -t 2 ]; then
		printf '\r\033[K%s' "$1" >&2
	fi
}

started=0  # the process under test; only what this script started is ever ended
url=""
failures=0

stop() {
	if [ "$started" -ne 0 ]; then
		kill "$started" 2>/dev/null || true
		wait "$started" 2>/dev/null || true
		started=0
	fi
}
trap stop EXIT
trap 'exit 130' INT TERM

# start CPUS COMMAND...: runs it there, and waits until it has told where it listens.
start() {
	local cpus=$1 log=$out/server.log
	shift
	: >"$log" # before the loop below can read where the one before it listened
	taskset -c "$cpus" "$@" >"$log" 2>&1 </dev/null &
	started=$!
	for _ in $(seq 200); do
		url=$(sed -n 's,.*listening on http://\([^/ ]*\).*,ws://\1,p;T;q' "$log")
		if [ -n "$url" ]; then
			return
		fi
		kill -0 "$started" 2>/dev/null || break
		sleep 0.05
	done
	cat "$log" >&2
	die "it did not start: $*"
}

# start_server SHARDS CPUS
start_server() {
	if [ -n "$command" ]; then
		start "$2" bash -c "exec $command"
	else
		# shellcheck disable=SC2086 # the arguments are to be split
		start "$2" "$server" --host 127.0.0.1 --port 0 --shards "$1" --components "$components" $server_args
	fi
}

# load NAME WHO SCENARIO OPTION...: one run against what was started, and its end.
load() {
	local name=$1 who=$2 result=$out/$1.$2.$run.json
	shift 2
	tell "run $run of $runs: $name, $who"
	if ! taskset -c "$bench_cpu" "$bench/liveshard-bench" "$@" --url "$url" --server-pid "$started" \
		--label "$name" --json - --quiet >"$result"; then
		failures=$((failures + 1))
	fi
	stop
}

# measure NAME MODE SCENARIO OPTION...: floor (in MODE: each, batch) and server, one after the other.
measure() {
	local name=$1 mode=$2
	shift 2
	if [ -n "$only" ] && [[ ",$only," != *",${name%%-*},"* ]]; then
		return
	fi
	if [ $with_floor = yes ]; then
		start "$server_cpu" "$bench/liveshard-floor" "--$mode"
		load "$name" floor "$@" --raw
	fi
	if [ $with_server = yes ]; then
		start_server 1 "$server_cpu"
		load "$name" server "$@"
	fi
}

# One shard and two, on the same processors and with the same load: senders and members on both. Paced, so that each event
# costs its sends; and flat out, where mail between the shards is a larger part.
measure_shards() {
	if [ $with_server = no ] || [ -n "$command" ] || { [ -n "$only" ] && [[ ",$only," != *,shards,* ]]; }; then
		return
	fi
	for shards in 1 2; do
		start_server $shards "$server_cpu,$bench_cpu"
		load shards server$shards room --members 1000 --senders 10 --rate 2 --duration "$duration"
		start_server $shards "$server_cpu,$bench_cpu"
		load shardsflat server$shards room --members 1000 --senders 10 --in-flight 16 --duration "$duration"
	done
}

measure_standard() {
	measure actions each actions --duration "$duration"
	measure paced each room --duration "$duration"
	measure flat batch room --in-flight 64 --duration "$duration"
	measure everyone batch everyone
	measure steady batch steady --duration "$duration"
	measure join batch join
	measure idle batch idle --clients "$idle_clients" --duration "$idle"
	measure_shards
}

# The same work each time, spread over more members, more rooms, more connections.
measure_growth() {
	for members in 10 100 1000 10000; do
		measure growth-paced-$members each room --members $members --rate $((20000 / members)) \
			--duration "$duration" --drain 60
	done
	for members in 10 100 1000 10000; do
		measure growth-flat-$members batch room --members $members --in-flight 64 --duration "$duration" --drain 60
	done
	for rooms in 1 10 100 1000 10000; do
		measure growth-rooms-$rooms each actions --clients $rooms --members 1 --rate 5000 --duration "$duration"
	done
	for clients in 100 1000 15000; do
		measure growth-clients-$clients each actions --clients $clients --rate 5000 --duration "$duration"
	done
}

for run in $(seq "$runs"); do
	measure_standard
	if [ $growth = yes ]; then
		measure_growth
	fi
done
tell ""

status=0
python3 -B "$root/clients/bench/summary.py" $strict "$out" || status=1
if ! python3 -B "$root/clients/bench/plot.py" "$out"; then
	status=1
fi
echo "results, summary and plots are in $out"
if [ "$failures" -gt 0 ]; then
	echo "bench.sh: $failures runs failed" >&2
	status=1
fi
exit $status
