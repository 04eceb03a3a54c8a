//go:build !race

package ledger_test

// seeds of TestMultiFault. The race detector makes every scenario ten times as slow and finds its races in the first few.
const seeds = 100_000

// stride is the distance between the scenarios of a matrix that are played: all of them.
const stride = 1
