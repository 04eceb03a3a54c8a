package casewebhook

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/providerdesk/providerdesk/shared/alert"
)

const (
	// maxSeen bounds the alerts remembered of one incident, so that its document stays within the store's limit.
	maxSeen = 5000
	// lag is how long after an alert's end another sender of a redundant pair may still tell that it fires.
	lag = time.Minute
	// unlisted stands for the alerts of a message that lists none.
	unlisted = "unlisted"
)

// change is what a message says beyond what was known.
type change struct {
	fresh  []alert.Alert   // began to fire, or fire again
	ended  []alert.Alert   // fired as far as we knew, and have ended
	again  bool            // one of the fresh had ended before
	over   bool            // nothing fires any more, and the message proves it
	moved  bool            // there is something to remember, whether a person wants to know it or not
	late   bool            // the message tells of a time before what is known
	alerts map[string]seen // what is known after it
}

// any reports whether the message changes anything.
func (c change) any() bool { return c.moved || len(c.fresh) > 0 || len(c.ended) > 0 }

// compare holds a message against what is known. Every alert counts by its own status and its own times: messages come late, repeated and
// out of order, and a sender that leaves alerts out computes the group's status from what it lists.
func compare(s incident, in alert.Incident) change {
	c := change{alerts: maps.Clone(s.Alerts)}
	if c.alerts == nil {
		c.alerts = map[string]seen{}
	}
	for _, a := range listed(s, in) {
		if a.Status == alert.Firing {
			c.fires(a, in)
		} else {
			c.ends(a, in)
		}
	}
	c.finish(s, in)
	return c
}

// listed returns the alerts of a message. When it lists none that fires and leaves some out, one more stands for those: a sender has
// nothing to say of a group in which nothing fires, unless we know of the trouble already.
func listed(s incident, in alert.Incident) []alert.Alert {
	hidden := in.Omitted > 0 && !fires(in.Alerts) && !in.Received.Before(s.Heard)
	if !hidden || len(in.Alerts) > 0 && s.Status == alert.Firing {
		return in.Alerts
	}
	return append(slices.Clip(in.Alerts), alert.Alert{Fingerprint: unlisted, Status: alert.Firing, Severity: in.Severity, Starts: in.Received,
		Name: strconv.Itoa(in.Omitted) + " alerts that the sender did not list"})
}

func fires(all []alert.Alert) bool {
	return slices.ContainsFunc(all, func(a alert.Alert) bool { return a.Status == alert.Firing })
}

// fires takes in an alert that the message says is firing.
func (c *change) fires(a alert.Alert, in alert.Incident) {
	old, known := c.alerts[a.Fingerprint]
	switch {
	case !known && !c.room():
		return
	case !known, !old.firing() && anew(old, a, in):
		c.fresh = append(c.fresh, a)
		c.again = c.again || known
		c.alerts[a.Fingerprint] = seen{Starts: a.Starts, Heard: in.Received}
	case !old.firing():
		c.late = true
	case a.Starts.After(old.Starts) && a.Fingerprint != unlisted:
		// It ended and began again without our being told; remember it, so that a late end of the first occurrence ends nothing.
		c.alerts[a.Fingerprint] = seen{Starts: a.Starts, Heard: in.Received}
		c.moved = true
	}
}

// room makes room for one more alert, by forgetting the one that ended the longest ago. There is none when maxSeen alerts fire.
func (c *change) room() bool {
	if len(c.alerts) < maxSeen {
		return true
	}
	oldest := ""
	for fp, a := range c.alerts {
		if !a.firing() && (oldest == "" || a.Heard.Before(c.alerts[oldest].Heard)) {
			oldest = fp
		}
	}
	delete(c.alerts, oldest)
	return oldest != ""
}

// anew reports whether an alert that ended fires again, rather than an old message coming late. It usually begins after that end (after the
// known beginning is not enough: two of a pair differ in it); but a sender that lost sight of an alert and sees it again keeps the first
// beginning, so a message received well after the end counts too. Cloud Monitoring's incidents occur once.
func anew(old seen, a alert.Alert, in alert.Incident) bool {
	if in.Source == alert.SourceMonitoring {
		return false
	}
	return a.Starts.After(old.Ended) || in.Received.After(old.Heard.Add(lag))
}

// ends takes in an alert that the message says has ended.
func (c *change) ends(a alert.Alert, in alert.Incident) {
	old, known := c.alerts[a.Fingerprint]
	end := later(cmp.Or(a.Ends, in.Received), a.Starts) // a sender's clock may be ahead of ours
	switch {
	case known && !old.firing() && !a.Starts.After(old.Ended):
		return
	case known && !old.firing():
		// It began again and ended without our being told; remember it, so that its beginning, when it comes, opens nothing.
	case known && (end.Before(old.Starts) || outlived(old, in)):
		c.late = true
		return
	case known:
		c.ended = append(c.ended, a)
	case !c.room():
		return
	}
	c.moved = true
	c.alerts[a.Fingerprint] = seen{Starts: later(old.Starts, a.Starts), Ended: end, Heard: in.Received}
}

// outlived reports whether an alert began to fire again, as anew has it, after a message that says it ended: the message comes late.
func outlived(old seen, in alert.Incident) bool {
	return in.Source != alert.SourceMonitoring && in.Received.Add(lag).Before(old.Heard)
}

// finish judges whether the incident is over. Only a message that leaves nothing out and is not older than what is known can prove it.
func (c *change) finish(s incident, in alert.Incident) {
	proof := in.Omitted == 0 && len(in.Alerts) > 0 && !fires(in.Alerts)
	if proof && !in.Received.Before(s.Heard) {
		c.endUnlisted(in)
	}
	c.over = proof && !c.firing() && !outlived(seen{Heard: s.Heard}, in)
	c.moved = c.moved || c.over && s.Status == alert.Firing
	slices.SortStableFunc(c.fresh, func(a, b alert.Alert) int { return cmp.Compare(b.Severity.Rank(), a.Severity.Rank()) })
}

// endUnlisted ends what a message does not list that tells of the end of everything; but not what began so lately that another sender of
// a redundant pair may know of it before this one. Whoever says later that one of them fires is believed at once: nobody said it ended.
func (c *change) endUnlisted(in alert.Incident) {
	for fp, a := range c.alerts {
		if a.firing() && !in.Received.Before(a.Heard.Add(lag)) {
			c.alerts[fp] = seen{Starts: a.Starts, Ended: later(in.Received, a.Starts), Heard: in.Received.Add(-lag)}
			c.moved = true
		}
	}
}

func (c *change) firing() bool {
	for _, a := range c.alerts {
		if a.firing() {
			return true
		}
	}
	return false
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
