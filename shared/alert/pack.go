package alert

import (
	"slices"
	"strconv"
)

// Append appends an incident to b as it travels on topic "alerts", for [Unpack]. It is JSON as encoding/json makes it of
// an Incident, without its escapes for HTML, which make six bytes of every <, and in a third of the time: a webhook's answer waits for it. But
// the alerts stand in "listed", and of each there is only what it does not share with the one before it, of the first what it does not share
// with the incident. Most is shared in a group, so its message is half as long as the notification was.
func (in Incident) Append(b []byte) []byte {
	n := in.notice()
	return n.Append(b)
}

// Append appends the incident of a notice to b likewise.
func (n *Notice) Append(b []byte) []byte {
	in := &n.Head
	b = appendText(append(b, `{"source":`...), in.Source)
	b = appendText(append(b, `,"sender":`...), in.Sender)
	b = appendText(append(b, `,"tenant":`...), in.Tenant)
	b = appendText(append(b, `,"key":`...), in.Key)
	b = appendText(append(b, `,"title":`...), in.Title)
	b = appendText(append(b, `,"severity":`...), string(in.Severity))
	b = appendText(append(b, `,"status":`...), string(in.Status))
	b = appendTexts(b, `,"labels":`, n.labels)
	b = appendTexts(b, `,"annotations":`, n.annotations)
	if len(in.Links) > 0 {
		b = appendLinks(append(b, `,"links":`...), in.Links)
	}
	b = n.appendListed(append(b, `,"listed":`...))
	if in.Omitted != 0 {
		b = strconv.AppendInt(append(b, `,"omitted":`...), int64(in.Omitted), 10)
	}
	if in.Test {
		b = append(b, `,"test":true`...)
	}
	if in.Repeat {
		b = append(b, `,"repeat":true`...)
	}
	b = appendTime(b, `,"received":`, in.Received)
	return append(appendSome(b, `,"raw":`, in.Raw), '}')
}

func (n *Notice) appendListed(b []byte) []byte {
	if n.alerts == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	first := n.before()
	for i, before := 0, &first; i < len(n.alerts); i, before = i+1, &n.alerts[i] {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(n.alerts[i].append(append(b, '{'), before), '}')
	}
	return append(b, ']')
}

// before is what the first alert is held against.
func (n *Notice) before() listed { return listed{n.Head.before(), n.labels, n.annotations} }

func (in *Incident) before() Alert {
	return Alert{Status: in.Status, Severity: in.Severity, Labels: in.Labels, Annotations: in.Annotations, Links: slices.Clip(in.Links)}
}

// append appends the fields that are not as they were before.
func (a *listed) append(b []byte, before *listed) []byte {
	b = appendOther(b, `"fingerprint":`, a.Fingerprint, before.Fingerprint)
	b = appendOther(b, `"status":`, string(a.Status), string(before.Status))
	b = appendOther(b, `"severity":`, string(a.Severity), string(before.Severity))
	b = appendOther(b, `"name":`, a.Name, before.Name)
	b = appendOther(b, `"summary":`, a.Summary, before.Summary)
	b = appendOther(b, `"resource":`, a.Resource, before.Resource)
	b = appendOther(b, `"condition":`, a.Condition, before.Condition)
	b = appendOther(b, `"observed":`, a.Observed, before.Observed)
	b = appendOther(b, `"threshold":`, a.Threshold, before.Threshold)
	b = appendChanges(b, `"labels":{`, a.labels, before.labels)
	b = appendChanges(b, `"annotations":{`, a.annotations, before.annotations)
	if !slices.Equal(a.Links, before.Links) {
		b = appendLinks(append(comma(b), `"links":`...), a.Links)
	}
	if a.Starts != before.Starts {
		b = appendTime(comma(b), `"starts":`, a.Starts)
	}
	if a.Ends != before.Ends {
		b = appendTime(comma(b), `"ends":`, a.Ends)
	}
	return b
}

func appendOther(b []byte, name, s, before string) []byte {
	if s == before {
		return b
	}
	return appendText(append(comma(b), name...), s)
}

// appendChanges appends the texts that were not there before, or were others, and null for those that are there no more; nothing if there
// is neither.
func appendChanges(b []byte, name string, now, before texts) []byte {
	end := len(b)
	b = append(comma(b), name...)
	begin := len(b)
	for len(now)+len(before) > 0 {
		switch order := compareFirst(now, before); {
		case order > 0:
			b = append(appendText(comma(b), before[0].name), ":null"...)
			before = before[1:]
		case order < 0:
			b = now[0].append(comma(b))
			now = now[1:]
		default:
			if now[0].text != before[0].text {
				b = now[0].append(comma(b))
			}
			now, before = now[1:], before[1:]
		}
	}
	if len(b) == begin {
		return b[:end]
	}
	return append(b, '}')
}

// compareFirst compares the first names of two lists of which one is not empty: the smaller comes first.
func compareFirst(a, b texts) int {
	switch {
	case len(a) == 0:
		return 1
	case len(b) == 0:
		return -1
	case a[0].name == b[0].name: // as nearly always
		return 0
	}
	return alphabetical(a[0], b[0])
}
