//go:build !race

package ledger_test

// seeds of TestMultiFault. The race detector makes every scenario ten times as slow and finds its races in the first few.
const seeds = 100_000
