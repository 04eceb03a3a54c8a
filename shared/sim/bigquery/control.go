package bigquery

import (
	"net/http"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
	"github.com/providerdesk/providerdesk/shared/sim/server"
)

// control serves what the API does not have: the hands of the tester.
func (s *Server) control(r *http.Request) (any, error) {
	if r.Method+" "+r.URL.Path == "POST /jobs" {
		return struct{}{}, s.controlJobs(r)
	}
	if name, ok := strings.CutPrefix(r.URL.Path, "/tables/"); ok && r.Method == http.MethodGet {
		return s.Table(name)
	}
	return nil, rest.NotFound()
}

func (s *Server) controlJobs(r *http.Request) error {
	var in struct {
		Reason string `json:"reason"`
		Times  int    `json:"times"`
	}
	if err := server.ReadControl(r, &in); err != nil {
		return err
	}
	if in.Reason == "" || in.Times < 0 || in.Times > 1000 {
		return rest.Invalid("reason", "The control takes the reason of an error, and how many jobs end with it: at most 1000.")
	}
	s.FailJobs(in.Reason, max(in.Times, 1))
	return nil
}

// TableView is a table as the server has it, for whoever checks what really happened.
type TableView struct {
	Table      string          `json:"table"` // DATASET.TABLE
	Rows       int64           `json:"rows"`
	Partitions []PartitionView `json:"partitions"` // in the order of their names
	Jobs       []string        `json:"jobs"`       // those whose rows are there, in the order in which they ended
}

// PartitionView is a partition: 202610.
type PartitionView struct {
	Partition string                     `json:"partition"`
	Rows      int64                      `json:"rows"`
	Billed    map[string]decimal.Decimal `json:"billed"` // exact sums of BilledCost by BillingCurrency
}

// Table returns what is in a table after what is due by now has been executed; DATASET.TABLE names it.
func (s *Server) Table(name string) (TableView, error) {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.finishDue(s.opts.Now()); err != nil {
		return TableView{}, err
	}
	dataset, id, _ := strings.Cut(name, ".")
	t, ok := s.state.tables[tableKey{dataset, id}]
	if !ok {
		return TableView{}, rest.NotFound()
	}
	return t.view(), nil
}

func (t tableRecord) view() TableView {
	v := TableView{Table: t.Dataset + "." + t.ID, Partitions: []PartitionView{}, Jobs: []string{}}
	for _, g := range t.Segments {
		i := slices.IndexFunc(v.Partitions, func(p PartitionView) bool { return p.Partition == g.Partition })
		if i < 0 {
			i = len(v.Partitions)
			v.Partitions = append(v.Partitions, PartitionView{Partition: g.Partition, Billed: map[string]decimal.Decimal{}})
		}
		v.Partitions[i].add(g)
		if v.Rows += g.Rows; !slices.Contains(v.Jobs, g.Job) {
			v.Jobs = append(v.Jobs, g.Job)
		}
	}
	slices.SortFunc(v.Partitions, func(a, b PartitionView) int { return strings.Compare(a.Partition, b.Partition) })
	return v
}

func (p *PartitionView) add(g segment) {
	p.Rows += g.Rows
	for currency, sum := range g.Billed {
		n, _ := decimal.NewFromString(sum) // it was written by us
		p.Billed[currency] = p.Billed[currency].Add(n)
	}
}
