package firestore

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/providerdesk/providerdesk/shared/fault"
	"github.com/providerdesk/providerdesk/shared/store"
)

// kinds says what a code means for a commit and for a read. To a commit a document that is there, missing or changed is a precondition
// that does not hold; a read has no preconditions: a document that is missing is an answer to it, so the codes are about the database or
// an index that an operator has to make.
var kinds = map[codes.Code]struct{ commit, read fault.Kind }{
	codes.Canceled:           {fault.Transient, fault.Transient},
	codes.Unknown:            {fault.Transient, fault.Transient},
	codes.InvalidArgument:    {fault.Invalid, fault.Invalid},
	codes.DeadlineExceeded:   {fault.Transient, fault.Transient},
	codes.NotFound:           {fault.Conflict, fault.Denied},
	codes.AlreadyExists:      {fault.Conflict, fault.Bug},
	codes.PermissionDenied:   {fault.Denied, fault.Denied},
	codes.ResourceExhausted:  {fault.Throttled, fault.Throttled},
	codes.FailedPrecondition: {fault.Conflict, fault.Denied},
	codes.Aborted:            {fault.Conflict, fault.Transient},
	codes.OutOfRange:         {fault.Invalid, fault.Invalid},
	codes.Unimplemented:      {fault.Bug, fault.Bug},
	codes.Internal:           {fault.Transient, fault.Transient},
	codes.Unavailable:        {fault.Transient, fault.Transient},
	codes.DataLoss:           {fault.Bug, fault.Bug},
	codes.Unauthenticated:    {fault.Denied, fault.Denied},
}

// code is that of an RPC's error; a context that ended on our side is an error of its own.
func code(err error) codes.Code {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return status.FromContextError(err).Code()
	}
	return status.Code(err)
}

func readError(err error, doing string) error {
	kind := fault.Bug
	if k, ok := kinds[code(err)]; ok {
		kind = k.read
	}
	return fault.Wrap(kind, err, doing)
}

// commitError classifies the error of the one attempt to commit. Only a refusal is certain. That a precondition did not hold is taken back
// when a look finds our own write, whatever stood between us and the server having repeated it; deletes leave nothing to look for, so there
// the server's word must do.
func commitError(err error, writes []store.Write) error {
	c, kind := code(err), fault.Bug
	if k, ok := kinds[c]; ok {
		kind = k.commit
	}
	refused := kind == fault.Denied
	unmet := kind == fault.Conflict && c != codes.Aborted
	err = fault.Wrap(kind, err, "commit")
	if refused || unmet && onlyDeletes(writes) {
		return fault.Unsent(err)
	}
	return err
}

func onlyDeletes(writes []store.Write) bool {
	for _, w := range writes {
		if w.Op != store.OpDelete {
			return false
		}
	}
	return true
}
