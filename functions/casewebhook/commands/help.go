package commands

import "strings"

// Usage is how a command is written.
type Usage struct{ Verb, Form, Does, Example string }

// Usages are all commands, in the order of the help.
var Usages = []Usage{
	{Create, "create [at DESK] [P0-P4] TITLE, and on the lines below what is the matter", "opens a case", "create at google P2 Disk full on db-1\nSince ten o'clock. All writes fail."},
	{Comment, "comment [#CASE] TEXT", "adds a comment; in a case's thread plain words will do", "comment #12345678 \"The second disk is full, too.\""},
	{Attach, "attach [#CASE]", "attaches the files of this message; in a case's thread the files will do", "attach #12345678"},
	{List, "list [at DESK] [P0-P4] [all] [page N]", "lists open cases, or all", "list at google P1"},
	{Show, "show [#CASE]", "shows a case and the last that was said on it", "show #12345678"},
	{Priority, "priority [#CASE] P0-P4", "changes the priority", "priority #12345678 P1"},
	{Subscribe, "subscribe [#CASE] ADDRESS ...", "adds e-mail addresses that the desk informs", "subscribe #12345678 anna@example.com"},
	{Escalate, "escalate [#CASE] REASON WHY", "asks the desk's management for attention; REASON is RESOLUTION_TIME, TECHNICAL_EXPERTISE or BUSINESS_IMPACT",
		"escalate #12345678 BUSINESS_IMPACT The shop has been down for two hours."},
	{Close, "close [#CASE]", "closes a case", "close #12345678"},
	{Report, "report [at DESK]", "counts open cases by desk, state, priority and age", "report"},
	{Release, "release all | at DESK | INCIDENT", "opens the cases that a budget held back in an alert storm", "release at google"},
	{Approve, "approve", "approves what somebody else has confirmed", "approve"},
	{Confirm, "confirm", "confirms what you were asked", "confirm"},
	{Cancel, "cancel", "takes it back", "cancel"},
	{Help, "help [COMMAND]", "explains the commands, or one", "help escalate"},
}

const shortHelp = "Commands: create, comment, attach, list, show, priority, subscribe, escalate, close, report, release, approve, confirm, cancel. More: help, or help COMMAND."

// helpText explains one command, or all.
func helpText(verb string) string {
	var lines []string
	for _, u := range Usages {
		switch {
		case u.Verb == verb:
			return u.Form + "\nIt " + u.Does + ". For example:\n" + u.Example
		case verb == "":
			lines = append(lines, u.Form+" – "+u.Does)
		}
	}
	return strings.Join(append(lines, "In the thread of a case #CASE is not needed: that case is meant."), "\n")
}
