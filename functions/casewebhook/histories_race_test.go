//go:build race

package casewebhook

const histories = 1_000 // the detector is ten times slower, and one goroutine plays
