# Shortcuts for the commands of CONTRIBUTING.md. Needs https://just.systems; each line works without it, too.

# List the recipes.
default:
    @just --list

# Start a plane on this machine with the examples deployed.
dev *arguments:
    cargo run -- dev --deploy examples {{arguments}}

# Run every test that needs nothing from outside, or those whose name holds FILTER.
test *filter:
    cargo test {{filter}}

# Run one operation's tests, e.g. `just plane deployment::tick`.
plane filter:
    cargo test -p tidemill-tests --test plane {{filter}}

# Format the code.
format:
    cargo fmt --all

# Lint the code.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Build the crates' documentation and open it.
doc:
    cargo doc --workspace --no-deps --document-private-items --open

# Drive a running plane with the real clients.
clients:
    tests/clients/run

# Deploy template.yaml to an emulator of AWS on this machine.
cloud *arguments:
    tests/cloud/run {{arguments}}

# Run one of the benches, which print figures: schedule, compile, stream, plane, cost, sockets, rollouts, cold_start.
bench name *arguments:
    cargo bench -p tidemill-benches --bench {{name}} -- {{arguments}}

# Pass everything that a change must pass.
ci:
    .ci/run
