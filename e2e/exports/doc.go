// Package exports has a month's usage exported with the product as its users have it, kills it at the worst moments, and holds what is there in
// the end against a story in which nobody died: every object byte for byte, a manifest a revision, nothing written twice but current.json, in
// BigQuery the sums of the current table and of the ledger, one message in the room, one event.
//
//	exports_test.go    the moments, and the counting
//	site_test.go       an installation as package installed has it, and the commands about its months
//	bucket_test.go     what is in the bucket, and what of it two stories have in common
//	remotes_test.go    the hub, Cloud Storage, BigQuery and Slack, simulators that live on when their caller dies, and choose when it does
//
// It runs on the store and the bus in the folder, and on the emulators of Firestore and Pub/Sub. After each death everybody's clock is some
// minutes ahead, longer than a tenant's part is left to who made it: that is what takes time otherwise. The processes are built without the race
// detector, and what runs here beside them, the simulators, is under it in their own packages: so there is nothing to build with it.
package exports
