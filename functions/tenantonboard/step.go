package tenantonboard

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Stage is a part of an onboarding. A stage begins when the one before it has ended.
type Stage string

// The stages in their order; see stages.go.
const (
	StageOrganization Stage = "organization"
	StageUsers        Stage = "users"
	StageAPIs         Stage = "apis"
	StageIAM          Stage = "iam"
	StageContacts     Stage = "contacts"
	StageEvents       Stage = "events"
	StageTestCase     Stage = "test case"
	StageReadable     Stage = "readable"
)

// Step is one act of a plan, carried out as one effect of the ledger.
type Step struct {
	ID    string          `json:"id"`              // stable: what is done to whom, "users/add/4adf7df5c61e"
	Stage Stage           `json:"stage"`           //
	Kind  string          `json:"kind"`            // of the effect
	Text  string          `json:"text"`            // for a person, without personal data beyond what the request says
	Args  json.RawMessage `json:"args"`            // payload of the effect
	After string          `json:"after,omitempty"` // ID of a step of the same stage that must succeed first
	Takes bool            `json:"takes,omitempty"` // it takes something away: carried out only if the accepted plan has it
}

// Plan is what stands between what is there and what is wanted.
type Plan struct {
	Tenant string   `json:"tenant"`
	Steps  []Step   `json:"steps"`
	Drift  []string `json:"drift,omitempty"`  // differences that nobody asked to mend: an extra user, an expired invitation
	Blocks []string `json:"blocks,omitempty"` // reasons why it cannot be applied: a guard rail, twins
	Digest string   `json:"digest"`           // of Tenant, Steps and Blocks; an apply names it and is refused when it has changed
}

// sealed returns p with its digest.
func (p Plan) sealed() (Plan, error) {
	p.Digest = ""
	data, err := json.Marshal(struct {
		Tenant string
		Steps  []Step
		Blocks []string
	}{p.Tenant, p.Steps, p.Blocks})
	if err != nil {
		return p, err
	}
	sum := sha256.Sum256(data)
	p.Digest = hex.EncodeToString(sum[:8])
	return p, nil
}

// Result is what came of an effect: the same type for every kind, because undoing, reporting and the audit trail need nothing else.
type Result struct {
	Organization string            `json:"organization,omitempty"` // its id
	Made         []string          `json:"made,omitempty"`         // what was not there before: an undo takes these away, nothing else
	Refused      map[string]string `json:"refused,omitempty"`      // what was refused, and why
	Invited      []string          `json:"invited,omitempty"`      // who has to accept an invitation
	Name         string            `json:"name,omitempty"`         // resource name of a case, contact, subscription
	Left         string            `json:"left,omitempty"`         // what the API cannot do
}
