//go:build !race

package casewebhook

// histories is how many TestHistories plays unless it is told.
const histories = 10_000
