//go:build race

package evidence_test

// every is which of the scenarios are played: with the race detector one in nineteen, which over the list meets every op, fault and death.
const every = 19
