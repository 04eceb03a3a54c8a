//go:build !race

package duckdb

const rows = 1_000_000
