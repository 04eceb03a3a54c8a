package google

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/providerdesk/providerdesk/shared/sim/rest"
)

const usageMessage = "google.api.serviceusage.v1."

func (s *Server) batchEnable(tx *tx, rq *request) (any, error) {
	project, f := s.consumer(rq.param)
	if f != nil {
		return nil, f
	}
	names := rq.object.texts("serviceIds")
	if len(names) > maxBatchEnable {
		return nil, rest.Invalid("serviceIds", "A request can enable at most %d services.", maxBatchEnable)
	}
	return tx.enable(project, "BatchEnableServicesResponse", names)
}

func (s *Server) enableService(tx *tx, rq *request) (any, error) {
	project, service, f := s.consumerService(rq.param)
	if f != nil {
		return nil, f
	}
	return tx.enable(project, "EnableServiceResponse", []string{service})
}

// enable begins the operation that switches all the services on, or refuses all.
func (tx *tx) enable(project, answer string, names []string) (any, error) {
	op := operationRecord{Project: project, Answer: answer, Services: names, Also: needed(names), Enable: true}
	for _, name := range slices.Concat(names, op.Also) {
		switch why := tx.refused[name]; {
		case !known(name), why == NotAllowed:
			return nil, unavailable()
		case why == NoBilling:
			return nil, noBilling(project)
		case why == InOperation:
			op.Failed = true
		}
	}
	if !slices.ContainsFunc(names, func(name string) bool { return !tx.state.isEnabled(project, name) }) {
		op.Name, op.Done, op.Failed = "operations/noop.DONE_OPERATION", true, false
		return tx.state.wireOperation(op), nil
	}
	return tx.start(op), nil
}

// needed are the services that are switched on with others.
func needed(names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, needs[name]...)
	}
	return all
}

func (s *Server) disableService(tx *tx, rq *request) (any, error) {
	project, service, f := s.consumerService(rq.param)
	if f != nil {
		return nil, f
	}
	if !tx.state.isEnabled(project, service) {
		return nil, rest.Fail("FAILED_PRECONDITION", "The service is not enabled.").Because("serviceusage.googleapis.com", "SU_SERVICE_NOT_ENABLED", nil)
	}
	dependents := tx.state.dependents(project, service)
	if len(dependents) > 0 && !rq.object.flag("disableDependentServices") {
		return nil, rest.Fail("FAILED_PRECONDITION", "%d enabled services depend on the service.", len(dependents)).
			Because("serviceusage.googleapis.com", "COMMON_SU_SERVICE_HAS_DEPENDENTS", nil)
	}
	all := append([]string{service}, dependents...)
	if rq.object.text("checkIfServiceHasUsage") == "CHECK" && slices.ContainsFunc(all, func(name string) bool { return tx.used(project, name) }) {
		return nil, rest.Fail("FAILED_PRECONDITION", "The service was used in the last 30 days.").Because("serviceusage.googleapis.com", "COMMON_SU_SERVICE_HAS_USAGE", nil)
	}
	return tx.start(operationRecord{Project: project, Answer: "DisableServiceResponse", Services: []string{service}, Also: dependents}), nil
}

func (tx *tx) used(project, name string) bool {
	used := tx.state.services[serviceKey{project, name}].Used
	return !used.IsZero() && tx.at.Sub(used) < usageWindow
}

// dependents are the enabled services that need one, at any depth.
func (s *state) dependents(project, service string) []string {
	found := map[string]bool{}
	var visit func(string)
	visit = func(service string) {
		for name, needed := range needs {
			if !found[name] && slices.Contains(needed, service) && s.isEnabled(project, name) {
				found[name] = true
				visit(name)
			}
		}
	}
	visit(service)
	return slices.Sorted(maps.Keys(found))
}

// start makes a new operation of what is to be done.
func (tx *tx) start(op operationRecord) any {
	random := tx.next("operation")
	op.Name = fmt.Sprintf("operations/acat.p2-%s-%s", op.Project, hex.EncodeToString(random[:16]))
	op.Polls, op.Due = tx.opts.OperationPolls, tx.at.Add(tx.opts.OperationTime)
	if op.Polls < 0 {
		return tx.finish(op)
	}
	tx.putOperation(op)
	return tx.state.wireOperation(op)
}

// finish ends an operation, with its effect unless it fails.
func (tx *tx) finish(op operationRecord) any {
	op.Done = true
	tx.putOperation(op)
	for _, name := range append(slices.Clone(op.Services), op.Also...) {
		if !op.Failed {
			r := tx.state.services[serviceKey{op.Project, name}]
			tx.putService(serviceRecord{Project: op.Project, Name: name, Enabled: op.Enable, Used: r.Used})
		}
	}
	return tx.state.wireOperation(op)
}

func (s *Server) getOperation(tx *tx, rq *request) (any, error) {
	op, ok := tx.state.operations[rq.param]
	switch {
	case !ok:
		return nil, rest.NotFound()
	case op.Done:
		return tx.state.wireOperation(op), nil
	case op.Polls == 0:
		return tx.finish(op), nil
	}
	op.Polls--
	tx.putOperation(op)
	return tx.state.wireOperation(op), nil
}

// finishDue ends the operations whose time has come, the earliest first. The caller holds the lock.
func (s *Server) finishDue(at time.Time) error {
	var due []operationRecord
	for _, op := range s.state.operations {
		if !op.Done && !at.Before(op.Due) {
			due = append(due, op)
		}
	}
	slices.SortFunc(due, func(a, b operationRecord) int { return a.Due.Compare(b.Due) })
	tx := s.begin(at)
	for _, op := range due {
		tx.finish(op)
	}
	return tx.commit()
}

type wireOperation struct {
	Name     string         `json:"name"`
	Done     bool           `json:"done,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
	Error    map[string]any `json:"error,omitempty"`
	Response map[string]any `json:"response,omitempty"`
}

// wireOperation shows an operation as it will be once the change is applied.
func (s *state) wireOperation(op operationRecord) wireOperation {
	var resources []string
	var services []wireService
	for _, name := range op.Services {
		w := s.wireService(op.Project, name)
		if w.State = "DISABLED"; op.Enable {
			w.State = "ENABLED"
		}
		resources, services = append(resources, w.Name), append(services, w)
	}
	out := wireOperation{Name: op.Name, Done: op.Done}
	out.Metadata = map[string]any{"@type": rest.Typed(usageMessage + "OperationMetadata"), "resourceNames": resources}
	switch {
	case op.Done && op.Failed:
		out.Error = map[string]any{"code": 13, "message": "The services could not be enabled."}
	case op.Done:
		out.Response = map[string]any{"@type": rest.Typed(usageMessage + op.Answer)}
		if op.Answer == "BatchEnableServicesResponse" {
			out.Response["services"] = services
		} else {
			out.Response["service"] = services[0]
		}
	}
	return out
}
