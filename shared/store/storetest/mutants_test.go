package storetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// mutant is a store that breaks one promise: what is not nil replaces the method of a Memory.
type mutant struct {
	*Memory
	get    func(*Memory, context.Context, store.Key) (store.Doc, error)
	commit func(*Memory, context.Context, []store.Write) ([]store.Version, error)
	query  func(*Memory, context.Context, store.Query) ([]store.Doc, error)
}

func (m mutant) Get(ctx context.Context, k store.Key) (store.Doc, error) {
	if m.get != nil {
		return m.get(m.Memory, ctx, k)
	}
	return m.Memory.Get(ctx, k)
}

func (m mutant) Commit(ctx context.Context, w ...store.Write) ([]store.Version, error) {
	if m.commit != nil {
		return m.commit(m.Memory, ctx, w)
	}
	return m.Memory.Commit(ctx, w...)
}

func (m mutant) Query(ctx context.Context, q store.Query) ([]store.Doc, error) {
	if m.query != nil {
		return m.query(m.Memory, ctx, q)
	}
	return m.Memory.Query(ctx, q)
}

// mutants are the ways to be wrong, each with a subtest that must notice.
var mutants = []struct {
	name, noticed string
	mutant        mutant
}{
	{"does not read back", "a_lost_acknowledgement_is_recognised_as_the_own_write", mutant{commit: func(m *Memory, ctx context.Context, w []store.Write) ([]store.Version, error) {
		return store.Commit(ctx, w, m.apply, func(context.Context, string, []store.Key) (map[store.Key]store.Version, error) { return nil, nil })
	}}},
	{"looks once", "a_lost_acknowledgement_is_recognised_when_the_first_looks_fail_too", mutant{commit: func(m *Memory, ctx context.Context, w []store.Write) ([]store.Version, error) {
		var once error
		return store.Commit(ctx, w, m.apply, func(ctx context.Context, id string, keys []store.Key) (v map[store.Key]store.Version, err error) {
			if once == nil {
				v, once = m.stamped(ctx, id, keys)
			}
			return v, once
		})
	}}},
	{"takes any document for its own", "somebody_else's_write_is_not_recognised_as_own", mutant{commit: func(m *Memory, ctx context.Context, w []store.Write) ([]store.Version, error) {
		return store.Commit(ctx, w, m.apply, func(_ context.Context, _ string, keys []store.Key) (map[store.Key]store.Version, error) {
			return map[store.Key]store.Version{keys[0]: m.docs[keys[0]].doc.Version}, nil
		})
	}}},
	{"writes one by one", "a_commit_with_one_failing_precondition_does_nothing", mutant{commit: func(m *Memory, ctx context.Context, ws []store.Write) (all []store.Version, err error) {
		if err := store.Check(ws); err != nil {
			return nil, err
		}
		for _, w := range ws {
			v, err := m.Commit(ctx, w)
			if err != nil {
				return nil, err
			}
			all = append(all, v...)
		}
		return all, nil
	}}},
	{"creates over what is there", "the_second_create_conflicts_and_the_first_stays", mutant{commit: func(m *Memory, ctx context.Context, ws []store.Write) ([]store.Version, error) {
		v, err := m.Commit(ctx, ws...)
		if len(ws) == 1 && ws[0].Op == store.OpCreate && fault.Is(err, fault.Conflict) {
			return m.Commit(ctx, store.Replace(ws[0].Doc, m.docs[ws[0].Doc.Key].doc.Version))
		}
		return v, err
	}}},
	{"calls a conflict transient", "missing", mutant{commit: func(m *Memory, ctx context.Context, ws []store.Write) ([]store.Version, error) {
		v, err := m.Commit(ctx, ws...)
		if fault.Is(err, fault.Conflict) {
			err = fault.Wrap(fault.Transient, err, "commit")
		}
		return v, err
	}}},
	{"does not check writes", "writes_outside_the_limits_are_invalid", mutant{commit: func(m *Memory, ctx context.Context, ws []store.Write) ([]store.Version, error) {
		return m.apply(ctx, "id", ws)
	}}},
	{"does not check keys", "keys_outside_the_limits_are_invalid", mutant{get: func(m *Memory, ctx context.Context, k store.Key) (store.Doc, error) {
		return m.docs[k].doc, nil
	}}},
	{"gives an empty document for a missing one", "missing", mutant{get: func(m *Memory, ctx context.Context, k store.Key) (store.Doc, error) {
		d, err := m.Get(ctx, k)
		if fault.Is(err, fault.Missing) {
			return store.Doc{}, nil
		}
		return d, err
	}}},
	{"ignores the context", "a_cancelled_context_is_transient_and_writes_nothing", mutant{commit: func(m *Memory, ctx context.Context, ws []store.Write) ([]store.Version, error) {
		return m.Commit(context.WithoutCancel(ctx), ws...)
	}}},
	{"shares its bytes", "data_is_not_shared_with_the_caller", mutant{get: func(m *Memory, ctx context.Context, k store.Key) (store.Doc, error) {
		if d, ok := m.docs[k]; ok {
			return d.doc, nil
		}
		return m.Get(ctx, k)
	}}},
	{"loses the limit", "query_of_all_in_order_of_the_id,_in_pages", mutant{query: func(m *Memory, ctx context.Context, q store.Query) ([]store.Doc, error) {
		if q.Limit > 0 && q.Limit < store.MaxQuery {
			q.Limit = store.MaxQuery
		}
		return m.Query(ctx, q)
	}}},
	{"loses the page", "query_by_state_in_order_of_the_id,_in_pages", mutant{query: func(m *Memory, ctx context.Context, q store.Query) ([]store.Doc, error) {
		if q.State != "" && q.DueBy.IsZero() && !strings.Contains(q.AfterID, "/") {
			q.AfterID = ""
		}
		return m.Query(ctx, q)
	}}},
	{"finds what is not yet due", "query_by_due_time_in_its_order", mutant{query: func(m *Memory, ctx context.Context, q store.Query) ([]store.Doc, error) {
		if !q.DueBy.IsZero() && q.DueBy.Year() < 9999 {
			q.DueBy = q.DueBy.Add(time.Microsecond)
		}
		return m.Query(ctx, q)
	}}},
	{"rounds to seconds", "times_come_back_in_UTC_with_microseconds", mutant{get: func(m *Memory, ctx context.Context, k store.Key) (store.Doc, error) {
		d, err := m.Get(ctx, k)
		d.Due = d.Due.Truncate(time.Second)
		return d, err
	}}},
	{"keeps the version", "the_version_changes_with_every_write", mutant{commit: func(m *Memory, ctx context.Context, ws []store.Write) ([]store.Version, error) {
		m.last = 0
		return m.Commit(ctx, ws...)
	}}},
}

// TestSuiteNotices runs the suite on every mutant, in a process of its own because it must fail.
func TestSuiteNotices(t *testing.T) {
	if name := os.Getenv("STORETEST_MUTANT"); name != "" {
		runMutant(t, name)
		return
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], "-test.run=^TestSuiteNotices$/^"+m.noticed+"$", "-test.timeout=30s")
			cmd.Env = append(os.Environ(), "STORETEST_MUTANT="+m.name)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), fmt.Sprintf("--- FAIL: TestSuiteNotices/%s ", m.noticed)) {
				t.Errorf("not noticed by %s: %v\n%s", m.noticed, err, out)
			}
		})
	}
}

func runMutant(t *testing.T, name string) {
	for _, m := range mutants {
		if m.name != name {
			continue
		}
		Test(t, func(t *testing.T) Subject {
			s := openMemory(t)
			m.mutant.Memory = s.DB.(*Memory)
			s.DB = m.mutant
			return s
		})
	}
}
