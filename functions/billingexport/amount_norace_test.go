//go:build !race

package billingexport

const (
	seeds = 40 // histories
	every = 1  // scenario of the matrices is played
)
