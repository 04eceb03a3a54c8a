package fetch

import (
	"errors"

	"github.com/providerdesk/providerdesk/functions/billingexport/bill"
	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/hub"
)

// refusal is an error that the hub, not the bucket, is behind.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func byHub(err error) bool {
	var r refusal
	return errors.As(err, &r)
}

// badRequest reports whether the hub found fault with the request itself, as it may with the unit of its times.
func badRequest(err error) bool {
	return byHub(err) && fault.Is(err, fault.Invalid) && !fault.IsUnsent(err) && !errors.Is(err, hub.ErrOutOfWindow)
}

// lacksService reports whether the tenant has no service. If no token was to be had for that reason it is the provider who lacks one.
func lacksService(err error) bool { return errors.Is(err, hub.ErrNoService) && !fault.IsUnsent(err) }

// refusesUs reports whether another's token may be let in where ours was not.
func refusesUs(err error) bool {
	return byHub(err) && !lacksService(err) && (fault.Is(err, fault.Denied) || fault.Is(err, fault.Missing))
}

// verdictOf returns what an error says about a tenant that has shown usage or not, or the error, if it says nothing about it.
func verdictOf(err error, used bool) (bill.Verdict, error) {
	switch {
	case !byHub(err):
		return bill.Verdict{}, err
	case errors.Is(err, hub.ErrForeign):
		return grave(bill.Foreign, "The hub's answer is about an organization that was not asked for. It was not kept."), nil
	case errors.Is(err, hub.ErrOutOfWindow):
		return grave(bill.OutOfWindow, "The hub does not report the month, and the archive does not have it."), nil
	case lacksService(err) && used:
		return grave(bill.Moved, "The hub reports usage, and then says that the tenant has no service."), nil
	case lacksService(err):
		return bill.Verdict{Code: bill.NoService, Text: "The tenant has no active service: there is no usage."}, nil
	}
	switch fault.Of(err) {
	case fault.Denied:
		return grave(bill.Denied, "The hub refuses our token, or there is no active service for it."), nil
	case fault.Missing:
		return grave(bill.Denied, "The hub does not know the organization, or there is no API token for it."), nil
	case fault.Invalid, fault.Conflict:
		return grave(bill.Denied, "The hub refuses the request, in either unit of time."), nil
	}
	return bill.Verdict{}, err
}

func grave(c bill.Code, text string) bill.Verdict {
	return bill.Verdict{Code: c, Grave: true, Text: text}
}
