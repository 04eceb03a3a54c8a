// Package infra has no code of its own: its tests hold the Terraform beside it to what the functions need, both ways. They start other
// programs and wait for them, so the race detector has nothing to see here.
package infra
