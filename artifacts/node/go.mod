module bootstrap.dev/artifacts/node

go 1.26.0
