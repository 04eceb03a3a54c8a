//go:build race

package warehouse

// How much of the matrix is played with the race detector, which makes everything slow. 13 meets every op, fault and manner in turn.
const (
	stride     = 13
	deadly     = 3
	leastLives = 20
)
