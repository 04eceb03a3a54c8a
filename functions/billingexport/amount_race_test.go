//go:build race

package billingexport

// The race detector is some ten times slower: it sees a part of the scenarios.
const (
	seeds = 3
	every = 15
)
