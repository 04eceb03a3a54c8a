//go:build race

package commands_test

// The race detector makes everything ten times as slow: it sees every fifth scenario.
const thinned = 5
