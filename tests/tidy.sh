#!/bin/bash
# Runs clang-tidy over the project's own sources, as .clang-tidy says; exits 1 on any finding.
#
#	tests/tidy.sh BUILD-FOLDER [SOURCE]...
#
# The folder holds the compile_commands.json that says how each source is compiled; without sources, all in it that are
# ours.
set -euo pipefail

folder=$(cd "${1:?a build folder}" && pwd)
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if (($#)); then
	sources=("$@")
else
	mapfile -t sources < <(python3 - "$folder" "$PWD" <<-'END'
		import json, os, sys
		folder, root = sys.argv[1:]
		with open(os.path.join(folder, "compile_commands.json")) as file:
			files = {os.path.relpath(entry["file"], root) for entry in json.load(file)}
		# The longest first, so that no core is left with one at the end.
		ours = [file for file in files if not file.startswith((".", "build/"))]
		print("\n".join(sorted(ours, key=os.path.getsize, reverse=True)))
	END
	)
fi
echo "${#sources[@]} sources"
printf '%s\0' "${sources[@]}" |
	xargs -0 -P "$(nproc)" -n 1 clang-tidy-14 -p "$folder" --quiet 2> >(grep -v 'warnings\? generated\|^$' >&2)
