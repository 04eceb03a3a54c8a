//go:build race

package ledger_test

const seeds = 2_000

const stride = 7
