#!/bin/bash
# install.sh BUILD-FOLDER CMAKE CC: installs the build into a temporary folder, and builds a component and a program
# against it, by pkg-config and by find_package, in C and (the headers) in C++; the installed server must take both.
set -euo pipefail

build=$1 cmake=$2 cc=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

fail() {
	echo "$*" >&2
	exit 1
}

"$cmake" --install "$build" --prefix "$prefix" >"$work/log" || { cat "$work/log"; exit 1; }
cd "$work"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name live.pc)")
export PKG_CONFIG_PATH
libraries=$(pkg-config --variable=libdir live)

for file in bin/liveshard share/man/man1/liveshard.1 share/liveshard/page/index.html share/liveshard/client/live-client.js; do
	[ -s "$prefix/$file" ] || fail "$file was not installed"
done

echo "== by pkg-config"
mkdir by-pkg-config
read -ra cflags < <(pkg-config --cflags live)
read -ra libs < <(pkg-config --cflags --libs live)
"$cc" -std=c17 -Wall -Wextra -Werror -fPIC -shared "${cflags[@]}" "$here/greeter.c" -o by-pkg-config/greeter.so
"$cc" -std=c17 -Wall -Wextra -Werror "$here/embed.c" "${libs[@]}" -o by-pkg-config/embed
[ "$(LD_LIBRARY_PATH=$libraries by-pkg-config/embed)" = '{"one":1}' ] || fail "the program does not do its work"

echo "== by find_package"
"$cmake" -S "$here/outside" -B by-cmake -D CMAKE_PREFIX_PATH="$prefix" -D CMAKE_C_COMPILER="$cc" >log || { cat log; exit 1; }
"$cmake" --build by-cmake >log || { cat log; exit 1; }
[ "$(by-cmake/embed)" = '{"one":1}' ] || fail "the program does not do its work"

echo "== the installed server takes the components"
for folder in by-pkg-config by-cmake; do
	mkdir "$folder/components"
	cp "$folder/greeter.so" "$folder/components"
	"$prefix/bin/liveshard" --check --components "$folder/components" || fail "liveshard refuses greeter.so"
done
"$prefix/bin/liveshard" --check --components "$(pkg-config --variable=components live)"
version=$("$prefix/bin/liveshard" --version)
[[ $version == *"$(pkg-config --modversion live)"* ]] || fail "liveshard is '$version', live.pc another version"

echo "== the library exports the public functions and nothing else"
exported=$(nm -D --defined-only "$libraries/liblive.so")
others=$(awk '{print $NF}' <<<"$exported" | grep -v '^live_' || true)
[ -z "$others" ] || fail "liblive.so exports: $others"
declared=$(sed 's|/\*.*||' "$prefix"/include/live/*.h | grep -oP '^LIVE_API [^;]*?\K\blive_\w+(?=\()' | sort -u)
missing=$(comm -23 <(echo "$declared") <(awk '{print $NF}' <<<"$exported" | sort -u))
[ -z "$missing" ] || fail "liblive.so lacks: $missing"
echo "$(wc -l <<<"$declared") public functions"
