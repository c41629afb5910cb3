# Sourced by `.ci/run`, `tests/clients/run` and `tests/cloud/run` from the root: installs tools into `.venv`, each list once.

# Makes `.venv/NAME` hold just what a list of requirements says: by uv, in a second or two of processor time, where pip takes half a
# minute. Scripts that run at the same time share the folder, so one installs and the others wait for it.
install() {
    local name=$1 list=$2
    mkdir -p .venv
    (
        take_turn "$name"
        if ! cmp -s "$list" ".venv/$name/installed.txt"; then
            install_uv &&
                rm -rf ".venv/$name" &&
                python3 -m venv --without-pip ".venv/$name" &&
                .venv/uv/bin/uv pip install --quiet --native-tls --python ".venv/$name/bin/python" --requirement "$list" &&
                cp "$list" ".venv/$name/installed.txt"
        fi
    )
}

# The one tool that pip installs.
install_uv() {
    (
        take_turn uv
        if ! cmp -s .ci/uv.txt .venv/uv/installed.txt; then
            rm -rf .venv/uv &&
                python3 -m venv .venv/uv &&
                .venv/uv/bin/pip install --quiet --disable-pip-version-check --requirement .ci/uv.txt &&
                cp .ci/uv.txt .venv/uv/installed.txt
        fi
    )
}

# The same for packages of npm; Node.js itself is one of them.
install_from_npm() {
    local name=$1 list=$2
    mkdir -p .venv
    (
        take_turn "$name"
        if ! cmp -s "$list" ".venv/$name/installed.json"; then
            rm -rf ".venv/$name" &&
                mkdir -p ".venv/$name" &&
                cp "$list" ".venv/$name/package.json" &&
                npm install --prefix ".venv/$name" --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel error &&
                cp "$list" ".venv/$name/installed.json"
        fi
    )
}

# Held until the surrounding shell ends. macOS has no `flock`; there, run the scripts one after the other.
take_turn() {
    if command -v flock >/dev/null; then
        exec 9>".venv/$1.lock"
        flock 9
    fi
}
