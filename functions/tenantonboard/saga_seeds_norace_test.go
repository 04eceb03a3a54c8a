//go:build !race

package tenantonboard

// seeds of TestSagaSeeds, and the distance between the trials of the matrix that are played: all of them.
const (
	seeds       = 4_000
	stride      = 1
	leastTrials = 5_000
)
