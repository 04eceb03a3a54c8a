//go:build !race

package commands_test

// Every scenario is played.
const thinned = 1
