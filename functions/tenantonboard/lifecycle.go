package tenantonboard

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/ledger"
	"github.com/providerdesk/providerdesk/shared/publish"
)

// kindLifecycle tells the end of a run.
const kindLifecycle = "tenant.lifecycle"

// Lifecycle is a message of topic "tenant-lifecycle". It may come more than once, always with the same id.
type Lifecycle struct {
	ID           string    `json:"id"`
	Tenant       string    `json:"tenant"`
	Organization string    `json:"organization,omitempty"`
	Run          int       `json:"run"`
	Mode         Mode      `json:"mode"`
	Status       Status    `json:"status"`
	Failed       Stage     `json:"failed,omitempty"`
	Waiting      string    `json:"waiting,omitempty"`
	At           time.Time `json:"at"`
	Notice       nudge     `json:"notice,omitempty"` // not an end, but news of an invitation
	Email        string    `json:"email,omitempty"`  // of the invitee
	Expires      time.Time `json:"expires,omitzero"` // of the invitation
}

// lifecycle returns the intent to tell how a run ended.
func (f *Function) lifecycle(s *onboarding) (ledger.Intent, error) {
	return f.tell(f.news(s, fmt.Sprintf("%s/%d/%s/%d", s.Wanted.Key, s.Run, s.Status, s.Links+1)))
}

// notice returns the intent to tell what becomes of an invitation.
func (f *Function) notice(s *onboarding, id string, act nudge, i invitee) (ledger.Intent, error) {
	e := f.news(s, id)
	e.Notice, e.Email, e.Expires = act, i.Email, i.Expires
	return f.tell(e)
}

func (f *Function) news(s *onboarding, id string) Lifecycle {
	return Lifecycle{ID: id, Tenant: s.Wanted.Key, Organization: s.Org, Run: s.Run, Mode: s.Mode, Status: s.Status, Failed: s.Failed,
		Waiting: s.Waiting, At: f.Now().UTC()}
}

func (f *Function) tell(e Lifecycle) (ledger.Intent, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return ledger.Intent{}, fault.Wrap(fault.Bug, err, "encode a lifecycle event")
	}
	return f.kinds[kindLifecycle].intent(e.Tenant, e.ID, data)
}

func (f *Function) registerLifecycle() error {
	return registerKind(f, ledger.Spec{Kind: kindLifecycle, Class: ledger.Keyed}, ledger.Effect[Lifecycle, Result](lifecycleEffect{f}), nil)
}

type lifecycleEffect struct{ f *Function }

func (e lifecycleEffect) Call(ctx context.Context, p Lifecycle, _ ledger.Token) (ledger.Act[Result], error) {
	data, err := json.Marshal(p)
	if err != nil {
		return ledger.Act[Result]{}, fault.Unsent(fault.Wrap(fault.Bug, err, "encode a lifecycle event"))
	}
	ids, err := e.f.Publisher.Publish(ctx, publish.Message{Topic: TopicLifecycle, Data: data, Attributes: map[string]string{"id": p.ID, "status": string(p.Status)}})
	if err != nil {
		return ledger.Act[Result]{}, err
	}
	return ledger.Act[Result]{ID: ids[0]}, nil
}

// Find finds nothing: a topic cannot be asked, and telling it again with the same id does no harm.
func (e lifecycleEffect) Find(context.Context, Lifecycle, ledger.Token, bool) ([]ledger.Act[Result], error) {
	return nil, nil
}
