//go:build !race

package evidence_test

// every is which of the scenarios are played: each.
const every = 1
