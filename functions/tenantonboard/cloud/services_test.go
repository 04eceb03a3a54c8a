package cloud

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/sim/google"
)

const (
	opBatch  = "serviceusage.services.batchEnable"
	opEnable = "serviceusage.services.enable"
	opGet    = "serviceusage.services.batchGet"
	opPoll   = "serviceusage.operations.get"
	opList   = "serviceusage.services.list"
)

// first45 are 45 services that are off.
func first45() []string {
	off := slices.DeleteFunc(google.Services(), func(s string) bool {
		return s == "serviceusage.googleapis.com" || s == "cloudresourcemanager.googleapis.com"
	})
	return off[:45]
}

// states counts the report by state.
func states(report []Service) map[ServiceState]int {
	n := map[ServiceState]int{}
	for _, s := range report {
		n[s.State]++
	}
	return n
}

func TestEnable45Services(t *testing.T) {
	in(t, google.Options{OperationPolls: 2}, func(w world) {
		report, err := w.EnableServices(w.Context(), project, first45())
		w.check(err)
		if states(report)[Enabled] != 45 || w.calls(opBatch) != 3 || w.calls(opEnable) != 0 || w.calls(opGet) != 2 {
			t.Errorf("%v with %d batches", states(report), w.calls(opBatch))
		}
		t.Logf("45 services: %d list, %d batches, %d polls, %d batchGet", w.calls(opList), w.calls(opBatch), w.calls(opPoll), w.calls(opGet))

		report, err = w.EnableServices(w.Context(), project, first45())
		w.check(err)
		if states(report)[AlreadyOn] != 45 || w.calls(opBatch) != 3 || w.calls(opGet) != 2 {
			t.Errorf("repeat: %v with %d batches", states(report), w.calls(opBatch))
		}
	})
}

// One bad service takes its batch with it; it is the only one that is not on in the end, and it is named.
func TestTheCulpritIsNamed(t *testing.T) {
	for why, kind := range map[google.Refusal]fault.Kind{google.NoBilling: fault.Conflict, google.NotAllowed: fault.Denied, google.InOperation: fault.Transient} {
		names := first45()
		bad := "dlp.googleapis.com"
		i := slices.Index(names, bad)
		in(t, google.Options{Refused: map[string]google.Refusal{bad: why}}, func(w world) {
			report, err := w.EnableServices(w.Context(), project, names)
			w.fails(err, kind)
			if n := states(report); n[Enabled] != 44 || n[Refused] != 1 || report[i].State != Refused || report[i].Name != bad || report[i].Err != err {
				t.Errorf("%s: %v, %+v", why, n, report[i])
			}
			if w.calls(opBatch) != 3 || w.calls(opEnable) != 20 {
				t.Errorf("%s: %d batches, %d single", why, w.calls(opBatch), w.calls(opEnable))
			}
			t.Logf("%s: %d batches, %d single, %d polls, %d batchGet; named %s", why, w.calls(opBatch), w.calls(opEnable), w.calls(opPoll), w.calls(opGet), report[i].Name)
		})
	}
}

func TestUnknownServicesAreNamed(t *testing.T) {
	in(t, google.Options{}, func(w world) {
		report, err := w.EnableServices(w.Context(), project, []string{"run.googleapis.com", "nothing.googleapis.com", "run.googleapis.com"})
		w.fails(err, fault.Denied)
		if len(report) != 2 || report[0].State != Enabled || report[1].State != Refused {
			t.Errorf("%+v", report)
		}
	})
}

func TestOneServiceIsEnabledAlone(t *testing.T) {
	in(t, google.Options{}, func(w world) {
		_, err := w.EnableServices(w.Context(), project, []string{"run.googleapis.com"})
		w.check(err)
		if w.calls(opBatch) != 0 || w.calls(opEnable) != 1 {
			t.Errorf("%d batches, %d single", w.calls(opBatch), w.calls(opEnable))
		}
	})
}

// Without the permission nothing is tried one by one: no service is at fault.
func TestNoPermissionToEnable(t *testing.T) {
	in(t, google.Options{Denied: []string{"serviceusage.services.enable"}}, func(w world) {
		report, err := w.EnableServices(w.Context(), project, first45())
		w.fails(err, fault.Denied)
		if states(report)[Refused] != 45 || w.calls(opBatch) != 3 || w.calls(opEnable) != 0 {
			t.Errorf("%v, %d batches, %d single", states(report), w.calls(opBatch), w.calls(opEnable))
		}
	})
}

// Whatever happens to the answers: what is on is reported as on, the rest as unknown, and calling again completes it.
func TestEnableUnderFaults(t *testing.T) {
	names := []string{"run.googleapis.com", "redis.googleapis.com"}
	for _, tt := range []struct {
		op, fault string
		want      ServiceState
		kind      fault.Kind
	}{
		{opBatch, "status:503", Unknown, fault.Transient}, {opBatch, "drop", Unknown, fault.Transient}, {opBatch, "status:429", Unknown, fault.Throttled},
		{opBatch, "commit_then_drop", Enabled, ""}, {opBatch, "commit_then_status:500", Enabled, ""}, {opBatch, "garbage", Enabled, ""},
		{opPoll, "status:500", Enabled, ""}, {opPoll, "garbage", Enabled, ""}, {opPoll, "drop", Enabled, ""}, {opGet, "status:500", Unknown, fault.Transient},
	} {
		polls := -1
		if tt.op == opPoll {
			polls = 1
		}
		in(t, google.Options{OperationPolls: polls, OperationTime: time.Second}, func(w world) {
			w.arm(tt.op, tt.fault)
			report, err := w.EnableServices(w.Context(), project, names)
			if fault.Of(err) != tt.kind || states(report)[tt.want] != 2 || fault.Of(report[0].Err) != tt.kind {
				t.Errorf("%s %s: %v %+v", tt.op, tt.fault, err, report)
			}
			report, err = w.EnableServices(w.Context(), project, names)
			if n := states(report); err != nil || n[AlreadyOn]+n[Enabled] != 2 {
				t.Errorf("%s %s again: %v %+v", tt.op, tt.fault, err, report)
			}
		})
	}
}

func TestEnableEndsWithItsContext(t *testing.T) {
	in(t, google.Options{OperationPolls: 1000, OperationTime: time.Hour}, func(w world) {
		ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
		defer cancel()
		report, err := w.EnableServices(ctx, project, []string{"run.googleapis.com", "redis.googleapis.com"})
		if !errors.Is(err, context.DeadlineExceeded) || states(report)[Unknown] != 2 {
			t.Errorf("%v %+v", err, report)
		}
		if n := w.calls(opPoll); n > 20 {
			t.Errorf("%d polls in a minute", n)
		}
	})
}

func TestPollsThatNeverAnswer(t *testing.T) {
	in(t, google.Options{OperationTime: time.Hour}, func(w world) {
		w.check(w.google.ArmFault(opPoll, "status:500", 100))
		report, err := w.EnableServices(w.Context(), project, []string{"run.googleapis.com"})
		w.fails(err, fault.Transient)
		if states(report)[Unknown] != 1 || w.calls(opPoll) != maxPollFailures {
			t.Errorf("%+v after %d polls", report, w.calls(opPoll))
		}
	})
}
