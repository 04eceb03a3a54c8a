package alert

import (
	"slices"
	"strings"
)

// words are the severities people write, in lower case. An unknown word is no severity; it stays readable in the labels.
var words = map[string]Severity{
	"critical": Critical, "crit": Critical, "page": Critical, "fatal": Critical, "emergency": Critical, "disaster": Critical,
	"error": Error, "err": Error, "high": Error, "major": Error,
	"warning": Warning, "warn": Warning, "medium": Warning, "moderate": Warning, "average": Warning, "minor": Warning,
	"info": Info, "information": Info, "informational": Info, "notice": Info, "low": Info, "debug": Info,
}

func severity(word string) Severity {
	if s, ok := words[word]; ok {
		return s // as nearly all write it
	}
	if s, ok := words[strings.ToLower(strings.TrimSpace(word))]; ok {
		return s
	}
	return SeverityNone
}

// worst returns the worst severity of the firing alerts, of all alerts when none fires.
func worst(alerts []listed) Severity {
	fires := slices.ContainsFunc(alerts, firing)
	s := SeverityNone
	for _, a := range alerts {
		if (firing(a) || !fires) && a.Severity.Rank() > s.Rank() {
			s = a.Severity
		}
	}
	return s
}

func firing(a listed) bool { return a.Status == Firing }

// status of an incident. A sender that lists nothing but says it left alerts out is believed to have trouble.
func status(alerts []listed) Status {
	if len(alerts) == 0 || slices.ContainsFunc(alerts, firing) {
		return Firing
	}
	return Resolved
}
