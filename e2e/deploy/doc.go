// Package deploy runs what a deployment runs: the scripts of infra/build, on the source as it stands, with a gcloud that only takes notes. What
// is staged is built as the function deployment builds it, started, and asked. The programs that it waits for are others, so the race detector
// has nothing to see here.
package deploy
