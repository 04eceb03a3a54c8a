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
	for _, a := range listed(in) {
		if a.Status == alert.Firing {
			c.fires(a, in)
		} else {
			c.ends(a, in)
		}
	}
	c.finish(s, in)
	return c
}

// listed returns the alerts of a message, and one that stands for all of them when it leaves out every one.
func listed(in alert.Incident) []alert.Alert {
	if len(in.Alerts) > 0 || in.Omitted == 0 {
		return in.Alerts
	}
	return []alert.Alert{{Fingerprint: unlisted, Status: alert.Firing, Severity: in.Severity, Starts: in.Received,
		Name: strconv.Itoa(in.Omitted) + " alerts that the sender did not list"}}
}

// fires takes in an alert that the message says is firing.
func (c *change) fires(a alert.Alert, in alert.Incident) {
	old, known := c.alerts[a.Fingerprint]
	switch {
	case !known && len(c.alerts) >= maxSeen:
		return
	case !known, !old.firing() && anew(old, a, in):
		c.fresh = append(c.fresh, a)
		c.again = c.again || known
		c.alerts[a.Fingerprint] = seen{Starts: a.Starts}
	case !old.firing():
		c.late = true
	case a.Starts.After(old.Starts) && a.Fingerprint != unlisted:
		// It ended and began again without our being told; remember it, so that a late end of the first occurrence ends nothing.
		c.alerts[a.Fingerprint] = seen{Starts: a.Starts}
		c.moved = true
	}
}

// anew reports whether an alert that ended fires again, rather than an old message coming late. It usually begins at a later time; but a
// sender that lost sight of an alert and sees it again keeps the first beginning, so a message received well after the end counts too.
// Cloud Monitoring's incidents occur once.
func anew(old seen, a alert.Alert, in alert.Incident) bool {
	if in.Source == alert.SourceMonitoring {
		return false
	}
	return a.Starts.After(old.Starts) || in.Received.After(old.Heard.Add(lag))
}

// ends takes in an alert that the message says has ended.
func (c *change) ends(a alert.Alert, in alert.Incident) {
	old, known := c.alerts[a.Fingerprint]
	end := a.Ends
	if end.IsZero() {
		end = in.Received
	}
	switch {
	case known && !old.firing():
		return
	case known && end.Before(old.Starts):
		c.late = true
		return
	case known:
		c.ended = append(c.ended, a)
	case len(c.alerts) >= maxSeen:
		return
	}
	c.moved = true
	c.alerts[a.Fingerprint] = seen{Starts: later(old.Starts, a.Starts), Ended: end, Heard: in.Received}
}

// finish judges whether the incident is over. Only a message that leaves nothing out can prove it; when such a message lists no firing
// alert and is not older than what is known, what it does not list has ended too.
func (c *change) finish(s incident, in alert.Incident) {
	proof := in.Omitted == 0 && len(in.Alerts) > 0 && !slices.ContainsFunc(in.Alerts, func(a alert.Alert) bool { return a.Status == alert.Firing })
	if proof && !in.Received.Before(s.Heard) {
		for fp, a := range c.alerts {
			if a.firing() {
				c.alerts[fp] = seen{Starts: a.Starts, Ended: in.Received, Heard: in.Received}
				c.moved = true
			}
		}
	}
	c.over = proof && !c.firing()
	c.moved = c.moved || c.over && s.Status == alert.Firing
	slices.SortStableFunc(c.fresh, func(a, b alert.Alert) int { return cmp.Compare(b.Severity.Rank(), a.Severity.Rank()) })
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
