package follow

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/providerdesk/providerdesk/shared/desk"
	"github.com/providerdesk/providerdesk/shared/event"
	"github.com/providerdesk/providerdesk/shared/fault"
)

// TopicEvents carries the desk's own events. A message with the attribute AttributeTick is the scheduler's.
const (
	TopicEvents   = "support-events"
	AttributeTick = "providerdesk-tick"
)

// patience is how often an event may come again. It is a hint and no more: after that the tick looks at the case.
const patience = 3

// CaseUpdate handles one message of topic "support-events". It returns an error only when a redelivery can heal it. A resource that nobody
// follows, and what is no resource at all, is acknowledged and counted.
func (f *Follower) CaseUpdate(ctx context.Context, e event.Envelope) error {
	if e.Attributes[AttributeTick] != "" {
		if _, err := f.Tick(ctx); err != nil {
			f.Log.ErrorContext(ctx, "a tick did not do all it should; the next one does", "error", err)
		}
		return nil
	}
	name, h, ok := parse(e.Attributes["notificationType"], e.Attributes["resourceName"])
	if !ok {
		return f.ignore(ctx, e, "it names no case")
	}
	ids, err := f.known(ctx, name)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return f.ignore(ctx, e, "nobody follows the case")
	}
	for _, id := range ids {
		if err := f.look(ctx, id, h); err != nil {
			if fault.Healing(err) && e.Attempt < patience {
				return err
			}
			f.Log.ErrorContext(ctx, "a case cannot be looked at on an event", "case", id, "error", err)
			f.soon(ctx, id)
		}
	}
	return nil
}

// Ignored counts the events that were acknowledged without a look.
func (f *Follower) Ignored() int64 { return f.ignored.Load() }

func (f *Follower) ignore(ctx context.Context, e event.Envelope, why string) error {
	f.Log.InfoContext(ctx, "an event of the desk is ignored", "event_id", e.ID, "reason", why, "ignored", f.ignored.Add(1))
	return nil
}

var resource = regexp.MustCompile(`^(?://cloudsupport\.googleapis\.com/)?((?:projects|organizations)/[A-Za-z0-9.:_-]{1,100}/cases/[A-Za-z0-9_-]{1,100})(/comments/[^/]+|/attachments/[^/]+)?$`)

var numbered = regexp.MustCompile(`^(projects|organizations)/[0-9]+$`)

// parse reads what an event says: the case, and what may be new on it. The values of its type are not published, so that only a word in it
// counts, and anything else means anything.
func parse(kind, name string) (caseName string, h hint, ok bool) {
	if len(name) > 500 || len(kind) > 200 {
		return "", "", false
	}
	m := resource.FindStringSubmatch(name)
	if m == nil {
		return "", "", false
	}
	kind = strings.ToUpper(kind)
	switch {
	case strings.HasPrefix(m[2], "/comments/"), m[2] == "" && strings.Contains(kind, "COMMENT"):
		return m[1], comments, true
	case strings.HasPrefix(m[2], "/attachments/"), m[2] == "" && strings.Contains(kind, "ATTACHMENT"):
		return m[1], files, true
	}
	return m[1], anything, true
}

// known returns the followed cases of a name: as a rule one, several when two desks of the configuration share a parent. With updates.all a
// case of a desk's parent is followed from now on.
func (f *Follower) known(ctx context.Context, name string) (ids []string, err error) {
	for deskName, d := range f.Config.Desks {
		if d.Kind != "google" {
			continue
		}
		own, mine, err := f.own(ctx, deskName, name)
		if err != nil {
			return nil, err
		}
		c, err := f.ByName(ctx, deskName, own)
		if fault.Is(err, fault.Missing) && d.Updates.All && mine {
			c, err = f.Follow(ctx, "", deskName, own, Places(d.Rooms))
		}
		switch {
		case fault.Is(err, fault.Missing):
		case err != nil:
			return nil, err
		default:
			ids = append(ids, c.id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// own returns a case's name as the desk has it, which calls its parent by number where the configuration may call it by id, and whether the case is
// the desk's own.
func (f *Follower) own(ctx context.Context, deskName, name string) (own string, mine bool, err error) {
	parent, number, _ := strings.Cut(name, "/cases/")
	configured := f.Config.Desks[deskName].Parent
	if parent != configured && !f.Config.Desks[deskName].Updates.All {
		return name, false, nil
	}
	real, err := f.parentOf(ctx, deskName)
	if err != nil {
		return name, false, err
	}
	if real != "" && (parent == configured || parent == real) {
		return real + "/cases/" + number, true, nil
	}
	return name, parent == configured, nil
}

// parentOf returns the parent of a desk as its cases have it, "" when it has none yet.
func (f *Follower) parentOf(ctx context.Context, deskName string) (string, error) {
	f.mu.Lock()
	known := f.parent[deskName]
	f.mu.Unlock()
	if known != "" {
		return known, nil
	}
	if configured := f.Config.Desks[deskName].Parent; numbered.MatchString(configured) {
		return configured, nil
	}
	d, err := f.Desks.Desk(deskName)
	if err != nil {
		return "", err
	}
	all, err := d.List(ctx, desk.Filter{Open: true})
	if err != nil {
		return "", fault.Wrap(fault.Transient, err, "learn the number of a desk's parent")
	}
	if len(all) == 0 {
		return "", nil
	}
	parent, _, _ := strings.Cut(all[0].Name, "/cases/")
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parent[deskName] = parent
	return parent, nil
}
