//go:build race

package ledger_test

const seeds = 4_000
