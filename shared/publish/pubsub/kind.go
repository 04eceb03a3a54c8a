package pubsub

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/providerdesk/providerdesk/shared/fault"
)

// kindOf is where the statuses of Pub/Sub become kinds of fault.
func kindOf(err error) fault.Kind {
	switch status.Code(err) {
	case codes.NotFound:
		return fault.Missing
	case codes.PermissionDenied, codes.Unauthenticated:
		return fault.Denied
	case codes.InvalidArgument:
		return fault.Invalid
	case codes.ResourceExhausted:
		return fault.Throttled
	}
	return fault.Transient
}
