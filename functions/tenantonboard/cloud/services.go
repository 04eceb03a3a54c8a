package cloud

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"time"

	"google.golang.org/api/serviceusage/v1"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/gapi"
)

// Limits of Service Usage, and how an operation is polled.
const (
	enableBatch = 20
	getBatch    = 30
	servicePage = 200
	firstPoll   = 500 * time.Millisecond
	longestPoll = 10 * time.Second
	waiting     = "wait for services"

	maxPollFailures = 3 // in a row
)

var (
	serviceForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,200}\.[a-z]{2,}$`)
	operationForm = regexp.MustCompile(`^operations/[A-Za-z0-9._-]+$`)
)

// ServiceState is what is known of a service after EnableServices.
type ServiceState string

const (
	AlreadyOn ServiceState = "already on"
	Enabled   ServiceState = "enabled" // by this call, or by another at the same time
	Refused   ServiceState = "refused" // Err says why
	Unknown   ServiceState = "unknown" // Err says what went wrong; calling again is harmless
)

// Service is what became of one service.
type Service struct {
	Name  string
	State ServiceState
	Err   error
}

// EnableServices switches services on in a project and reports on each, in the order of names. A batch is all or nothing: when one is
// refused its services are enabled one by one, so that the report names the one at fault. The error is nil if all are on, else that of the
// first that is not; an error without a report means that nothing was tried.
func (c *Clients) EnableServices(ctx context.Context, project string, names []string) ([]Service, error) {
	if err := checkServices(project, names); err != nil {
		return nil, err
	}
	on, err := c.enabledServices(ctx, project)
	if err != nil {
		return nil, err
	}
	var report []Service
	for _, name := range names {
		s := Service{Name: name, State: Unknown}
		if on[name] {
			s.State = AlreadyOn
		}
		if !slices.ContainsFunc(report, func(o Service) bool { return o.Name == name }) {
			report = append(report, s)
		}
	}
	c.enable(ctx, project, pending(report))
	c.verify(ctx, project, pending(report))
	return report, worst(report)
}

func checkServices(project string, names []string) error {
	if err := check(projectForm, project, "a project"); err != nil {
		return err
	}
	for _, name := range names {
		if err := check(serviceForm, name, "a service"); err != nil {
			return err
		}
	}
	return nil
}

// pending are the services whose state is open.
func pending(report []Service) []*Service {
	var open []*Service
	for i := range report {
		if report[i].State == Unknown {
			open = append(open, &report[i])
		}
	}
	return open
}

func worst(report []Service) error {
	for _, s := range report {
		if s.State == Refused || s.State == Unknown {
			return s.Err
		}
	}
	return nil
}

func (c *Clients) enabledServices(ctx context.Context, project string) (map[string]bool, error) {
	list, err := gapi.Pages(ctx, "list the services of a project", func(ctx context.Context, token string) ([]*serviceusage.GoogleApiServiceusageV1Service, string, error) {
		r, err := c.services.Services.List(project).Filter("state:ENABLED").PageSize(servicePage).PageToken(token).Context(ctx).Do()
		if err != nil {
			return nil, "", err
		}
		return r.Services, r.NextPageToken, nil
	})
	on := map[string]bool{}
	for name, state := range statesOf(list) {
		on[name] = state == "ENABLED"
	}
	return on, err
}

// statesOf are the states by name: the last segment of projects/NUMBER/services/NAME, which has the number whatever was asked for.
func statesOf(list []*serviceusage.GoogleApiServiceusageV1Service) map[string]string {
	states := map[string]string{}
	for _, s := range list {
		if s != nil {
			states[path.Base(s.Name)] = s.State
		}
	}
	return states
}

// enable asks for the services in batches. What it cannot tell stays unknown.
func (c *Clients) enable(ctx context.Context, project string, open []*Service) {
	for batch := range slices.Chunk(open, enableBatch) {
		err := c.enableBatch(ctx, project, batch)
		if len(batch) > 1 && isRefusal(err) && !hasReason(err, "IAM_PERMISSION_DENIED", "SERVICE_DISABLED") {
			c.enableEach(ctx, project, batch)
			continue
		}
		note(batch, err)
	}
}

func (c *Clients) enableEach(ctx context.Context, project string, batch []*Service) {
	for _, s := range batch {
		note([]*Service{s}, c.enableBatch(ctx, project, []*Service{s}))
	}
}

func note(batch []*Service, err error) {
	for _, s := range batch {
		if s.Err = err; isRefusal(err) {
			s.State = Refused
		}
	}
}

// errFailed is in the error of an operation that ended badly: the request was accepted, and nothing was enabled.
var errFailed = errors.New("the operation failed")

// isRefusal reports whether the API will not enable these services. A conflict is one here: it is a precondition, like missing billing.
func isRefusal(err error) bool {
	switch fault.Of(err) {
	case fault.Transient:
		return errors.Is(err, errFailed)
	case fault.Invalid, fault.Denied, fault.Missing, fault.Conflict:
		return !fault.IsUnsent(err)
	}
	return false
}

func (c *Clients) enableBatch(ctx context.Context, project string, batch []*Service) error {
	op, err := call(ctx, "enable services", func(ctx context.Context) (*serviceusage.Operation, error) {
		if len(batch) == 1 {
			return c.services.Services.Enable(project+"/services/"+batch[0].Name, &serviceusage.EnableServiceRequest{}).Context(ctx).Do()
		}
		return c.services.Services.BatchEnable(project, &serviceusage.BatchEnableServicesRequest{ServiceIds: namesOf(batch)}).Context(ctx).Do()
	})
	if err != nil {
		return err
	}
	return c.await(ctx, op)
}

func namesOf(batch []*Service) []string {
	names := make([]string, len(batch))
	for i, s := range batch {
		names[i] = s.Name
	}
	return names
}

// await polls an operation to its end, at most until the context's. A poll may fail now and then: the operation goes on.
func (c *Clients) await(ctx context.Context, op *serviceusage.Operation) error {
	for n, failures := 0, 0; !op.Done; n++ {
		if !operationForm.MatchString(op.Name) {
			return unreadable("operation", waiting)
		}
		if err := pause(ctx, c.backoff(n, firstPoll, longestPoll), waiting); err != nil {
			return err
		}
		next, err := c.poll(ctx, op.Name)
		if err == nil {
			op, failures = next, 0
		} else if failures++; failures == maxPollFailures {
			return fault.Wrap(fault.Transient, err, waiting)
		}
	}
	if op.Error != nil {
		return operationFault(op.Error)
	}
	return nil
}

func (c *Clients) poll(ctx context.Context, name string) (*serviceusage.Operation, error) {
	return call(ctx, "read an operation", func(ctx context.Context) (*serviceusage.Operation, error) {
		return c.services.Operations.Get(name).Context(ctx).Do()
	})
}

// statusKinds are what the codes of google.rpc.Code mean for us at the end of an operation.
var statusKinds = map[int64]fault.Kind{
	3: fault.Invalid, 5: fault.Missing, 6: fault.Conflict, 7: fault.Denied, 8: fault.Throttled, 9: fault.Conflict, 10: fault.Conflict, 16: fault.Denied,
}

// operationFault classifies the status that an operation ended with. Its message stays behind: it may repeat what we sent.
func operationFault(s *serviceusage.Status) error {
	kind, ok := statusKinds[s.Code]
	if !ok {
		kind = fault.Transient
	}
	return fault.Wrap(kind, fmt.Errorf("%w with status %d", errFailed, s.Code), "enable services")
}

// verify reads what became of the services. What was read counts, whatever the calls before said.
func (c *Clients) verify(ctx context.Context, project string, open []*Service) {
	for batch := range slices.Chunk(open, getBatch) {
		states, err := c.serviceStates(ctx, project, namesOf(batch))
		for _, s := range batch {
			switch {
			case states[s.Name] == "ENABLED":
				s.State, s.Err = Enabled, nil
			case s.Err == nil && err != nil:
				s.Err = err
			case s.Err == nil:
				s.Err = unreadable("service that is on", "enable services")
			}
		}
	}
}

func (c *Clients) serviceStates(ctx context.Context, project string, names []string) (map[string]string, error) {
	full := make([]string, len(names))
	for i, name := range names {
		full[i] = project + "/services/" + name
	}
	r, err := call(ctx, "read the state of services", func(ctx context.Context) (*serviceusage.BatchGetServicesResponse, error) {
		return c.services.Services.BatchGet(project).Names(full...).Context(ctx).Do()
	})
	if err != nil {
		return nil, err
	}
	return statesOf(r.Services), nil
}
