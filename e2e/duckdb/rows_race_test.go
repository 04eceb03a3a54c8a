//go:build race

package duckdb

// Under the race detector a row takes some ten times as long, and a million show no more than these.
const rows = 50_000
