//go:build !race

package warehouse

// How much of the matrix is played: every trial, and with it every fifth death.
const (
	stride     = 1
	deadly     = 5
	leastLives = 380
)
