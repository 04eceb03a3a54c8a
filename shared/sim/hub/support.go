package hub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/server"
)

const (
	statusOpen   = "Open"
	statusClosed = "Closed"
)

var closeReasons = []string{"Duplicate", "Solution Provided", "Another Solution", "Created in Error", "Other Reason"}

// category is a kind of support request, with the issues that can be chosen in it.
type category struct {
	ID     string  `json:"category"`
	Name   string  `json:"displayName"`
	Issues []issue `json:"issueCategories"`
}

type issue struct {
	ID   string `json:"issueCategoryId"`
	Name string `json:"displayName"`
}

var categories = []category{
	{"nonTechnical", "Non-technical", []issue{
		{"VMware Cloud Services - User Management", "User Management"},
		{"VMware Cloud Services - Billing and Usage", "Billing and Usage"},
		{"VMware Cloud Services - Subscriptions", "Subscriptions"},
	}},
	{"technical", "Technical", []issue{
		{"VMware Cloud on AWS - SDDC", "SDDC"},
		{"VMware Cloud on AWS - Networking", "Networking"},
		{"VMware Log Intelligence - Data Collection", "Data Collection"},
	}},
}

func ticketCategories() []string {
	var ids []string
	for _, c := range categories {
		ids = append(ids, c.ID)
	}
	return ids
}

func issueCategories() []string {
	var ids []string
	for _, c := range categories {
		for _, i := range c.Issues {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// ticket is a support request.
type ticket struct {
	ID        string          `json:"id"`
	Org       string          `json:"org"`
	By        string          `json:"by"`
	Asked     ticketRequest   `json:"asked"`
	CaseID    string          `json:"caseId"`
	Customer  string          `json:"customerNumber"`
	Details   []string        `json:"additionalDetails"`
	Status    string          `json:"status"`
	SubStatus string          `json:"subStatus"`
	Reason    string          `json:"closeReason"`
	Escalated bool            `json:"escalated"`
	Files     []fileReference `json:"files"`
	Created   time.Time       `json:"created"`
	Updated   time.Time       `json:"updated"`
}

func (t ticket) key() string { return t.ID }

// ticketRequest is the body that creates a ticket.
type ticketRequest struct {
	Severity    string          `json:"severity"`
	Issue       string          `json:"issueCategoryId"`
	Agreed      json.RawMessage `json:"userAgreedToEula"`
	InternalID  string          `json:"internalTicketId"`
	Files       []fileReference `json:"fileReferences"`
	Phone       string          `json:"phoneNumber"`
	Contact     string          `json:"preferredContactMethod"`
	Description string          `json:"description"`
	TimeZone    string          `json:"timeZone"`
	Category    string          `json:"category"`
	Title       string          `json:"title"`
	Org         string          `json:"orgId"`
}

// fileReference attaches an uploaded file to a ticket, or takes it off.
type fileReference struct {
	FileName string `json:"fileName"`
	Action   string `json:"action,omitempty"`
	FileID   string `json:"fileId"`
}

// wireTicket has the guide's fields, and of those that it leaves out ("...") what a request had.
type wireTicket struct {
	ID          string          `json:"id"`
	CaseID      string          `json:"caseId"`
	Status      string          `json:"status"`
	SubStatus   string          `json:"subStatus"`
	Title       string          `json:"title"`
	Severity    string          `json:"severity"`
	Category    string          `json:"category"`
	Issue       string          `json:"issueCategoryId"`
	Description string          `json:"description"`
	Details     []string        `json:"additionalDetails"`
	InternalID  string          `json:"internalTicketId"`
	Customer    string          `json:"customerNumber"`
	Reason      string          `json:"closeReason"`
	Files       []fileReference `json:"fileReferences"`
	OrgID       string          `json:"orgId"`
	OrgName     string          `json:"orgName"`
	CreatedBy   string          `json:"createdBy"`
	Created     int64           `json:"createTimestamp"`
	Updated     int64           `json:"updateTimestamp"`
}

func (tx *tx) wireTicket(t ticket) wireTicket {
	org, _ := tx.state.orgs.get(t.Org)
	return wireTicket{
		ID: t.ID, CaseID: t.CaseID, Status: t.Status, SubStatus: t.SubStatus, Title: t.Asked.Title, Severity: t.Asked.Severity,
		Category: t.Asked.Category, Issue: t.Asked.Issue, Description: t.Asked.Description, Details: append([]string{}, t.Details...),
		InternalID: t.Asked.InternalID, Customer: t.Customer, Reason: t.Reason, Files: append([]fileReference{}, t.Files...),
		OrgID: t.Org, OrgName: org.Details.DisplayName, CreatedBy: t.By, Created: t.Created.UnixMilli(), Updated: t.Updated.UnixMilli(),
	}
}

func (tx *tx) supportMetadata(rq *request) (reply, error) {
	if id := rq.Query.Get("tenantId"); id != "" {
		if _, err := tx.tenant(rq, id); err != nil {
			return reply{}, err
		}
	}
	return answer(http.StatusOK, map[string]any{"categories": categories})
}

func (tx *tx) supportReasons(*request) (reply, error) {
	return answer(http.StatusOK, map[string]any{"closeSrReasons": closeReasons})
}

func (tx *tx) createTicket(rq *request) (reply, error) {
	var in ticketRequest
	if err := rq.decode(&in); err != nil {
		return reply{}, err
	}
	if f := checkTicket(rq.org, in); f != nil {
		return reply{}, f
	}
	t := ticket{
		ID: tx.ticketID(), Org: rq.org.ID, By: rq.caller.Username, Asked: in, CaseID: "", Status: statusOpen, SubStatus: "New",
		Created: tx.at, Updated: tx.at,
	}
	t.Files = attach(nil, in.Files)
	t.Asked.Files = nil
	tx.change.Tickets = append(tx.change.Tickets, t)
	return tx.created(rq, t)
}

// checkTicket holds the parts of a request against each other.
func checkTicket(org orgRecord, in ticketRequest) *failure {
	if in.Org != org.ID {
		return invalid("orgId", "The value is not the organization of the path.")
	}
	for _, c := range categories {
		if c.ID == in.Category && !slices.ContainsFunc(c.Issues, func(i issue) bool { return i.ID == in.Issue }) {
			return invalid("issueCategoryId", "The issue is not one of this category.")
		}
	}
	return nil
}

// created is the answer to a new ticket, of which the guide shows the status only.
func (tx *tx) created(rq *request, t ticket) (reply, error) {
	how := tx.switches.CreateReply
	a := reply{Status: http.StatusCreated, Header: http.Header{}}
	if how == "body" || how == "both" {
		var err error
		if a, err = answer(http.StatusCreated, tx.wireTicket(t)); err != nil {
			return a, err
		}
	}
	if how == "location" || how == "both" {
		a.Header.Set("Location", rq.Base.JoinPath(strings.TrimSuffix(rq.Path, "/"), t.ID).String())
	}
	return a, nil
}

func (tx *tx) ticketID() string {
	for {
		id := server.Digits(tx.next("support request"), 11)
		if _, taken := tx.state.tickets.get(id); !taken {
			return id
		}
	}
}

// attach applies file references. Of a name only its last part is kept.
func attach(held, references []fileReference) []fileReference {
	files := slices.Clone(held)
	for _, r := range references {
		files = slices.DeleteFunc(files, func(f fileReference) bool { return f.FileID == r.FileID })
		if r.Action == "ADD" {
			files = append(files, fileReference{FileName: baseName(r.FileName), FileID: r.FileID})
		}
	}
	return files
}

func baseName(name string) string {
	return path.Base(strings.ReplaceAll(name, `\`, "/"))
}

// ticket is the one of the path, of this organization or of a tenant of it.
func (tx *tx) ticket(rq *request) (ticket, error) {
	t, ok := tx.state.tickets.get(rq.vars["request"])
	org, _ := tx.state.orgs.get(t.Org)
	if !ok || t.Org != rq.org.ID && org.Parent != rq.org.ID {
		return t, notFound()
	}
	return t, nil
}

func (tx *tx) getTicket(rq *request) (reply, error) {
	t, err := tx.ticket(rq)
	if err != nil {
		return reply{}, err
	}
	return answer(http.StatusOK, tx.wireTicket(t))
}

// listTickets returns the newest first.
func (tx *tx) listTickets(rq *request) (reply, error) {
	found := []wireTicket{}
	for _, t := range slices.Backward(tx.state.tickets.list) {
		if w := tx.wireTicket(t); tx.listed(rq, t, w) {
			found = append(found, w)
		}
	}
	page, err := tx.page(rq, found)
	if err != nil {
		return reply{}, err
	}
	if tx.switches.SupportAnswer == "bare" {
		return answer(http.StatusOK, page)
	}
	return answer(http.StatusOK, map[string]any{"supportTickets": page})
}

func (tx *tx) listed(rq *request, t ticket, w wireTicket) bool {
	org, _ := tx.state.orgs.get(t.Org)
	here := t.Org == rq.org.ID || rq.is("includeTenantOrgs") && org.Parent == rq.org.ID
	if !here || t.Created.After(rq.at.Add(-rq.Lag)) || rq.is("userTicketsOnly") && t.By != rq.caller.Username {
		return false
	}
	for name, has := range map[string]string{
		"orgName": w.OrgName, "category": w.Category, "severity": w.Severity, "status": w.Status, "internalTicketId": w.InternalID,
	} {
		if wanted := rq.Query.Get(name); wanted != "" && wanted != has {
			return false
		}
	}
	return strings.Contains(strings.ToLower(w.Title), strings.ToLower(rq.Query.Get("subject")))
}

// page cuts out what pageStart and pageLimit ask for: from a record, or a page; both count from 1.
func (tx *tx) page(rq *request, all []wireTicket) ([]wireTicket, error) {
	start, limit := parameter(rq, "pageStart", 1), parameter(rq, "pageLimit", 100)
	if start < 1 {
		return nil, invalid("pageStart", "The first is 1.")
	}
	if limit < 1 || limit > 1000 {
		return nil, invalid("pageLimit", "The value must be from 1 to 1000.")
	}
	from := start - 1
	if tx.switches.PageStart == "page" {
		from = min(from, int64(len(all))) * limit
	}
	from = min(from, int64(len(all)))
	return all[from:min(from+limit, int64(len(all)))], nil
}

func parameter(rq *request, name string, otherwise int64) int64 {
	n, err := strconv.ParseInt(rq.Query.Get(name), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

// ticketUpdate is the body that changes a ticket.
type ticketUpdate struct {
	Reason   string          `json:"closeReason"`
	CaseID   string          `json:"caseId"`
	Details  string          `json:"additionalDetails"`
	Action   string          `json:"supportTicketAction"`
	Customer string          `json:"customerNumber"`
	Files    []fileReference `json:"fileReferences"`
}

func (tx *tx) updateTicket(rq *request) (reply, error) {
	t, err := tx.ticket(rq)
	if err != nil {
		return reply{}, err
	}
	var in ticketUpdate
	if err := rq.decode(&in); err != nil {
		return reply{}, err
	}
	if err := tx.checkUpdate(t, in); err != nil {
		return reply{}, err
	}
	t = in.apply(t)
	t.Updated = tx.at
	tx.change.Tickets = append(tx.change.Tickets, t)
	return answer(http.StatusOK, tx.wireTicket(t))
}

// checkUpdate: a closed ticket takes a reason and can be reopened, nothing else; only a closed one has a reason.
func (tx *tx) checkUpdate(t ticket, in ticketUpdate) error {
	closed := t.Status == statusClosed
	if closed && in.Action != "REOPEN" && (in.Action != "" || in.Details != "" || in.CaseID != "" || in.Customer != "" || len(in.Files) > 0) {
		return invalid("supportTicketAction", "The support request is closed.")
	}
	switch {
	case in.Action == "REOPEN" && !closed:
		return invalid("supportTicketAction", "The support request is open.")
	case in.Action == "CLOSE" && in.Reason == "":
		return invalid("closeReason", "Closing needs a reason.")
	case in.Reason != "" && in.Action != "CLOSE" && !(closed && in.Action == ""):
		return invalid("closeReason", "Only a closed support request has a reason.")
	}
	for _, r := range in.Files {
		if f, ok := tx.state.files[r.FileID]; r.Action == "ADD" && (!ok || f.Request != t.ID) {
			return invalid("fileReferences.fileId", "The file was not uploaded to this support request.")
		}
	}
	return nil
}

func (in ticketUpdate) apply(t ticket) ticket {
	if in.CaseID != "" {
		t.CaseID = in.CaseID
	}
	if in.Customer != "" {
		t.Customer = in.Customer
	}
	if in.Reason != "" {
		t.Reason = in.Reason
	}
	if in.Details != "" {
		t.Details, t.SubStatus = append(slices.Clone(t.Details), in.Details), "Inbound message received"
	}
	t.Files = attach(t.Files, in.Files)
	switch in.Action {
	case "CLOSE":
		t.Status, t.SubStatus = statusClosed, "Closed by customer"
	case "REOPEN":
		t.Status, t.SubStatus, t.Reason = statusOpen, "Reopened", ""
	case "ESCALATE":
		t.Escalated, t.SubStatus = true, "Escalated"
	}
	return t
}

// Reply lets the desk's people move a support request; what is empty stays.
func (s *Server) Reply(id, status, subStatus string) error {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := s.begin(s.opts.Now().Add(s.state.clock))
	t, ok := s.state.tickets.get(id)
	if !ok {
		return notFound()
	}
	if status != "" && status != statusOpen && status != statusClosed {
		return invalid("status", "The value must be one of %s.", fmt.Sprint(statusOpen, ", ", statusClosed))
	}
	if status != "" {
		t.Status = status
	}
	if subStatus != "" {
		t.SubStatus = subStatus
	}
	t.Updated = tx.at
	tx.change.Tickets = append(tx.change.Tickets, t)
	return tx.commit()
}
