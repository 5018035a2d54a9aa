#!/bin/bash
# Runs all tests, or with --quick those that take under three minutes. docs/testing.md says what each part proves.
#
#	tests/run.sh [--quick] [--no-install] [--fuzz-seconds N] [--only PART]... [--list]
#
#	--quick           checks, the dev build and its suite but for the tests labelled slow, nothing else
#	--no-install      do not install missing packages
#	--fuzz-seconds N  how long each fuzzer runs (default 10)
#	--only PART       just this part (and the builds it needs); may be given again
#	--list            print the parts and end
#
# What is missing is installed first, as root or with sudo. The last line is "N passed, M failed"; the exit status is 1
# when anything failed. A part that cannot run has failed: nothing is skipped in silence.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
# shellcheck source=../deploy/packages.sh
. deploy/packages.sh

quick_parts=(configure checks build suite)
full_parts=(configure checks build suite tidy client tsan-build tsan-suite release-build release-suite deploy browser
	fuzz-build fuzz)
parts=("${full_parts[@]}")
only=()
install=yes
fuzz_seconds=10
jobs=$(nproc)
left_out=checks # labels that the dev suite leaves out: they have a part of their own, or, with --quick, are slow

usage() {
	sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
}

while (($#)); do
	case $1 in
	--quick) parts=("${quick_parts[@]}") left_out="checks|slow" ;;
	--no-install) install=no ;;
	--fuzz-seconds) fuzz_seconds=${2:?a number of seconds}; shift ;;
	--only) only+=("${2:?the name of a part}"); shift ;;
	--list) printf '%s\n' "${full_parts[@]}"; exit 0 ;;
	-h | --help) usage; exit 0 ;;
	*) echo "$0: no such option: $1" >&2; usage >&2; exit 2 ;;
	esac
	shift
done
((${#only[@]} == 0)) || parts=("${only[@]}")

logs=$root/build/test-logs
mkdir -p "$logs"
# Whatever a test leaves in the temporary folder goes with it.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch

# ---- the parts: each prints what it does and, through count, how many tests passed and failed ----

# count PASSED FAILED: what the running part says of itself; without it a part counts as one test.
count() {
	echo "$1 $2" >"$scratch/count"
}

# suite FOLDER CTEST-OPTION...: the tests of a build; one that was skipped or not run has failed.
suite() {
	local folder=$1 report=$scratch/report.xml status=0 head all=0 bad=0 name n
	shift
	rm -f "$report"
	ctest --test-dir "$folder" -j "$jobs" --output-on-failure --no-tests=error --output-junit "$report" "$@" || status=1
	head=$(grep -ozP '<testsuite [^>]*>' "$report" 2>/dev/null | tr '\0\n\t' '   ')
	for name in tests failures disabled skipped; do
		n=$(sed -n "s/.* $name=\"\([0-9]*\)\".*/\1/p" <<<"$head")
		if [ $name = tests ]; then all=${n:-0}; else bad=$((bad + ${n:-0})); fi
	done
	((bad > 0 || status == 0)) || bad=1
	count $((all > bad ? all - bad : 0)) "$bad"
	return $((status || bad))
}

# node_tests COMMAND: a run of node's test runner, which ends with "# pass N", "# fail N" and the like ("ℹ" on a terminal).
node_tests() {
	local status name n good=0 bad=0
	"$@" | tee "$scratch/node"
	status=${PIPESTATUS[0]}
	for name in pass fail cancelled skipped todo; do
		n=$(sed -n "s/^[#ℹ] $name //p" "$scratch/node" | tail -n 1)
		if [ $name = pass ]; then good=${n:-0}; else bad=$((bad + ${n:-0})); fi
	done
	if ((good == 0)); then
		echo "no test ran"
		bad=$((bad ? bad : 1))
	fi
	((bad > 0 || status == 0)) || bad=1
	count "$good" "$bad"
	return $((status || bad))
}

part_configure() { cmake --preset dev; }
part_checks() { suite build/dev -L '^checks$'; }
part_build() { cmake --build --preset dev; }
part_suite() { suite build/dev -LE "^($left_out)\$"; }
part_tidy() { tests/tidy.py build/dev; }

part_client() { node_tests clients/js/test.sh; }

part_tsan-build() { cmake --preset tsan && cmake --build --preset tsan; }
part_tsan-suite() { suite build/tsan -LE '^checks$'; }
part_release-build() { cmake --preset release -D LIVE_TESTS=ON && cmake --build --preset release; }
part_release-suite() { suite build/release -LE '^checks$'; }
part_deploy() { tests/smoke/deploy.py; }
part_browser() { node_tests tests/e2e/run.sh; }
part_fuzz-build() { cmake --preset fuzz -D LIVE_FUZZ_SECONDS="$fuzz_seconds" && cmake --build --preset fuzz; }
part_fuzz() { suite build/fuzz -L '^fuzz$'; }

# ---- running them ----

passed=0
failed=0
table=()

# run PART: runs it with its output in a log, which is shown when the part failed.
run() {
	local name=$1 log=$logs/$1.log begin end status=0 good bad verdict=ok seconds
	rm -f "$scratch/count"
	begin=$(date +%s%N)
	if declare -F "part_$name" >/dev/null; then
		("part_$name") >"$log" 2>&1 </dev/null || status=$?
	else
		echo "there is no part $name" >"$log"
		status=1
	fi
	end=$(date +%s%N)
	if [ -f "$scratch/count" ]; then
		read -r good bad <"$scratch/count"
	else
		good=$((status == 0)) bad=$((status != 0))
	fi
	passed=$((passed + good)) failed=$((failed + bad))
	if ((bad)); then
		verdict=FAILED
		cat "$log"
	fi
	seconds=$(((end - begin) / 100000000))
	table+=("$(printf '%-14s %-6s %5d.%d s %5d passed %5d failed' "$name" $verdict $((seconds / 10)) $((seconds % 10)) \
		"$good" "$bad")")
	echo "${table[-1]}"
}

if [ $install = yes ]; then
	wanted=("${PACKAGES_BUILD[@]}" "${PACKAGES_TEST[@]}")
	command -v node >/dev/null || wanted+=(nodejs)
	command -v npm >/dev/null || wanted+=(npm)
	if ! packages_ensure "${wanted[@]}"; then
		echo "0 passed, 1 failed"
		exit 1
	fi
fi

for part in "${parts[@]}"; do
	run "$part"
done

echo
printf '%s\n' "${table[@]}"
echo
echo "$passed passed, $failed failed"
((failed == 0))
