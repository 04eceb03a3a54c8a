//go:build race

package tenantonboard

// The detector makes every scenario many times as slow, and finds its races in the first few.
const (
	seeds       = 100
	stride      = 61
	leastTrials = 50
)
