package ledger

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// version of the stored form; readers accept it and the one before.
const version = 1

// Record is one effect as it is stored. Times are UTC.
type Record struct {
	V           int             `json:"v"`
	ID          string          `json:"id"`
	Kind        string          `json:"kind"`
	Tenant      string          `json:"tenant"`
	Business    string          `json:"business"`    // the business key, readable
	Fingerprint string          `json:"fingerprint"` // of the identity-relevant part of the payload
	Payload     json.RawMessage `json:"payload"`     // what is to be done, so that a sweeper needs no event
	Marker      string          `json:"marker"`
	Reason      string          `json:"reason,omitempty"` // why it was decided
	State       State           `json:"state"`

	After        string     `json:"after,omitempty"`    // id of the effect that must have succeeded first
	Attempts     []Attempt  `json:"attempts,omitempty"` // the latest keptAttempts
	Attempt      int        `json:"attempt"`            // calls permitted so far
	Doubts       int        `json:"doubts"`             // calls that may have been executed without our knowing
	Refusals     int        `json:"refusals"`           // calls in a row that certainly were not executed
	RefusedSince time.Time  `json:"refusedSince,omitzero"`
	Searches     int        `json:"searches"`             // empty searches since the last call
	Claim        string     `json:"claim,omitempty"`      // of the visitor that holds the permission to call
	Deadline     time.Time  `json:"deadline,omitzero"`    // no request of the last attempt leaves after it
	NotBefore    time.Time  `json:"notBefore,omitzero"`   // an empty search proves nothing before it
	NextAt       time.Time  `json:"nextAt,omitzero"`      // the next visit; zero: none
	Earliest     time.Time  `json:"earliest,omitzero"`    // of the first call, see Intent.At
	LastError    string     `json:"lastError,omitempty"`  // no personal data
	LastKind     string     `json:"lastKind,omitempty"`   // fault.Kind of LastError
	Result       *Done      `json:"result,omitempty"`     // what the remote has
	Duplicates   []Done     `json:"duplicates,omitempty"` // what else carries the marker
	Audited      bool       `json:"audited,omitempty"`
	UndoneBy     string     `json:"undoneBy,omitempty"` // id of the effect that undid it
	Approval     bool       `json:"approval,omitempty"` // waits for an approving decision
	Decisions    []Decision `json:"decisions,omitempty"`
	Source       Source     `json:"source,omitzero"` // the event that asked for it, for a person who traces it
	Created      time.Time  `json:"created"`
	Updated      time.Time  `json:"updated"`
	Completed    time.Time  `json:"completed,omitzero"`

	version store.Version
}

// Done is an object or a state at the remote: its id and what the effect's R says of it.
type Done struct {
	ID     string          `json:"id"`
	Result json.RawMessage `json:"result,omitempty"`
}

// Attempt is one permitted call.
type Attempt struct {
	N       int           `json:"n"`
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took,omitempty"`
	Outcome Outcome       `json:"outcome,omitempty"` // empty while nobody knows
	Error   string        `json:"error,omitempty"`
}

// Source names the event behind an effect.
type Source struct {
	Event       string `json:"event,omitempty"`
	Attempt     int    `json:"attempt,omitempty"`
	Traceparent string `json:"traceparent,omitempty"`
}

// short cuts what came from outside to what a record has room for.
func (s Source) short() Source {
	s.Event, s.Traceparent = shorten(s.Event, keptName), shorten(s.Traceparent, keptName)
	return s
}

// limits of what a record keeps: all of them together stay below store.MaxData, so that no fact is ever too large to be recorded.
const (
	keptAttempts  = 10
	keptError     = 500      // bytes
	keptReason    = 2 << 10  // bytes, also of a note
	keptName      = 1 << 10  // bytes of a tenant, a business key, and of each word about the source
	keptID        = 2 << 10  // bytes of the remote's name of an object
	keptResult    = 32 << 10 // bytes
	keptTwin      = 1 << 10  // bytes of the result of a duplicate
	keptTwins     = 50
	keptDecisions = 20 // approvals and the like; a veto or an adoption, which ends the matter, always finds room
)

// ID returns the id of the record of an effect: hex(sha256) over the three parts, each with its length.
func ID(kind, tenant, business string) string {
	h := sha256.New()
	for _, s := range []string{kind, tenant, business} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
		h.Write([]byte(s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Marker returns the marker of an effect: "REF" and 26 base32 characters (130 bits) of its id, one alphanumeric word so that a search
// index keeps it whole.
func Marker(id string) string {
	h := sha256.Sum256([]byte("marker:" + id))
	return "REF" + base32.StdEncoding.EncodeToString(h[:])[:26]
}

// doc returns the stored form of r.
func (r Record) doc(keep time.Duration) (store.Doc, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return store.Doc{}, fault.Wrap(fault.Bug, err, "encode effect "+r.ID)
	}
	d := store.Doc{Key: store.Key{Collection: Collection, ID: r.ID}, Data: data, State: string(r.State), Due: r.NextAt}
	if r.State.Terminal() {
		d.Expire = r.Completed.Add(keep)
	}
	return d, nil
}

func decode(d store.Doc) (Record, error) {
	var r Record
	if err := json.Unmarshal(d.Data, &r); err != nil {
		return r, fault.Wrap(fault.Bug, err, "decode "+d.Key.String())
	}
	if r.V != version && r.V != version-1 {
		return r, fault.Wrap(fault.Bug, fmt.Errorf("stored form %d, this program reads %d and %d", r.V, version-1, version), "decode "+d.Key.String())
	}
	r.version = d.Version
	return r, nil
}

// AwaitsApproval reports whether nothing happens before a person approves it.
func (r Record) AwaitsApproval() bool { return r.State == Pending && r.Approval && r.NextAt.IsZero() }

// refused notes a failure in the record.
func (r *Record) refused(err error) {
	r.LastError, r.LastKind = shorten(err.Error(), keptError), string(fault.Of(err))
}

// ended notes what came of the attempt that is under way.
func (r *Record) ended(o Outcome, at time.Time, err error) {
	if len(r.Attempts) == 0 {
		return
	}
	a := &r.Attempts[len(r.Attempts)-1]
	a.Outcome, a.Took = o, at.Sub(a.Started)
	if err != nil {
		a.Error = shorten(err.Error(), keptError)
		r.refused(err)
	}
}

// doubt notes that a call may have been executed. It ends a row of refusals.
func (r *Record) doubt() { r.Doubts, r.Refusals = r.Doubts+1, 0 }

// small leaves out a result that is too large for one of many.
func (d Done) small() Done {
	if len(d.Result) > keptTwin {
		d.Result = nil
	}
	return d
}

func (r Record) isDuplicate(id string) bool {
	for _, d := range r.Duplicates {
		if d.ID == id {
			return true
		}
	}
	return false
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
