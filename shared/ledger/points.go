package ledger

// Point is a place where a process may die. Tests inject a crash at each; in production nothing happens there.
type Point string

// The points in the order of the data.
const (
	Decided   Point = "decided"   // before the intent is recorded
	Recorded  Point = "recorded"  // intent and mark are durable, nothing was sent
	Called    Point = "called"    // the call ended, nothing of it is recorded
	Settled   Point = "settled"   // what came of it is recorded, the event is not acknowledged
	Visiting  Point = "visiting"  // a later visitor has read the record
	Searching Point = "searching" // before the remote is searched for the marker
	Searched  Point = "searched"  // searched, nothing of it is recorded
	Remarked  Point = "remarked"  // a further call was permitted, nothing was sent
)

// Points lists them all.
var Points = [...]Point{Decided, Recorded, Called, Settled, Visiting, Searching, Searched, Remarked}
