//go:build race

package follow_test

// stride is how many scenarios TestOnceUnderFaults leaves out: the race detector makes it slow.
const stride = 7
