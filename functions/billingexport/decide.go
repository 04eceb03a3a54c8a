package billingexport

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/functions/billingexport/revision"
)

// runName names a run after the time of the request that it answers, so that the request, delivered again, means the same run.
func runName(at time.Time) string { return at.UTC().Format("20060102T150405.000000Z") }

// begin is what a request does with a month.
type begin string

const (
	beginRun   begin = "run"   // a run is begun
	beginJoin  begin = "join"  // the run that is under way, or was, answers it
	beginAfter begin = "after" // it is remembered, and run after the one under way
)

// beginning decides what a request that was made at a time does with a month.
func beginning(m *month, q Request, at time.Time) (begin, string) {
	name := runName(at)
	switch {
	case m.Phase == Resting && m.Run >= name && m.covers(q):
		return beginJoin, "it was answered by run " + m.Run
	case m.Phase == Resting:
		return beginRun, reasonOf(q)
	case m.covers(q), m.Next != nil && m.NextRun >= name && m.Next.covers(q):
		return beginJoin, "run " + m.Run + " is under way"
	}
	return beginAfter, "run " + m.Run + " is under way, of other tenants"
}

// past is the last run that is no answer to a request that begins so, "" if there was none: the end of any later one answers it.
func (m *month) past(do begin) string {
	switch {
	case do != beginJoin:
		return m.Run
	case m.Phase == Resting || m.Ended == nil:
		return ""
	}
	return m.Ended.Run
}

// covers reports whether the run does what a request wants.
func (m *month) covers(q Request) bool { return m.Request.covers(q) }

// covers reports whether a request asks for at least what another one does.
func (q Request) covers(o Request) bool {
	return q.Archive == o.Archive && (len(q.Tenants) == 0 || len(o.Tenants) > 0 && !slices.ContainsFunc(o.Tenants, func(t string) bool {
		return !slices.Contains(q.Tenants, t)
	}))
}

// with returns a request for what either asks for. Of the hub and the archive the hub is asked: it knows more.
func (q Request) with(o Request) Request {
	if len(q.Tenants) == 0 || len(o.Tenants) == 0 {
		q.Tenants = nil
	} else {
		q.Tenants = slices.Compact(slices.Sorted(slices.Values(slices.Concat(q.Tenants, o.Tenants))))
	}
	q.Archive, q.By = q.Archive && o.Archive, o.By
	return q
}

func reasonOf(q Request) string {
	var b strings.Builder
	b.WriteString("it is due")
	if q.By != "" {
		b.Reset()
		b.WriteString("asked for by " + q.By)
	}
	if len(q.Tenants) > 0 {
		b.WriteString(", of some tenants only: " + strconv.Itoa(len(q.Tenants)))
	}
	if q.Archive {
		b.WriteString(", from the archive")
	}
	return b.String()
}

// start makes m the beginning of a run.
func (m *month) start(q Request, at time.Time, reason string) {
	name := runName(at)
	if m.Run >= name { // the clocks of those who ask differ: names go up all the same
		at = beginOf(m.Run).Add(time.Microsecond)
		name = runName(at)
	}
	q.Months = nil
	m.Phase, m.Run, m.Begun, m.Request, m.Reason, m.Listed, m.Known, m.Named = Planning, name, at.UTC().Truncate(time.Microsecond), q, reason, false, nil, nil
	m.Next, m.NextRun, m.Lease, m.Holder, m.Plan, m.Error = nil, "", time.Time{}, "", nil, ""
}

func beginOf(run string) time.Time {
	t, _ := time.Parse("20060102T150405.000000Z", run)
	return t
}

// Limits of a part that cannot be made. Pauses double, so thirty attempts take some six hours too.
const (
	maxAttempts  = 30
	maxPatience  = 6 * time.Hour
	firstPause   = 30 * time.Second
	longestPause = 15 * time.Minute
)

// hopeless reports whether a part that failed is given up.
func (p *part) hopeless(now time.Time) bool {
	return p.Attempts >= maxAttempts || !p.Tried.IsZero() && now.Sub(p.Tried) >= maxPatience
}

// pause is how long to wait after so many attempts.
func pause(attempts int) time.Duration {
	return min(firstPause<<min(max(attempts-1, 0), 10), longestPause)
}

// unreachable is the verdict on a part that is given up. It says nothing that is different the next time: the same verdict is the same content.
func unreachable(public string) *bill.Verdict {
	if public != "" {
		return &bill.Verdict{Code: bill.Unreachable, Grave: true, Text: "The usage could not be read, and trying again cannot help: " + public}
	}
	return &bill.Verdict{Code: bill.Unreachable, Grave: true, Text: "The usage could not be read for hours. Ask for the month again when the hub answers."}
}

// ours are the verdicts that a revision adds to a part of an earlier one that it keeps.
var ours = []bill.Code{bill.Unreachable, bill.Vanished, bill.Absent}

// kept returns an organization's part as the newest revision has it, without what was added there; false if there was nothing to keep.
func kept(newest *revision.Manifest, org string) (revision.Part, bool) {
	if newest == nil {
		return revision.Part{}, false
	}
	p, ok := newest.PartOf(org)
	p.Verdicts = slices.DeleteFunc(slices.Clone(p.Verdicts), func(v bill.Verdict) bool { return slices.Contains(ours, v.Code) })
	return p, ok && p.Digest != ""
}

// outcomes are what the parts of a run came to: those that were made, and why the others were not.
type outcomes struct {
	made   map[string]revision.Part
	failed map[string]bill.Verdict
}

// candidate returns the parts of a revision: one of every tenant that is known or was.
func candidate(m *month, got outcomes, newest *revision.Manifest) (all []revision.Part) {
	seen := map[string]bool{}
	for _, t := range m.Known {
		seen[t.ID] = true
		if p := m.partOf(t, got, newest); !m.stranger(p, newest) {
			all = append(all, m.accepted(p, newest))
		}
	}
	if newest == nil {
		return concise(all)
	}
	for _, p := range newest.Parts {
		if !seen[p.Org] {
			all = append(all, m.vanished(p, newest))
		}
	}
	return concise(all)
}

// stranger reports whether an organization is none of ours: only the request names it, it was in no revision, and there is no usage of it. An id
// that was mistyped would keep the month back for ever.
func (m *month) stranger(p revision.Part, newest *revision.Manifest) bool {
	if newest != nil {
		if _, there := newest.PartOf(p.Org); there {
			return false
		}
	}
	return slices.Contains(m.Named, p.Org) && !hasUsage(p)
}

// strangers says how many of them there were, "" if there were none.
func (m *month) strangers(parts []revision.Part) string {
	n := 0
	for _, org := range m.Named {
		if !slices.ContainsFunc(parts, func(p revision.Part) bool { return p.Org == org }) {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return "; of what the request names this many organizations are unknown: " + strconv.Itoa(n)
}

func hasUsage(p revision.Part) bool {
	return slices.ContainsFunc(p.Raw, func(r revision.Raw) bool { return r.Kind == revision.UsageFile })
}

// accepted takes it from a person who asks for the archive that a tenant of whom it has nothing cannot be had any more: because the hub does
// not report the month, or does not list the tenant, which the newest revision says.
func (m *month) accepted(p revision.Part, newest *revision.Manifest) revision.Part {
	var was revision.Part
	if newest != nil {
		was, _ = newest.PartOf(p.Org)
	}
	gone := slices.ContainsFunc(was.Verdicts, func(v bill.Verdict) bool { return v.Code == bill.Vanished })
	if !m.Request.Archive || hasUsage(p) || p.Digest == "" || !gone && !m.old() {
		return p
	}
	p.Verdicts = slices.Clone(p.Verdicts)
	for i := range p.Verdicts {
		p.Verdicts[i].Grave = p.Verdicts[i].Grave && p.Verdicts[i].Code != bill.OutOfWindow
	}
	return p
}

// maxSaid is how many bytes of verdicts a manifest holds about, so that it can be read whatever is found out about 4,000 tenants. All of them
// are in the documents of the parts.
const maxSaid = 24 << 20

// concise lets a manifest say of a tenant as much as there is room for: grave verdicts first, and one that counts the rest.
func concise(all []revision.Part) []revision.Part {
	for i, p := range all {
		all[i].Verdicts = bill.Concise(p.Verdicts, maxSaid/len(all))
	}
	return all
}

func (m *month) partOf(t Tenant, got outcomes, newest *revision.Manifest) revision.Part {
	if p, ok := got.made[t.ID]; ok {
		return p
	}
	p, there := kept(newest, t.ID)
	if !there {
		p = revision.Part{V: revision.Version, Month: m.Month, Org: t.ID, OrgName: t.Name}
	}
	switch why, failed := got.failed[t.ID]; {
	case failed:
		p.Verdicts = append(p.Verdicts, why)
	case !there:
		p.Verdicts = []bill.Verdict{{Code: bill.Absent, Grave: true, Text: "Nothing was exported of this tenant yet. Ask for the month with all tenants."}}
	}
	return p
}

// vanished keeps the part of a tenant that the hub lists no more. What was published with it stays as right as it was, so that is no reason to
// keep a restatement of the others back. A month that was not published may lack usage of the tenant that nobody can ask for any more: a person
// decides, by asking for the month from the archive; once the hub does not report the month any more there is nothing to wait for.
func (m *month) vanished(p revision.Part, newest *revision.Manifest) revision.Part {
	k, there := kept(newest, p.Org)
	if !there {
		k = revision.Part{V: p.V, Month: p.Month, Org: p.Org, OrgName: p.OrgName}
	}
	grave := !there || newest.LastPublished() == 0 && !m.old()
	k.Verdicts = append(k.Verdicts, bill.Verdict{Code: bill.Vanished, Grave: grave,
		Text: "The hub does not list this tenant any more; it is kept as it was last seen. To accept that, ask for the month from the archive."})
	return k
}
