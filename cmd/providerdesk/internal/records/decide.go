package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
)

// Verdicts are the words of a decision.
var Verdicts = [...]ledger.Verdict{ledger.Approve, ledger.Veto, ledger.Adopt}

// most bytes that a decision keeps of a name and of a note.
const (
	maxWho  = 200
	maxNote = 2000
)

// Words are a person's decision as it was said, and the body of a decision over HTTP.
type Words struct {
	Verdict ledger.Verdict `json:"verdict"`
	Who     string         `json:"who"`
	Note    string         `json:"note,omitempty"`
	Object  string         `json:"object,omitempty"` // with adopt: the remote's name of it
}

// Decision checks the words.
func (w Words) Decision() (ledger.Decision, error) {
	d := ledger.Decision{Who: strings.TrimSpace(w.Who), Verdict: w.Verdict, Note: strings.TrimSpace(w.Note)}
	switch {
	case !slices.Contains(Verdicts[:], w.Verdict):
		return d, fault.New(fault.Invalid, "a verdict is approve, veto or adopt")
	case d.Who == "":
		return d, fault.New(fault.Invalid, "a decision names who took it")
	case len(d.Who) > maxWho || len(d.Note) > maxNote || len(w.Object) > maxNote:
		return d, fault.New(fault.Invalid, "a decision keeps at most %d bytes of a name and %d of a note or an object", maxWho, maxNote)
	case w.Verdict == ledger.Adopt && w.Object == "":
		return d, fault.New(fault.Invalid, "an adoption names the object that is adopted")
	case w.Verdict != ledger.Adopt && w.Object != "":
		return d, fault.New(fault.Invalid, "only an adoption names an object")
	}
	if w.Object != "" {
		d.Object = &ledger.Done{ID: w.Object}
	}
	return d, nil
}

// wordsOf is Decision the other way round.
func wordsOf(d ledger.Decision) Words {
	w := Words{Verdict: d.Verdict, Who: d.Who, Note: d.Note}
	if d.Object != nil {
		w.Object = d.Object.ID
	}
	return w
}

// Strict decodes one JSON object without unknown members.
func Strict(body []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more than one JSON value")
	}
	return nil
}
