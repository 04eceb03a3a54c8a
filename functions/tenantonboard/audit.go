package tenantonboard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// auditsIn is the collection of the audit trail.
const auditsIn = "audits"

// Link is one entry of a tenant's audit trail. It is written in the commit that it tells of, and never again.
type Link struct {
	Tenant string    `json:"tenant"`
	Number int       `json:"number"` // from 1
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Run    int       `json:"run"`
	Status Status    `json:"status"`
	Lines  []string  `json:"lines"`
	Before string    `json:"before"` // hash of the link before
	Hash   string    `json:"hash"`   // over all fields above
}

// sealed returns l with its hash.
func (l Link) sealed() (Link, error) {
	l.Hash = ""
	data, err := json.Marshal(l)
	if err != nil {
		return l, fault.Wrap(fault.Bug, err, "encode an audit link")
	}
	sum := sha256.Sum256(data)
	l.Hash = hex.EncodeToString(sum[:])
	return l, nil
}

// link returns the write of the audit trail for what was noted since the last one; none if nothing was.
func (s *onboarding) link(now time.Time) ([]store.Write, error) {
	if len(s.lines) == 0 {
		return nil, nil
	}
	l, err := Link{Tenant: s.Wanted.Key, Number: s.Links + 1, At: now, By: s.By, Run: s.Run, Status: s.Status, Lines: s.lines, Before: s.LastLink}.sealed()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(l)
	if err != nil {
		return nil, fault.Wrap(fault.Bug, err, "encode an audit link")
	}
	s.Links, s.LastLink, s.lines = l.Number, l.Hash, nil
	return []store.Write{store.Create(store.Doc{Key: auditKey(l.Tenant, l.Number), Data: data})}, nil
}

func auditKey(tenant string, number int) store.Key {
	return store.Key{Collection: auditsIn, ID: fmt.Sprintf("%s-%06d", tenant, number)}
}

// Audit returns a tenant's audit trail, oldest first. An error of kind fault.Bug means that it was tampered with.
func (f *Function) Audit(ctx context.Context, tenant string) ([]Link, error) {
	s, err := f.read(ctx, tenant)
	if err != nil {
		return nil, err
	}
	all, before := make([]Link, 0, s.Links), ""
	for n := 1; n <= s.Links; n++ {
		l, err := f.auditLink(ctx, tenant, n)
		if err != nil {
			return all, err
		}
		sealed, err := l.sealed()
		if err != nil {
			return all, err
		}
		if l.Before != before || sealed.Hash != l.Hash || l.Number != n {
			return all, fault.New(fault.Bug, "link %d of the audit trail does not follow from the one before", n)
		}
		all, before = append(all, l), l.Hash
	}
	if before != s.LastLink {
		return all, fault.New(fault.Bug, "the audit trail does not end as the tenant's record says")
	}
	return all, nil
}

func (f *Function) auditLink(ctx context.Context, tenant string, n int) (l Link, err error) {
	d, err := f.DB.Get(ctx, auditKey(tenant, n))
	switch {
	case fault.Is(err, fault.Missing):
		return l, fault.New(fault.Bug, "link %d of the audit trail is not there", n)
	case err != nil:
		return l, err
	}
	return l, fault.Wrap(fault.Bug, json.Unmarshal(d.Data, &l), "decode "+d.Key.String())
}
