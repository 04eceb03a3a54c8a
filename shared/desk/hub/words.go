package hub

import (
	"strings"

	"github.com/providerdesk/providerdesk/shared/desk"
)

// severities are the hub's words for priorities, which mean the same from P1 on: production is down, impaired, partly impaired, usable. The
// guide shows only "3 - Medium". P0, a critical system is down, is the hub's highest, and comes back as P1.
var severities = map[desk.Priority]string{
	"P0": "1 - Critical", "P1": "1 - Critical", "P2": "2 - High", "P3": "3 - Medium", "P4": "4 - Low",
}

// priorityOf reads a severity by its number. One without stays empty: better no priority than a wrong one.
func priorityOf(severity string) desk.Priority {
	if severity = strings.TrimSpace(severity); severity != "" && severity[0] >= '1' && severity[0] <= '4' {
		return desk.Priority("P" + severity[:1])
	}
	return ""
}

// progress reads states out of status and sub-status, the first that fits. The guide shows "Open" with "Inbound message received" only; the
// rest are words that support desks use. What none fits is InProgress: the request is open and nothing is asked of us.
var progress = []struct {
	word  string
	state desk.State
}{
	{"solution", desk.Solved},
	{"solved", desk.Solved}, // resolved, too
	{"customer action", desk.ActionRequired},
	{"action required", desk.ActionRequired},
	{"waiting for customer", desk.ActionRequired},
	{"pending customer", desk.ActionRequired},
	{"awaiting customer", desk.ActionRequired},
	{"more information", desk.ActionRequired},
	{"outbound message", desk.ActionRequired}, // the opposite of "Inbound message received": the desk has written
}

func stateOf(status, sub string, closed bool) desk.State {
	if closed {
		return desk.Closed
	}
	text := strings.ToLower(status + " " + sub)
	for _, p := range progress {
		if strings.Contains(text, p.word) {
			return p.state
		}
	}
	if strings.EqualFold(sub, "new") || strings.EqualFold(status, "new") {
		return desk.New
	}
	return desk.InProgress
}

// zones are the hub's names of time zones, distance and standard name as in the guide's "(GMT+05:30) India Standard Time". Of the list that the
// hub takes the guide shows no more, and another word might be refused: a zone that is not here is told in the description instead.
var zones = map[string]string{
	"UTC":                 "(GMT+00:00) Greenwich Mean Time",
	"Etc/UTC":             "(GMT+00:00) Greenwich Mean Time",
	"Europe/London":       "(GMT+00:00) Greenwich Mean Time",
	"Europe/Dublin":       "(GMT+00:00) Greenwich Mean Time",
	"Europe/Amsterdam":    "(GMT+01:00) Central European Standard Time",
	"Europe/Berlin":       "(GMT+01:00) Central European Standard Time",
	"Europe/Brussels":     "(GMT+01:00) Central European Standard Time",
	"Europe/Madrid":       "(GMT+01:00) Central European Standard Time",
	"Europe/Paris":        "(GMT+01:00) Central European Standard Time",
	"Europe/Prague":       "(GMT+01:00) Central European Standard Time",
	"Europe/Rome":         "(GMT+01:00) Central European Standard Time",
	"Europe/Stockholm":    "(GMT+01:00) Central European Standard Time",
	"Europe/Vienna":       "(GMT+01:00) Central European Standard Time",
	"Europe/Warsaw":       "(GMT+01:00) Central European Standard Time",
	"Europe/Zurich":       "(GMT+01:00) Central European Standard Time",
	"Europe/Athens":       "(GMT+02:00) Eastern European Standard Time",
	"Europe/Helsinki":     "(GMT+02:00) Eastern European Standard Time",
	"Asia/Dubai":          "(GMT+04:00) Gulf Standard Time",
	"Asia/Kolkata":        "(GMT+05:30) India Standard Time",
	"Asia/Calcutta":       "(GMT+05:30) India Standard Time",
	"Asia/Shanghai":       "(GMT+08:00) China Standard Time",
	"Asia/Singapore":      "(GMT+08:00) Singapore Standard Time",
	"Asia/Tokyo":          "(GMT+09:00) Japan Standard Time",
	"Australia/Sydney":    "(GMT+10:00) Australian Eastern Standard Time",
	"America/Sao_Paulo":   "(GMT-03:00) Brasilia Standard Time",
	"America/New_York":    "(GMT-05:00) Eastern Standard Time",
	"America/Chicago":     "(GMT-06:00) Central Standard Time",
	"America/Denver":      "(GMT-07:00) Mountain Standard Time",
	"America/Los_Angeles": "(GMT-08:00) Pacific Standard Time",
}
